"""The reference of the spec: every key, as its class says it."""

from pathlib import Path
from typing import Any

import words

from radzoo.experiments import section, sections, spec, study
from radzoo.experiments.optimizers import OPTIMIZERS
from radzoo.preprocessing import steps

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "experiments" / "phantom_chest.yaml"
KINDS = {
    "string": "text",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "null": "null",
}
HOLDERS = {"array": ("list", "of"), "object": ("mapping", "of names to")}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
HEAD = """# Spec reference

A spec is a YAML file. This page is written from the classes that check it, when the site is built.
A key that is not here is refused, with its line and the nearest key that would have worked:

    python cli.py validate experiments/quickstart.yaml

Any key can be set from the command line by its dotted path, in YAML:

    python cli.py run experiments/quickstart.yaml --set training.epochs=5
    python cli.py run experiments/quickstart.yaml --set 'evaluation.thresholds=[0.5, 0.2]'

A complete spec, `experiments/phantom_chest.yaml`:

```yaml
{example}```

"""


def page() -> str:
    """Write the page."""
    schema = spec.Spec.model_json_schema()
    found = {"Spec": schema, **schema["$defs"]}
    paths = _paths(found)
    order = ["", *schema["properties"]]
    names = sorted(paths, key=lambda name: order.index(paths[name].partition(".")[0]))
    parts = [_section(name, found[name], paths) for name in names]
    return HEAD.format(example=EXAMPLE.read_text()) + "\n".join([*parts, _named()])


def _paths(found: dict[str, Any]) -> dict[str, str]:
    """Give where each class stands in a spec, in the order in which a reader meets them."""
    paths, todo = {"Spec": ""}, ["Spec"]
    for name in todo:  # which grows meanwhile
        for key, field in found[name]["properties"].items():
            for other in _references(field):
                if other not in paths:
                    paths[other] = f"{paths[name]}.{key}".lstrip(".")
                    todo.append(other)
    return paths


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for one in schema for name in _references(one)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else []
    return own + [name for one in schema.values() for name in _references(one)]


def _section(name: str, schema: dict[str, Any], paths: dict[str, str]) -> str:
    owner = next(getattr(one, name) for one in (spec, sections, study) if hasattr(one, name))
    said = words.entries(owner, "Attributes")
    path, required = paths[name], schema.get("required", ())
    rows = [
        [
            f"`{key}`{{: #{f'{path}.{key}'.lstrip('.')} }}",
            _words(field, paths),
            "required" if key in required else _default(owner.model_fields[key].default),
            said[key],
        ]
        for key, field in schema["properties"].items()
    ]
    title = f"`{path}` {{: #section.{path} }}" if path else "The top of a spec"
    drawn = words.table(["key", "value", "default", "meaning"], rows)
    return f"## {title}\n\n{words.prose(owner)}\n\n{drawn}"


def _default(value: Any) -> str:
    if isinstance(value, section.Section):
        return "its own defaults"
    if value == {"name": "adam"}:
        return "`adam`"
    return "none" if value in ({}, ()) else words.code(value)


def _words(schema: dict[str, Any], paths: dict[str, str]) -> str:
    """Say which values a JSON schema allows."""
    if "$ref" in schema:
        path = paths[schema["$ref"].rpartition("/")[2]]
        return f"[{path}](#section.{path})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_words(one, paths) for one in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    inner = schema.get("items", schema.get("additionalProperties"))
    if schema.get("type") in HOLDERS:
        holder, of = HOLDERS[schema["type"]]
        held = isinstance(inner, dict) and inner
        return f"{holder} {of} {_many(_words(inner, paths))}" if held else holder
    limits = [f"{said} {schema[key]:,}" for key, said in BOUNDS.items() if key in schema]
    return " ".join([KINDS.get(schema.get("type", ""), "any value"), ", ".join(limits)]).strip()


def _many(words_of_one: str) -> str:
    nouns = (*KINDS.values(), *(holder for holder, _ in HOLDERS.values()))
    noun = next((one for one in nouns if words_of_one.startswith(one)), "")
    return f"{noun}s{words_of_one.removeprefix(noun)}" if noun else words_of_one


def _named() -> str:
    lines = [
        "## Preprocessing steps {: #steps }\n",
        "`preprocessing: [{name: resize, rows: 128, columns: 128}, normalise_brightness]`\n",
    ]
    for name in steps.names():
        entry = steps.get(name)
        lines += [f"### {name}\n", words.prose(entry.function) + "\n"]
        lines += [words.options(entry.function, ("image",))]
    lines += ["## Optimisers {: #optimisers }\n", "With Keras's formulas on every backend.\n"]
    for name, function in OPTIMIZERS.items():
        lines += [f"### {name}\n", words.options(function)]
    return "\n".join(lines)
