"""What docstrings and the README show is true; of the other pages see tests/docs."""

import ast
import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import radzoo
from radzoo import backends, zoo
from radzoo.experiments import plan
from radzoo.zoo import registry

# Loaded by other means than import, or only where a framework is.
APART = ("radzoo.tests", "radzoo.setup", "radzoo.radzoo", "radzoo.examples", "radzoo.benchmarks")

MODULES = [
    module.name
    for module in pkgutil.walk_packages(radzoo.__path__, "radzoo.")
    if not module.name.startswith(APART) and not re.search(r"\.(worker|engine)", module.name)
]

README = Path(__file__).resolve().parents[1] / "README.md"
BACKENDS = README.parent / "docs" / "backends.md"
ENGINE = Path(backends.__file__).parent / "legacy" / "engine"


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert not failed


def readme_block(language):
    if not README.exists():
        pytest.skip("the README is not part of the wheel")
    return re.search(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL).group(1)


def test_the_spec_in_the_readme_is_valid(tmp_path):
    (tmp_path / "readme.yaml").write_text(readme_block("yaml"))
    assert plan.plans(tmp_path / "readme.yaml")


def test_the_architecture_in_the_readme_registers(tmp_path, monkeypatch):
    (tmp_path / "of_the_readme.py").write_text(readme_block("python"))
    monkeypatch.syspath_prepend(tmp_path)
    assert "smallest_cnn" not in zoo.names()
    own = dict(registry._ARCHITECTURES)  # so that other tests do not meet the README's
    monkeypatch.setattr(registry, "_ARCHITECTURES", own)
    entry = zoo.get("of_the_readme:smallest_cnn")
    # (3 * 3 * 1 + 1) * 32 for the convolution, (32 + 1) * 2 for the scores.
    assert entry.parameters == 10 * 32 + 33 * 2


def test_every_layer_and_activation_that_cntk_can_do_is_listed():
    if not BACKENDS.exists():
        pytest.skip("the documentation is not part of the wheel")
    tables = {}
    for name in (
        "activations.py",
        "layers.py",
        "refusals.py",
    ):  # read, since only the old interpreter has CNTK
        for node in ast.parse((ENGINE / name).read_text()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict | ast.Tuple):
                members = getattr(node.value, "keys", None) or node.value.elts
                tables[node.targets[0].id] = {getattr(one, "value", None) for one in members}
    known = tables["LAYERS"] | set(tables["IN_TRAINING"]) | tables["ACTIVATIONS"]
    assert len(known) > 40
    text = BACKENDS.read_text()
    assert not {name for name in known if not re.search(rf"\b{name}\b", text)}
