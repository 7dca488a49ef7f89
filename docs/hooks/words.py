"""What docstrings and signatures say, as Markdown."""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

SECTIONS = ("Args", "Attributes", "Returns", "Raises", "Source", "Yields", "Example")


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Draw a table; what would end a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(one) for one in line) + " |" for line in lines) + "\n"


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def code(value: Any) -> str:
    """Show a value as a YAML spec would write it, in type for code."""
    named = {None: "null", True: "true", False: "false"}
    if isinstance(value, bool) or value is None:
        return f"`{named[value]}`"
    if isinstance(value, tuple | list):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{value}`" if str(value) else '`""`'


def prose(owner: Any) -> str:
    """Give the docstring up to its first section."""
    text = inspect.getdoc(owner) or ""
    return re.split(rf"(?m)^(?:{'|'.join(SECTIONS)}):\n", text)[0].strip()


def entries(owner: Any, section: str) -> dict[str, str]:
    """Give what `Args:` or `Attributes:` of a docstring says, by name."""
    text = inspect.getdoc(owner) or ""
    found = re.search(rf"(?ms)^{section}:\n(.*?)(?=^\S|\Z)", text)
    if not found:
        return {}
    lines = re.findall(
        r"(?ms)^(\w[\w, ]*): (.*?)(?=^\w[\w, ]*: |\Z)", textwrap.dedent(found.group(1))
    )
    return {name: " ".join(said.split()) for names, said in lines for name in names.split(", ")}


def options(function: Callable, leave_out: Sequence[str] = ()) -> str:
    """Draw the options of a registered function: type, default, what they mean."""
    said = entries(function, "Args")
    found = inspect.signature(function, eval_str=True).parameters
    rows = [
        [f"`{name}`", f"`{_type(one)}`", _default(one), said.get(name, "")]
        for name, one in found.items()
        if name not in leave_out
    ]
    return table(["option", "type", "default", "meaning"], rows) if rows else "No options.\n"


def _type(parameter: inspect.Parameter) -> str:
    if parameter.annotation is parameter.empty:
        return "any"
    text = inspect.formatannotation(parameter.annotation).replace("typing.", "")
    text = re.sub(r"Annotated\[(\w+), (?:[^\[\]]|\[[^\]]*\])*\]", r"\1", text)
    return re.sub(r"\b\w+\.(?=\w)", "", text)


def _default(parameter: inspect.Parameter) -> str:
    return "required" if parameter.default is parameter.empty else code(parameter.default)


def facts(pairs: Mapping[str, Any]) -> str:
    """Draw what is known, a row a fact; what is not known is left out."""
    return table(["", ""], [[name, said] for name, said in pairs.items() if said not in (None, "")])
