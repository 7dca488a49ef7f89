import pytest

from radzoo.errors import SpecError
from radzoo.experiments import plan, spec

SMALL = """\
title: Small
dataset: phantom_nodules
model: {architecture: tiny_cnn}
training: {epochs: 2, optimizer: adamax}
backends: [fake]
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "spec.yaml"
        path.write_text(text)
        return path

    return write


def problems(path, overrides=()):
    with pytest.raises(SpecError) as caught:
        spec.load(path, overrides)
    return str(caught.value)


def test_every_default_is_written_out(write):
    resolved = spec.load(write(SMALL))[0].model_dump(mode="json")
    assert resolved["training"]["optimizer"] == {
        "name": "adamax",
        "learning_rate": 0.001,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-07,
        "clipnorm": None,
    }
    assert resolved["dataset"]["split"] == {"train": 0.6, "validation": 0.15, "test": 0.25}
    assert resolved["model"]["options"]["input_shape"] == [64, 64, 1]
    assert resolved["dataset"]["options"]["difficulty"] == 0.5


def test_all_problems_are_told_at_once_with_line_key_value_and_nearest_name(write):
    text = """\
titel: Small
dataset: {name: phantom_nodules, options: {dificulty: 0.1}}
model: {architecture: tiny_cn}
training:
  epochs: 0
  optimiser: adam
  optimizer: {name: adamax, learning_rte: 0.1}
preprocessing:
  - {name: resize, rows: many, columns: 3}
backends: [tensorflw]
device: tpu
"""
    message = problems(write(text))
    for expected in (
        "spec.yaml:1: titel: no such key. Did you mean 'title'?",
        "spec.yaml: title: is missing.",
        "spec.yaml:2: dataset.options.dificulty: no such key. Did you mean 'difficulty'?",
        "spec.yaml:3: model.architecture: No architecture is called 'tiny_cn'. "
        "Did you mean 'tiny_cnn'",
        "spec.yaml:5: training.epochs: should be greater than 0; got 0.",
        "spec.yaml:6: training.optimiser: no such key. Did you mean 'optimizer'?",
        "spec.yaml:7: training.optimizer.learning_rte: no such key. Did you mean 'learning_rate'?",
        "spec.yaml:9: preprocessing.0.rows: should be a valid integer",
        "spec.yaml:10: backends.0: No backend is called 'tensorflw'. Did you mean 'tensorflow'",
        "spec.yaml:11: device: must be cpu, gpu, gpu:N or auto; got 'tpu'.",
    ):
        assert expected in message


def test_a_union_names_only_the_branch_that_was_meant(write):
    message = problems(write(SMALL), ["dataset.split={train: 2}"])
    assert "dataset.split.train: should be less than 1; got 2" in message
    assert "given" not in message
    message = problems(write(SMALL), ["dataset.split=giben"])
    assert "dataset.split: should be 'given'; got 'giben'" in message
    assert "valid dictionary" not in message


def test_shares_that_do_not_sum_to_one_are_refused(write):
    message = problems(write(SMALL), ["dataset.split={train: 0.6, validation: 0.6, test: 0.1}"])
    assert "they sum to 1.3" in message


@pytest.mark.parametrize("change", ["training.phases=[{epochs: 1}]", "training.epochs=null"])
def test_training_has_epochs_or_phases(write, change):
    assert "Give either epochs or phases" in problems(write(SMALL), [change])


def test_numbers_that_a_backend_cannot_compute_with_are_refused(write):
    mixed = SMALL.replace("adamax}", "adamax, precision: mixed_float16}")
    told = problems(write(mixed.replace("[fake]", "[tensorflow, cntk]")))
    assert "training.precision mixed_float16: cntk computes in float32 alone" in told
    assert spec.load(write(mixed.replace("[fake]", "[tensorflow]")))


def test_a_missing_file_is_named(tmp_path):
    assert "none.yaml cannot be read" in problems(tmp_path / "none.yaml")


def test_an_override_that_is_wrong_is_named_as_it_was_typed(write):
    assert "--set training.epochs=-1: training.epochs:" in problems(
        write(SMALL), ["training.epochs=-1"]
    )


def test_a_resolved_spec_resolves_to_itself(write):
    from radzoo.experiments import requests

    resolved = spec.load(write(SMALL))[0]
    again = spec.load(write(requests.as_yaml(resolved.model_dump(mode="json"))))[0]
    assert again == resolved


def test_a_grid_the_backends_and_the_seeds_multiply(write):
    text = SMALL + "seeds: [0, 1]\ngrid: {training.batch_size: [8, 16, 32]}\n"
    runs = plan.plans(write(text))
    assert [(run.spec.training.batch_size, run.seed) for run in runs] == [
        (8, 0), (8, 1), (16, 0), (16, 1), (32, 0), (32, 1),
    ]  # fmt: skip
    assert len({run.folder("") for run in runs}) == 6


def test_a_point_of_the_grid_that_cannot_be_run_stops_all(write):
    with pytest.raises(SpecError, match=r"training\.batch_size: should be greater than 0; got 0"):
        plan.plans(write(SMALL + "grid: {training.batch_size: [8, 0]}\n"))


def test_runs_of_other_data_or_another_spec_are_other_runs(write):
    first, second = plan.plans(write(SMALL))[0], plan.plans(write(SMALL), ["training.epochs=3"])[0]
    assert first.folder("a") == plan.plans(write(SMALL))[0].folder("a")
    assert len({first.folder("a"), first.folder("b"), second.folder("a")}) == 3


def test_every_shipped_spec_is_valid():
    from pathlib import Path

    import radzoo.experiments

    folder = Path(radzoo.experiments.__file__).parent
    shipped = sorted(folder.glob("*.yaml"))
    assert shipped
    for path in shipped:
        assert plan.plans(path)
