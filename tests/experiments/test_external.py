"""A finished run on other people's images, on the fake backend."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from radzoo import preprocessing
from radzoo.commands import evaluate as command
from radzoo.commands import report as report_command
from radzoo.errors import DataError, RunError
from radzoo.evaluation import Predictions, measure
from radzoo.experiments import external, plan, runner
from radzoo.preprocessing import registry

SPEC = """\
title: Small
dataset: {name: phantom_nodules, options: {images: 120}}
model: {architecture: tiny_cnn}
training: {epochs: 2, optimizer: {name: sgd, learning_rate: 0.5}}
evaluation: {thresholds: [0.5, 0.4], target_sensitivity: 0.9, resamples: 100, subgroups: [sex]}
reported: {source: a paper, roc_auc: 0.98}
backends: [fake]
"""
OTHERS = '''\
from dataclasses import replace

from radzoo import preprocessing


@preprocessing.dataset(source="a test", licence="MIT", synthetic=True)
def others(images: int = 80, classes: list[str] = ["benign", "malignant"], size: int = 64,
           patients_known: bool = True, split: bool = False):
    """Phantoms of other people, who have ids of their own."""
    found = preprocessing.load("phantom_nodules", images=images, seed=9, size=size)
    table = found.table.assign(
        id="other " + found.table["id"],
        patient="other " + found.table["patient"] if patients_known else None,
    )
    if split:
        table["split"] = ["train", "test"] * (images // 2)
    return replace(found, name="others", table=table, classes=tuple(classes))
'''


def quiet(event):
    """A listener for who does not listen."""


def app():
    commands = typer.Typer()
    commands.command()(command.evaluate)
    commands.command()(report_command.report)
    return commands


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The directory of a finished run; the working folder is the one it stands in."""
    folder = tmp_path_factory.mktemp("external")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("RADZOO_CACHE", str(folder / "cache"))
        patch.syspath_prepend(str(folder))
        patch.setattr(registry, "_DATASETS", dict(registry._DATASETS))
        Path("other_people.py").write_text(OTHERS)
        Path("small.yaml").write_text(SPEC)
        yield runner.run(plan.plans(Path("small.yaml"))[0], Path("runs"), quiet).path


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the run, to do mischief to."""
    without = shutil.ignore_patterns("external")
    return Path(shutil.copytree(trained, tmp_path / "runs" / trained.name, ignore=without))


def others(**options):
    return preprocessing.load("other_people:others", **options)


def prepared(run, dataset=None, **asked):
    return external.prepare(external.Asked(run, **asked), dataset or others())


@pytest.fixture(scope="module")
def outcome(trained):
    return external.evaluate(prepared(trained), quiet)


def test_the_other_images_are_measured_by_the_weights_of_the_run(outcome, trained):
    with open(outcome.path / "predictions.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows] == ["external"] * 80
    assert {row["patient"].split("-")[0] for row in rows} == {"other phantom"}
    predictions = Predictions(
        [row["label"] == "malignant" for row in rows],
        [float(row["probability"]) for row in rows],
        [row["patient"] for row in rows],
    )
    expected = measure(predictions, 0.5, resamples=100)
    split = outcome.metrics["splits"]["test"]
    for name in ("roc_auc", "sensitivity", "false_negatives"):
        assert split["metrics"][name] == expected[name].as_dict()
    assert (split["images"], split["patients"]) == (80, predictions.patient_count)
    assert json.loads((outcome.path / "metrics.json").read_text()) == outcome.metrics
    weights = json.loads((trained / "manifest.json").read_text())["weights_sha256"]
    assert json.loads((outcome.path / "manifest.json").read_text())["weights_sha256"] == weights
    assert (outcome.path / "plots" / "roc.svg").exists()
    assert not list(outcome.path.glob(".probabilities*"))


def test_thresholds_are_those_of_the_run_and_none_is_chosen(outcome, trained):
    ours = json.loads((trained / "metrics.json").read_text())["operating_points"]
    theirs = outcome.metrics["operating_points"]
    kept = ("name", "threshold", "rule", "chosen_on", "validation")
    assert len(ours) >= 4
    assert [[p[key] for key in kept] for p in theirs] == [[p[key] for key in kept] for p in ours]
    assert all(point["test"]["sensitivity"]["images"] == 80 for point in theirs)


def test_the_internal_test_stands_beside_and_the_difference_is_external_less_internal(
    outcome, trained
):
    found = outcome.metrics["external"]
    internal = json.loads((trained / "metrics.json").read_text())["splits"]["test"]
    assert found["internal"] == internal
    for name, difference in found["differences"].items():
        other = outcome.metrics["splits"]["test"]["metrics"][name]["value"]
        assert difference["value"] == pytest.approx(other - internal["metrics"][name]["value"])
        assert difference["low"] < difference["value"] < difference["high"]


def test_the_report_says_what_it_is_and_counts_the_overlap(outcome, trained):
    page = (outcome.path / "report.html").read_text()
    assert f"External validation of run {trained.name} on dataset others." in page
    assert "Overlap with training and validation: 0 patients and 0 images." in page
    assert "internal test: " in page
    assert "external: 80 images" in page
    assert "SYNTHETIC DATA" in page
    assert "a paper" not in page


def test_the_same_again_is_found_done(outcome, trained):
    again = external.evaluate(prepared(trained), quiet)
    assert (again.path, again.was_done) == (outcome.path, True)
    assert prepared(trained, others(images=40)).folder != outcome.path


def test_ids_that_the_run_was_trained_on_are_an_error_that_counts_and_names_them(run):
    dataset = preprocessing.load("phantom_nodules", images=60, seed=5)
    pair = prepared(run, dataset)
    with open(run / "predictions.csv") as file:
        learned = [row for row in csv.DictReader(file) if row["split"] != "test"]
    patients = {row["patient"] for row in learned} & set(dataset.table["patient"])
    images = {row["id"] for row in learned} & set(dataset.table["id"])
    assert str(pair.overlap) == (
        f"Overlap with training and validation: {len(patients)} patients and {len(images)} images."
    )
    with pytest.raises(DataError) as told:
        external.evaluate(pair, quiet)
    assert f"{len(patients)} patients of 'phantom_nodules' have ids that" in str(told.value)
    assert f"on: {', '.join(sorted(patients)[:3])} and others." in str(told.value)
    assert "may be chance" in str(told.value)
    assert told.value.exit_code == 2
    assert not (run / "external").exists()


def test_an_overlap_that_is_meant_is_told_in_the_report(run):
    dataset = preprocessing.load("phantom_nodules", images=60, seed=5)
    found = external.evaluate(prepared(run, dataset, overlap_meant=True), quiet)
    page = (found.path / "report.html").read_text()
    assert "It was said that this overlap is meant" in page
    assert "are also in the internal test" in page
    assert found.metrics["external"]["overlap"]["meant"]


def test_the_data_of_the_run_itself_are_an_overlap(run):
    pair = prepared(run, preprocessing.load("phantom_nodules", images=120))
    with pytest.raises(DataError, match="is the dataset that the run itself was trained on"):
        external.evaluate(pair, quiet)


def test_where_patients_are_not_known_images_are_compared_and_that_is_said(run):
    pair = prepared(run, others(patients_known=False))
    assert "0 images; patients are not known on both sides" in str(pair.overlap)
    assert pair.overlap.patients is None
    assert not pair.cohort.by_patient
    assert "The patients of 80 of 80 images are not known" in pair.cohort.notes[-1]
    same_ids = preprocessing.load("phantom_nodules", images=60, seed=5)
    same_ids.table["patient"] = None
    with pytest.raises(DataError, match="images of 'phantom_nodules' have ids"):
        external.evaluate(prepared(run, same_ids), quiet)


def test_only_the_test_side_is_taken_where_that_is_asked(run):
    pair = prepared(run, others(split=True), test_only=True)
    assert pair.cohort.rows("test").tolist() == list(range(1, 80, 2))
    with pytest.raises(DataError, match="no column 'split'"):
        prepared(run, test_only=True)


@pytest.mark.parametrize("classes", [["malignant", "benign"], ["well", "ill"]])
def test_other_classes_or_another_order_are_refused_with_the_way_to_map_them(classes, run):
    with pytest.raises(DataError) as told:
        prepared(run, others(classes=classes))
    assert f"has the classes {', '.join(classes)}; the run tells benign from malignant" in str(
        told.value
    )
    assert "--set 'classes={benign: [...], malignant: [...]}'" in str(told.value)


def test_damaged_weights_are_refused(run):
    weights = run / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    with pytest.raises(RunError, match="is not what the run was finished with"):
        prepared(run)


def test_images_of_another_size_are_refused_without_a_trace(run):
    with pytest.raises(DataError, match="do not fit the model after the run's own preprocessing"):
        external.evaluate(prepared(run, others(size=72)), quiet)
    assert not list(run.glob("external/*"))


def test_an_unfinished_run_is_refused(run):
    (run / "metrics.json").unlink()
    with pytest.raises(RunError, match="None of these runs is finished"):
        prepared(run)


def test_another_backend_has_a_folder_of_its_own(run):
    assert prepared(run, backend="jax").folder != prepared(run).folder
    assert prepared(run, backend="jax", device="cpu").plan.spec.device == "cpu"


def test_work_that_goes_wrong_is_recorded_and_not_taken_for_done(run):
    def tell(event):
        if event.get("name") == "measuring":
            raise RunError("the disk is full")

    pair = prepared(run)
    with pytest.raises(RunError, match="the disk is full"):
        external.evaluate(pair, tell)
    manifest = json.loads((pair.folder / "manifest.json").read_text())
    assert (manifest["state"], manifest["error"]) == ("failed", "the disk is full")
    assert not (pair.folder / "metrics.json").exists()


def test_the_command_counts_first_and_ends_with_the_report(trained, outcome):
    done = CliRunner().invoke(app(), ["evaluate", str(trained), "--dataset=other_people:others"])
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert lines[0] == "Overlap with training and validation: 0 patients and 0 images."
    assert "Done before; to do it again, remove that folder." in lines
    assert lines[-1] == f"Report: {outcome.path / 'report.html'}"
    area = outcome.metrics["external"]["differences"]["roc_auc"]
    assert f"{area['value']:+.3f}" in done.stdout
    assert f"{area['low']:+.3f} to {area['high']:+.3f}" in done.stdout


def test_a_machine_reads_json_lines(trained, outcome):
    words = ["evaluate", str(trained), "--dataset=other_people:others", "--json"]
    first, *_, last = map(json.loads, CliRunner().invoke(app(), words).stdout.splitlines())
    assert first == {
        "event": "overlap",
        "patients": 0,
        "images": 0,
        "with_internal_test": 0,
        "same_data": False,
    }
    assert last == {"event": "finished", "folder": str(outcome.path), **outcome.metrics}


def test_its_report_can_be_written_anew(outcome):
    before = (outcome.path / "report.html").read_text()
    (outcome.path / "report.html").unlink()
    assert CliRunner().invoke(app(), ["report", str(outcome.path)]).exit_code == 0
    assert (outcome.path / "report.html").read_text() == before


def test_probabilities_are_read_back_as_they_were_written(trained, outcome):
    found = prepared(trained).run.table["probability"].to_numpy()
    with open(trained / "predictions.csv") as file:
        written = [float(row["probability"]) for row in csv.DictReader(file)]
    np.testing.assert_array_equal(found, written)
