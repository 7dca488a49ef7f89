"""A run of the fake backend, measured again from its own files."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from radzoo.errors import DataError, RunError
from radzoo.experiments import figures, plan, runner
from radzoo.experiments.remeasure import remeasure
from radzoo.experiments.run import RunDirectory
from radzoo.experiments.spec import Evaluation

SPEC = """\
title: Small
dataset: {name: phantom_nodules, options: {images: 120}}
model: {architecture: tiny_cnn}
training: {epochs: 1}
evaluation: {resamples: 100, thresholds: [0.5, 0.4], subgroups: [sex]}
backends: [fake]
"""
WHAT_STAYS = ("predictions.csv", "history.csv", "weights.safetensors", "split.csv", "graph.json")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("remeasure")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("RADZOO_CACHE", str(folder / "cache"))
        Path("small.yaml").write_text(SPEC)
        outcome = runner.run(plan.plans(Path("small.yaml"))[0], Path("runs"), lambda event: None)
        return outcome.path.resolve()


@pytest.fixture
def run(finished, tmp_path):
    """A copy of it, to write to."""
    return RunDirectory(shutil.copytree(finished, tmp_path / finished.name))


@pytest.fixture
def undrawn(monkeypatch):
    """Figures cost seconds, where they are not what is tested."""
    monkeypatch.setattr(figures, "draw", lambda *arguments: None)


def files(run):
    return {p.relative_to(run.path): p.read_bytes() for p in run.path.rglob("*") if p.is_file()}


def section(run, **changes):
    asked = yaml.safe_load((run / "spec.yaml").read_text())["evaluation"]
    return Evaluation.model_validate({**asked, **changes})


def test_measured_as_before_every_figure_comes_out_equal(run):
    before = files(run)
    remeasure(run, section(run))
    after = files(run)
    assert set(after) == set(before)
    changed = {str(name) for name in after if after[name] != before[name]}
    assert changed == {"manifest.json"}
    assert "measured_again" in run.read_json("manifest.json")


def test_another_section_changes_what_was_asked_and_nothing_that_was_trained(run):
    before = files(run)
    asked = section(run, thresholds=(0.3,), target_specificity=0.9, prevalence=0.02, subgroups=())
    metrics = remeasure(run, asked)
    names = [point["name"] for point in metrics["operating_points"]]
    assert names == ["threshold 0.3", "max Youden", "specificity >= 0.9"]
    assert "ppv" in metrics["operating_points"][0]["at_prevalence"]
    assert metrics["subgroups"] == {}
    assert run.read_json("metrics.json") == json.loads(json.dumps(metrics))
    written = yaml.safe_load((run / "spec.yaml").read_text())
    assert written["evaluation"] == asked.model_dump(mode="json")
    after, page = files(run), (run / "report.html").read_text()
    assert "PPV and NPV at a prevalence of 0.02" in page
    assert "thresholds:\n  - 0.3\n" in page
    for name in (*WHAT_STAYS, "plots/sample_predictions.png", "plots/learning_curves.png"):
        assert after[Path(name)] == before[Path(name)]
    assert after[Path("plots/roc.svg")] != before[Path("plots/roc.svg")]


def test_until_all_is_written_the_spec_says_what_was_measured_before(run, undrawn, monkeypatch):
    before = (run / "spec.yaml").read_text()

    def full(self, name, content):
        raise RunError("the disk is full")

    monkeypatch.setattr(RunDirectory, "write_json", full)
    with pytest.raises(RunError, match="full"):
        remeasure(run, section(run, thresholds=(0.3,)))
    assert (run / "spec.yaml").read_text() == before


def test_subgroups_of_data_that_have_changed_are_refused(run, undrawn):
    spec = yaml.safe_load((run / "spec.yaml").read_text())
    spec["dataset"]["options"]["seed"] = 77
    run.write("spec.yaml", yaml.safe_dump(spec))
    with pytest.raises(DataError, match="not what it was"):
        remeasure(run, section(run))
    assert remeasure(run, section(run, subgroups=()))["subgroups"] == {}


def test_a_run_that_is_not_finished_is_refused(run):
    (run / "metrics.json").unlink()
    with pytest.raises(RunError, match="None of these runs is finished"):
        remeasure(run, section(run))
