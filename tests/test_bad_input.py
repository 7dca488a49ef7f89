"""What cannot be done, asked for on the command line: one message, the right code, no debris."""

import os
import re
import resource
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from radzoo.experiments import plan
from radzoo.experiments.run import RunDirectory
from radzoo.preprocessing import Pipeline, registry, store

SPEC = """\
title: Small
dataset:
  name: phantom_nodules
  options: {images: 120}
model: {architecture: tiny_cnn}
training:
  epochs: 2
  optimizer: {name: sgd, learning_rate: 0.5}
evaluation: {resamples: 100}
backends: [fake]
"""
FROZEN = SPEC.replace("  epochs: 2\n", "  phases:\n    - {epochs: 1, frozen_until: block9}\n")
TYPOS = """\
title: Typos
dataset: {name: phantom_nodule}
preprocessing: [resiz]
model: {architecture: tiny_cn}
training:
  epoch: 3
  epochs: many
backends: [fak]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    path = tmp_path_factory.mktemp("place")
    place = place_in(path)
    place.write(small=SPEC, frozen=FROZEN, typos=TYPOS, broken="title: Broken\ntraining: [1\n")
    (path / "broken_plugin.py").write_text("raise RuntimeError('made to fail')\n")
    (path / "a_file").write_text("")
    hide(path / "without_jax", "sys.modules['jax'] = None")
    (path / "damaged" / "safetensors").mkdir(parents=True)
    broken = "raise ImportError('no such library')\n"
    (path / "damaged" / "safetensors" / "__init__.py").write_text(broken)
    images = registry.load("phantom_nodules", images=120)
    store.build(images, Pipeline(), path / "cache")  # once, for every command
    return place


def hide(folder, line):
    """Python runs `sitecustomize` at its start: how a test reaches into another process."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import sys\n{line}\n")


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))


@dataclass(frozen=True)
class Case:
    """A command that cannot be done.

    Attributes:
        arguments: of the command line; a `run` gets an --out of its own.
        told: what its message says.
        code: its exit code.
        leaves: "nothing", or "failed": a run directory that says so.
        path: a folder for PYTHONPATH, in the place.
        setup: run in the process before the command is.
    """

    arguments: str
    told: list[str]
    code: int = 2
    leaves: str = "nothing"
    path: str = ""
    setup: object = field(default=None, repr=False)


NAN = "training.optimizer.learning_rate=1e300"

BAD = {
    "names and types that are wrong": Case(
        "run typos.yaml",
        [
            "typos.yaml:2: dataset.name: No dataset is called 'phantom_nodule'. Did you mean "
            "'phantom_nodules'",
            "typos.yaml:3: preprocessing.0: No preprocessing step is called 'resiz'. Did you mean "
            "'resize'?",
            "typos.yaml:4: model.architecture: No architecture is called 'tiny_cn'. Did you mean "
            "'tiny_cnn'?",
            "typos.yaml:6: training.epoch: no such key. Did you mean 'epochs'?",
            "typos.yaml:7: training.epochs: should be a valid integer, unable to parse string as "
            "an integer; got 'many'.",
            "typos.yaml:8: backends.0: No backend is called 'fak'. Did you mean 'fake'?",
        ],
    ),
    "a spec that is not there": Case("run none.yaml", ["none.yaml cannot be read: No such file"]),
    "a spec that is not YAML": Case("run broken.yaml", ["broken.yaml:3: not YAML: expected ','"]),
    "a backend that no one knows": Case(
        "run small.yaml --backend tensorflw", ["No backend is called 'tensorflw'", "'tensorflow'"]
    ),
    "a backend that is not installed": Case(
        "run small.yaml --backend jax",
        ["'jax' is not installed", "pip install 'radzoo[jax]'"],
        code=3,
        path="without_jax",
    ),
    "a backend that does not start": Case(
        "run small.yaml",
        ["'fake' does not start", "To install it: ", "ImportError: no such library"],
        code=3,
        path="damaged",
    ),
    "a device that is not there": Case(
        "run small.yaml --device gpu",
        ["Device 'gpu' is not here. Backend 'fake' finds: cpu."],
        code=4,
    ),
    "a plug-in that does not import": Case(
        "run small.yaml --set model.architecture=broken_plugin:net",
        ["model.architecture", "RuntimeError: made to fail"],
    ),
    "a class weight of no class": Case(
        "run small.yaml --set training.class_weight.malign=2",
        ["training.class_weight: names malign; the classes are benign, malignant."],
    ),
    "a layer that the model does not have": Case(
        "run frozen.yaml",
        ["frozen.yaml:8: training.phases.0.frozen_until: No layer or block is called 'block9'"],
        leaves="failed",
    ),
    "a loss that is not a number": Case(
        f"run small.yaml --set {NAN}",
        ["The loss became nan in epoch 1 at learning rate 1e+300.", "Try a smaller"],
        code=1,
        leaves="failed",
    ),
    "a loss that the last batch ruins": Case(
        f"run small.yaml --set {NAN} --set training.epochs=1 --set training.batch_size=100",
        ["The loss became nan in epoch 1"],
        code=1,
        leaves="failed",
    ),
    "an output folder that is a file": Case(
        "run small.yaml --out a_file", ["a_file", "cannot be written: Not a directory", "--out"]
    ),
    "an output folder that cannot be made": Case(
        "run small.yaml --out /proc/runs", ["/proc/runs", "cannot be written", "--out"]
    ),
    "a disk that is full": Case(
        "run small.yaml",
        ["split.csv cannot be written: File too large"],
        leaves="failed",
        setup=small_files,
    ),
    "a contact sheet that cannot be written": Case(
        "data show phantom_nodules --set images=8 --sheet /proc/sheet.png",
        ["/proc/sheet.png cannot be written", "--sheet"],
    ),
    "an option that a dataset does not have": Case(
        "data show phantom_nodules --set imags=8", ["--set imags=8", "Did you mean 'images'?"]
    ),
    "an architecture that cannot be checked": Case(
        "models check tiny_cn", ["No architecture is called 'tiny_cn'. Did you mean 'tiny_cnn'?"]
    ),
}


@pytest.fixture(scope="module")
def refusals(place, request):
    """Every case that was asked for, done side by side."""
    specs = [item.callspec for item in request.session.items if hasattr(item, "callspec")]
    chosen = sorted({spec.params["bad"] for spec in specs if "bad" in spec.params})

    def refused(name):
        case = BAD[name]
        out = [] if "--out" in case.arguments else ["--out", f"out/{name}"]
        own = out if case.arguments.startswith("run") else []
        path = [str(place.path / case.path)] * bool(case.path) + [os.environ.get("PYTHONPATH", "")]
        env = {"PYTHONPATH": os.pathsep.join(filter(None, path))}
        return place.run(*case.arguments.split(" "), *own, setup=case.setup, **env)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip(chosen, pool.map(refused, chosen), strict=True))


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_done_is_told_once_and_clearly(bad, refusals, place):
    done, case = refusals[bad], BAD[bad]
    assert done.returncode == case.code, done.stderr
    assert re.findall(r"^error: ", done.stderr, re.M) == ["error: "]
    assert "Traceback (most recent call last)" not in done.stderr + done.stdout
    for words in case.told:
        assert words in done.stderr


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_done_leaves_nothing_that_looks_finished(bad, refusals, place):
    folder = place.path / "out" / bad
    assert not list(folder.glob("**/metrics.json"))
    if BAD[bad].leaves == "nothing":
        assert not list(folder.glob("**/*.*"))
        return
    manifest = place.manifest(folder)
    assert manifest["state"] == "failed"
    assert refusals[bad].stderr.strip() == f"error: {manifest['error']}".strip()


def test_a_run_that_another_process_works_on_is_left_alone(place):
    (one,) = plan.plans(place.path / "small.yaml")
    folder = one.folder(registry.load("phantom_nodules", images=120).content)
    with RunDirectory(place.path / "runs" / folder).hold():
        done = place.run("run", "small.yaml")
        assert [path.name for path in (place.path / "runs" / folder).iterdir()] == [".lease"]
    assert done.returncode == 2
    assert f"error: runs/{folder} is being worked on by another process" in done.stderr
