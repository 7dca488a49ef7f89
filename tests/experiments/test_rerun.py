"""Runs done again: the same, another, on other data, from damaged records."""

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from radzoo import backends, cli
from radzoo.errors import DataError, Interrupted, RunError, SpecError
from radzoo.experiments import agreement, plan, provenance, requests, rerun, runner, surroundings
from radzoo.experiments.rerun import Asked
from radzoo.experiments.run import RunDirectory

SPEC = """\
title: Small
dataset:
  name: array_file
  options: {path: data.npz, classes: {no: 0, yes: 1}}
  patient: null
augmentation: {shift: 0.1, flip_horizontal: true}
model: {architecture: tiny_cnn, options: {input_shape: [16, 16, 1]}}
training: {epochs: 3, batch_size: 8, optimizer: {name: sgd, learning_rate: 0.5}}
evaluation: {resamples: 100}
backends: [fake]
"""


def images(brightest=200):
    drawn = np.random.default_rng(0).integers(0, 200, (40, 16, 16), dtype="uint8")
    drawn[1::2, 4:12, 4:12] += 30
    drawn[0, 0, 0] = brightest
    return {"images": drawn, "label": np.arange(40) % 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder in which a run was done, and one was interrupted after its second epoch."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("RADZOO_CACHE", str(folder / "cache"))
        np.savez(folder / "data.npz", **images())
        Path("small.yaml").write_text(SPEC)
        (one,) = plan.plans(Path("small.yaml"))
        runner.run(one, Path("runs"), print)
        with pytest.raises(Interrupted):
            runner.run(one, Path("cut"), after_two_epochs)
    return folder


def after_two_epochs(event):
    if (event["event"], event.get("epoch")) == ("epoch", 2):
        raise KeyboardInterrupt


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    """The run, in a folder of its own with its data."""
    return own(made, tmp_path, monkeypatch, "runs")


@pytest.fixture
def cut(made, tmp_path, monkeypatch):
    """The interrupted run, likewise."""
    return own(made, tmp_path, monkeypatch, "cut")


def own(made, tmp_path, monkeypatch, out):
    shutil.copytree(made, tmp_path / "own")
    monkeypatch.chdir(tmp_path / "own")
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path / "own" / "cache"))
    (folder,) = Path(out, "small").iterdir()
    return folder


def again(folder, **asked):
    """A rerun, and the events that it told."""
    told = []
    return rerun.rerun(Asked(folder, **asked), told.append), told


def changed(folder, **facts):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def rows(folder):
    with (folder / "predictions.csv").open() as file:
        return list(csv.DictReader(file))


def of(told, kind):
    return [event for event in told if event["event"] == kind]


def test_the_same_again_is_identical_and_is_not_done_a_third_time(run):
    first = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    done, told = again(run)
    assert (done.found["verdict"], done.found["equal"]) == ("identical", True)
    assert done.path == run / "rerun" / "small" / run.name
    assert len(of(told, "epoch")) == 3
    assert [event["differences"] for event in of(told, "surroundings")] == [[]]
    for name in ("weights.safetensors", "predictions.csv", "metrics.json", "split.csv"):
        assert (done.path / name).read_bytes() == first[name]
    assert json.loads((done.path / "rerun.json").read_text()) == done.found
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == first
    once_more, told = again(run)
    assert (once_more.was_done, of(told, "epoch")) == (True, [])
    assert once_more.found["verdict"] == "identical"


def test_a_run_that_differs_is_told_with_figures_and_exit_code_1(run, monkeypatch):
    spec = (run / "spec.yaml").read_text()
    (run / "spec.yaml").write_text(spec.replace("epochs: 3", "epochs: 1"))
    answer = CliRunner().invoke(cli.app, ["rerun", str(run), "--out", "other"])
    (path,) = Path("other/small").iterdir()
    assert answer.exit_code == 1, answer.output
    assert "Verdict: differs: largest difference of a prediction 0." in answer.output
    found = json.loads((path / "rerun.json").read_text())
    pairs = [[float(row["probability"]) for row in rows(folder)] for folder in (run, path)]
    assert found["predictions"]["largest_difference"] == pytest.approx(
        np.abs(np.subtract(*pairs)).max()
    )
    first, other = (load_file(folder / "weights.safetensors") for folder in (run, path))
    assert found["weights"]["largest_difference"] == max(
        np.abs(first[name] - other[name]).max() for name in first
    )
    assert found["weights"]["was"] != found["weights"]["now"]
    (auc,) = [one for one in found["metrics"]["values"]
              if one["metric"] == "splits.train.metrics.roc_auc"]  # fmt: skip
    values = [
        json.loads((folder / "metrics.json").read_text())["splits"]["train"]["metrics"]["roc_auc"][
            "value"
        ]
        for folder in (run, path)
    ]
    assert (auc["was"], auc["now"], auc["difference"]) == (*values, values[1] - values[0])


def test_an_interrupted_run_is_compared_over_the_epochs_that_it_did(cut):
    done, _ = again(cut)
    assert done.found["verdict"] == "identical (in the 2 epochs that it did)"
    assert done.found["state"] == "interrupted"
    assert len((done.path / "history.csv").read_text().splitlines()) == 4
    history = (cut / "history.csv").read_text().splitlines()
    epoch, phase, loss, *rest = history[2].split(",")
    history[2] = ",".join([epoch, phase, str(float(loss) + 0.25), *rest])
    (cut / "history.csv").write_text("\n".join(history) + "\n")
    found = again(cut)[0].found
    assert (found["equal"], found["history"]["largest_difference"]) == (False, pytest.approx(0.25))


def test_other_data_are_refused_before_anything_is_done(run):
    np.savez("data.npz", **images(brightest=7))
    with pytest.raises(DataError) as told:
        again(run)
    was = json.loads((run / "manifest.json").read_text())["data"]["content_sha256"]
    for words in ("was done on other data", "40 images of 40 patients", was[:12]):
        assert words in str(told.value)
    assert not (run / "rerun").exists()


def test_data_that_moved_are_found_where_they_are_said_to_be(run):
    Path("data.npz").rename("moved.npz")
    with pytest.raises(DataError, match=r"cannot be read: (.|\n)*--set dataset\.options\.NAME"):
        again(run)
    np.savez("bright.npz", **images(brightest=7))
    with pytest.raises(DataError, match="was done on other data"):
        again(run, overrides=("dataset.options.path=bright.npz",))
    Path("elsewhere").mkdir()
    Path("moved.npz").rename("elsewhere/data.npz")
    places = ("dataset.options.path=elsewhere/data.npz",)
    with pytest.raises(Interrupted):
        rerun.rerun(Asked(run, overrides=places), until_training)


def until_training(event):
    if event.get("name") == "training":
        raise KeyboardInterrupt


def test_another_version_is_told_before_the_run_and_kept(run):
    versions = json.loads((run / "manifest.json").read_text())["versions"]
    changed(run, versions={**versions, "numpy": "1.0"}, environment={"XLA_FLAGS": "--old"})
    done, told = again(run)
    expected = [
        {"what": "numpy", "was": "1.0", "now": versions["numpy"], "can_change": True},
        {"what": "XLA_FLAGS", "was": "--old", "now": "none", "can_change": True},
    ]
    assert of(told, "surroundings")[0]["differences"] == expected
    assert told.index(of(told, "surroundings")[0]) < told.index(of(told, "run")[0])
    assert done.found["surroundings"] == expected
    assert done.found["verdict"] == "identical"


@pytest.mark.parametrize(
    ("mischief", "words"),
    [
        (lambda run: (run / "manifest.json").unlink(), "manifest.json cannot be read"),
        (lambda run: (run / "manifest.json").write_text('{"sta'), "manifest.json cannot be read"),
        (lambda run: (run / "manifest.json").write_text("[]"), "does not say spec, backend"),
        (lambda run: changed(run, device={}, data=1),
         r"does not say device\.used, data\.content_sha256: it is damaged"),
        (lambda run: changed(run, finding="Edema"), "is one finding of a run. Name the run"),
        (lambda run: changed(run, seed=5), "they are not of one run"),
        (lambda run: save_file({}, run / "weights.safetensors"), "SHA-256 begins"),
    ],
)  # fmt: skip
def test_damaged_records_are_refused(mischief, words, run):
    mischief(run)
    with pytest.raises(RunError, match=words):
        again(run)
    assert not (run / "rerun").exists()


def test_what_would_be_no_rerun_is_refused(run, cut_short):
    with pytest.raises(SpecError, match=r"cannot take training.epochs=5\. Where its files are"):
        again(run, overrides=("training.epochs=5",))
    with pytest.raises(RunError, match=r"is the run itself\. Choose another folder with --out"):
        again(run, out=Path("runs"))
    with pytest.raises(RunError, match=r"before its first epoch.*Do it by `run "):
        again(cut_short)


@pytest.fixture
def cut_short(run):
    folder = run.parent / "cut short"
    shutil.copytree(run, folder)
    for name in ("metrics.json", "history.csv"):
        (folder / name).unlink()
    return folder


def test_a_run_of_one_thread_has_one_core_again(run):
    before = os.sched_getaffinity(0)
    if len(before) == 1:
        pytest.skip("this machine has one core")
    seen = []

    def look(event):
        seen.append(len(os.sched_getaffinity(0)))
        until_training(event)

    with pytest.raises(Interrupted):
        rerun.rerun(Asked(run), look)
    assert set(seen[1:]) == {1}  # the first is told before: that it is held to one
    assert os.sched_getaffinity(0) == before


WAS = {
    "backend": "torch",
    "device": {"used": "gpu:0", "name": "H100"},
    "threads": 4,
    "versions": {"torch": "2.1", "jax": "1", "matplotlib": "3", "keras": "3"},
    "git": {"commit": "a" * 40, "dirty": False},
    "model": {"started_from": "runs/a", "started": {"sha256": "b" * 64}},
    "store": {"sha256": "c" * 64},
}


def test_every_difference_says_whether_it_can_change_the_figures():
    now = {
        "backend": "torch",
        "device": {"used": "cpu", "name": "cpu"},
        "threads": 2,
        "versions": {"torch": "2.2", "jax": "2", "matplotlib": "4", "keras": "3", "scipy": "1"},
        "git": {"commit": "a" * 40, "dirty": True, "diff_sha256": "d" * 64},
        "model": {"started_from": "runs/b", "started": {"sha256": "e" * 64}},
        "environment": {"OMP_NUM_THREADS": "2"},
    }
    assert [tuple(one) for one in surroundings.differences(WAS, now)] == [
        ("weights started from", "b" * 12, "e" * 12, True),
        ("device", "gpu:0 (H100)", "cpu", True),
        ("threads", "4", "2", True),
        ("commit", "a" * 12, f"{'a' * 12} with changes {'d' * 12}", True),
        ("torch", "2.1", "2.2", True),
        ("jax", "1", "2", False),
        ("matplotlib", "3", "4", False),
        ("scipy", "none", "1", True),
        ("OMP_NUM_THREADS", "not recorded", "2", True),
    ]
    assert surroundings.differences(WAS, WAS) == []


def kept(folder, probability, auc):
    """A run directory with no more than what is compared."""
    folder.mkdir()
    save_file({"scores/bias": np.array([probability])}, folder / "weights.safetensors")
    sha256 = {"weights_sha256": f"{probability}"}
    (folder / "manifest.json").write_text(json.dumps(sha256))
    (folder / "predictions.csv").write_text(f"id,probability\na,{probability}\n")
    metrics = {"roc_auc": {"value": auc, "low": None}, "classes": ["no", "yes"]}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return RunDirectory(folder)


@pytest.mark.parametrize(
    ("probability", "auc", "equal", "verdict"),
    [
        (0.5 + 2**-21, 0.75, True, "equal to 1e-06: largest difference of a prediction 4.8e-07"),
        (0.5 + 2**-19, 0.75, False, "differs: largest difference of a prediction 1.9e-06"),
        (0.5, 0.5, False, "differs: largest difference of a metric 0.25 (roc_auc.value)"),
        (0.5, None, False,
         "differs: largest difference of a metric not in numbers alone (roc_auc.value)"),
    ],
)  # fmt: skip
def test_the_verdict_is_worked_out_from_the_largest_difference(
    probability, auc, equal, verdict, tmp_path
):
    was, now = kept(tmp_path / "was", 0.5, 0.75), kept(tmp_path / "now", probability, auc)
    found = agreement.of(was, now)
    assert (found["equal"], found["verdict"]) == (equal, verdict)
    assert found["weights"]["largest_difference"] == probability - 0.5


def test_what_was_not_published_is_not_compared(tmp_path):
    was, now = kept(tmp_path / "was", 0.5, 0.75), kept(tmp_path / "now", 0.5, 0.75)
    changed(was.path, weights_sha256=requests.digest(now / "weights.safetensors"))
    for name in ("weights.safetensors", "predictions.csv"):
        (was / name).unlink()
    found = agreement.of(was, now)
    assert (found["verdict"], found["weights"]["identical"]) == ("identical", True)
    assert "predictions" not in found


def test_of_the_environment_only_what_bears_on_figures_is_recorded(monkeypatch):
    for name in provenance.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "1")
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    with backends.connect("fake", "cpu") as worker:
        found = provenance.surroundings(worker, "cpu")
    assert found["environment"] == {"JAX_PLATFORMS": "cpu", "TF_DETERMINISTIC_OPS": "1"}
    assert "hunter2" not in json.dumps(found)
    assert f"numpy=={np.__version__}\n" in provenance.packages()


def test_the_precision_that_is_recorded_is_that_of_the_training():
    with backends.connect("fake", "cpu") as worker:
        found = [provenance.surroundings(worker, "cpu", one) for one in (None, "mixed_bfloat16")]
    assert [one["precision"] for one in found] == ["float32", "mixed_bfloat16"]


@pytest.mark.parametrize("said", ["..", "/", "", "a\0b", "../.."])
def test_the_name_of_a_strangers_spec_leads_nowhere_else(said, run):
    changed(run, spec=said)
    with pytest.raises(Interrupted):
        rerun.rerun(Asked(run), until_training)
    (made,) = (run / "rerun").iterdir()
    assert made.name == "run"


def test_of_changed_code_there_is_a_hash_and_not_a_word(tmp_path, monkeypatch):
    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    told = []
    git("init")
    for text in ("whole\n", "password = 1\n", "password = 2\n"):
        (tmp_path / "code.py").write_text(text)
        if not told:
            git("add", ".")
            git("commit", "-m", "first")
        told.append(provenance.git.__wrapped__())
    assert [one["dirty"] for one in told] == [False, True, True]
    assert "diff_sha256" not in told[0]
    assert told[1]["diff_sha256"] != told[2]["diff_sha256"]
    assert "password" not in json.dumps(told)
