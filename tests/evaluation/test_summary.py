import json

import numpy as np
import pytest

from radzoo.evaluation import (
    Bootstrap,
    Estimate,
    Options,
    Predictions,
    Subject,
    area_under_risk,
    fit_temperature,
    reliability,
    scaled,
    slope,
    summarise,
)

SUBJECT = Subject("made up", ("benign", "malignant"), synthetic=True, notes=("made up",))
OPTIONS = Options(
    thresholds=(0.3,),
    target_sensitivities=(0.9,),
    miss_costs=(5,),
    prevalence=0.1,
    bootstrap=Bootstrap(100),
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


def test_the_temperature_is_fitted_on_validation_and_applied_to_test(summary):
    found = summary["calibration"]
    fitted = fit_temperature(split(1))
    assert found["temperature"]["value"] == fitted.value
    calibrated = scaled(split(2), fitted.value)
    for name, predictions in (("raw", split(2)), ("scaled", calibrated)):
        metrics = found[name]["metrics"]
        assert metrics["ece"] == reliability(predictions, Bootstrap(100)).ece.as_dict()
        brier = np.mean((predictions.probabilities - predictions.labels) ** 2)
        assert metrics["brier"]["value"] == pytest.approx(brier)
        assert metrics["slope"]["value"] == slope(predictions).value
        assert len(found[name]["bins"]) == 10


def test_without_validation_nothing_is_calibrated_and_it_says_so():
    found = summarise({"test": split(1)}, SUBJECT, OPTIONS)["calibration"]
    assert found["scaled"] is None
    assert found["temperature"]["value"] is None
    assert "no validation images" in found["temperature"]["note"]
    assert found["raw"]["metrics"]["ece"]["value"] > 0


def test_extremes_are_counted_on_test(summary):
    found = summary["extremes"]
    assert [one["count"] for one in found["counts"]] == [10, 20, 25, 50]
    test = split(2)
    lowest = test.labels[np.argsort(test.probabilities)[:10]]
    assert found["counts"][0]["lowest"]["value"] == pytest.approx(1 - lowest.mean())
    assert found["aurc"]["value"] == area_under_risk(test, 0.5, Bootstrap(100)).value


def test_each_point_has_its_net_benefit_and_its_predictive_values(summary):
    point, test = summary["operating_points"][3], split(2)
    threshold, called = point["threshold"], test.probabilities >= point["threshold"]
    ill = test.labels == 1
    price = threshold / (1 - threshold)
    benefit = (called & ill).mean() - price * (called & ~ill).mean()
    assert point["decision"]["model"]["value"] == pytest.approx(benefit)
    found, alarms = 0.1 * called[ill].mean(), 0.9 * called[~ill].mean()
    assert summary["prevalence"] == 0.1
    assert point["at_prevalence"]["ppv"]["value"] == pytest.approx(found / (found + alarms))


def test_without_a_prevalence_there_are_no_predictive_values_elsewhere():
    found = summarise({"test": split(1)}, SUBJECT, Options(bootstrap=Bootstrap(20)))
    assert found["prevalence"] is None
    assert "at_prevalence" not in found["operating_points"][0]


def test_without_a_test_split_nothing_is_taken_apart():
    found = summarise({"validation": split(1)}, SUBJECT, Options(bootstrap=Bootstrap(20)))
    assert not {"calibration", "extremes"} & set(found)
    assert "decision" not in found["operating_points"][0]
