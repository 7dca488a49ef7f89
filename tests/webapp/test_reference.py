"""How like the training images a film is: distances, limits, polarity and similar cases."""

from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest

from radzoo.experiments.spec import Dataset as Section
from radzoo.webapp import reference
from radzoo.webapp.reference import COARSE, Case, Reference

RAMP = np.linspace(0, 1, COARSE, dtype=np.float32)
ACROSS = np.tile(RAMP, (COARSE, 1))[..., None]  # brighter to the right
DOWN = ACROSS.transpose(1, 0, 2)


def coarse(image):
    """A coarse picture by its definition: mean 0, length 1."""
    flat = image[..., 0].ravel() - image.mean()
    return flat / np.linalg.norm(flat)


def made(embeddings, sides, **changed):
    """A reference in which all images look like `ACROSS`."""
    count = len(sides)
    values = {
        "ids": np.array([f"i{place}" for place in range(count)]),
        "labels": np.arange(count) % 2,
        "sides": np.array(sides),
        "embeddings": np.array(embeddings, np.float32),
        "coarse": np.tile(coarse(ACROSS), (count, 1)).astype(np.float32),
        "pictures": np.zeros((count, 4, 4), np.uint8),
        "spread": np.ones(1, np.float32),
        "limits": np.array([2.0, 1.0]),
        "false_alarms": np.array([0, 1]),
    }
    return Reference(**{**values, **changed})


LINE = [[float(place)] for place in range(10)]


def test_the_distance_is_the_mean_to_the_five_nearest_training_images_over_the_limit():
    known = made([*LINE, [20.0]], ["train"] * 10 + ["validation"])  # which does not count
    film = np.array([20.0], np.float32)
    # 11, 12, 13, 14 and 15 away from 9 ... 5; the limit is 2
    assert known.distance(film, ACROSS) == pytest.approx(13 / 2)
    # 0, 1, 1, 2 and 2 away from 4 and its neighbours
    assert known.distance(np.array([4.0], np.float32), ACROSS) == pytest.approx(1.2 / 2)


def test_dimensions_are_measured_by_their_spread():
    known = made(LINE, ["train"] * 10, spread=np.array([10.0], np.float32))
    assert known.distance(np.array([200.0], np.float32), ACROSS) == pytest.approx(13 / 2)


def test_a_film_that_only_looks_different_is_as_far_as_it_looks():
    known = made(LINE, ["train"] * 10)
    film = np.array([4.0], np.float32)
    # two pictures at a right angle, of length 1, are the root of 2 apart; the limit is 1
    assert coarse(DOWN) @ coarse(ACROSS) == pytest.approx(0, abs=1e-6)
    assert known.distance(film, DOWN) == pytest.approx(np.sqrt(2), abs=1e-5)


def test_fewer_training_images_than_neighbours_are_all_counted():
    known = made([[0.0], [1.0]], ["train"] * 2)
    assert known.distance(np.array([3.0], np.float32), ACROSS) == pytest.approx(2.5 / 2)


@pytest.mark.parametrize(
    ("image", "expected"),
    [(ACROSS, 1), (1 - ACROSS, -1), (0.2 + ACROSS / 9, 1), (DOWN, 0), (0 * ACROSS, 0)],
)
def test_the_polarity_is_the_correlation_with_the_mean_training_image(image, expected):
    other = coarse(1 - ACROSS)
    known = made([*LINE[:3], [0.0]], ["train"] * 3 + ["validation"])
    known.coarse[3] = other  # validation has no part in it
    assert known.likeness(image) == pytest.approx(expected, abs=1e-5)


def test_a_large_image_is_compared_by_the_means_of_its_parts():
    known = made(LINE, ["train"] * 10)
    large = np.repeat(np.repeat(ACROSS, 3, axis=0), 3, axis=1)
    checkered = large + 0.3 * (np.indices(large.shape).sum(axis=0) % 2)[:, :]
    assert known.likeness(large) == pytest.approx(1, abs=1e-5)
    assert known.likeness(checkered.astype(np.float32)) > 0.98


def test_the_nearest_cases_come_in_order_and_of_both_sides():
    known = made(
        [[0.0], [8.0], [2.0], [2.0], [5.0]], ["train", "train", "train", "validation", "validation"]
    )
    assert known.nearest(np.array([1.9], np.float32), 3) == [
        Case(2, "i2", 0, "train", pytest.approx(0.1)),
        Case(3, "i3", 1, "validation", pytest.approx(0.1)),  # as near, and later
        Case(0, "i0", 0, "train", pytest.approx(1.9)),
    ]


def test_a_reference_is_read_back_as_it_was_written(tmp_path):
    known = made(LINE, ["train"] * 10)
    reference.save(known, tmp_path / "reference.npz")
    again = reference.load(tmp_path / "reference.npz")
    for name, value in vars(known).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    assert [path.name for path in tmp_path.iterdir()] == ["reference.npz"]


class Network:
    """Makes of an image its mean and nine times its upper left pixel."""

    graph: ClassVar = {"layers": [{"name": "scores", "inputs": ["before"]}]}

    def activations(self, images, layer):
        assert layer == "before"
        return np.stack([images.mean(axis=(1, 2, 3)), 9 * images[:, 0, 0, 0]], axis=1)


SIDES = np.array(["train"] * 60 + ["validation"] * 40 + ["test"] * 20)


@pytest.fixture
def built(tmp_path, monkeypatch):
    """What `build` makes of a dataset, and the images of that."""
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path))
    images = np.random.default_rng(0).integers(0, 200, (len(SIDES), 16, 16), dtype=np.uint8)
    images[100:103, 0, 0] = 255  # two test images that the network makes something else of
    images[103] = 255 * DOWN[..., 0]  # one that looks different
    labels = np.arange(len(SIDES)) % 2
    np.savez(tmp_path / "set.npz", images=images, label=labels, side=SIDES.astype("S10"))
    options = {"path": str(tmp_path / "set.npz"), "classes": {"no": 0, "yes": 1}, "split": "side"}
    section = Section(name="array_file", options=options, split="given", patient=None)
    spec = SimpleNamespace(dataset=section, preprocessing=[])
    prepared = SimpleNamespace(plan=SimpleNamespace(spec=spec), check_dataset=lambda _: None)
    return reference.build(SimpleNamespace(prepared=prepared, network=Network())), images


def five_nearest(known, asked):
    away = np.sqrt(((asked[:, None] - known) ** 2).sum(axis=2))
    return np.sort(away, axis=1)[:, :5].mean(axis=1)


def test_the_limits_leave_one_validation_image_in_forty_beyond_and_test_alarms_are_counted(built):
    known, images = built
    shares = images / 255
    made = np.stack([shares.mean(axis=(1, 2)), 9 * shares[:, 0, 0]], axis=1)
    made /= made[SIDES == "train"].std(axis=0)
    seen = np.stack([coarse(share[..., None]) for share in shares])
    train, validation, test = (side == SIDES for side in ("train", "validation", "test"))
    far = [
        [five_nearest(of[train], of[side]) for of in (made, seen)] for side in (validation, test)
    ]
    limits = [np.percentile(one, 97.5) for one in far[0]]
    np.testing.assert_allclose(known.limits, limits, rtol=1e-4)
    assert [(one > limit).sum() for one, limit in zip(far[0], limits, strict=True)] == [1, 1]
    flagged = (np.array(far[1]) > np.array(limits)[:, None]).any(axis=0)
    assert flagged[:4].any()
    assert known.false_alarms.tolist() == [flagged.sum(), 20]


def test_a_reference_holds_training_and_validation_images_and_no_test_image(built):
    known, images = built
    assert known.sides.tolist() == ["train"] * 60 + ["validation"] * 40
    np.testing.assert_array_equal(known.pictures, images[:100])
    assert known.labels.tolist() == [0, 1] * 50
    image = (images[70] / 255).astype(np.float32)[..., None]
    film = reference.embed(Network(), image[None])[0]
    assert known.nearest(film, 1)[0].place == 70
    assert known.distance(film, image) < 1.5


def test_of_several_findings_a_case_has_the_label_of_the_one_that_is_asked_for():
    known = made(LINE, ["train"] * 10, labels=np.array([[0, 1], [1, -1]] * 5))
    film = np.array([0.1], np.float32)
    assert [case.label for case in known.of(1).nearest(film, 2)] == [1, -1]
    assert [case.label for case in known.of(0).nearest(film, 2)] == [0, 1]
    assert known.of(None) is known
