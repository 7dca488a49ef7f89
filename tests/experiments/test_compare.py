"""Comparisons of runs: one is real, of the fake backend; the others are copies, other scores."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
import yaml
from matplotlib.image import imread
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from radzoo.commands.compare import compare as command
from radzoo.errors import RunError, UnknownName
from radzoo.experiments import compare, comparison_files, comparison_page, plan, runner
from radzoo.experiments import comparison_tables as tables
from radzoo.experiments import comparison_words as words
from radzoo.experiments.compare import Asked

USE = "Research use only"
SPEC = """\
title: Small
dataset: {name: phantom_nodules, options: {images: 160}}
model: {architecture: tiny_cnn}
training: {epochs: 2}
evaluation: {resamples: 200, thresholds: [0.5, 0.4]}
backends: [fake]
"""
ADAM = {"name": "adam", "learning_rate": 0.001}
SGD = {"name": "sgd", "learning_rate": 0.01, "momentum": 0.0}


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A finished run of the fake backend."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "small.yaml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("RADZOO_CACHE", str(folder / "cache"))
        return (
            folder
            / runner.run(plan.plans(Path("small.yaml"))[0], Path("runs"), lambda _: None).path
        )


class Study:
    """A folder of runs that are copies of a real one."""

    def __init__(self, real, folder):
        self.real, self.path = real, folder
        folder.mkdir()

    def add(self, name, seed=0, gain=1.0, settings=None, **changes):
        """A run whose scores are noise plus `gain` times the truth; `changes` of its training."""
        folder = self.path / name
        shutil.copytree(self.real, folder, ignore=shutil.ignore_patterns("plots", "*.safetensors"))
        spec = yaml.safe_load((folder / "spec.yaml").read_text())
        spec["seeds"] = [seed]
        spec["training"].update(changes)
        (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
        self.change(
            name, "manifest.json", seed=seed, settings={"backend": "fake", **(settings or {})}
        )
        table = pd.read_csv(folder / "predictions.csv", dtype=str)
        random = np.random.default_rng([seed, *name.encode()])
        scores = random.normal(size=len(table)) + gain * (table["label"] == "malignant")
        table["probability"] = 1 / (1 + np.exp(-scores + gain / 2))
        table.to_csv(folder / "predictions.csv", index=False)
        return folder

    def change(self, name, file, **values):
        path = self.path / name / file
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))

    def reported(self, name, **figures):
        path = self.path / name / "spec.yaml"
        spec = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump({**spec, "reported": figures}, sort_keys=False))

    def found(self, **asked):
        return compare.compare(Asked((self.path,), **asked))


@pytest.fixture
def study(real, tmp_path):
    return Study(real, tmp_path / "study")


@pytest.fixture(scope="module")
def written(real, tmp_path_factory):
    """A study of two optimisers and two batch sizes, two seeds each, with one failure: as files."""
    study = Study(real, tmp_path_factory.mktemp("written") / "study")
    for optimizer, gain in ((SGD, 0.2), (ADAM, 2.5)):
        for size in (64, 128):
            for seed in (0, 1):
                name = f"{optimizer['name']}-{size}-{seed}"
                grid = {"training.optimizer": optimizer["name"], "training.batch_size": size}
                study.add(name, seed, gain, grid, optimizer=optimizer, batch_size=size)
                study.reported(name, source="thesis: other images", recall=0.925, accuracy=0.9)
    failed = study.add("failed-9", 9)
    (failed / "metrics.json").unlink()
    study.change("failed-9", "manifest.json", state="failed", error="The loss <b>is NaN</b>.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "300")
        shown = invoke(study.path)
    (study.path / "shown.txt").write_text(shown.output)
    return study.found(), study.path / "comparison" / "comparison.html"


def invoke(*arguments):
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done


def names(found):
    return [row.name for row in found.rows]


def test_seeds_are_put_together_and_configurations_named_by_what_differs(study):
    for size in (128, 64):
        for seed in (1, 0):
            study.add(f"run-{size}-{seed}", seed, batch_size=size)
    found = study.found()
    assert names(found) == ["batch size 64", "batch size 128"]
    assert [row.candidate.seeds for row in found.rows] == [[0, 1], [0, 1]]
    assert found.reference == "batch size 64"


def test_options_that_come_with_a_name_are_in_the_table_of_all_that_differs(study):
    study.add("a", optimizer=ADAM)
    study.add("b", optimizer=SGD)
    found = study.found()
    assert names(found) == ["optimizer adam", "optimizer sgd"]
    settings = tables.settings(found)
    assert settings.head[1:] == [
        "training.optimizer.name",
        "training.optimizer.learning_rate",
        "training.optimizer.momentum",
    ]
    assert [str(cell) for cell in settings.rows[1]] == ["optimizer sgd", "sgd", "0.01", "0.0"]


def test_an_option_that_is_varied_itself_is_in_the_name(study):
    for rate in (0.1, 0.01):
        study.add(f"adam-{rate}", optimizer={**ADAM, "learning_rate": rate})
        study.add(f"sgd-{rate}", optimizer={**SGD, "learning_rate": rate})
    assert names(study.found())[0] == "optimizer adam, learning rate 0.01"


def test_names_that_a_study_gives_are_kept_and_told_apart(study):
    for name, size, epochs in (("thesis", 64, 2), ("thesis", 64, 3), ("ours", 32, 2)):
        given = {"configuration": name}
        study.add(f"{name}-{epochs}", settings=given, batch_size=size, epochs=epochs)
    assert names(study.found()) == ["ours", "thesis, epochs 2", "thesis, epochs 3"]


def test_the_order_is_that_of_the_study_and_what_it_lists_is_all_there_is(study):
    for name, size in (("a", 32), ("b", 16), ("old", 8)):
        study.add(name, batch_size=size)
    entry = {"number": 0, "was_done": False, "exit_code": 0, "error": "", "settings": {"seed": 0}}
    runs = [
        {**entry, "state": "finished", "folder": "a"},
        {**entry, "state": "finished", "folder": "b"},
        {**entry, "state": "failed", "folder": "", "error": "no device", "settings": {"seed": 4}},
    ]
    (study.path / "study.json").write_text(json.dumps({"title": "t", "runs": runs}))
    found = study.found()
    assert names(found) == ["batch size 32", "batch size 16"]
    assert [(one.name, one.state, one.why) for one in found.left_out] == [
        ("seed 4", "failed", "no device"),
        ("old", "not in the latest sweep", "name it to compare it"),
    ]


def test_runs_named_one_by_one_keep_their_order(study):
    paths = study.add("b", batch_size=64), study.add("a", batch_size=32)
    assert names(compare.compare(Asked(paths))) == ["batch size 64", "batch size 32"]


def test_the_reference_is_the_one_asked_for(study):
    study.add("a", batch_size=32)
    study.add("b", batch_size=64)
    found = study.found(reference="batch size 64")
    assert found.rows[1].differences == {}
    assert set(found.rows[0].differences) == set(found.rows[0].corrected)
    cells = tables.main(found).rows[1]
    assert "reference" in [cell.text for cell in cells]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"reference": "batch size 46"}, "Did you mean 'batch size 64'"),
        ({"metric": "roc_auk"}, "Did you mean 'roc_auc'"),
        ({"point": "max youden"}, "Did you mean 'max Youden'"),
    ],
)
def test_names_that_are_not_known_are_refused_with_the_nearest(study, asked, told):
    study.add("a", batch_size=64)
    study.add("b", batch_size=128)
    with pytest.raises(UnknownName, match=told):
        study.found(**asked)


def test_other_test_images_are_refused_by_name(study):
    study.add("a")
    study.add("b", seed=1)
    study.change("b", "manifest.json", split={"sha256": "f" * 64})
    with pytest.raises(RunError, match="not tested on the same images:") as told:
        study.found()
    assert re.search(r"phantom_nodules, split \w{8}: a\n", str(told.value))
    assert "phantom_nodules, split ffffffff: b\n" in str(told.value)


def test_the_same_seed_twice_is_refused(study):
    study.add("a")
    study.add("b")
    with pytest.raises(RunError, match="are both seed 0 of"):
        study.found()


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(RunError, match="is no run directory and holds none"):
        compare.compare(Asked((tmp_path,)))


def test_a_study_without_a_finished_run_says_what_became_of_each(study):
    (study.add("a") / "metrics.json").unlink()
    study.change("a", "manifest.json", state="running")
    with pytest.raises(RunError, match="None of these runs is finished: a: running, or killed"):
        study.found()


def test_an_operating_point_is_applied_with_the_threshold_of_each_run(study):
    for seed, threshold in ((0, 0.25), (1, 0.75)):
        study.add(f"run-{seed}", seed)
        point = {"name": "max Youden", "threshold": threshold, "chosen_on": "validation"}
        study.change(f"run-{seed}", "metrics.json", operating_points=[point])
    found = study.found(point="max Youden")
    assert found.rows[0].measured.configuration.thresholds == (0.25, 0.75)
    said = "chosen on the validation images of each run: a probability of 0.250 to 0.750 or more"
    assert said in words.threshold(found)


def test_identical_runs_are_not_decisive_and_nothing_is_bold(study):
    for name, size in (("a", 32), ("b", 64)):
        study.add(name, batch_size=size)
    scores = (study.path / "a" / "predictions.csv").read_text()
    (study.path / "b" / "predictions.csv").write_text(scores)
    found = study.found()
    assert words.verdict(found) == (
        "The ranking is not decisive. 'batch size 32' and 'batch size 64' differ by 0.000 in ROC "
        "AUC (identical predictions)."
    )
    assert "**" not in comparison_files.markdown(found)
    assert "textbf" not in comparison_files.latex(found)


def test_a_clear_lead_is_told_with_its_interval(written):
    found, _ = written
    best, second, _ = found.ranking
    assert {best.name, second.name} == {f"optimizer adam, batch size {n}" for n in (64, 128)}
    leader = compare.compare(
        Asked(tuple(run.folder for row in found.rows[::2] for run in row.candidate.runs))
    )
    (row,) = [row for row in leader.rows if row.differences]
    assert row.differences["roc_auc"].excludes_zero
    assert "is ahead of" in words.verdict(leader)
    assert comparison_files.markdown(leader).count("**") == 2
    assert comparison_files.latex(leader).count("textbf") == 1


def test_the_least_brier_score_is_the_best(study):
    study.add("good", gain=3.0, batch_size=32)
    study.add("bad", gain=0.0, batch_size=64)
    found = study.found(metric="brier")
    assert found.ranking[0].name == "batch size 32"
    assert "Difference in Brier score (lower is better)" in tables.main(found).head


def test_one_configuration_is_a_table_without_differences(study):
    study.add("a")
    found = study.found()
    assert names(found) == ["tiny_cnn on fake"]
    assert words.verdict(found).startswith("There is nothing to rank")
    assert not any("reference" in note for note in words.notes(found))


def test_images_without_a_patient_stand_for_themselves(study):
    folder = study.add("a")
    table = pd.read_csv(folder / "predictions.csv", dtype=str).assign(patient="")
    table.to_csv(folder / "predictions.csv", index=False)
    study.change("a", "metrics.json", patients_known=False)
    found = study.found()
    metric = found.rows[0].metrics["roc_auc"]
    assert metric.patients == metric.images
    assert "patients unknown" in words.images(found)


def test_the_csv_holds_what_independent_arithmetic_gives(written):
    found, page = written
    table = pd.read_csv(page.parent / "table.csv")
    assert set(table["use"]) == {USE}
    assert set(table["synthetic"]) == {True}
    assert len(table) == 4 * 10  # configurations, metrics and counts
    areas = {}
    for row in found.rows:
        seeds = [pd.read_csv(run.folder / "predictions.csv") for run in row.candidate.runs]
        test = [seed[seed["split"] == "test"] for seed in seeds]
        areas[row.name] = [
            roc_auc_score(one["label"] == "malignant", one["probability"]) for one in test
        ]
    for _, line in table[table["metric"] == "roc_auc"].iterrows():
        own, first = areas[line["configuration"]], areas[found.reference]
        assert line["value"] == pytest.approx(np.mean(own))
        assert line["seed_sd"] == pytest.approx(np.std(own, ddof=1))
        if line["configuration"] != found.reference:
            assert line["difference"] == pytest.approx(np.mean(own) - np.mean(first))
            assert line["p"] <= line["p_holm"] <= 1
    assert set(table.loc[table["metric"] == "sensitivity", "reported"]) == {0.925}
    assert set(table.loc[table["metric"] == "accuracy", "reported_by"]) == {"thesis: other images"}


def test_reported_figures_stand_beside_ours_under_their_source(written):
    table = tables.main(written[0])
    assert table.head[-1] == "thesis: other images"
    assert table.rows[0][-1].text == "Sensitivity (recall) 0.925; Accuracy 0.9"


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.sources, self.tags, self.text = [], set(), ""

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.sources += [value for name, value in attributes if name in {"src", "href", "srcset"}]

    def handle_data(self, data):
        self.text += data


def test_the_page_stands_alone_and_says_what_it_must(written):
    found, path = written
    page = Page()
    page.feed(path.read_text())
    assert all(source.startswith("data:image/") for source in page.sources)
    assert len(page.sources) == 6
    assert not page.tags & {"script", "link", "iframe", "object"}
    assert "default-src 'none'" in path.read_text()
    assert page.text.count(USE) >= 2
    assert "SYNTHETIC DATA" in page.text
    assert words.verdict(found) in page.text
    assert "The loss <b>is NaN</b>." in page.text  # as text, not as markup
    assert "failed-9" in page.text
    for row in found.rows:
        assert all(run.folder.name in page.text for run in row.candidate.runs)


def test_every_figure_has_its_data_beside_it(written):
    folder = written[1].parent / "plots"
    drawn = {path.stem for path in folder.iterdir()}
    assert drawn == {
        "metrics_by_configuration", "roc", "precision_recall", "errors_by_threshold",
        "batch_size", "learning_curves",
    }  # fmt: skip
    for name in drawn:
        assert imread(folder / f"{name}.png").shape[1] > 900
        table = pd.read_csv(folder / f"{name}.csv")
        assert set(table["use"]) == {USE}
        assert set(table["dataset"]) == {"phantom_nodules"}


def test_errors_by_threshold_are_those_counted_one_by_one(written):
    found, page = written
    table = pd.read_csv(page.parent / "plots" / "errors_by_threshold.csv")
    row = found.rows[0]
    for threshold in (0.0, 0.2, 0.5, 1.0):
        counts = []
        for one in row.measured.configuration.predictions:
            called = one.probabilities >= threshold
            counts.append([(called < one.labels).sum(), (called > one.labels).sum()])
        line = table[
            (table["configuration"] == row.name) & np.isclose(table["threshold"], threshold)
        ]
        assert line[["missed", "false_alarms"]].to_numpy()[0] == pytest.approx(np.mean(counts, 0))


def test_time_per_epoch_leaves_out_the_first_which_compiles(written):
    found, page = written
    table = pd.read_csv(page.parent / "plots" / "batch_size.csv")
    history = pd.read_csv(found.first.folder / "history.csv")
    assert table["seconds_per_epoch"][0] == pytest.approx(history["seconds"][1])
    assert sorted(set(table["line"])) == ["optimizer adam", "optimizer sgd"]


def test_the_same_batch_size_everywhere_is_no_figure(study, tmp_path):
    from radzoo.experiments import comparison_metrics

    study.add("a", optimizer=ADAM)
    study.add("b", optimizer=SGD)
    assert comparison_metrics.batch_size(study.found(), tmp_path / "plots") == []


def test_more_than_eight_configurations_are_not_drawn_over_each_other(study, tmp_path, monkeypatch):
    from radzoo.experiments import comparison_curves
    from radzoo.experiments.canvas import STYLE

    monkeypatch.setitem(STYLE, "svg.fonttype", "none")
    for size in range(1, 11):
        study.add(f"run-{size}", batch_size=size)
    _, svg, data = comparison_curves.errors(study.found(), tmp_path / "plots")
    assert "Errors by threshold (the first 8 of 10)" in svg.read_text()
    assert pd.read_csv(data)["configuration"].nunique() == 8


def test_latex_and_markdown_escape_what_means_something_there(study):
    study.add("a", settings={"configuration": "50 % | a_b & {c}"}, batch_size=32)
    study.add("b", settings={"configuration": "other"}, batch_size=64)
    found = study.found()
    assert r"50 \% | a\_b \& \{c\} &" in comparison_files.latex(found)
    assert r"| 50 % \| a_b & {c} |" in comparison_files.markdown(found)
    assert comparison_files.latex(found).count(r"\toprule") == 1


def test_the_command_shows_the_table_and_where_the_page_is(written):
    found, page = written
    shown = (page.parents[1] / "shown.txt").read_text()
    for said in (*names(found), words.verdict(found), USE, "SYNTHETIC", f"Comparison: {page}"):
        assert said in shown


def test_the_command_tells_machines_the_same(study):
    study.add("a", batch_size=32)
    study.add("b", batch_size=64)
    out = study.path / "elsewhere"
    event = json.loads(invoke(study.path, "--json", "--out", out).output)
    assert (event["event"], event["reference"]) == ("comparison", "batch size 32")
    assert {row["configuration"] for row in event["rows"]} == {"batch size 32", "batch size 64"}
    assert (out / "table.tex").exists()


def test_a_folder_that_cannot_be_written_is_told(study, tmp_path):
    study.add("a")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot be written: .* Choose another folder with --out"):
        comparison_page.write(study.found(), tmp_path / "file" / "comparison")


def test_what_a_paper_gives_in_words_stands_there_too(study):
    study.add("sigmoid-0")
    study.reported("sigmoid-0", source="thesis", accuracy="about 0.10 lower", roc_auc=0.9)
    table = tables.main(study.found())
    cell = table.rows[0][table.head.index("thesis")]
    assert cell.text == "ROC AUC 0.9; Accuracy about 0.10 lower"
