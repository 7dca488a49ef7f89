"""The reference of the command line: every command, as it answers to `--help`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import typer.main
import words

from radzoo import cli

KINDS = {Path: "path", str: "text", int: "whole number", float: "number"}
HEAD = """# Command-line reference

`python cli.py COMMAND` in a checkout, `radzoo COMMAND` once installed. This page is written from
the commands themselves when the site is built; `python cli.py run --help` shows the same.

| exit code | what it means |
|---|---|
| 0 | done |
| 1 | the work failed |
| 2 | something that you can mend: a spec, a file, a name |
| 3 | the backend has to be installed |
| 4 | the device is not there |
| 130 | interrupted; the same command goes on from what is done |

"""


def page() -> str:
    """Write the page."""
    return HEAD + "\n".join(_section(path, one) for path, one in leaves(_root(), ()))


def _root() -> Any:
    return typer.main.get_command(cli.app)


def leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with the words that call it."""
    inner = getattr(command, "commands", {})
    if not inner or getattr(command, "invoke_without_command", False):
        yield path, command
    for name, one in inner.items():
        yield from leaves(one, (*path, name))


def _section(path: tuple[str, ...], command: Any) -> str:
    name = " ".join(path)
    given = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    usage = " ".join([*map(_placeholder, given), "[OPTIONS]"])
    parts = [f"## {name} {{: #{'-'.join(path)} }}\n", f"{command.help}\n"]
    parts += [f"```text\npython cli.py {name} {usage}\n```\n"]
    rows = [_row(one) for one in [*given, *options] if "--help" not in one.opts]
    if rows:
        parts.append(words.table(["", "value", "default", "meaning"], rows))
    return "\n".join(parts)


def _placeholder(one: Any) -> str:
    name = one.name.upper() + ("..." if one.nargs == -1 else "")
    return name if one.required else f"[{name}]"


def _row(one: Any) -> list[str]:
    if one.param_type_name == "argument":
        names = f"`{one.name.upper()}`"
    else:
        names = ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
    flag = getattr(one, "is_flag", False)
    default = "" if one.default in (None, False) else f"`{one.default}`"
    kind = "" if flag else _kind(one.type_descriptor.annotation)
    return [names, kind, "required" if one.required else default, one.help or ""]


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is list:
        return f"{_kind(get_args(annotation)[0])}, any number of times"
    choices = [f"`{one}`" for one in get_args(annotation)]
    return " or ".join(choices) or KINDS.get(annotation, str(annotation))
