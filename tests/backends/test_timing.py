"""What is timed and what is not, by a clock that only moves when something is done."""

import numpy as np
import pytest

from radzoo import backends
from radzoo.backends.worker import timing
from radzoo.backends.worker.feed import Feed
from radzoo.errors import Interrupted

BATCH = 4


class Clock:
    """Stands in for `time`."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


class Recording:
    """A fitter that takes 1 s for its first step, and 10 ms more for each one after it."""

    def __init__(self, clock):
        self.clock, self.calls, self.seen = clock, [], []

    def _work(self, name, images):
        self.calls.append(name)
        self.seen.append(int(images[0, 0, 0, 0]))
        steps = len(self.seen)
        self.clock.now += 1.0 if steps == 1 else 0.01 * steps

    def begin_phase(self, phase):
        self.clock.now += 50
        self.calls.append(phase["optimizer"]["name"])

    def begin_epoch(self, seed):
        self.clock.now += 50
        self.calls.append(f"epoch of seed {seed}")

    def step(self, images, labels, weights):
        assert labels.shape == (len(images), 2)
        assert weights is None
        self._work("step", images)
        return 0.5, 1.0

    def predict(self, images):
        self._work("predict", images)
        return np.full((len(images), 2), 0.5, "float32")


class SlowFeed(Feed):
    """Takes a minute for each batch."""

    def __init__(self, clock, **data):
        super().__init__(**data)
        self.clock = clock

    def images(self, rows):
        self.clock.now += 60
        return super().images(rows)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


@pytest.fixture
def data(tmp_path):
    """Three batches; every image has its own number for a pixel."""
    numbers = np.arange(3 * BATCH, dtype="float32").reshape(-1, 1, 1, 1)
    np.save(tmp_path / "images.npy", np.broadcast_to(numbers, (3 * BATCH, 8, 8, 1)))
    np.save(tmp_path / "labels.npy", np.arange(3 * BATCH) % 2)
    return {key: str(tmp_path / f"{key}.npy") for key in ("images", "labels")}


@pytest.fixture
def measure(clock, data):
    def measure(mode, fitter=None, stopped=lambda: False, send=lambda event: None):
        plan = {"mode": mode, "batch_size": BATCH, "optimizer": {"name": "adamax"}}
        plan.update(warm_up=2, steps=3, repetitions=2)
        fitter = fitter or Recording(clock)
        return fitter, timing.measure(fitter, SlowFeed(clock, **data), plan, send, stopped)

    return measure


@pytest.mark.parametrize("mode", ["train", "predict"])
def test_steps_alone_are_timed_and_the_first_one_apart(measure, mode):
    _, found = measure(mode)
    assert found["first_step_s"] == pytest.approx(1.0)
    # Steps 2 and 3 warm up; then come 4 to 6 and 7 to 9, of 10 ms times their number.
    expected = [[0.04, 0.05, 0.06], [0.07, 0.08, 0.09]]
    np.testing.assert_allclose(found["seconds"], expected, rtol=1e-9)


def test_training_begins_a_phase_and_an_epoch_and_then_steps_only(measure):
    fitter, _ = measure("train")
    assert fitter.calls == ["adamax", "epoch of seed 0", *["step"] * 9]


def test_prediction_only_predicts(measure):
    fitter, _ = measure("predict")
    assert fitter.calls == ["predict"] * 9


def test_the_batches_are_taken_in_turn(measure):
    fitter, _ = measure("predict")
    assert len(set(fitter.seen[:3])) == 3
    assert fitter.seen == fitter.seen[:3] * 3


def test_each_repetition_is_told(measure):
    events = []
    measure("train", send=events.append)
    assert events == [{"event": "repetition", "done": n, "of": 2} for n in (1, 2)]


def test_measuring_stops_before_the_next_step(measure, clock):
    asked = iter(range(100))
    fitter = Recording(clock)
    with pytest.raises(Interrupted):
        measure("train", fitter, stopped=lambda: next(asked) >= 5)
    assert fitter.calls.count("step") == 5


def test_a_result_that_a_device_may_still_work_on_is_refused(measure, clock):
    fitter = Recording(clock)
    fitter.step = lambda *_: (np.float32(0.5), 1.0)
    with pytest.raises(TypeError, match="float32 where float was expected"):
        measure("train", fitter)
    fitter.predict = lambda images: memoryview(b"")
    with pytest.raises(TypeError, match="memoryview where ndarray was expected"):
        measure("predict", fitter)


@pytest.mark.parametrize("mode", ["train", "predict"])
def test_a_worker_answers_with_times_and_with_what_it_ran_on(data, tmp_path, mode):
    model = {"architecture": "tiny_cnn", "options": {}, "classes": 2}
    weights = str(tmp_path / "initial.safetensors")
    plan = {"mode": mode, "batch_size": BATCH, "warm_up": 1, "steps": 5, "repetitions": 3}
    plan |= {"optimizer": {"name": "adamax"}, "precision": "float32"}
    with backends.connect("fake") as worker:
        worker.ask("build", model=model, seed=0, graph=str(tmp_path / "g"), weights=weights)
        found = worker.ask("benchmark", model=model, weights=weights, data=data, plan=plan)
    assert np.shape(found["seconds"]) == (3, 5)
    assert np.min(found["seconds"]) > 0
    assert found["first_step_s"] > 0
    assert found["peak_memory_mb"] > 1
    assert (found["device_of_weights"], found["jit_compile"]) == ("cpu", False)
