"""The table of a benchmark: its rows, what cannot be measured, and how it is shown."""

import csv
import dataclasses
import json
import math
import re

import pytest
import typer
from matplotlib.image import imread
from typer.testing import CliRunner

from radzoo import zoo
from radzoo.backends import registry
from radzoo.commands import bench
from radzoo.errors import Interrupted, RunError, UnknownName, UnsupportedModel, WorkerFailed
from radzoo.experiments import (
    benchmark,
    benchmark_plot,
    benchmark_report,
    canvas,
    machine,
    plan,
    time_to_target,
)
from radzoo.experiments.benchmark_rows import FAILED, MEASURED, UNAVAILABLE, Protocol, Row, speeds
from radzoo.experiments.time_to_target import Target, Trial

QUICK = Protocol(batch_size=4, warm_up=1, steps=3, repetitions=2)
FULL = Protocol(batch_size=64)


def silent(event):
    """A listener that does nothing."""


@pytest.fixture(autouse=True)
def no_wait(monkeypatch):
    monkeypatch.setattr(machine.time, "sleep", lambda seconds: None)


def measured(backend="torch", mode="train", device="cpu", ms=640.0):
    """A row of 64 images a step; 640 ms a step are 10 s per 1,000 images."""
    row = Row("baseline_cnn", backend, device, mode, MEASURED, device=device, device_name=device)
    return dataclasses.replace(
        row,
        batch_size=64,
        input_shape="64 x 64 x 1",
        images_per_s=64000 / ms,
        images_per_s_p10=32000 / ms,
        images_per_s_p90=128000 / ms,
        ms_per_step=ms,
        ms_per_step_p10=ms / 2,
        ms_per_step_p90=2 * ms,
        first_step_s=1.25,
        peak_memory_mb=1234.5,
        parameters=1852962,
        largest_difference=8.9e-8,
        compared_with="tensorflow on cpu",
        threads=2,
        precision="float32",
        jit_compile=False,
        other_load_cores=0.3,
        versions="torch 1",
    )


def missing(backend="cntk", mode="train", device="gpu", state=UNAVAILABLE):
    return Row("baseline_cnn", backend, device, mode, state, reason="no | such thing")


def test_median_and_percentiles_are_those_of_all_steps_together():
    # Eleven steps of 0.1 to 1.1 s: p10 is the second, the median the sixth, p90 the tenth.
    seconds = [[1.1, 0.1, 0.3, 0.9], [0.2, 0.4, 0.6, 1.0], [0.5, 0.7, 0.8]]
    found = speeds([[s for repetition in seconds for s in repetition]], batch_size=60)
    assert found == pytest.approx(
        {
            "ms_per_step": 600, "ms_per_step_p10": 200, "ms_per_step_p90": 1000,
            "images_per_s": 100, "images_per_s_p10": 60, "images_per_s_p90": 300,
        }
    )  # fmt: skip


def test_repetitions_count_alike():
    whole = speeds([[0.1, 0.2, 0.3, 0.4]], 1)
    assert speeds([[0.4, 0.1], [0.3, 0.2]], 1) == whole
    assert whole["ms_per_step"] == pytest.approx(250)


def test_every_model_meets_every_backend_device_and_mode():
    found = benchmark.cells(["tiny_cnn", "baseline_cnn"], ["fake", "torch"], ["cpu", "gpu"])
    assert len(set(found)) == len(found) == 16
    assert [cell.model for cell in found] == ["tiny_cnn"] * 8 + ["baseline_cnn"] * 8


@pytest.mark.parametrize(("model", "name"), [("tiny_cn", "fake"), ("tiny_cnn", "fak")])
def test_an_unknown_name_is_told_before_anything_starts(model, name):
    with pytest.raises(UnknownName, match="Did you mean"):
        benchmark.cells([model], [name], ["cpu"])


@pytest.mark.parametrize(
    ("fewer", "is_benchmark"),
    [({}, True), ({"steps": 39}, False), ({"warm_up": 9}, False), ({"repetitions": 4}, False)],
)
def test_fewer_steps_are_a_quick_look(fewer, is_benchmark):
    protocol = dataclasses.replace(FULL, **fewer)
    assert protocol.is_benchmark == is_benchmark
    assert protocol.title.startswith("Quick look, not a benchmark") != is_benchmark


def test_what_is_not_there_is_told_from_what_failed():
    assert benchmark.state_of(UnsupportedModel("no\n  such layer")) == (
        UNAVAILABLE,
        "no such layer",
    )
    assert benchmark.state_of(WorkerFailed("it died")) == (FAILED, "it died")


@pytest.fixture(scope="module")
def on_fake(tmp_path_factory):
    """Both modes on the device that `fake` has, and on one that it has not."""
    out, events = tmp_path_factory.mktemp("bench"), []
    cells = benchmark.cells(["tiny_cnn"], ["fake"], ["cpu", "gpu"])
    rows = benchmark.run(cells, QUICK, out, events.append)
    return out, rows, events


def test_a_backend_is_timed_in_a_worker(on_fake):
    _, rows, _ = on_fake
    assert [(row.mode, row.device_asked, row.state) for row in rows] == [
        ("train", "cpu", MEASURED),
        ("train", "gpu", UNAVAILABLE),
        ("predict", "cpu", MEASURED),
        ("predict", "gpu", UNAVAILABLE),
    ]
    for row in rows[::2]:
        assert 0 < row.ms_per_step_p10 <= row.ms_per_step <= row.ms_per_step_p90
        assert row.images_per_s == pytest.approx(4000 / row.ms_per_step, rel=0.02)
        assert (row.device, row.threads, row.precision) == ("cpu", 1, "float32")
        assert (row.parameters, row.input_shape) == (130, "64 x 64 x 1")
        assert row.peak_memory_mb > 1
        assert row.versions.startswith("python 3.")


def test_a_row_that_cannot_be_measured_keeps_its_reason(on_fake):
    out, rows, _ = on_fake
    assert rows[1].reason.startswith("Device 'gpu' is not here. Backend 'fake' finds: cpu.")
    assert rows[1].images_per_s is None
    with open(out / "benchmark.csv", newline="") as file:
        written = list(csv.DictReader(file))
    assert len(written) == 4
    assert written[1]["reason"] == rows[1].reason
    assert written[1]["images_per_s"] == ""
    assert float(written[0]["images_per_s"]) == rows[0].images_per_s


def test_cells_repetitions_and_rows_are_told(on_fake):
    names = [event["event"] for event in on_fake[2]]
    assert names == [*["cell", *["repetition"] * 2, "row"], "cell", "row"] * 2


def test_a_backend_that_is_not_installed_stays_as_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr(registry.Backend, "installed", property(lambda backend: False))
    (row,) = benchmark.run(
        benchmark.cells(["tiny_cnn"], ["torch"], ["cpu"], ["train"]), QUICK, tmp_path, silent
    )
    assert row.state == UNAVAILABLE
    assert "pip install 'radzoo[torch]'" in row.reason


def test_predictions_of_the_same_weights_are_compared(on_fake):
    """`fake` is the first, and differs from itself by nothing, also in another process."""
    assert [row.largest_difference for row in on_fake[1]] == [0.0, None, 0.0, None]
    assert on_fake[1][0].compared_with == "fake on cpu"


def test_what_was_measured_before_an_interruption_is_kept(tmp_path):
    def stop_at_the_second(event):
        if event["event"] == "cell" and event["number"] == 2:
            raise KeyboardInterrupt

    cells = benchmark.cells(["tiny_cnn"], ["fake"], ["cpu"])
    with pytest.raises(KeyboardInterrupt):
        benchmark.run(cells, QUICK, tmp_path, stop_at_the_second)
    with open(tmp_path / "benchmark.csv", newline="") as file:
        assert [row["mode"] for row in csv.DictReader(file)] == ["train"]


def test_a_benchmark_is_never_written_over(on_fake):
    with pytest.raises(RunError, match="Choose another folder with --out"):
        benchmark.run([], QUICK, on_fake[0], silent)


def test_the_report_holds_the_machine_the_protocol_and_every_row():
    text = benchmark_report.markdown([measured(), missing()], FULL)
    assert text.startswith("# Training and prediction by backend\n")
    assert "Research use only" in text
    assert "Synthetic random images" in text
    assert "10 steps to warm up, then 5 repetitions of 40 steps" in text
    for fact in ("processor", "memory", "date", "commit"):
        assert f"| {fact} |" in text
    assert (
        "| baseline_cnn | train | torch | cpu | 100 (50 to 200) | 640 (320 to 1,280) | 1.25 "
        "| 1,234 | 0.3 |" in text
    )
    assert r"| train | cntk | gpu | not available: no \| such thing |" in text
    assert "| 8.9e-08 to tensorflow on cpu | torch 1 |" in text
    heads = [line.replace(r"\|", "").count("|") for line in text.splitlines() if line[:1] == "|"]
    assert sorted(set(heads)) == [3, 10, 11]  # of the three tables; no row is short


@pytest.fixture
def words(tmp_path, monkeypatch):
    monkeypatch.setitem(canvas.STYLE, "svg.fonttype", "none")

    def words(rows, protocol=FULL):
        png, svg = benchmark_plot.times(rows, protocol, tmp_path)
        assert imread(png).shape[1] > 600
        return svg.read_text()

    return words


def test_the_figure_says_the_time_and_what_is_not_available(words):
    rows = [measured(), measured(mode="predict", ms=32.0), missing(), missing(mode="predict")]
    text = words(rows)
    for said in (
        "Training: baseline_cnn", "Prediction: baseline_cnn", "Seconds per 1,000 images",
        ">10<", ">0.5<", "cpu", "gpu", "Synthetic random images", "Research use only",
    ):  # fmt: skip
        assert said in text
    assert text.count("not available") == 2


def test_a_figure_without_any_time_still_says_what_failed(words):
    assert "failed" in words([missing(state=FAILED)], QUICK)


HISTORY = [
    {"epoch": "1", "seconds": "5.5", "val_roc_auc": "0.7"},
    {"epoch": "2", "seconds": "2.0", "val_roc_auc": "0.8"},
    {"epoch": "3", "seconds": "2.0", "val_roc_auc": "0.75"},
]


@pytest.mark.parametrize(
    ("target", "reached"), [(0.8, (7.5, 2)), (0.7, (5.5, 1)), (0.6, (5.5, 1)), (0.81, None)]
)
def test_the_clock_stops_when_the_target_is_first_reached(target, reached):
    assert time_to_target.until(HISTORY, target) == reached


def trials(*seconds):
    return [
        Trial("m", "b", "cpu", seed, MEASURED, seconds=s, epoch=2, started="2026-11-25T10")
        for seed, s in enumerate(seconds)
    ]


@pytest.mark.parametrize(
    ("seconds", "middle"),
    [((3, 1, 2), 2), ((3, None, 1), 3), ((None, None, 1), math.inf), ((None, 1), math.inf)],
)
def test_a_run_that_did_not_reach_the_target_counts_as_longer_than_all(seconds, middle):
    assert time_to_target.median(trials(*seconds)) == middle


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        ((3, 1, 2), "| 2.0 | 1.0 to 3.0 | 3 of 3 |"),
        ((3, None, 1), "| 3.0 | 1.0 to not reached in 15 epochs | 2 of 3 |"),
        ((None, None), "| not reached in 15 epochs |  | 0 of 2 |"),
    ],
)
def test_the_report_tells_who_reached_the_target(seconds, line):
    text = benchmark_report.markdown([measured()], FULL, Target(0.8), trials(*seconds))
    assert "## Time to a validation ROC AUC of 0.8" in text
    assert line in text
    assert "2026-11-25 |" in text


@pytest.mark.parametrize("model", zoo.names())
def test_every_architecture_can_be_trained_to_a_target(model):
    trial = Trial(model, "fake", "cpu", 3, MEASURED)
    overrides = list(time_to_target._overrides(trial, Target(0.8, epochs=2)))
    (one,) = plan.plans(time_to_target.SPEC, overrides)
    assert (one.seed, one.backend, one.spec.training.epochs) == (3, "fake", 2)
    assert one.spec.model.architecture == model


def test_images_are_made_to_fit_a_model():
    assert time_to_target._steps((64, 64, 1)) == []
    assert time_to_target._steps((150, 100, 3)) == [
        {"name": "resize", "rows": 150, "columns": 100},
        {"name": "grey_to_rgb"},
    ]


@pytest.fixture
def commanded(tmp_path, monkeypatch):
    """The command in a folder of its own, with a small dataset to train on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path / "cache"))
    small = time_to_target.SPEC.read_text().replace(
        "dataset: phantom_nodules", "dataset: {name: phantom_nodules, options: {images: 60}}"
    )
    (tmp_path / "time_to_auc.yaml").write_text(small + "evaluation: {resamples: 100}\n")
    monkeypatch.setattr(time_to_target, "SPEC", tmp_path / "time_to_auc.yaml")
    app = typer.Typer()
    app.command()(bench.bench)
    quick = ["--batch-size", "4", "--steps", "3", "--warm-up", "0", "--repetitions", "2"]
    return lambda *words: CliRunner().invoke(app, ["tiny_cnn", "--backend", "fake", *quick, *words])


def test_the_command_times_trains_to_a_target_and_takes_done_runs_as_they_are(commanded, tmp_path):
    words = ["--target-auc", "0.5", "--epochs", "2", "--seeds", "1"]
    first = commanded(*words)
    assert first.exit_code == 0, first.output
    assert re.search(r"1/2  train tiny_cnn on fake, cpu \.\. [\d.]+ images/s", first.output)
    assert re.search(r"1/1  to ROC AUC 0.5: tiny_cnn on fake, cpu, seed 0 \.\. ", first.output)
    (folder,) = (tmp_path / "bench").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert names >= {f"benchmark.{end}" for end in ("csv", "md", "png", "svg")}
    report = (folder / "benchmark.md").read_text()
    assert report.startswith("# Quick look, not a benchmark")
    assert "## Time to a validation ROC AUC of 0.5" in report
    again = commanded(*words, "--mode", "train", "--out", "again", "--json")
    events = [json.loads(line) for line in again.output.splitlines()]
    assert "epoch" not in {event["event"] for event in events}
    csvs = [path / "time_to_target.csv" for path in (folder, tmp_path / "again")]
    assert csvs[0].read_text() == csvs[1].read_text()


def test_a_command_that_could_measure_nothing_fails(commanded):
    done = commanded("--device", "gpu", "--mode", "predict")
    assert done.exit_code == 1
    assert "predict tiny_cnn on fake, gpu  not available: Device 'gpu'" in done.output


def test_a_device_that_cannot_be_is_refused(commanded):
    assert "must be cpu, gpu, gpu:N or auto; got 'tpu'" in str(
        commanded("--device", "tpu").exception
    )


def test_an_interrupted_command_says_where_its_rows_are(commanded, monkeypatch):
    monkeypatch.setattr(benchmark, "_row", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    exception = commanded("--out", "here").exception
    assert isinstance(exception, Interrupted)
    assert "is in here" in str(exception)
