"""The command line as its users meet it: one process a command, in a folder of their own."""

import json
import os
import subprocess
import sys

import pytest
from PIL import Image

from radzoo import backends

SPEC = """\
title: Small
dataset: {name: phantom_nodules, options: {images: 120}}
model: {architecture: tiny_cnn}
training: {epochs: 2, optimizer: {name: sgd, learning_rate: 0.5}}
evaluation: {resamples: 100}
reported: {source: a paper, roc_auc: 0.98}
"""
FRAMEWORKS = ("keras", "torch", "jax", "tensorflow")
HEAVY = {*FRAMEWORKS, "pandas", "scipy", "matplotlib", "sklearn", "statsmodels", "cv2", "h5py"}


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    place = place_in(tmp_path_factory.mktemp("place"))
    place.write(small=SPEC)
    return place


def without(place, *modules):
    """Environment of a process in which some modules cannot be found."""
    folder = place.path / ("without_" + "_".join(modules))
    folder.mkdir(exist_ok=True)
    lines = ["import sys", *(f"sys.modules[{name!r}] = None" for name in modules)]
    (folder / "sitecustomize.py").write_text("\n".join(lines))  # Python runs it at its start
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    }


def messages(done):
    """What `--json` prints: nothing but one JSON object a line."""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def machine(place):
    """A command for a machine: two runs, of which the first diverges."""
    options = ["--backend", "fake", "--device", "cpu", "--seed", "7", "--out", "elsewhere"]
    grid = "grid={training.optimizer.learning_rate: [1e300, 0.5]}"
    return place.run("run", "small.yaml", *options, "--set", grid, "--json")


def test_a_machine_reads_json_lines_and_at_the_end_the_metrics(machine, place):
    *_, last = told = messages(machine)
    assert machine.stderr == ""
    assert {"stage", "run", "store", "epoch", "error"} <= {event["event"] for event in told}
    assert last.pop("event") == "finished"
    folder = place.path / last.pop("folder")
    assert last == json.loads((folder / "metrics.json").read_text())
    assert 0.5 < last["splits"]["test"]["metrics"]["roc_auc"]["value"] <= 1


def test_a_run_that_fails_is_told_by_the_exit_code_and_the_next_is_done(machine):
    told = messages(machine)
    assert machine.returncode == 1
    kinds = [event["kind"] for event in told if event["event"] == "error"]
    assert kinds == ["TrainingDiverged"]
    rates = [event["settings"] for event in told if event["event"] == "run"]
    assert [rate["training.optimizer.learning_rate"] for rate in rates] == [1e300, 0.5]


def test_the_options_of_run_win_over_the_spec(machine, place):
    folder = place.path / messages(machine)[-1]["folder"]
    assert folder.relative_to(place.path).parts[:2] == ("elsewhere", "small")
    assert folder.name.startswith("fake-cpu-")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["backend"], manifest["device"]["asked"], manifest["seed"]) == (
        "fake",
        "cpu",
        7,
    )
    assert manifest["settings"]["training.optimizer.learning_rate"] == 0.5


def test_a_finished_run_is_found_shown_and_not_done_again(machine, place):
    folder = place.path / messages(machine)[-1]["folder"]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    changes = ["--set", "seeds=[7]", "--set", "backends=[fake]", "--set", "device=cpu"]
    done = place.run("run", "small.yaml", *changes, "--out", "elsewhere")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Done before" in done.stdout
    assert str(folder.relative_to(place.path) / "report.html") in done.stdout.replace("\n", "")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_people_read_the_figures_with_their_intervals_beside_the_reported_ones(machine, place):
    measured = messages(machine)[-1]["splits"]["test"]["metrics"]["roc_auc"]
    options = ["--backend", "fake", "--device", "cpu", "--seed", "7", "--out", "elsewhere"]
    shown = place.run("run", "small.yaml", *options).stdout
    (line,) = [line for line in shown.splitlines() if "ROC AUC" in line]
    words = line.replace("│", " ").split()
    low, high = (f"{measured[end]:.3f}" for end in ("low", "high"))
    assert words == ["ROC", "AUC", f"{measured['value']:.3f}", low, "to", high, "0.98"]
    assert "SYNTHETIC" in shown
    assert "Research use only" in shown


def test_a_dry_run_lists_the_runs_and_does_nothing(place):
    changes = ["--set", "seeds=[3, 4]", "--set", "grid={training.batch_size: [8, 16]}"]
    done = place.run("run", "small.yaml", "--dry-run", "--json", "--out", "dry", *changes)
    settings = [event["settings"] for event in messages(done)]
    assert [(one["training.batch_size"], one["seed"]) for one in settings] == [
        (8, 3), (8, 4), (16, 3), (16, 4),
    ]  # fmt: skip
    table = place.run("run", "small.yaml", "--dry-run", "--out", "dry", *changes)
    assert (done.returncode, table.returncode) == (0, 0)
    assert "4 to run; nothing was done" in table.stdout
    assert not (place.path / "dry").exists()


def test_an_error_is_told_to_a_machine_as_json(place):
    done = place.run("run", "small.yaml", "--set", "training.epochs=0", "--json")
    (event,) = messages(done)
    assert (done.returncode, done.stderr) == (2, "")
    assert (event["event"], event["kind"]) == ("error", "SpecError")
    assert "training.epochs: should be greater than 0" in event["message"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["trian", "small.yaml"], "No such command 'trian'"),
        (["run", "small.yaml", "--sede", "3"], "No such option: --sede"),
        (["run", "small.yaml", "--seed", "three"], "Invalid value for '--seed'"),
        (["run"], "Missing argument"),
    ],
)
def test_a_command_that_is_not_one_is_told_on_stderr(arguments, told, place):
    done = place.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert not (place.path / "runs").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["validate", "small.yaml"],
        ["models", "list"],
        ["run", "small.yaml", "--dry-run"],
    ],
)
def test_what_does_no_work_loads_no_framework_and_nothing_heavy(arguments, place):
    code = (
        f"import sys; sys.path.append({str(place.root)!r}); from radzoo import cli\n"
        f"sys.argv = ['radzoo', *{arguments!r}]\n"
        "try: cli.main()\n"
        "except SystemExit as end: print(end.code, *sys.modules)\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, check=True, cwd=place.path, env=place.env, capture_output=True, text=True
    )
    exit_code, *loaded = done.stdout.splitlines()[-1].split(" ")
    assert exit_code in ("0", "None"), done.stderr
    assert "radzoo.cli" in loaded
    assert not HEAVY & set(loaded)


def test_validate_counts_the_runs(place):
    done = place.run("validate", "small.yaml", "--set", "seeds=[1, 2, 3]")
    assert (done.returncode, done.stdout) == (0, "small.yaml is valid: 3 runs.\n")


def test_models_list_and_show_say_what_is_declared(place):
    listed = place.run("models", "list").stdout
    assert "xception_small" in listed
    assert "4,972,791" in listed
    shown = place.run("models", "show", "tiny_cnn").stdout
    for words in ("64 x 64 x 1", "heatmap layer", "option width", "default 8", "block3"):
        assert words in shown


def test_models_check_tries_the_promises_and_tells_each(place):
    installed = [name for name in FRAMEWORKS[1:] if backends.get(name).installed]
    if not installed:
        pytest.skip("no Keras backend is installed")
    others = [name for name in FRAMEWORKS[1:] if name != installed[0]]  # one is enough here
    done = place.run("models", "check", "tiny_cnn", **without(place, *others))
    assert done.returncode == 0, done.stderr
    assert "ok    has as many parameters as it declares: declared " in done.stdout
    assert f"ok    has a gradient at 'block3' under {installed[0]}" in done.stdout
    assert "FAIL" not in done.stdout


def test_data_list_and_show_count_and_draw(place):
    listed = place.run("data", "list").stdout
    assert [row for row in listed.splitlines() if "phantom_nodules" in row and "synthetic" in row]
    done = place.run("data", "show", "phantom_nodules", "--set", "images=8", "--sheet", "a.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert "phantom_nodules: 8 images" in done.stdout
    (malignant,) = [row for row in done.stdout.splitlines() if "malignant" in row]
    assert malignant.replace("│", " ").split()[:3] == ["label", "malignant", "4"]  # 0.45 of 8
    with Image.open(place.path / "a.png") as sheet:
        assert min(sheet.size) > 200


def test_backends_list_says_what_is_ready_and_how_to_get_the_rest(place):
    done = place.run("backends", "list", **without(place, *FRAMEWORKS[1:]))
    rows = {row.split()[1]: row for row in done.stdout.splitlines() if row.startswith("│")}
    assert "ready" in rows["fake"]
    assert "cpu" in rows["fake"]
    assert "not installed" in rows["torch"]
    assert "pip install 'radzoo[torch]'" in rows["torch"]
