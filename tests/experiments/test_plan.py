import hashlib
import itertools
import json

import pytest

from radzoo.errors import SpecError
from radzoo.experiments import plan

SPEC = """\
title: Small
dataset: phantom_nodules
model: {architecture: tiny_cnn}
training: {epochs: 2}
backends: [fake, torch]
seeds: [5, 6]
grid:
  training.optimizer: [adam, {name: sgd, momentum: 0.9}]
  model.options.width: [4, 8]
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(SPEC)
    return path


def test_each_run_is_one_backend_one_seed_and_one_point_of_the_grid(path):
    runs = plan.plans(path)
    assert len(runs) == 2 * 2 * 2 * 2
    assert len({json.dumps(run.settings) for run in runs}) == 16
    for run in runs:
        assert (run.name, run.spec.grid) == ("sweep", {})
        assert run.spec.backends == (run.backend,) == (run.settings["backend"],)
        assert run.spec.seeds == (run.seed,) == (run.settings["seed"],)
        assert run.spec.model.options["width"] == run.settings["model.options.width"]
    momenta = {
        json.dumps(r.settings["training.optimizer"]): r.spec.training.optimizer for r in runs
    }
    assert momenta['"adam"']["name"] == "adam"
    assert momenta['{"name": "sgd", "momentum": 0.9}']["momentum"] == 0.9


def test_a_run_is_named_by_what_decides_its_weights_and_the_content_of_its_data(path):
    run = plan.plans(path, ["backends=[fake]", "seeds=[5]", "grid={}", "device=gpu:1"])[0]
    told = {"title", "reported", "evaluation", "grid", "search", "executor", "quick"}
    told |= {"tracking", "tensorboard", "halving"}
    resolved = run.spec.model_dump(mode="json")
    del resolved["dataset"]["leave_out"]  # the content says what was left out
    del resolved["dataset"]["findings"]  # where there are none: runs of before have the same name
    del resolved["training"]["precision"]  # likewise, where it is float32
    kept = json.dumps({k: v for k, v in resolved.items() if k not in told}, sort_keys=True)
    digest = hashlib.sha256((kept + "content").encode()).hexdigest()
    assert str(run.folder("content")) == f"sweep/fake-gpu1-{digest[:8]}"


def test_a_run_of_a_grid_is_the_run_that_is_asked_for_alone(path):
    fixed = ["backends=[fake]", "seeds=[5]"]
    grid = plan.plans(path, [*fixed, "grid={training.batch_size: [8, 16]}"])
    alone = plan.plans(path, [*fixed, "grid={}", "training.batch_size=16"])
    assert [run.folder("") for run in alone] == [grid[1].folder("")]


def test_the_order_and_the_spelling_of_a_spec_do_not_make_another_run(path, tmp_path):
    fixed = ["backends=[fake]", "seeds=[5]", "grid={}"]
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "sweep.yaml"
    other.write_text(
        "backends: [fake]\nseeds:\n  - 5\ntraining:\n  batch_size: 64 # the default\n  epochs: 2\n"
        "model:\n  architecture: tiny_cnn\ntitle: Small\ndataset:\n  name: phantom_nodules\n"
    )
    first, second = plan.plans(path, fixed)[0], plan.plans(other)[0]
    assert first.folder("content") == second.folder("content")


def test_a_place_is_the_line_of_the_file_or_what_was_typed(path):
    run = plan.plans(path, ["training.batch_size=8"])[0]
    assert run.place("model", "architecture") == f"{path}:3: model.architecture"
    assert run.place("training", "epochs") == f"{path}:4: training.epochs"
    assert run.place("training", "batch_size") == "--set training.batch_size=8: training.batch_size"


def test_more_runs_than_anyone_means_are_refused(path):
    with pytest.raises(SpecError, match=r"asks for 40000 runs; 10000 at most"):
        plan.plans(path, [f"seeds={list(range(5000))}"])


def points(path, grid, *overrides):
    fixed = ["backends=[fake]", "seeds=[5]", f"grid={grid}", *overrides]
    return plan.plans(path, fixed)


def test_backend_device_and_seed_are_axes_like_the_others(path):
    runs = points(path, "{backend: [fake, torch], device: [cpu, 'gpu:1'], seed: [1, 2]}")
    found = [(run.backend, run.spec.device, run.seed) for run in runs]
    assert found == list(itertools.product(["fake", "torch"], ["cpu", "gpu:1"], [1, 2]))
    assert [run.settings for run in runs[:1]] == [{"backend": "fake", "device": "cpu", "seed": 1}]


def test_a_list_names_each_point_and_gives_it_figures_of_its_own(path):
    runs = points(
        path,
        "[{configuration: narrow, model.options.width: 4, reported.accuracy: 0.9},"
        " {configuration: wide, model.options.width: 16, training.epochs: 9}]",
    )
    assert [run.settings["configuration"] for run in runs] == ["narrow", "wide"]
    assert [run.spec.model.options["width"] for run in runs] == [4, 16]
    assert [run.spec.training.epochs for run in runs] == [2, 9]
    assert [run.spec.reported for run in runs] == [{"accuracy": 0.9}, {}]
    assert runs[0].settings == {"backend": "fake", "configuration": "narrow", "seed": 5}


def test_the_problems_of_all_points_are_told_at_once_each_at_its_line(path):
    path.write_text(SPEC.replace("[4, 8]", "[4, wide]").replace("adam,", "adamm,"))
    with pytest.raises(SpecError) as caught:
        plan.plans(path)
    message = str(caught.value)
    assert f"{path}:8: training.optimizer: No optimiser is called 'adamm'" in message
    assert f"{path}:9: model.options.width: should be a valid integer" in message
    assert message.count("adamm") == 1


def test_the_same_run_twice_is_refused(path):
    with pytest.raises(SpecError, match=r"asks for the same run twice: .*optimizer=adam, "):
        points(path, "{training.optimizer: [adam, {name: adam, learning_rate: 0.001}]}")


def test_the_small_version_takes_its_values_and_a_folder_of_its_own(path):
    path.write_text(SPEC + "quick: {training.epochs: 1, grid: {}, seeds: [7]}\n")
    small = plan.plans(path, ["backends=[fake]"], quick=True)
    assert [(run.name, run.spec.training.epochs, run.seed) for run in small] == [
        ("sweep-quick", 1, 7)
    ]
    (typed,) = plan.plans(path, ["backends=[fake]", "training.epochs=4"], quick=True)
    assert typed.spec.training.epochs == 4
    assert plan.plans(path)[0].spec.training.epochs == 2


def test_a_spec_without_a_small_version_says_so(path):
    with pytest.raises(SpecError, match="has no section `quick`"):
        plan.plans(path, quick=True)


def test_what_is_only_told_or_measured_makes_no_other_run(path):
    first, other = (
        points(path, "{}", *changes)[0]
        for changes in ([], ["title=Other", "evaluation.thresholds=[0.2]", "reported.roc_auc=0.9"])
    )
    assert first.folder("content") == other.folder("content")


def test_a_search_takes_one_model(path):
    with pytest.raises(SpecError, match="A search takes one backend and one seed, and no grid"):
        plan.plans(path, ["search={trials: 3, parameters: {training.batch_size: [8, 16]}}"])
