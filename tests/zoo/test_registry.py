"""Three ways in, one way to look up, and every failure says what to do."""

import doctest
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from radzoo import zoo
from radzoo.errors import UnknownName, UserError
from radzoo.zoo import registry

FACTS = {
    "input_shape": (8, 8, 1),
    "minimum_size": 8,
    "heatmap_layer": "conv",
    "parameters": 1,
    "source": "a test",
    "licence": "MIT",
    "blocks": {},
}
DECORATED = """
from radzoo.zoo import architecture

@architecture(input_shape=(8, 8, 1), minimum_size=8, heatmap_layer="conv", parameters=1,
              source="a test", licence="MIT", blocks={{"all": "conv"}})
def {name}(keras, classes, input_shape=(8, 8, 1), width: int = 2):
    '''One line.

    And more.'''
"""


@pytest.fixture(autouse=True)
def _clean_registry():
    zoo.names()
    before = dict(registry._ARCHITECTURES)
    registry._discover.cache_clear()
    yield
    registry._ARCHITECTURES.clear()
    registry._ARCHITECTURES.update(before)
    registry._discover.cache_clear()


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a module that can be imported for the length of one test."""
    monkeypatch.syspath_prepend(tmp_path)

    def write_module(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)

    return write_module


@pytest.fixture
def install(monkeypatch):
    """Pretend that packages with these entry points are installed."""

    def install_values(*values):
        points = [importlib.metadata.EntryPoint(v, v, "radzoo.architectures") for v in values]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)

    return install_values


def small(keras, classes, input_shape=(8, 8, 1)):
    """A factory that was never registered."""


def test_the_example_in_the_docstring_runs():
    assert doctest.testmod(zoo).failed == 0


def test_looking_up_loads_no_framework():
    code = (
        "import sys; from radzoo import zoo; zoo.entries(); "
        "print(sorted({'keras', 'tensorflow', 'torch', 'jax', 'numpy'} & set(sys.modules)))"
    )
    path = {"PYTHONPATH": ":".join(filter(None, sys.path)), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_a_misspelt_name_is_corrected():
    with pytest.raises(UnknownName, match="Did you mean 'tiny_cnn'") as caught:
        zoo.get("tinycnn")
    assert "Searched: radzoo" in str(caught.value)


def test_entries_are_the_records_of_names():
    assert [entry.name for entry in zoo.entries()] == zoo.names()


def test_a_record_knows_its_options():
    options = zoo.get("tiny_cnn").options
    assert list(options) == ["input_shape", "width", "dropout"]
    assert (options["width"].annotation, options["width"].default) == (int, 8)


def test_a_name_registered_twice_names_both_modules():
    def tiny_cnn(keras, classes, input_shape=(8, 8, 1)):
        pass

    with pytest.raises(ValueError, match="registered twice") as caught:
        zoo.architecture(**FACTS)(tiny_cnn)
    assert "radzoo.zoo.architectures.tiny_cnn" in str(caught.value)
    assert __name__ in str(caught.value)


def test_the_same_function_may_be_registered_again():
    zoo.architecture(**FACTS)(small)
    zoo.architecture(**FACTS | {"parameters": 2})(small)
    assert zoo.get("small").parameters == 2


def test_the_decorator_and_the_signature_must_name_one_shape():
    with pytest.raises(ValueError, match=r"\(16, 16, 1\).*\(8, 8, 1\)"):
        zoo.architecture(**FACTS | {"input_shape": (16, 16, 1)})(small)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("keras, classes, input_shape=(8, 8, 1), **options", r"\*\*options hides"),
        ("keras, classes, input_shape=(8, 8, 1), *options", r"\*options hides"),
        ("keras, classes", "it has no input_shape"),
        ("keras, classes, input_shape=8", "it has no input_shape"),
        ("classes, keras, input_shape=(8, 8, 1)", "must begin with"),
        ("keras, classes, input_shape=(8, 8, 1), width=2", "width has no type"),
        ("keras, classes, input_shape=(8, 8, 1), *, width: int", "width has no default"),
    ],
)
def test_a_factory_whose_options_cannot_be_checked_is_refused(arguments, problem, write):
    scope = {"__name__": "refused"}
    exec(f"def refused({arguments}): pass", scope)
    with pytest.raises(ValueError, match=problem):
        zoo.architecture(**FACTS)(scope["refused"])
    write("refusing_module", f"def refused({arguments}): pass")
    with pytest.raises(UserError, match=problem):
        zoo.get("refusing_module:refused")


def test_an_entry_point_registers_what_its_module_decorates(write, install):
    write("good_plugin", DECORATED.format(name="from_plugin"))
    install("good_plugin")
    entry = zoo.get("from_plugin")
    assert (entry.module, entry.summary, entry.blocks) == (
        "good_plugin",
        "One line.",
        {"all": "conv"},
    )
    assert zoo.failed_plugins() == {}


def test_an_entry_point_to_a_plain_factory_registers_it_too(write, install):
    write("plain_plugin", "def plain(keras, classes, input_shape=(8, 8, 1)): pass")
    install("plain_plugin:plain")
    assert zoo.get("plain").source is None


def test_a_plug_in_that_fails_to_import_stops_nothing_and_is_named(write, install):
    write("bad_plugin", "raise OSError('no such card')")
    write("other_plugin", DECORATED.format(name="from_other"))
    install("bad_plugin", "other_plugin")
    assert "from_other" in zoo.names()
    assert zoo.failed_plugins() == {"bad_plugin": "OSError: no such card"}
    with pytest.raises(UnknownName) as caught:
        zoo.get("from_bad")
    assert "Searched: radzoo, bad_plugin, other_plugin." in str(caught.value)
    assert "bad_plugin failed to load: OSError: no such card." in str(caught.value)


def test_a_plug_in_that_takes_a_name_of_ours_is_refused_and_ours_stays(write, install):
    write("taking_plugin", DECORATED.format(name="tiny_cnn"))
    install("taking_plugin:tiny_cnn")
    assert zoo.get("tiny_cnn").module == "radzoo.zoo.architectures.tiny_cnn"
    assert "registered twice" in zoo.failed_plugins()["taking_plugin"]


def test_an_entry_point_to_something_else_is_a_failed_plug_in(write, install):
    write("odd_plugin", "number = 3")
    install("odd_plugin:number")
    assert list(zoo.failed_plugins()) == ["odd_plugin"]


def test_the_address_of_a_plain_factory_gives_what_its_signature_says(write):
    write("plain_module", "def mine(keras, classes, input_shape=(16, 8, 3)): 'Mine.'")
    entry = zoo.get("plain_module:mine")
    assert (entry.name, entry.input_shape, entry.summary) == (
        "plain_module:mine",
        (16, 8, 3),
        "Mine.",
    )
    assert (entry.parameters, entry.source, entry.heatmap_layer) == (None, None, None)


def test_the_address_of_a_decorated_factory_gives_its_record(write):
    write("decorated_module", DECORATED.format(name="decorated"))
    entry = zoo.get("decorated_module:decorated")
    assert (entry.name, entry.source) == ("decorated_module:decorated", "a test")


def test_types_written_as_text_are_resolved(write):
    write(
        "future_module",
        "from __future__ import annotations\n"
        "def mine(keras, classes, input_shape=(8, 8, 1), *, width: int = 2): pass\n"
        "def lost(keras, classes, input_shape=(8, 8, 1), *, width: Whole = 2): pass",
    )
    assert zoo.get("future_module:mine").options["width"].annotation is int
    with pytest.raises(UserError, match="'Whole' is not defined"):
        zoo.get("future_module:lost")


def test_a_module_in_the_current_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    Path("beside_the_spec.py").write_text("def f(keras, classes, input_shape=(8, 8, 1)): pass")
    assert zoo.get("beside_the_spec:f").module == "beside_the_spec"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("no_such_module:f", "No module named 'no_such_module'"),
        ("os:f", "has no attribute 'f'"),
        ("os:sep", "os:sep is a str, not a function"),
        ("os:", "AttributeError"),
    ],
)
def test_an_address_that_cannot_be_imported_says_why(address, why):
    with pytest.raises(UnknownName) as caught:
        zoo.get(address)
    assert why in str(caught.value)


def test_a_misspelt_option_is_corrected():
    with pytest.raises(UnknownName, match="Did you mean 'dropouts'"):
        zoo.build("baseline_cnn", None, 2, dropout=[0.5, 0.3])


@pytest.mark.parametrize("shape", [(7, 64, 1), (64, 7, 1), (64, 64), (64, 64, 0)])
def test_images_that_an_architecture_cannot_take_are_refused(shape):
    with pytest.raises(ValueError, match="at least 8 x 8"):
        zoo.build("tiny_cnn", None, 2, input_shape=shape)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least 2 classes"):
        zoo.build("tiny_cnn", None, 1)


def test_a_model_without_the_named_layers_is_refused(write):
    write(
        "nameless_module",
        "from types import SimpleNamespace as S\n"
        "def f(keras, classes, input_shape=(8, 8, 1)):\n"
        "    return S(layers=[S(name='images'), S(name='dense')])",
    )
    with pytest.raises(ValueError, match="no layer called scores or probabilities"):
        zoo.build("nameless_module:f", None, 2)


def test_the_entry_point_of_the_example_plug_in_loads(monkeypatch, install):
    folder = Path(__file__).parents[2] / "examples" / "radzoo_example_plugin"
    if not folder.is_dir():
        pytest.skip("the examples are not part of an installed package")
    monkeypatch.syspath_prepend(folder)
    install("radzoo_example_plugin:residual_cnn")
    assert zoo.get("residual_cnn").heatmap_layer == "block3_relu"
