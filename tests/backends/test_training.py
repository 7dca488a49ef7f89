"""The loop, with a fitter that writes down what it is told."""

import json

import numpy as np
import pytest

from radzoo.backends.worker import checkpoints, targets, training
from radzoo.backends.worker.feed import Feed
from radzoo.errors import CheckpointDamaged, Interrupted, TrainingDiverged


class Scripted:
    """A fitter whose validation loss follows a script; its weight counts the steps."""

    def __init__(self, losses):
        self.losses, self.steps, self.phases, self.epochs = list(losses), 0.0, [], 0
        self.learning_rate = 1.0

    def begin_phase(self, phase):
        self.phases.append(phase)

    def begin_epoch(self, seed):
        self.epochs += 1

    def step(self, images, labels, weights):
        self.steps += 1
        return 1.0, 0.5

    def predict(self, images):
        return np.full((len(images), 2), 0.5)

    def loss(self, labels, probabilities):
        return self.losses[self.epochs - 1]

    def save(self, folder):
        saved = {"steps": self.steps, "epochs": self.epochs, "rate": self.learning_rate}
        with open(f"{folder}/weights.safetensors", "w") as file:
            json.dump(saved, file)

    def load(self, folder):
        saved = self._read(f"{folder}/weights.safetensors")
        self.steps, self.epochs = saved["steps"], saved["epochs"]
        self.learning_rate = saved["rate"]

    def load_weights(self, path):
        self.steps = self._read(path)["steps"]

    def _read(self, path):
        with open(path) as file:
            return json.load(file)


@pytest.fixture
def feed(tmp_path):
    np.save(tmp_path / "images.npy", np.zeros((10, 2, 2, 1), "float32"))
    np.save(tmp_path / "labels.npy", np.arange(10) % 2)
    return Feed(tmp_path / "images.npy", labels=tmp_path / "labels.npy")


def plan(folder, **changes):
    return {
        "folder": str(folder),
        "seed": 3,
        "rows": {"train": [0, 1, 2, 3, 4, 5], "validation": [6, 7, 8, 9]},
        "phases": [{"epochs": 3}],
        "batch_size": 4,
        "class_weight": None,
        "augmentation": None,
        "monitor": "val_loss",
        "restore_best": True,
        "early_stopping": None,
        "reduce_on_plateau": None,
        **changes,
    }


def finish(fitter, feed, plan, stopped=lambda: False):
    events = []

    def send(event):
        events.append(json.loads(json.dumps(event)))  # as it is when it is sent

    history = training.Training(fitter, feed, plan, send, stopped).finish()
    return history, events


def test_the_weights_of_the_best_epoch_are_kept(tmp_path, feed):
    fitter = Scripted([0.5, 0.2, 0.4])
    history, _ = finish(fitter, feed, plan(tmp_path))
    assert [row["val_loss"] for row in history] == [0.5, 0.2, 0.4]
    assert fitter.steps == 4  # two steps an epoch, and the second epoch was best


def test_the_last_weights_are_kept_if_the_plan_says_so(tmp_path, feed):
    fitter = Scripted([0.5, 0.2, 0.4])
    finish(fitter, feed, plan(tmp_path, restore_best=False))
    assert fitter.steps == 6


def test_training_stops_after_patience_epochs_without_gain(tmp_path, feed):
    fitter = Scripted([0.5, 0.4, 0.45, 0.44, 0.1])
    stopping = {"patience": 2, "min_delta": 0.0}
    history, _ = finish(
        fitter, feed, plan(tmp_path, phases=[{"epochs": 5}], early_stopping=stopping)
    )
    assert len(history) == 4


def test_a_phase_that_stops_early_gives_way_to_the_next(tmp_path, feed):
    fitter = Scripted([0.5, 0.6, 0.4, 0.3])
    phases = [{"epochs": 5, "n": 1}, {"epochs": 2, "n": 2}]
    stopping = {"patience": 1, "min_delta": 0.0}
    history, _ = finish(fitter, feed, plan(tmp_path, phases=phases, early_stopping=stopping))
    assert [row["phase"] for row in history] == [1, 1, 2, 2]
    assert fitter.phases == phases


def test_the_learning_rate_falls_on_a_plateau(tmp_path, feed):
    fitter = Scripted([0.5, 0.6, 0.7, 0.8, 0.9])
    plateau = {"patience": 2, "factor": 0.1}
    history, _ = finish(
        fitter, feed, plan(tmp_path, phases=[{"epochs": 5}], reduce_on_plateau=plateau)
    )
    assert [row["learning_rate"] for row in history] == pytest.approx([1, 1, 1, 0.1, 0.1])


@pytest.mark.parametrize("stopped_after", range(1, 8))
def test_a_stopped_run_goes_on_as_if_it_had_not_been(tmp_path, feed, stopped_after):
    losses = [0.5, 0.6, 0.4, 0.7, 0.8]
    options = {
        "phases": [{"epochs": 2}, {"epochs": 3}],
        "reduce_on_plateau": {"patience": 1, "factor": 0.5},
    }
    whole = Scripted(losses)
    (tmp_path / "whole").mkdir()
    expected, _ = finish(whole, feed, plan(tmp_path / "whole", **options))

    (tmp_path / "cut").mkdir()
    cut, asked = Scripted(losses), iter(range(100))
    with pytest.raises(Interrupted):
        finish(cut, feed, plan(tmp_path / "cut", **options), lambda: next(asked) >= stopped_after)
    resumed = Scripted(losses)
    history, _ = finish(resumed, feed, plan(tmp_path / "cut", **options))

    assert _without_times(history) == _without_times(expected)
    assert resumed.steps == whole.steps


def test_the_best_weights_are_taken_from_an_intact_state(tmp_path, feed):
    """The newest state is damaged on the disk; the epoch after it is trained again."""
    losses, three = [0.2, 0.5, 0.4], [{"epochs": 3}]
    finish(Scripted(losses), feed, plan(tmp_path, phases=[{"epochs": 2}]))
    (tmp_path / "state-0002" / "best.safetensors").unlink()
    (tmp_path / "state-0002" / "best.safetensors").write_text("damaged")
    fitter = Scripted(losses)
    history, events = finish(fitter, feed, plan(tmp_path, phases=three))
    assert len(events[0]["history"]) == 1
    assert len(history) == 3
    assert fitter.steps == 2  # of the first epoch, which was best


def _without_times(rows):
    times = ("seconds", "images_per_s")
    return [{key: value for key, value in row.items() if key not in times} for row in rows]


def test_a_loss_that_is_no_number_stops_the_run(tmp_path, feed):
    fitter = Scripted([0.5])
    fitter.step = lambda *_: (float("nan"), 0.5)
    with pytest.raises(TrainingDiverged, match="nan in epoch 1 at learning rate 1"):
        finish(fitter, feed, plan(tmp_path))


def test_class_weights_reach_the_step(tmp_path, feed):
    fitter, seen = Scripted([0.5]), []
    fitter.step = lambda images, labels, weights: seen.append((labels, weights)) or (1.0, 1.0)
    finish(fitter, feed, plan(tmp_path, phases=[{"epochs": 1}], class_weight=[1.0, 3.0]))
    for labels, weights in seen:
        np.testing.assert_array_equal(weights, np.where(labels[:, 1] == 1, 3.0, 1.0))


def test_the_order_of_the_images_is_a_function_of_seed_and_epoch(feed):
    def order(seed, epoch):
        return np.concatenate([rows for _, _, rows in feed.batches(range(10), 3, seed, epoch)])

    np.testing.assert_array_equal(order(1, 0), order(1, 0))
    assert sorted(order(1, 0)) == list(range(10))
    assert list(order(1, 0)) != list(order(1, 1)) != list(order(2, 1))


def test_two_states_are_kept_and_the_newest_intact_one_is_read(tmp_path):
    def write(number):
        def write(folder):
            with open(f"{folder}/a", "w") as file:
                file.write(str(number))

        return write

    def read(folder):
        with open(f"{folder}/a") as file:
            return file.read()

    for epoch in 1, 2, 3:
        checkpoints.save(str(tmp_path), epoch, write(epoch))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["state-0002", "state-0003"]
    assert checkpoints.load(str(tmp_path), read) == "3"
    (tmp_path / "state-0003" / "a").write_text("!")
    assert checkpoints.load(str(tmp_path), read) == "2"
    (tmp_path / "state-0002" / "hashes.json").write_text("")
    with pytest.raises(CheckpointDamaged, match=r"state-0003, state-0002"):
        checkpoints.load(str(tmp_path), read)


def test_no_two_states_share_a_file_on_the_disk(tmp_path, feed):
    finish(Scripted([0.2, 0.5, 0.4]), feed, plan(tmp_path))
    files = [path.stat() for path in tmp_path.glob("state-*/*")]
    assert len(files) == 2 * len({"weights", "best", "progress", "hashes"})
    assert {found.st_nlink for found in files} == {1}


def test_a_state_that_is_removed_by_half_does_not_look_like_one(tmp_path, monkeypatch):
    """Killed while it removes the oldest."""
    for epoch in 1, 2:
        checkpoints.save(str(tmp_path), epoch, lambda folder: None)
    real = checkpoints.shutil.rmtree

    def killed(path, **how):
        if "state-0001" in str(path) and not how:
            raise KeyboardInterrupt
        real(path, **how)

    monkeypatch.setattr(checkpoints.shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(str(tmp_path), 3, lambda folder: None)
    assert sorted(p.name for p in tmp_path.glob("[!.]*")) == ["state-0002", "state-0003"]


def test_a_half_written_state_is_never_taken(tmp_path):
    def fail(folder):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        checkpoints.save(str(tmp_path), 1, fail)
    assert checkpoints.load(str(tmp_path), str) is None


def test_roc_auc_counts_pairs_in_order_and_ties_as_half():
    # Positives 0.8 and 0.5 against negatives 0.5 and 0.2: 3 pairs in order, 1 tie of 4.
    positive, scores = np.array([True, True, False, False]), np.array([0.8, 0.5, 0.5, 0.2])
    assert targets.roc_auc(positive, scores) == 3.5 / 4
