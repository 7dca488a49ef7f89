import pytest
import yaml

from radzoo.errors import SpecError
from radzoo.experiments import source


def data(text):
    return source.parse(text, "spec.yaml").data


def test_numbers_words_and_nothing_are_read_as_yaml_1_2_reads_them():
    text = "{a: 1e-3, b: 1E5, c: no, d: 1:30, e: null, f: true, g: 010, h: .5, i: -2, j: '1'}"
    assert data(text) == {
        "a": 0.001,
        "b": 100000.0,
        "c": "no",
        "d": "1:30",
        "e": None,
        "f": True,
        "g": 10,
        "h": 0.5,
        "i": -2,
        "j": "1",
    }


def test_a_text_is_written_so_that_it_is_read_as_one():
    texts = ["08", "1e5", "no", "1.", ".5", "+1", "0o17", "null", "True", "~", "1:30", "", "8"]
    written = source.text_of({"texts": texts, "numbers": [8, 1e-5, 1e22, None, True]})
    for read in data(written), yaml.safe_load(written):
        assert read == {"texts": texts, "numbers": [8, 1e-5, 1e22, None, True]}


def test_every_value_knows_its_line():
    text = source.parse("title: A\ntraining:\n  epochs: 3\nlist:\n  - {x: 1}\n", "spec.yaml")
    assert text.place(("training", "epochs")) == "spec.yaml:3"
    assert text.place(("list", 0, "x")) == "spec.yaml:5"
    assert text.place(("training", "no such key")) == "spec.yaml:2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x [1]\nb: *x", "spec.yaml:2: aliases"),
        ("a: 1\na: 2", "spec.yaml:2: a stands here twice"),
        ("b: {a: 1, a: 2}", "b.a stands here twice"),
        ("a: !!python/object:os.system 1", "not allowed"),
        ("a: " + "[" * 30 + "]" * 30, "nested more than 20"),
        ("a: [1", "line 1"),
        ("? [1]\n: 2", "a key must be a word"),
        (b"a: \xff", "not YAML"),
    ],
)
def test_what_a_spec_may_not_hold_is_refused_with_its_place(text, message):
    with pytest.raises(SpecError, match=message.replace("*", r"\*")):
        data(text)


def test_a_large_file_is_refused_before_it_is_parsed(tmp_path):
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a" * (source.MAX_BYTES + 1))
    with pytest.raises(SpecError, match="1048576 at most"):
        source.read(path)


def test_an_override_replaces_a_value_and_its_place():
    text = source.parse("training:\n  epochs: 3", "spec.yaml")
    changed = source.overridden(text, "training.epochs=1e-3")
    assert changed.data == {"training": {"epochs": 0.001}}
    assert changed.place(("training", "epochs")) == "--set training.epochs=1e-3"
    assert text.data == {"training": {"epochs": 3}}


def test_an_override_goes_into_a_section_that_a_name_stands_for():
    text = source.parse("dataset: table", "spec.yaml")
    changed = source.overridden(text, "dataset.options.path=a.csv")
    assert changed.data == {"dataset": {"name": "table", "options": {"path": "a.csv"}}}


def test_an_override_reaches_into_a_list():
    text = source.parse("steps: [{name: resize, rows: 1}]", "spec.yaml")
    assert source.overridden(text, "steps.0.rows=2").data["steps"][0]["rows"] == 2


@pytest.mark.parametrize("override", ["training.epochs", "=3", "a..b=1", "training.x.y=1"])
def test_an_override_that_leads_nowhere_is_refused(override):
    text = source.parse("title: A\ntraining: [3]", "spec.yaml")
    with pytest.raises(SpecError, match="--set"):
        source.overridden(text, override)
