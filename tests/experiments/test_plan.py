import hashlib
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


def test_a_run_is_named_by_a_hash_of_its_resolved_spec_and_the_content_of_its_data(path):
    run = plan.plans(path, ["backends=[fake]", "seeds=[5]", "grid={}", "device=gpu:1"])[0]
    resolved = json.dumps(run.spec.model_dump(mode="json"), sort_keys=True)
    digest = hashlib.sha256((resolved + "content").encode()).hexdigest()
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
