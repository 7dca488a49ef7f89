"""The time that a fitter takes for one step of training or prediction, and for nothing else.

All batches lie in memory before the clock starts, so that reading and augmenting, which are the
same for every backend, are not in it. The clock is read when a step has given its result as a
Python float or a NumPy array: the framework has then waited for its device. It may still be
writing the new weights, but the next step needs them, and waits within its own time.
"""

import itertools
import time

import numpy as np

from ...errors import Interrupted


def measure(fitter, feed, plan, send, stopped):
    """Time single steps.

    Args:
        fitter: see `training`; its model has its weights.
        feed: a `feed.Feed` of one or more whole batches, which are taken in turn.
        plan: `mode` ("train" or "predict"), `batch_size`, `optimizer` (to train with), `warm_up`
            (steps that are not kept), `steps` and `repetitions`; the fitter has the `precision`.
        send: takes an event {"event": "repetition", "done", "of"} after each.
        stopped: tells whether to stop before the next step.

    Returns:
        `first_step_s`, which holds the compilation, and `seconds`, (repetitions, steps).

    Raises:
        Interrupted: `stopped` said so.
        TypeError: the fitter gave back something that a device may still be at work on.
    """
    batches = list(feed.batches(range(len(feed)), plan["batch_size"], seed=0, epoch=0))
    step, turns = _STEPS[plan["mode"]](fitter, plan), itertools.cycle(batches)

    def seconds():
        if stopped():
            raise Interrupted("Stopped while measuring.")
        images, labels, _ = next(turns)
        began = time.perf_counter()
        step(images, labels)
        return time.perf_counter() - began

    first = seconds()
    for _ in range(plan["warm_up"]):
        seconds()
    repetitions = []
    for _ in range(plan["repetitions"]):
        repetitions.append([seconds() for _ in range(plan["steps"])])
        send({"event": "repetition", "done": len(repetitions), "of": plan["repetitions"]})
    return {"first_step_s": first, "seconds": repetitions}


def _training(fitter, plan):
    fitter.begin_phase({"optimizer": plan["optimizer"], "frozen_until": None})
    fitter.begin_epoch(0)

    def step(images, labels):
        loss, _ = fitter.step(images, labels, None)
        _refuse_other(loss, float)

    return step


def _prediction(fitter, plan):
    def step(images, labels):
        _refuse_other(fitter.predict(images), np.ndarray)

    return step


_STEPS = {"train": _training, "predict": _prediction}


def _refuse_other(result, kind):
    if not isinstance(result, kind):
        raise TypeError(
            f"The fitter gave a {type(result).__name__} where {kind.__name__} was expected. "
            "Let it wait for its device, or the clock is read too early."
        )
