"""Datasets have three ways in, and every registered one keeps the same promises."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest

from radzoo import preprocessing
from radzoo.errors import DataError, UnknownName
from radzoo.preprocessing import registry

LOADABLE = {  # without any file
    "phantom_nodules": {"images": 6},
    "phantom_chest": {"images": 6, "size": 64},
}


@pytest.fixture
def _forgetful(monkeypatch):
    """What a test registers is gone after it."""
    preprocessing.names()
    monkeypatch.setattr(registry, "_DATASETS", dict(registry._DATASETS))
    monkeypatch.setattr(registry, "_BROKEN", {})


@pytest.mark.parametrize("name", preprocessing.names())
def test_says_its_source_licence_and_purpose(name):
    entry = preprocessing.get(name)
    assert entry.name == name == entry.factory.__name__
    assert entry.source
    assert entry.licence
    assert entry.summary.endswith(".")


@pytest.mark.parametrize("name", preprocessing.names())
def test_every_option_is_annotated(name):
    annotations = dict(preprocessing.get(name).factory.__annotations__)
    assert annotations.pop("return") is preprocessing.Dataset
    assert all(not isinstance(annotation, str) for annotation in annotations.values())


@pytest.mark.parametrize(("name", "options"), LOADABLE.items())
def test_images_are_float32_in_zero_to_one(name, options):
    loaded = preprocessing.load(name, **options)
    for row in range(len(loaded.table)):
        image = loaded.read(row)
        assert image.dtype == np.float32
        assert image.ndim == 2
        assert 0 <= image.min() <= image.max() <= 1


def test_listing_the_names_loads_numpy_at_most():
    heavy = "pandas cv2 h5py PIL sklearn scipy matplotlib pydicom keras platformdirs"
    program = (
        "import sys; from radzoo import preprocessing as p; p.names(); p.get('table')\n"
        f"sys.exit(', '.join(set({heavy.split()}) & set(sys.modules)) or None)"
    )
    root = registry.__file__.rpartition("preprocessing")[0]
    environment = {"PYTHONPATH": root}
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        env=environment,
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_misspelt_name_is_corrected():
    with pytest.raises(UnknownName, match=r"No dataset is called 'tabel'. Did you mean 'table'"):
        preprocessing.get("tabel")


def test_misspelt_and_missing_options_are_told_together():
    with pytest.raises(DataError) as caught:
        preprocessing.load("table", pth="x.csv", classes=["a", "b"])
    assert "has no option 'pth' (did you mean 'path'?) and needs the option 'path'" in str(
        caught.value
    )


@pytest.mark.usefixtures("_forgetful")
def test_a_name_registered_twice_names_both_modules():
    def table() -> preprocessing.Dataset: ...

    table.__module__ = "elsewhere"
    with pytest.raises(ValueError, match=r"'table' is registered twice: by radzoo\S+ and by else"):
        registry.dataset(source="s", licence="l")(table)


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A module on the path with one dataset, one function that is none."""
    (tmp_path / "elsewhere_data.py").write_text(
        textwrap.dedent("""
        from radzoo.preprocessing import dataset, load
        @dataset(source="ours", licence="ours")
        def elsewhere(images: int = 4):
            '''A dataset from elsewhere.'''
            return load("phantom_nodules", images=images)
        def plain(): ...
        """)
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "elsewhere_data"
    sys.modules.pop("elsewhere_data", None)


@pytest.mark.usefixtures("_forgetful")
def test_a_dataset_is_found_by_its_address(plugin):
    assert preprocessing.get(f"{plugin}:elsewhere").name == "elsewhere"
    assert len(preprocessing.load(f"{plugin}:elsewhere").table) == 4


@pytest.mark.usefixtures("_forgetful")
@pytest.mark.parametrize(
    ("function", "message"),
    [("nothing", "cannot be imported"), ("plain", "is not a dataset: decorate it")],
)
def test_an_address_that_leads_to_no_dataset_is_explained(plugin, function, message):
    with pytest.raises(DataError, match=message):
        preprocessing.get(f"{plugin}:{function}")


@pytest.mark.usefixtures("_forgetful")
def test_a_broken_plugin_breaks_nothing_and_is_told(monkeypatch):
    class Broken:
        name = "broken_one"

        def load(self):
            raise ImportError("no module named 'moon'")

    monkeypatch.setattr(registry, "entry_points", lambda group: [Broken()])
    registry._discover.cache_clear()
    try:
        assert "phantom_nodules" in preprocessing.names()
        assert preprocessing.broken() == {"broken_one": "ImportError: no module named 'moon'"}
        with pytest.raises(UnknownName, match="'broken_one' did not load: ImportError: no module"):
            preprocessing.get("broken_one")
    finally:
        registry._discover.cache_clear()


@pytest.mark.usefixtures("_forgetful")
def test_a_plugin_that_claims_a_taken_name_is_not_passed_over():
    registry._BROKEN["table"] = "ValueError: Dataset 'table' is registered twice"
    with pytest.raises(ValueError, match="'table' did not load: ValueError: Dataset 'table' is"):
        preprocessing.get("table")


def test_source_and_synthetic_come_from_the_registration():
    loaded = preprocessing.load("phantom_nodules", images=4)
    assert loaded.synthetic
    assert loaded.source.startswith("synthetic")


def test_every_fault_of_a_table_is_told_at_once(made):
    images = np.zeros((3, 2, 2))
    table = made(images).table.assign(id=["a", "a", "b"], label=[0, 0, 7])
    with pytest.raises(DataError) as caught:
        made(images, table=table)
    for told in ("two rows with id 'a'", "['7'] are no index", "no image has the class 'sick'"):
        assert told in str(caught.value)


def test_a_table_without_patients_column_is_refused(made):
    table = made(np.zeros((2, 2, 2))).table.drop(columns="patient")
    with pytest.raises(DataError, match="has no column patient"):
        made(np.zeros((2, 2, 2)), table=table)
