"""What is known of a model before any film, compared with counts by hand."""

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from radzoo.errors import RunError
from radzoo.experiments.finished import Finished
from radzoo.webapp import card
from radzoo.webapp.card import Card

TEST = {
    "ill": (0.9, 0.8, 0.45, 0.4, 0.2),
    "well": (0.6, 0.39, 0.3, 0.1, 0.05),
}
# 30 validation films between 0.46 and 0.75, and 5 far from all others
VALIDATION = {
    "ill": tuple((46 + 3 * step) / 100 for step in range(10)),
    "well": (
        *((46 + step) / 100 for step in range(30) if step % 3),
        *(0.0, 0.01, 0.02, 0.9, 1.0),
    ),
}
POINTS = [
    {"name": "threshold 0.5", "threshold": 0.5, "chosen_on": "beforehand"},
    {"name": "threshold 0.29", "threshold": 0.29, "chosen_on": "beforehand"},
    {"name": "youden", "threshold": 0.7, "chosen_on": "validation"},
    {"name": "sensitivity >= 0.9", "threshold": 0.4599, "chosen_on": "validation"},
    {"name": "sensitivity >= 0.99", "threshold": 0.002, "chosen_on": "validation"},
]


def finished(folder: Path, test: dict = TEST, temperature: float | None = 2.0) -> Finished:
    """A run directory with predictions, each image of a patient of its own."""
    folder.mkdir(exist_ok=True)
    lines = ["split,id,patient,label,probability"]
    for split, scores in (("test", test), ("validation", VALIDATION)):
        for label, values in scores.items():
            lines += [
                f"{split},{label}{place},,{label},{value}" for place, value in enumerate(values)
            ]
    (folder / "predictions.csv").write_text("\n".join(lines) + "\n")
    known = {"title": "T", "weights_sha256": "a" * 64, "backend": "fake", "seed": 0, "finished": ""}
    data = {"classes": ["well", "ill"], "synthetic": True}
    more = {
        "device": {"used": "cpu"},
        "versions": {"radzoo": "1"},
        "data": data,
        "split": {"sides": {}},
    }
    model = {"architecture": "tiny_cnn", "options": {"input_shape": [8, 8, 1]}}
    metrics = {
        "positive_class": "ill",
        "splits": {"test": {"metrics": {}, "threshold": 0.5}},
        "operating_points": POINTS,
        "subgroups": {},
        "calibration": {"temperature": {"value": temperature}},
        "notes": [],
    }
    return Finished(folder, {"model": model}, {**known, **more}, metrics)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Card:
    return Card(card.make(finished(tmp_path_factory.mktemp("run"))))


@pytest.mark.parametrize(
    ("threshold", "sensitivity", "specificity"),
    [(0.01, 5, 0), (0.4, 4, 4), (0.41, 3, 4), (0.6, 2, 4), (0.61, 2, 5), (0.99, 0, 5)],
)
def test_the_table_holds_what_a_count_of_the_test_films_gives(
    made, threshold, sensitivity, specificity
):
    found = made.operating(threshold)
    assert found["threshold"] == threshold
    assert found["sensitivity"][0] == pytest.approx(sensitivity / 5)
    assert found["specificity"][0] == pytest.approx(specificity / 5)
    for name in ("sensitivity", "specificity"):
        value, low, high = found[name]
        assert 0 <= low <= value + 1e-9 <= high + 2e-9 <= 1 + 3e-9
    assert (found["ppv"] is None) == (sensitivity == 0 and specificity == 5)  # none called ill
    assert (found["npv"] is None) == (sensitivity == 5 and specificity == 0)


def test_between_two_rows_of_the_table_the_nearer_one_is_given(made):
    assert made.operating(0.4049)["threshold"] == 0.4
    assert made.operating(0.4051)["threshold"] == 0.41
    assert made.operating(0.001)["threshold"] == 0.01
    assert made.operating(1.0)["threshold"] == 0.99


def test_the_presets_begin_with_what_misses_fewest_and_are_rounded_down(made):
    presets = [(one["name"], one["threshold"]) for one in made.facts["presets"]]
    assert presets == [
        ("sensitivity >= 0.9", 0.45),
        ("sensitivity >= 0.99", 0.01),  # the lowest there is
        ("threshold 0.5", 0.5),
        ("threshold 0.29", 0.29),
    ]
    assert made.default_threshold == 0.45


def wilson(positive: int, films: int) -> tuple[float, float]:
    """Wilson's 95 % interval by its formula."""
    z, share = 1.959964, positive / films
    middle = (share + z**2 / (2 * films)) / (1 + z**2 / films)
    half = z / (1 + z**2 / films) * math.sqrt(share * (1 - share) / films + (z / 2 / films) ** 2)
    return middle - half, middle + half


@pytest.mark.parametrize(
    ("score", "films", "positive", "low", "high"),
    [
        # fewer than 20 lie within 0.05, so the 20 nearest are taken
        (0.4549, 20, 7, 0.46, 0.65),  # ill are 0.46, 0.49 ... 0.64
        (0.7551, 20, 6, 0.57, 0.9),  # 0.58, 0.61 ... 0.73; 0.9 is nearer than 0.56
        (0.6, 21, 7, 0.5, 0.7),  # 10 on either side: the 20th is as far as the 21st
    ],
)
def test_films_with_a_score_like_this_are_counted_among_validation(
    made, score, films, positive, low, high
):
    found = made.like(score)
    assert (found.films, found.positive) == (films, positive)
    assert (found.low, found.high) == (low, high)
    assert found.bounds == pytest.approx(wilson(positive, films), abs=1e-6)


def test_all_films_within_the_distance_are_counted_where_more_than_twenty_are():
    scores = [0.5005 + step / 1000 for step in range(-60, 60)]
    facts = {"validation": {"scores": scores, "labels": [int(score > 0.5) for score in scores]}}
    found = Card(facts).like(0.5)
    assert (found.films, found.positive) == (100, 50)  # 0.4505 to 0.5495


def test_where_there_are_fewer_than_twenty_films_all_are_counted():
    facts = {"validation": {"scores": [0.0, 0.5, 1.0], "labels": [0, 1, 1]}}
    found = Card(facts).like(0.2)
    assert (found.films, found.positive, found.low, found.high) == (3, 2, 0.0, 1.0)


def test_a_temperature_of_two_takes_the_root_of_the_odds(made):
    assert made.calibrated(0.9) == pytest.approx(0.75)  # odds 9 become 3
    assert made.calibrated(0.5) == pytest.approx(0.5)
    assert 0 < made.calibrated(0.0) < 0.001
    assert 0.999 < made.calibrated(1.0) < 1


def test_without_a_temperature_nothing_is_calibrated():
    assert Card({"temperature": None}).calibrated(0.9) is None


def test_a_card_is_kept_and_made_again_when_its_run_has_changed(tmp_path):
    path, run = tmp_path / "card.json", finished(tmp_path / "run")
    first = card.read(path, run)
    kept = path.stat().st_mtime_ns
    assert card.read(path, run) == first
    assert path.stat().st_mtime_ns == kept
    again = card.read(path, finished(tmp_path / "run", temperature=3.0))
    assert again.facts["temperature"] == 3.0
    path.write_text("{")
    assert card.read(path, run) == first
    assert json.loads(path.read_text())["facts"]["temperature"] == 2.0


def test_audits_are_read_anew_each_time(tmp_path):
    path, run = tmp_path / "card.json", finished(tmp_path / "run")
    assert card.read(path, run).facts["audits"] == {}
    (run.folder / "explanations").mkdir()
    audit = {"method": "gradcam", "localisation": {"not_measured": ""}}
    (run.folder / "explanations" / "audit-gradcam.json").write_text(json.dumps(audit))
    assert card.read(path, run).facts["audits"] == {"gradcam": audit}


def test_a_run_whose_test_films_are_of_one_class_is_not_served(tmp_path):
    run = finished(tmp_path / "run", test={"ill": (0.5, 0.6)})
    with pytest.raises(RunError, match="its test images are of one class"):
        card.make(run)


def written(folder: Path, finding: str | None = None, **more) -> Finished:
    """As `finished`, its files written as a run writes them; of a finding if one is named."""
    folder.mkdir(parents=True, exist_ok=True)
    run = finished(folder, **more)
    manifest = (
        {**run.manifest, "finding": finding, "finding_number": 1} if finding else run.manifest
    )
    contents = {"manifest.json": manifest, "metrics.json": run.metrics, "spec.yaml": run.spec}
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content))
    return run


def test_a_run_of_several_findings_has_a_card_for_each_that_can_be_measured(tmp_path):
    run = written(tmp_path / "run")
    written(tmp_path / "run" / "findings" / "ill", "ill")
    written(tmp_path / "run" / "findings" / "rare", "rare", test={"ill": (0.5, 0.6)})
    found = {name: {"folder": f"findings/{name}"} for name in ("ill", "rare")}
    several = {**run.metrics, "findings": {**found, "never": {"left_out": "it is on no image"}}}
    (made,) = card.of_run(tmp_path, replace(run, metrics=several))
    assert made.facts["unserved"] == ["rare", "never"]
    assert (made.finding, made.facts["finding_number"]) == ("ill", 1)
    assert (made.weights, made.facts["version"]) == ("a" * 64, "run")
    assert made.key == hashlib.sha256(b"a" * 64 + b" ill").hexdigest()
    assert made.stamp == {"model": "a" * 16, "finding": "ill"}
    none = replace(run, metrics={**several, "findings": {"rare": found["rare"]}})
    with pytest.raises(RunError, match="no finding is on some of its validation and test images"):
        card.of_run(tmp_path, none)


def test_a_run_of_two_classes_has_one_card_whose_key_are_its_weights(tmp_path):
    (made,) = card.of_run(tmp_path, finished(tmp_path / "run"))
    assert made.key == made.weights == "a" * 64
    assert (made.finding, made.stamp) == (None, {"model": "a" * 16})
