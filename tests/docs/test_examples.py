"""The examples of the how-to pages are complete: each is registered and used as it stands."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from radzoo import cli, zoo
from radzoo.backends import registry as backends
from radzoo.errors import DataError, SpecError
from radzoo.experiments import plan
from radzoo.explain import registry as methods
from radzoo.preprocessing import registry as datasets
from radzoo.preprocessing import splits
from radzoo.zoo import registry as architectures

DOCS = Path(cli.__file__).parent / "docs"
HOWTO = DOCS / "howto"
pytestmark = pytest.mark.skipif(not HOWTO.exists(), reason="the documentation is not in the wheel")


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (HOWTO / page).read_text(), re.DOTALL)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write a module where it can be imported; what it registers is forgotten afterwards."""
    for module, table in (
        (architectures, "_ARCHITECTURES"),
        (datasets, "_DATASETS"),
        (methods, "_METHODS"),
    ):
        module.names()  # ours are there before what the pages add
        monkeypatch.setattr(module, table, dict(getattr(module, table)))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path / "cache"))

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return write


SPECS = [
    (path.relative_to(DOCS), block)
    for path in sorted(DOCS.rglob("*.md"))
    for block in re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL)
]


@pytest.mark.parametrize(
    ("page", "block"), SPECS, ids=[f"{page}-{k}" for k, (page, _) in enumerate(SPECS)]
)
def test_a_spec_or_a_part_of_one_is_valid(page, block, tmp_path):
    """A part is tried in the place of its like in our first spec."""
    if ":" in yaml.safe_load(block).get("dataset", {}).get("name", "") or '"my_' in block:
        pytest.skip("it names a module of the same page, which a test below writes")
    first = yaml.safe_load((DOCS.parent / "experiments" / "quickstart.yaml").read_text())
    whole = {} if "title:" in block else first
    assert is_valid(tmp_path / "spec.yaml", yaml.safe_dump({**whole, **yaml.safe_load(block)}))


def is_valid(path, block):
    path.write_text(block)
    return bool(plan.plans(path))


@pytest.mark.skipif(not backends.get("jax").installed, reason="JAX is not installed")
def test_the_architecture_has_the_parameters_that_it_declares(own):
    own("my_dense", blocks("architecture.md", "python")[0])
    entry = zoo.get("my_dense:small_dense_cnn")
    script = (
        "import json, keras; from radzoo import zoo;"
        "model = zoo.build('my_dense:small_dense_cnn', keras, 2);"
        "print(json.dumps([model.count_params(), model.output_shape]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [entry.parameters, [None, 2]]


def test_the_architecture_is_named_in_a_spec(own, tmp_path):
    own("my_dense", blocks("architecture.md", "python")[0])
    (block,) = blocks("architecture.md", "yaml")
    assert is_valid(tmp_path / "dense.yaml", block)
    with pytest.raises(SpecError, match="growth"):
        is_valid(tmp_path / "dense.yaml", block.replace("growth: 8", "growt: 8"))


def test_the_dataset_is_read_and_split_by_patient(own, tmp_path, monkeypatch):
    own("my_archive", blocks("dataset.md", "python")[0])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export").mkdir()
    draw = np.random.default_rng(0)
    for number in range(60):
        label = ("normal", "nodule")[number % 2]
        film = draw.integers(0, 65536, (70, 66), dtype=np.uint16)
        np.save(tmp_path / "export" / f"p{number // 3}_{number}_{label}.npy", film)
    read = datasets.load("my_archive:archive_export", path="export")
    assert (len(read.table), read.table["patient"].nunique()) == (60, 20)
    assert read.classes == ("no_nodule", "nodule")
    stored = np.load(tmp_path / "export" / f"{read.table['id'][7]}.npy")
    np.testing.assert_allclose(read.read(7), stored / 65535, atol=1e-7)
    (block,) = blocks("dataset.md", "yaml")
    assert is_valid(tmp_path / "archive.yaml", block)
    sides = splits.split(read.table, {"train": 0.6, "validation": 0.2, "test": 0.2}, seed=0)
    patients = read.table.assign(side=sides).groupby("patient")["side"].nunique()
    assert patients.max() == 1


def test_the_dataset_refuses_a_name_that_tells_nothing(own, tmp_path):
    own("my_archive", blocks("dataset.md", "python")[0])
    np.save(tmp_path / "film.npy", np.zeros((64, 64)))
    with pytest.raises(DataError, match=r"film\.npy"):
        datasets.load("my_archive:archive_export", path=str(tmp_path))


class Corner:
    """A network whose probability of class 1 is the brightest pixel of the upper left quarter."""

    def probabilities(self, images):
        brightest = images[:, :8, :8].max((1, 2, 3))
        return np.stack([1 - brightest, brightest], 1)


def test_the_heatmap_method_finds_the_pixel_that_counts(own):
    own("my_method", blocks("heatmap_method.md", "python")[0])
    images = np.zeros((2, 16, 16, 1), "float32")
    images[:, 2, 3] = images[:, 12, 12] = 1.0  # one bright pixel that counts, one that does not
    maps = methods.get("occlusion").function(Corner(), images)
    # Its patch of 2 x 2 pixels, covered by its mean of 1/4, lowers class 1 by 3/4; class 0 rises.
    wanted = np.zeros((2, 2, 16, 16))
    wanted[:, 1, 2:4, 2:4] = 0.75
    np.testing.assert_allclose(maps, wanted)


def test_the_row_of_a_backend_that_keras_supports_is_one(own):
    row = own("my_row", blocks("backend.md", "python")[0]).JAX_IN_DOUBLE_PRECISION
    assert row.adapter == backends.get("jax").adapter
    assert row.env["KERAS_BACKEND"] == "jax"


def test_the_adapter_learns_the_means_and_tells_by_them(own, tmp_path):
    """Bright and dark images: after an epoch the means are those of the classes."""
    adapter = own("my_adapter", blocks("backend.md", "python")[1]).Adapter(print, lambda: False)
    draw = np.random.default_rng(0)
    labels = np.arange(40) % 2
    images = draw.normal(0.3 + 0.4 * labels[:, None, None, None], 0.05, (40, 16, 16, 1))
    np.save(tmp_path / "images.npy", images.astype("float32"))
    np.save(tmp_path / "labels.npy", labels)
    model = {"architecture": "tiny_cnn", "options": {}, "classes": 2}
    files = {name: str(tmp_path / name) for name in ("graph.json", "start.safetensors")}
    adapter.build(model, 0, *files.values())
    fitter = adapter.fitter(model, adapter.read(model, files["start.safetensors"]))
    fitter.step(images, np.eye(2)[labels], None)
    for label in 0, 1:
        wanted = images[labels == label].reshape(20, 8, 2, 8, 2).mean((0, 2, 4))
        np.testing.assert_allclose(fitter.arrays["means"][label], wanted)
    trained, out = str(tmp_path / "trained.safetensors"), str(tmp_path / "out.npy")
    fitter.save_weights(trained)
    adapter.predict(model, trained, {"images": str(tmp_path / "images.npy")}, out)
    assert (np.load(out).argmax(1) == labels).all()
