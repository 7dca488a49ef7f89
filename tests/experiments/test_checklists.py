"""Reporting guidelines, filled in for a run that exists in this test only."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml

from radzoo import evaluation
from radzoo.errors import RunError, UnknownName
from radzoo.evaluation import Bootstrap, Options, Predictions, Subject
from radzoo.experiments import checklists

SPEC = {
    "dataset": {
        "split": {"train": 0.6, "validation": 0.15, "test": 0.25},
        "seed": 3,
    },
    "preprocessing": [{"name": "resize", "rows": 64, "columns": 64}],
    "augmentation": {"rotation_degrees": 10.0, "zoom": 0.0, "flip_horizontal": True},
    "training": {
        "optimizer": {"name": "adamax", "learning_rate": 0.001},
        "loss": "categorical_crossentropy",
        "epochs": 100,
        "phases": [],
        "batch_size": 64,
        "class_weight": "balanced",
        "monitor": "val_roc_auc",
        "restore_best": True,
        "early_stopping": {"patience": 7},
    },
}
SIDE = {"images": 50, "patients": 40, "positives": 20}
MANIFEST = {
    "state": "finished",
    "command": ["python", "cli.py", "run", "a.yaml"],
    "seed": 11,
    "backend": "jax",
    "device": {"used": "cpu", "name": "a chip"},
    "precision": "float32",
    "versions": {"keras": "3.15.1", "jax": "0.10.2"},
    "machine": {"processor": "a processor (2 cores)"},
    "git": {"commit": "c0ffee", "dirty": False},
    "data": {
        "name": "made up",
        "content_sha256": "5eed",
        "images": 150,
        "synthetic": True,
        "source": "a <source>",
        "licence": "CC BY 4.0",
    },
    "split": {
        "sha256": "ab12",
        "by_patient": True,
        "sides": {"train": SIDE, "validation": SIDE, "test": SIDE},
    },
    "store": {"shape": [150, 64, 64, 1], "dtype": "uint8"},
    "model": {
        "architecture": "tiny_cnn",
        "options": {"width": 8},
        "classes": 2,
        "parameters": 1234,
        "trainable": 1000,
        "started_from": None,
    },
    "weights_sha256": "fee1",
    "wall_time_s": 61.2,
}


def summary():
    random = np.random.default_rng(0)
    labels = np.arange(50) % 5 < 2
    scores = np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0, 1)
    split = Predictions(labels, scores, random.integers(40, size=50))
    return evaluation.summarise(
        {"train": split, "validation": split, "test": split},
        Subject("made up", ("benign", "malignant"), synthetic=True),
        Options(0.5, bootstrap=Bootstrap(50)),
        {"sex": ["F"] * 40 + ["M"] * 10},
    )


MEASURED = summary()


@pytest.fixture
def run(tmp_path):
    """Writes a run directory, some of whose values are others."""

    def write(manifest=None, spec=None, metrics=None):
        (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec or SPEC, sort_keys=False))
        (tmp_path / "manifest.json").write_text(json.dumps(manifest or MANIFEST))
        (tmp_path / "metrics.json").write_text(json.dumps(metrics or MEASURED))
        return tmp_path

    return write


def lines(name, folder):
    filled = checklists.fill(name, checklists.evidence(folder))
    return {line.item.number: line for line in filled.lines}


def without(values, *path):
    """The same values, without one of them."""
    first, *rest = path
    kept = {key: value for key, value in values.items() if key != first}
    return {**kept, first: without(values[first], *rest)} if rest else kept


def test_claim_has_the_44_items_of_2024():
    items = checklists.guideline("claim").items
    assert [item.number for item in items] == [str(number) for number in range(1, 45)]


def test_tripod_ai_has_27_items_with_their_52_parts():
    numbers = [item.number for item in checklists.guideline("tripod-ai").items]
    assert len(numbers) == len(set(numbers)) == 52
    parts = {}
    for number in numbers:
        digits, letter = re.fullmatch(r"(\d+)([a-g]?)", number).groups()
        parts.setdefault(int(digits), []).append(letter)
    assert list(parts) == list(range(1, 28))
    several = {3: 3, 5: 2, 6: 3, 8: 3, 9: 3, 12: 7, 18: 6, 20: 3, 23: 2, 27: 3}
    for number, letters in parts.items():
        assert "".join(letters) == "abcdefg"[: several.get(number, 0)]


@pytest.mark.parametrize("name", checklists.GUIDELINES)
def test_every_item_asks_something_and_its_fact_is_known(name):
    found = checklists.guideline(name)
    assert found.doi.startswith("10.")
    assert "our own words" in found.wording
    for item in found.items:
        assert item.asks.endswith(".")
        assert item.section
        assert item.filled_by is None or item.filled_by in checklists.FACTS
        assert item.filled_by or not item.leaves, item.number


def test_every_fact_answers_an_item():
    guidelines = [checklists.guideline(name) for name in checklists.GUIDELINES]
    used = {item.filled_by for guideline in guidelines for item in guideline.items}
    assert used - {None} == set(checklists.FACTS)


@pytest.mark.parametrize("name", checklists.GUIDELINES)
def test_a_whole_run_fills_every_item_that_a_run_can(name, run):
    for line in lines(name, run()).values():
        can = line.item.filled_by not in (None, "external_test", "performance_by_site")
        assert bool(line.fact) == can, line.item.number


def test_what_is_filled_is_what_the_run_holds(run):
    found = lines("claim", run())
    area = MEASURED["splits"]["test"]["metrics"]["roc_auc"]
    interval = f"{area['value']:.3f} ({area['low']:.3f} to {area['high']:.3f})"
    for number, said in {
        "7": "150 images of the dataset made up. Source: a <source>. Licence: CC BY 4.0.",
        "9": "then the steps resize (rows: 64, columns: 64). The model gets 64 x 64 x 1 values",
        "19": "Patients were dealt out by class, with the seed 3: train 60%, validation 15%",
        "20": "Patients: all images of a patient are on one side.",
        "22": "tiny_cnn (width: 8): 1,234 parameters, 1,000 of them trained",
        "23": "keras 3.15.1, jax 0.10.2; backend jax. radzoo, commit c0ffee.",
        "24": "All weights drawn at random with the seed 11.",
        "25": "adamax (learning_rate: 0.001), loss categorical_crossentropy, batches of 64",
        "26": "the epoch with the best val_roc_auc were kept. Training was to stop after 7 epochs",
        "27": "one model, trained with the seed 11",
        "28": "threshold 0.5 is 0.5, set beforehand",
        "29": "95% intervals by the bootstrap over patients, expanded percentile, 50 resamples",
        "32": "50 images, 40 patients, 20 'malignant'",
        "37": f"test: ROC AUC {interval}",
        "42": "Command: python cli.py run a.yaml",
    }.items():
        assert said in found[number].fact, number
    assert "Augmentation: rotation_degrees 10, flip_horizontal 1." in found["25"].fact
    missed = MEASURED["splits"]["test"]["metrics"]["false_negatives"]["value"]
    assert f"Of 20 'malignant' images {missed} were missed" in found["39"].fact


def test_thresholds_and_groups_are_told_with_their_origin(run):
    found = lines("tripod-ai", run())
    youden = MEASURED["operating_points"][1]
    said = f"max Youden is {youden['threshold']:.4g}, chosen on validation images"
    assert said in found["15"].fact
    assert "M (10 images): too few" in found["23a"].fact
    assert "class weights that give every class the same total" in found["13"].fact
    assert "weights.safetensors, SHA-256 fee1" in found["22"].fact


def test_patients_that_are_not_known_are_not_counted(run):
    split = {**MANIFEST["split"], "by_patient": False}
    found = lines("claim", run({**MANIFEST, "split": split}))
    assert found["20"].fact.startswith("Images only: patients are not known")
    assert "50 images, patients unknown, 20 'malignant'" in found["35"].fact


@pytest.mark.parametrize(
    ("path", "number"),
    [
        (("data", "licence"), "7"),
        (("store",), "9"),
        (("split",), "20"),
        (("model", "parameters"), "22"),
        (("versions",), "23"),
        (("wall_time_s",), "25"),
        (("command",), "42"),
    ],
)
def test_a_fact_that_the_run_does_not_hold_is_a_blank_with_a_name(path, number, run):
    line = lines("claim", run(without(MANIFEST, *path)))[number]
    assert line.fact is None
    assert line.blank == line.item.asks


def test_null_in_place_of_a_number_is_a_blank(run):
    model = {**MANIFEST["model"], "parameters": None}
    assert lines("claim", run({**MANIFEST, "model": model}))["22"].fact is None


def test_code_outside_a_checkout_has_no_commit_and_claims_none(run):
    folder = run({**MANIFEST, "git": {}})
    assert lines("claim", folder)["23"].fact.endswith("backend jax.")
    assert lines("tripod-ai", folder)["18f"].fact is None


def test_phases_and_given_splits_are_told_as_they_are(run):
    phases = [
        {"epochs": 3, "frozen_until": "mixed10", "optimizer": None},
        {"epochs": 5, "frozen_until": None, "optimizer": {"name": "sgd"}},
    ]
    training = {**SPEC["training"], "epochs": None, "phases": phases, "early_stopping": None}
    spec = {**SPEC, "training": training, "dataset": {"split": "given"}}
    found = lines("claim", run(spec=spec))
    said = "Phases: 3 epochs at most, all up to mixed10 frozen, then 5 epochs at most, sgd with"
    assert said in found["25"].fact
    assert found["19"].fact.startswith("The dataset's own split was taken.")
    assert "to stop" not in found["26"].fact


def test_external_validations_are_told_where_the_run_has_any(run):
    folder = run()
    assert lines("claim", folder)["33"].fact is None
    difference = {"value": -0.1, "low": -0.2, "high": 0.05}
    beside = {
        "title": "External validation of run a on dataset others",
        "differences": {"roc_auc": difference},
        "overlap": {"meant": True, "sentence": "Overlap: 3 patients."},
    }
    found = folder / "external" / "others-0"
    found.mkdir(parents=True)
    (found / "metrics.json").write_text(json.dumps({**MEASURED, "external": beside}))
    fact = lines("claim", folder)["33"].fact
    assert fact.startswith("External validation of run a on dataset others (50 images, ")
    assert "Less the internal test: ROC AUC -0.100 (-0.200 to +0.050)." in fact
    assert fact.endswith("Overlap: 3 patients. This was said to be meant.")


@pytest.mark.parametrize("name", checklists.GUIDELINES)
def test_the_count_adds_up(name, run):
    filled = checklists.fill(name, checklists.evidence(run()))
    known = [line for line in filled.lines if line.fact]
    partly = [line for line in known if line.item.leaves]
    assert [line for line in known if line.blank] == partly
    assert filled.summary == (
        f"{len(known)} of {len(filled.lines)} filled by the run ({len(partly)} of them in part), "
        f"{len(filled.lines) - len(known)} left to the authors"
    )


@pytest.mark.parametrize("name", checklists.GUIDELINES)
def test_every_blank_is_on_both_pages_and_neither_says_that_the_study_complies(name, run):
    filled, path = checklists.write(name, run())
    page, text = path.read_text(), path.with_suffix(".md").read_text()
    assert path.name == f"checklist-{name}.html"
    blanks = sum(bool(line.blank) for line in filled.lines)
    assert page.count("To be written by the authors:") == blanks
    assert text.count("To be written by the authors:") == blanks
    for told in (page, text):
        assert filled.summary in told
        assert "Research use only" in told
        assert "SYNTHETIC DATA" in told
        assert "does not say that a study follows the guideline" in told
        assert "complies" not in told
        assert "a &lt;source&gt;" in told


class References(HTMLParser):
    def handle_starttag(self, tag, attributes):
        assert tag not in {"script", "link", "iframe", "object", "img"}
        assert not {"src", "href", "srcset", "action"} & {name for name, _ in attributes}


def test_the_page_loads_nothing(run):
    _, path = checklists.write("claim", run())
    page = path.read_text()
    References().feed(page)
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_an_unknown_guideline_and_an_unfinished_run_are_told(run):
    folder = run()
    with pytest.raises(UnknownName, match=r"No checklist is called 'clain'\. Did you mean 'claim'"):
        checklists.write("clain", folder)
    (folder / "metrics.json").unlink()
    with pytest.raises(RunError, match="None of these runs is finished"):
        checklists.write("claim", folder)
