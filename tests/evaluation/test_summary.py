import json

import numpy as np
import pytest

from radzoo.evaluation import Bootstrap, Estimate, Options, Predictions, Subject, summarise

SUBJECT = Subject("made up", ("benign", "malignant"), synthetic=True, notes=("made up",))
OPTIONS = Options(
    thresholds=(0.3,), target_sensitivities=(0.9,), miss_costs=(5,), bootstrap=Bootstrap(100)
)


def split(seed, n=120):
    random = np.random.default_rng(seed)
    labels = (random.random(n) < 0.4).astype(int)
    return Predictions(labels, random.random(n) * 0.7 + 0.3 * labels, random.integers(70, size=n))


@pytest.fixture(scope="module")
def summary():
    splits = {name: split(i) for i, name in enumerate(("train", "validation", "test"))}
    return summarise(splits, SUBJECT, OPTIONS, {"view": ["PA"] * 60 + ["AP"] * 55 + [None] * 5})


def test_it_is_plain_json_without_nan(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_each_split_is_measured_and_can_be_read_back(summary):
    assert list(summary["splits"]) == ["train", "validation", "test"]
    test = summary["splits"]["test"]
    assert (test["images"], test["threshold"]) == (120, 0.5)
    assert Estimate(**test["metrics"]["roc_auc"]).images == 120


def test_points_are_chosen_on_validation_and_applied_to_test(summary):
    names = [point["name"] for point in summary["operating_points"]]
    assert names == [
        "threshold 0.5",
        "threshold 0.3",
        "max Youden",
        "sensitivity >= 0.9",
        "cost 5 to 1",
    ]
    point = summary["operating_points"][3]
    assert point["validation"]["sensitivity"]["value"] >= 0.9
    assert point["threshold"] in split(1).probabilities
    test = split(2)
    share = (test.probabilities[test.labels == 1] >= point["threshold"]).mean()
    assert point["test"]["sensitivity"]["value"] == pytest.approx(share)


def test_the_test_split_never_moves_a_threshold(summary):
    splits = {"validation": split(1), "test": split(77)}
    others = summarise(splits, SUBJECT, OPTIONS)
    chosen = [point["threshold"] for point in summary["operating_points"]]
    assert [point["threshold"] for point in others["operating_points"]] == chosen


def test_without_validation_no_threshold_is_chosen_and_it_says_so():
    found = summarise({"test": split(1)}, SUBJECT, OPTIONS)
    assert len(found["operating_points"]) == 2
    assert "No threshold was chosen" in found["notes"][-1]


def test_small_groups_have_counts_only(summary):
    views = summary["subgroups"]["view"]
    assert list(views) == ["AP", "PA", "unknown"]
    assert "metrics" in views["PA"]
    assert views["unknown"] == {
        "images": 5,
        "patients": 5,
        "positives": views["unknown"]["positives"],
        "too_few": True,
    }


def test_a_patient_is_missed_only_if_every_positive_image_is():
    test = Predictions(
        [1, 1, 1, 0, 0, 0], [0.9, 0.1, 0.2, 0.8, 0.1, 0.1], ["a", "a", "b", "b", "c", "d"]
    )
    found = summarise({"test": test}, SUBJECT, Options(bootstrap=Bootstrap(10)))["splits"]["test"]
    assert found["missed"] == {"patients": 1, "of": 2}  # b's alarm was on another image
    assert found["alarms"] == {"patients": 0, "of": 2}
    assert found["metrics"]["false_negatives"]["value"] == 2
