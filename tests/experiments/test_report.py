"""The report of a run that exists in this test only: made-up predictions, made-up manifest."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml

from radzoo import evaluation
from radzoo.errors import RunError
from radzoo.evaluation import Bootstrap, Options, Predictions, Subject
from radzoo.experiments import plots, report

USE = "Research use only. Not a medical device; not validated for clinical use."
SPEC = {
    "title": "A title",
    "model": {"architecture": "tiny_cnn", "weights": None},
    "reported": {"source": "thesis, other images", "recall": 0.925, "roc_auc": 0.98},
}
MANIFEST = {
    "state": "finished",
    "title": "A title",
    "command": ["python", "cli.py", "run", "a spec.yaml"],
    "backend": "fake",
    "device": {"asked": "auto", "used": "cpu", "name": "a chip"},
    "versions": {"keras": "3.15.1"},
    "git": {"commit": "abc", "dirty": False},
    "seed": 7,
    "data": {"name": "made up", "content_sha256": "c0ffee", "notes": ["A note on the data."]},
    "split": {
        "sha256": "5eed",
        "by_patient": True,
        "sides": {"test": {"images": 50, "patients": 40, "positives": 20}},
    },
    "wall_time_s": 7512.0,
    "peak_memory_mb": 1234.5,
}


def summary(synthetic=True, **changes):
    random = np.random.default_rng(0)
    labels = np.arange(50) % 5 < 2
    probabilities = np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0, 1)
    split = Predictions(labels, probabilities, random.integers(40, size=50))
    splits = {"train": split, "validation": split, "test": split}
    subject = Subject("made up", ("benign", "malignant"), synthetic, **changes)
    groups = {"view": ["PA"] * 40 + ["AP"] * 10}
    options = Options(prevalence=0.02, bootstrap=Bootstrap(50))
    return evaluation.summarise(splits, subject, options, groups)


@pytest.fixture(scope="module")
def measured():
    return summary()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(SPEC))
    return tmp_path


def words(page):
    """The text that a reader sees, with single spaces."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("&#39;", "'")


class References(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        names = {"src", "href", "srcset", "action", "data", "poster"}
        self.found += [value for name, value in attributes if name in names]
        assert tag not in {"script", "link", "iframe", "object"}


def test_the_verdict_is_said_plainly(folder, measured):
    text = words(report.render(folder, measured, MANIFEST))
    test = measured["splits"]["test"]
    missed, alarms = (
        test["metrics"][name]["value"] for name in ("false_negatives", "false_positives")
    )
    assert f"{missed} of 20 'malignant' images were missed." in text
    assert f"{test['missed']['patients']} of {test['missed']['of']} patients with" in text
    assert f"{alarms} of 30 'benign' images" in text
    assert f"50 images, {test['patients']} patients, 20 'malignant'" in text
    area = test["metrics"]["roc_auc"]
    said = f"ROC AUC {area['value']:.3f} 95 % interval: {area['low']:.3f} to {area['high']:.3f}"
    assert said in text
    assert text.count(USE) == 2


def test_each_number_carries_its_method(folder, measured):
    text = words(report.render(folder, measured, MANIFEST))
    assert "a patient bootstrap, expanded percentile, 50 resamples" in text


def test_synthetic_data_are_announced_and_real_ones_are_not(folder, measured):
    assert "SYNTHETIC DATA" in report.render(folder, measured, MANIFEST)
    assert "SYNTHETIC" not in report.render(folder, summary(synthetic=False), MANIFEST)


def test_unknown_patients_are_a_warning_and_not_a_number(folder, measured):
    split = {**MANIFEST["split"], "by_patient": False}
    for metrics, manifest in (
        (measured, {**MANIFEST, "split": split}),
        (summary(patients_known=False), {}),
    ):
        text = words(report.render(folder, metrics, manifest))
        assert "The patients are not known" in text
        assert "50 images, patients unknown, 20 'malignant'" in text
        assert "patients with" not in text


def test_reported_figures_stand_beside_ours_with_their_source(folder, measured):
    text = words(report.render(folder, measured, MANIFEST))
    ours = measured["splits"]["test"]["metrics"]["sensitivity"]["value"]
    assert "reported (thesis, other images)" in text
    assert f"Sensitivity (recall) 0.925 {ours:.3f}" in text
    assert "measured on other images" in text


def test_small_groups_are_too_few(folder, measured):
    text = words(report.render(folder, measured, MANIFEST))
    few = measured["subgroups"]["view"]["AP"]
    assert f"AP 10 {few['patients']} {few['positives']} too few" in text


def test_calibration_is_told_raw_and_calibrated(folder, measured):
    text = words(report.render(folder, measured, MANIFEST))
    found = measured["calibration"]
    raw, scaled = (found[side]["metrics"]["ece"]["value"] for side in ("raw", "scaled"))
    assert "about 3 in 10 should be 'malignant'" in text
    assert f"by a temperature of {found['temperature']['value']:.3g}" in text
    assert "fitted on 50 validation images" in text
    assert re.search(rf"0 is best\) {raw:.3f} \([^)]*\) \w+ {scaled:.3f} ", text)
    assert "5 bins of equal mass; patient bootstrap" in text


def test_net_benefit_stands_beside_calling_all_and_none(folder, measured):
    text = words(report.render(folder, measured, MANIFEST))
    decision = measured["operating_points"][0]["decision"]
    model, everyone = (decision[name]["value"] for name in ("model", "treat_all"))
    assert "above 0, which is calling none" in text
    assert re.search(rf"threshold 0.5 0.5 {model:.3f} \([^)]*\) \w+ {everyone:.3f} ", text)


def test_extremes_name_the_counts_that_do_not_fit(folder, measured):
    text = words(report.render(folder, measured, MANIFEST))
    lowest = measured["extremes"]["counts"][0]["lowest"]["value"]
    assert "lowest: truly 'benign' highest: truly 'malignant'" in text
    assert f"10 {lowest:.3f} (" in text
    assert "Too few test images for 50 at each end" in text


def test_predictive_values_are_told_at_the_stated_prevalence_only(folder, measured):
    text = words(report.render(folder, measured, MANIFEST))
    points = measured["operating_points"]
    ppv = points[0]["at_prevalence"]["ppv"]["value"]
    assert "PPV and NPV at a prevalence of 0.02" in text
    assert "If 2 of 100 images were 'malignant'" in text
    assert f"threshold 0.5 0.5 {ppv:.3f} (" in text
    bare = [{key: point[key] for key in point if key != "at_prevalence"} for point in points]
    without = {**measured, "operating_points": bare, "prevalence": None}
    assert "at a prevalence" not in words(report.render(folder, without, MANIFEST))


def test_a_run_that_measured_less_has_fewer_sections_and_rows(folder, measured):
    new = {"calibration", "extremes", "prevalence"}
    old = {key: value for key, value in json.loads(json.dumps(measured)).items() if key not in new}
    for point in old["operating_points"]:
        del point["decision"], point["at_prevalence"]
    for split in old["splits"].values():
        del split["metrics"]["mcc"]
    text = words(report.render(folder, old, MANIFEST))
    assert "Matthews" not in text
    assert "Positive likelihood ratio" in text
    for heading in ("Calibration", "Decision curve", "Extremes"):
        assert heading not in text


def test_what_made_the_run_is_told(folder, measured):
    text = words(report.render(folder, measured, MANIFEST))
    assert "cpu (a chip); asked for: auto" in text
    assert "2 h 5 min" in text
    assert "keras 3.15.1" in text
    assert "c0ffee" in text
    assert "A note on the data." in text
    assert "by patient: no patient is on two sides" in text
    assert "python cli.py run 'a spec.yaml'" in text


def test_unfinished_runs_and_changed_code_are_warned_of(folder, measured):
    manifest = {**MANIFEST, "state": "failed", "git": {"commit": "abc", "dirty": True}}
    text = words(report.render(folder, measured, manifest))
    assert "not finished; its state is 'failed'" in text
    assert "changes that are in no commit" in text


def test_the_page_needs_nothing_but_itself(folder, measured):
    predictions = Predictions([1, 0, 1, 0], [0.9, 0.1, 0.8, 0.3], range(4))
    curve = evaluation.roc_curve(predictions, resamples=10)
    area = evaluation.measure(predictions, resamples=10)["roc_auc"]
    plots.roc(curve, area, folder / "plots", plots.Caption("made up", "test", 4, 4))
    page = report.render(folder, measured, MANIFEST)
    references = References()
    references.feed(page)
    assert len(references.found) == 1
    assert references.found[0].startswith("data:image/svg+xml;base64,")
    assert "url(" not in page
    assert "@import" not in page
    assert "This run has no figure 'confusion_matrix'" in words(page)


def test_a_large_drawing_goes_in_as_png(folder, measured, monkeypatch):
    (folder / "plots").mkdir()
    (folder / "plots" / "roc.svg").write_bytes(b"x" * 700_000)
    (folder / "plots" / "roc.png").write_bytes(b"png")
    assert "data:image/png;base64,cG5n" in report.render(folder, measured, MANIFEST)


def test_whatever_is_put_in_is_escaped(tmp_path):
    evil = "<script>alert(1)</script>"
    manifest = json.loads(json.dumps(MANIFEST).replace("a chip", evil).replace("A title", evil))
    metrics = json.loads(json.dumps(summary(notes=(evil,))).replace("malignant", evil))
    metrics["subgroups"] = {evil: {evil: metrics["subgroups"]["view"]["AP"]}}
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump({**SPEC, "reported": {evil: 1.0}}))
    page = report.render(tmp_path, metrics, {**manifest, "command": evil})
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 10


def test_a_bare_manifest_and_no_spec_will_do(tmp_path, measured):
    text = words(report.render(tmp_path, measured, {}))
    assert "Result" in text
    assert "reported" not in text


def test_one_class_is_not_estimable_and_says_why(folder):
    split = Predictions([0] * 20, np.linspace(0, 1, 20), range(20))
    metrics = evaluation.summarise(
        {"test": split},
        Subject("made up", ("benign", "malignant")),
        Options(bootstrap=Bootstrap(20)),
    )
    text = words(report.render(folder, metrics, MANIFEST))
    assert "ROC AUC - not estimable: there is no positive image" in text
    assert "0 of 0 'malignant' images were missed" in text


def test_without_a_test_split_no_verdict_is_given(folder, measured):
    splits = {"train": measured["splits"]["train"]}
    points = {"operating_points": [], "subgroups": {}}
    text = words(report.render(folder, {**measured, **points, "splits": splits}, MANIFEST))
    assert "Nothing was measured on test images." in text
    assert "were missed" not in text


def test_it_is_written_from_the_folder_of_a_finished_run(folder, measured):
    (folder / "metrics.json").write_text(json.dumps(measured))
    (folder / "manifest.json").write_text(json.dumps(MANIFEST))
    path = report.write(folder)
    assert path == folder / "report.html"
    assert path.read_text() == report.render(folder, measured, MANIFEST)
    assert not list(folder.glob(".*"))


def test_an_unfinished_folder_says_what_is_missing(folder):
    with pytest.raises(RunError, match=r"metrics.json cannot be read: .* needs a finished run"):
        report.write(folder)
