"""Runs of several findings: what a spec may say, and all that comes of one."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from radzoo.errors import DataError, RunError, SpecError, UserError
from radzoo.experiments import compare, data, finished, plan, remeasure, requests
from radzoo.experiments.run import RunDirectory
from radzoo.experiments.spec import Evaluation
from radzoo.explain import explainer

SPEC = """\
title: Three findings
dataset:
  name: table
  options: {path: list.csv, findings: [Opacity, Big Heart, Rare]}
  findings: all
model: {architecture: tiny_cnn, options: {input_shape: [16, 16, 1]}}
training: {epochs: 2, class_weight: balanced}
evaluation: {resamples: 100}
backends: [fake]
"""


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """A plan of one run of a spec whose keys are changed."""
    monkeypatch.chdir(tmp_path)
    Path("three.yaml").write_text(SPEC)
    return lambda *overrides: plan.plans(Path("three.yaml"), overrides)[0]


def test_the_loss_follows_from_the_findings(planned):
    assert planned().spec.training.loss == "binary_crossentropy"
    two = planned("dataset.findings=null", "training.class_weight=null")
    assert two.spec.training.loss == "categorical_crossentropy"
    with pytest.raises(SpecError, match="categorical_crossentropy is for classes"):
        planned("training.loss=categorical_crossentropy")
    with pytest.raises(SpecError, match="binary_crossentropy is for findings"):
        planned("dataset.findings=null", "training.loss=binary_crossentropy")
    with pytest.raises(SpecError, match="class_weight is `balanced` or null"):
        planned("training.class_weight={Opacity: 2}")


def test_a_run_of_two_classes_has_the_name_it_had_before_there_were_findings(planned):
    two = planned("dataset.findings=null", "training.class_weight=null")
    assert "findings" not in json.loads(two.decisive)["dataset"]
    assert json.loads(planned().decisive)["dataset"]["findings"] == "all"


def cohort_of(truth, made_of=("a", "b")):
    """A cohort whose images are all on the side train."""
    from radzoo.preprocessing import Dataset

    table = pd.DataFrame(truth, columns=list(made_of))
    table["id"], table["patient"] = [f"i{n}" for n in range(len(table))], "p"
    table["label"] = np.arange(len(table)) % 2
    read = lambda row: np.zeros((2, 2), np.float32)  # noqa: E731
    dataset = Dataset("made", ("no", "yes"), table, read, "abc", findings=made_of)
    sides = np.full(len(table), "train")
    return data.Cohort(dataset, sides, table["patient"].to_numpy(), True, (), made_of)


def test_balanced_weights_give_both_labels_of_each_finding_the_same_total(planned):
    cohort = cohort_of([[1, 0], [0, 0], [0, np.nan], [0, 0], [np.nan, 0]])
    # a: three negatives and one positive of four; b: no positive, so nothing to balance
    assert requests.class_weight(planned(), cohort) == [[4 / 6, 4 / 2], [1.0, 1.0]]
    assert requests.labels(cohort).tolist() == [[1, 0], [0, 0], [0, -1], [0, 0], [-1, 0]]


def test_one_finding_of_a_cohort_leaves_out_whom_it_is_not_known_of():
    cohort = cohort_of([[1, 0], [0, 1], [np.nan, 1]]).of("a")
    assert cohort.dataset.classes == ("no a", "a")
    assert cohort.rows("train").tolist() == [0, 1]
    assert cohort.labels[:2].tolist() == [1, 0]
    assert cohort.notes[-1].startswith("Whether there is a is not known of 1 of 3 images")


def draw(folder, images=60):
    """Two findings that pixels show, a tenth of them unknown, and one on two images alone."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(images):
        image = random.normal(90, 30, (16, 16))
        truth = (random.random(3) < [0.5, 0.4, 0.0]).astype(int)
        image[:8, :8] += 70 * truth[0]
        image[8:, :8] += 60 * truth[1]
        Image.fromarray(image.clip(0, 255).astype("uint8")).save(folder / f"{number}.png")
        cells = [str(one) if random.random() > 0.1 else "" for one in truth]
        rows.append([f"{number}.png", f"p{number // 2}", *cells[:2], int(number in (0, 30))])
    with open(folder / "list.csv", "w", newline="") as file:
        head = ["path", "patient", "Opacity", "Big Heart", "Rare"]
        csv.writer(file).writerows([head, *rows])


@pytest.fixture(scope="module")
def place(place_in, tmp_path_factory):
    """Where a run was done by the command line."""
    made = place_in(tmp_path_factory.mktemp("several"))
    draw(made.path)
    made.write(three=SPEC)
    done = made.run("run", "three.yaml")
    assert done.returncode == 0, done.stderr
    assert "Big Heart" in done.stdout
    return made


@pytest.fixture
def folder(place):
    (found,) = (place.path / "runs" / "three").iterdir()
    return found


def test_a_run_measures_each_finding_as_a_run_of_two_classes(folder):
    run = finished.whole(folder)
    assert run.manifest["model"]["several"] is True
    assert run.manifest["model"]["classes"] == 3
    table = pd.read_csv(folder / "predictions.csv")
    for name, path in ("Opacity", "Opacity"), ("Big Heart", "Big-Heart"):
        own = finished.one(folder / "findings" / path)
        truth = table[f"truth: {name}"]
        test = (table["split"] == "test") & truth.notna()
        np.testing.assert_array_equal(own.predictions.labels, truth[test])
        scores = table.loc[test, f"probability: {name}"]
        np.testing.assert_allclose(own.predictions.probabilities, scores, atol=1e-9)
        told, side = run.metrics["findings"][name], own.metrics["splits"]["test"]
        assert told["splits"]["test"]["metrics"]["roc_auc"] == side["metrics"]["roc_auc"]
        assert told["splits"]["test"]["images"] == test.sum()
        for file in "report.html", "plots/roc.png", "history.csv", "spec.yaml":
            assert (own.folder / file).is_file()


def test_what_cannot_be_measured_is_left_out_and_told(folder):
    run = finished.whole(folder)
    rare = run.metrics["findings"]["Rare"]
    lacking = rare["splits"]["test"]["positives"] == 0
    assert ("folder" in rare) != lacking
    sides = {side for side in data.SIDES if rare["splits"][side]["positives"] == 0}
    for side in sides:
        assert any(f"'{side}'" in note and "Rare" in note for note in run.metrics["notes"])
    assert sides


def test_the_page_leads_to_the_page_of_each_finding(folder):
    page = (folder / "report.html").read_text()
    assert 'href="findings/Big-Heart/report.html"' in page
    assert page.count("data:image/") == 3  # areas, findings that come together, learning curves
    assert "Research use only" in page
    assert "{{" not in page


def test_findings_of_two_runs_are_compared(folder, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    spec = yaml.safe_load((other / "findings/Opacity/spec.yaml").read_text())
    spec["training"]["batch_size"] = 8
    (other / "findings/Opacity/spec.yaml").write_text(yaml.safe_dump(spec))
    found = compare.compare(
        compare.Asked(tuple(one / "findings" / "Opacity" for one in (folder, other)))
    )
    assert [row.name for row in found.rows] == ["batch size 64", "batch size 8"]
    assert found.rows[1].differences["roc_auc"].value == 0
    measured = finished.whole(folder).metrics["findings"]["Opacity"]["splits"]["test"]
    area = measured["metrics"]["roc_auc"]["value"]
    assert found.rows[0].metrics["roc_auc"].value == pytest.approx(area)
    with pytest.raises(RunError, match="tells several findings"):
        compare.compare(compare.Asked((folder, other)))


def test_who_takes_two_classes_says_which_folder_to_name(folder):
    with pytest.raises(RunError, match=r"Name the folder of one .*findings/Opacity"):
        finished.one(folder)
    with pytest.raises(UserError, match="--class 'Opacity'"):
        explainer.prepare(folder / "findings" / "Opacity")


def test_a_run_is_measured_again_with_all_its_findings(folder, tmp_path, monkeypatch):
    for module in remeasure.figures, remeasure.several:
        monkeypatch.setattr(module, "draw", lambda *given: None)  # as at first, and slow
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    section = Evaluation(thresholds=(0.4,), resamples=100)
    found = remeasure.remeasure(RunDirectory(again), section)
    before = finished.whole(folder).metrics
    assert found["findings"]["Opacity"]["operating_points"][0]["threshold"] == 0.4
    assert found["splits"] == before["splits"]
    assert found["together"]["true"] == before["together"]["true"]
    own = finished.one(again / "findings" / "Opacity")
    assert own.spec["evaluation"]["thresholds"] == [0.4]


def test_a_side_with_nothing_to_tell_apart_is_refused(place, planned, monkeypatch):
    monkeypatch.chdir(place.path)
    section = planned().spec.dataset
    with pytest.raises(DataError, match="No finding is there on some images of the side"):
        data.load(section.model_copy(update={"findings": ("Rare",)}))
    assert replace(data.load(section)).findings == ("Opacity", "Big Heart", "Rare")
