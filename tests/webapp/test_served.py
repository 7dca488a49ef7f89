"""A model takes films that come at once together, and tells each what is its own."""

import threading

import numpy as np
import pytest

from radzoo.errors import WorkerFailed
from radzoo.webapp import served
from radzoo.webapp.served import Found, Served

FILMS = 20


class Slow(Served):
    """Waits until all films are there, and finds in each what its pixels say."""

    def __init__(self, failures=0):
        super().__init__(None, None, "none", None, "")
        self.batches, self.failures, self.begun = [], failures, threading.Event()

    def _ask(self, images):
        self.batches.append(len(images))
        self.begun.wait(10)
        if self.failures:
            self.failures -= 1
            raise WorkerFailed("it died")
        return [Found([float(image[0, 0, 0])], image, image, None, None) for image in images]


def together(model):
    """What each of FILMS threads was told, or why not."""
    told = [None] * FILMS

    def ask(number):
        try:
            image = np.full((2, 2, 1), number, "float32")
            told[number] = model.analyse(image).probabilities[0]
        except WorkerFailed as error:
            told[number] = str(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(FILMS)]
    for thread in threads:
        thread.start()
    while sum(model.batches) + model._waiting.qsize() < FILMS:
        pass
    model.begun.set()
    for thread in threads:
        thread.join(10)
    return told


def test_films_that_come_at_once_share_batches_and_each_gets_its_own():
    model = Slow()
    assert together(model) == list(range(FILMS))
    assert sum(model.batches) == FILMS
    assert max(model.batches) == served.BATCH
    assert len(model.batches) < FILMS / 2


@pytest.mark.parametrize(("failures", "lost"), [(1, False), (2, True)])
def test_a_batch_is_asked_once_more_and_a_second_failure_told_to_all_of_it(failures, lost):
    model = Slow(failures)
    told = together(model)
    failed = [one for one in told if one == "it died"]
    assert len(failed) == (model.batches[0] if lost else 0)
    assert sorted(one for one in told if one != "it died") == [
        number for number in range(FILMS) if told[number] != "it died"
    ]
