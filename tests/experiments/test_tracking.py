"""Runs that MLflow and TensorBoard follow, read back by their own clients."""

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import following
import numpy as np
import pytest
from following import BOTH, Store, follow, history, interrupted, scalars

from radzoo.errors import RunError, SpecError
from radzoo.experiments import plan


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a spec, in which this process is at home."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "followed.yaml").write_text(following.SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADZOO_CACHE", str(folder / "cache"))
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # for the client that reads
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(folder)
        yield folder


@pytest.fixture
def out(place, tmp_path, monkeypatch):
    """A folder for runs of one test alone."""
    monkeypatch.chdir(place)
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def followed(place):
    """One run that both follow to its end, after Ctrl-C in its second epoch."""
    out = place / "runs"
    interrupted(out, *BOTH, at=2)
    store, (folder,) = Store(out / "mlruns"), (out / "followed").iterdir()
    run = store.run()
    with pytest.MonkeyPatch.context() as patch:
        files = scalars(folder, patch)
    return following.Followed(
        store, folder, run, store.epochs(run, "loss"), files, following.alone()
    )


@pytest.fixture
def whole(followed):
    return followed.folder


@pytest.fixture
def store(followed):
    return followed.store


def test_following_reaches_no_network_and_loads_no_framework(followed):
    assert followed.process.returncode == 0, followed.process.stderr


def test_mlflow_has_every_figure_of_the_history(whole, store):
    rows = history(whole)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    for key in set(rows[0]) - {"epoch"}:
        assert store.epochs(store.run(), key) == [(row["epoch"], row[key]) for row in rows]


def test_mlflow_has_the_test_figures_with_their_bounds(whole, store):
    figures = store.run().data.metrics
    test = json.loads((whole / "metrics.json").read_text())["splits"]["test"]
    auc = test["metrics"]["roc_auc"]
    assert figures["test_roc_auc"] == auc["value"]
    assert figures["test_roc_auc_low"] == auc["low"]
    assert figures["test_roc_auc_high"] == auc["high"]
    assert [figures[f"test_{n}"] for n in ("images", "patients", "positives")] == [
        test["images"], test["patients"], test["positives"],
    ]  # fmt: skip
    unknown = {name for name, estimate in test["metrics"].items() if estimate["low"] is None}
    assert not {f"test_{name}_low" for name in unknown} & set(figures)


def test_mlflow_has_the_resolved_spec_by_dotted_key(store):
    parameters = store.run().data.params
    expected = {
        "title": "Followed",
        "training.class_weight.malignant": "2.0",
        "preprocessing.0.name": "normalise_brightness",
        "evaluation.thresholds": "[0.5, 0.4]",
        "dataset.split.train": "0.6",  # a default, which the file does not say
        "augmentation": "null",
        "grid": "{}",
    }
    assert {key: parameters[key] for key in expected} == expected


def test_mlflow_says_where_a_run_comes_from_and_what_it_is_not_for(whole, store):
    run, manifest = store.run(), json.loads((whole / "manifest.json").read_text())
    tags = run.data.tags
    assert run.info.run_name == whole.name
    assert tags["run"] == f"followed/{whole.name}"
    assert (tags["backend"], tags["device"], tags["synthetic"]) == ("fake", "cpu", "true")
    assert (tags["state"], run.info.status) == ("finished", "FINISHED")
    assert tags["commit"] == manifest["git"].get("commit", "unknown")
    assert "SYNTHETIC" in tags["mlflow.note.content"]
    assert "Research use only" in tags["mlflow.note.content"]


def test_mlflow_gets_the_files_but_no_weights_predictions_or_split(whole, store):
    number = store.run().info.run_id
    files = {file.path for file in store.client.list_artifacts(number)}
    promised = "history.csv manifest.json metrics.json plots report.html spec.yaml"
    assert files == set(promised.split())
    plots = {Path(file.path).name for file in store.client.list_artifacts(number, "plots")}
    assert plots == {path.name for path in whole.glob("plots/*.png")}
    copy = Path(store.client.download_artifacts(number, "metrics.json"))
    assert copy.read_bytes() == (whole / "metrics.json").read_bytes()


def test_event_files_pair_training_and_validation(whole, monkeypatch):
    columns = {
        ("train", "loss"): "loss",
        ("train", "accuracy"): "accuracy",
        ("train", "learning_rate"): "learning_rate",
        ("train", "images_per_s"): "images_per_s",
        ("validation", "loss"): "val_loss",
        ("validation", "accuracy"): "val_accuracy",
        ("validation", "roc_auc"): "val_roc_auc",
    }
    found, rows = scalars(whole, monkeypatch), history(whole)
    assert found == {
        place: [(row["epoch"], np.float32(row[column])) for row in rows]  # files hold float32
        for place, column in columns.items()
    }


def test_a_run_that_goes_on_is_the_same_run_with_each_epoch_once(followed, monkeypatch):
    assert followed.cut_run.info.status == "KILLED"
    assert followed.cut_run.data.tags["state"] == "interrupted"
    assert [step for step, _ in followed.cut_epochs] == [1, 2]
    assert [step for step, _ in followed.cut_files["train", "loss"]] == [1, 2]
    run = followed.store.run()
    assert run.info.run_id == followed.cut_run.info.run_id
    assert [step for step, _ in followed.store.epochs(run, "loss")] == [1, 2, 3, 4]
    found = scalars(followed.folder, monkeypatch)
    assert [step for step, _ in found["train", "loss"]] == [1, 2, 3, 4]


def test_a_run_found_done_logs_nothing_new(whole):
    folder = whole.parents[1]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert follow(folder, *BOTH).was_done
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_being_followed_does_not_make_another_run(place):
    (plain,), (both,) = (plan.plans(place / "followed.yaml", asked) for asked in ((), BOTH))
    assert plain.folder("content") == both.folder("content")


def test_a_run_that_nobody_follows_leaves_no_trace_of_them(out):
    interrupted(out, at="predicting")
    (folder,) = (out / "followed").iterdir()
    assert [path.name for path in out.iterdir()] == ["followed"]
    assert not {"tensorboard", "mlflow.json"} & {path.name for path in folder.iterdir()}


def test_epochs_that_nobody_followed_are_made_good(out, monkeypatch):
    interrupted(out, at=3)
    interrupted(out, *BOTH, at="predicting")
    store, (folder,) = Store(out / "mlruns"), (out / "followed").iterdir()
    losses = [(row["epoch"], row["loss"]) for row in history(folder)]
    assert store.epochs(store.run(), "loss") == losses
    found = scalars(folder, monkeypatch)
    assert [step for step, _ in found["train", "loss"]] == [1, 2, 3, 4]


def test_a_tensorboard_that_is_open_shows_each_epoch_once(out, monkeypatch):
    interrupted(out, "tensorboard=true", at=3)
    (folder,) = (out / "followed").iterdir()
    reader = following.accumulator(folder, "train", monkeypatch).Reload()
    interrupted(out, "tensorboard=true", at="predicting")
    assert [event.step for event in reader.Reload().Scalars("loss")] == [1, 2, 3, 4]


def test_an_epoch_that_was_torn_by_a_kill_is_written_again(out, monkeypatch):
    interrupted(out, "tensorboard=true", at=3)
    (folder,) = (out / "followed").iterdir()
    (file,) = (folder / "tensorboard" / "train").iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    interrupted(out, "tensorboard=true", at="predicting")
    found, rows = scalars(folder, monkeypatch), history(folder)
    for side, column in ("train", "loss"), ("validation", "val_loss"):
        assert found[side, "loss"] == [(row["epoch"], np.float32(row[column])) for row in rows]


def test_a_run_whose_folder_was_removed_is_another_one(out):
    interrupted(out, "tracking=mlflow", at=2)
    (folder,) = (out / "followed").iterdir()
    folder.rename(out / "away")
    interrupted(out, "tracking=mlflow", at="predicting")
    store = Store(out / "mlruns")
    assert sorted(len(store.epochs(run, "loss")) for run in store.runs()) == [2, 4]


def test_a_run_that_fails_is_not_left_running(out):
    following.needs("tracking=mlflow")

    def fail(event):
        if event.get("name") == "predicting":
            raise OSError(28, "No space left on device", "plots/roc.png")

    with pytest.raises(RunError, match="No space left"):
        follow(out, "tracking=mlflow", tell=fail)
    run = Store(out / "mlruns").run()
    assert (run.info.status, run.data.tags["state"]) == ("FAILED", "failed")
    assert "test_roc_auc" not in run.data.metrics


def test_runs_that_begin_together_share_one_experiment(out):
    def begin(seed):
        interrupted(out, "tracking=mlflow", f"seeds=[{seed}]", at=1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begin, range(4)))
    store = Store(out / "mlruns")
    names = sorted(experiment.name for experiment in store.client.search_experiments())
    assert names == ["Default", "followed"]
    assert [run.info.status for run in store.runs()] == ["KILLED"] * 4


def test_another_store_is_taken_from_the_environment(out, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(elsewhere))
    interrupted(out, "tracking=mlflow", at=1)
    assert not (out / "mlruns").exists()
    assert Store(elsewhere).run().info.status == "KILLED"


def test_what_goes_wrong_in_a_follower_is_told_once_and_spoils_nothing(out):
    out.mkdir()
    (out / "mlruns").write_text("a file where MLflow wants a folder")
    told = []

    def spoil(event):
        told.append(event)
        if event.get("name") == "training":
            (folder,) = (out / "followed").iterdir()
            (folder / "tensorboard").write_text("a file where TensorBoard wants a folder")

    interrupted(out, *BOTH, at="predicting", tell=spoil)
    assert [event["event"] for event in told].count("epoch") == 4
    notes = [event["text"] for event in told if event["event"] == "note"]
    assert [note.split()[0] for note in notes] == ["MLflow", "TensorBoard"]
    assert all("The run goes on" in note for note in notes)


def test_a_store_that_is_gone_at_the_end_does_not_hide_how_the_run_ended(out):
    told = []

    def spoil(event):
        told.append(event["event"])
        if event.get("name") == "predicting":
            shutil.rmtree(out / "mlruns")

    interrupted(out, "tracking=mlflow", at="predicting", tell=spoil)
    assert told[-1] == "note"


def test_a_server_that_does_not_answer_is_told_once(out, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens there
    told = []

    def tell(event):
        told.append(event["event"])

    interrupted(out, "tracking=mlflow", at="predicting", tell=tell)
    assert (told.count("epoch"), told.count("note")) == (4, 1)


@pytest.mark.parametrize(("asked", "missing"), BOTH.items())
def test_a_package_that_is_missing_is_told_before_any_work(out, asked, missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    told = []
    with pytest.raises(SpecError, match=rf"pip install 'radzoo\[{missing}\]'") as caught:
        follow(out, asked, tell=told.append)
    assert str(caught.value).startswith(f"--set {asked}: ")
    assert told == []
    assert not out.exists()
