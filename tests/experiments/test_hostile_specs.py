"""Specs that mean harm are refused with the reason; none makes a file or runs anything."""

import os
import resource
import sys
import time
from pathlib import Path

import pytest
from hostile_specs import GOOD, REFUSED, spec

from radzoo.errors import SpecError, UserError
from radzoo.experiments import plan, source, trust


@pytest.fixture(scope="module", autouse=True)
def _everything_is_loaded(tmp_path_factory):
    """So that importing pandas is not counted as a spec's."""
    path = tmp_path_factory.mktemp("good") / "good.yaml"
    path.write_bytes(spec())
    assert plan.plans(path)


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_spec_is_refused_with_its_reason(tmp_path, monkeypatch, name):
    message, content = REFUSED[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_bytes(content)
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=message) as caught:
        plan.plans(tmp_path / "spec.yaml")
    assert time.process_time() - start < 15
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB
    assert "spec.yaml" in str(caught.value)
    assert len(str(caught.value)) < 20_000
    assert os.listdir(tmp_path) == ["spec.yaml"]


def test_a_device_without_an_end_is_no_spec():
    with pytest.raises(SpecError, match="too large"):
        source.read(Path("/dev/zero"))


@pytest.mark.parametrize("title", ["../../x", "/etc/passwd", "<script>alert(1)</script>"])
def test_a_title_is_only_told_and_names_no_folder(tmp_path, title):
    (tmp_path / "mine.yaml").write_bytes(
        spec(title="T").replace(b"title: T", f'title: "{title}"'.encode())
    )
    (one,) = plan.plans(tmp_path / "mine.yaml")
    assert one.folder("0" * 64).parts[0] == "mine"
    assert len(one.folder("0" * 64).parts) == 2


CODE = """\
from pathlib import Path
Path(__file__).with_name("canary").write_text("imported")
def made(keras, classes, input_shape=(64, 64, 1)): ...
"""


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """The folder of a run from elsewhere, and what its spec may name: code that tells if it is
    imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "foreign_code.py").write_text(CODE)
    (tmp_path / "run").mkdir()

    def written(**changed):
        (tmp_path / "run" / "spec.yaml").write_bytes(spec(**changed))
        return tmp_path / "run"

    yield written
    sys.modules.pop("foreign_code", None)


@pytest.mark.parametrize(
    "changed",
    [
        {"model": {"architecture": "foreign_code:made"}},
        {"dataset": {"name": "foreign_code:made"}},
        {"dataset": "foreign_code:made"},
    ],
)
def test_code_that_a_run_directory_names_is_not_imported(tmp_path, foreign, changed):
    folder = foreign(**changed)
    with pytest.raises(SpecError, match="RADZOO_TRUSTED_CODE=foreign_code:made before") as caught:
        plan.of_run(folder)
    assert "run/spec.yaml:" in str(caught.value)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "grid",
    [
        {"model.architecture": ["foreign_code:made"]},
        {"dataset": [{"name": "foreign_code:made"}]},
        [{"model": {"architecture": "foreign_code:made"}}],
    ],
)
def test_code_that_the_grid_of_a_run_directory_names_is_not_imported(tmp_path, foreign, grid):
    folder = foreign(grid=grid)
    with pytest.raises(SpecError, match="is of one run and has no grid"):
        plan.of_run(folder)
    assert not (tmp_path / "canary").exists()


def test_code_that_is_allowed_by_name_is_imported_and_no_other(tmp_path, foreign, monkeypatch):
    folder = foreign(model={"architecture": "foreign_code:made"})
    monkeypatch.setenv(trust.TRUSTED, "other:made, foreign_code")
    with pytest.raises(SpecError, match="code outside of radzoo"):
        plan.of_run(folder)
    monkeypatch.setenv(trust.TRUSTED, "other:made, foreign_code:made")
    assert plan.of_run(folder).spec.model.architecture == "foreign_code:made"
    assert (tmp_path / "canary").exists()


def test_registered_names_need_no_leave_and_a_spec_of_ones_own_neither(tmp_path, foreign):
    assert plan.of_run(foreign()).spec.title == GOOD["title"]
    (one,) = plan.plans(foreign(model={"architecture": "foreign_code:made"}) / "spec.yaml")
    assert one.spec.model.architecture == "foreign_code:made"


def test_a_run_of_mixed_precision_is_read_for_a_backend_that_has_none(foreign):
    mixed = {"epochs": 2, "precision": "mixed_float16"}
    folder = foreign(training=mixed, backends=["tensorflow"])
    assert plan.of_run(folder).spec.training.precision == "mixed_float16"
    assert plan.of_run(folder, backend="fake").backend == "fake"


def test_a_run_directory_asks_for_one_run(foreign):
    with pytest.raises(SpecError, match="asks for 2 runs; that of a run directory asks for one"):
        plan.of_run(foreign(seeds=[1, 2]))
