import errno
import hashlib
import json
import os

import pytest

from radzoo.errors import RunError
from radzoo.experiments.run import RunDirectory


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path / "spec" / "fake-auto-0")


def test_a_run_is_finished_once_its_metrics_are_there(run):
    with run.hold():
        run.write_json("manifest.json", {"state": "finished"})
        assert not run.is_finished
        run.write_json("metrics.json", {})
        assert run.is_finished


def test_a_run_belongs_to_one_holder_at_a_time(run):
    with run.hold():
        with (
            pytest.raises(RunError, match="worked on by another process"),
            RunDirectory(run.path).hold(),
        ):
            pytest.fail("two hold the same run")
        assert (run / ".lease").exists()
    with run.hold():  # free again
        pass


def test_a_run_is_free_again_after_an_error(run):
    with pytest.raises(ZeroDivisionError), run.hold():
        raise ZeroDivisionError
    with run.hold():
        pass


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    run = RunDirectory(tmp_path / "file" / "spec" / "fake")
    with pytest.raises(RunError, match=r"file/spec/fake cannot be written: Not a directory.*--out"):
        run.hold().__enter__()


def test_what_the_system_refuses_while_a_run_is_held_is_told(run):
    full = OSError(errno.ENOSPC, "No space left on device", "roc.png")
    with pytest.raises(RunError, match=r"roc\.png cannot be written: No space left"), run.hold():
        raise full


def test_drafts_of_a_process_that_was_killed_are_swept_and_all_else_is_kept(run):
    kept = ["state-0001/weights", ".lease", "plots/roc.png", "log.txt"]
    drafts = [".work-7/labels.npy", ".state-0002-7/weights", ".manifest.json.7", "plots/.roc.png.7"]
    for name in kept + drafts:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("")
    with run.hold():
        found = {str(p.relative_to(run.path)) for p in run.path.rglob("*") if p.is_file()}
    assert found == set(kept)


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_draft(run):
    with run.hold():
        run.write("notes.txt", "old")
        (run / "folder").mkdir()
        with pytest.raises(RunError, match=r"folder cannot be written: Is a directory"):
            run.write("folder", "new")
        with pytest.raises(ValueError, match="Out of range float values"):
            run.write_json("notes.txt", {"loss": float("nan")})
        assert (run / "notes.txt").read_text() == "old"
        assert sorted(p.name for p in run.path.iterdir()) == [".lease", "folder", "notes.txt"]


def test_a_file_is_flushed_to_the_disk_before_it_gets_its_name(run, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_ino))
    with run.hold():
        run.write("notes.txt", "text")
        (run / ".draft").write_text("from a worker")
        run.adopt(run / ".draft", "adopted.txt")
    assert flushed == [(run / name).stat().st_ino for name in ("notes.txt", "adopted.txt")]
    assert not (run / ".draft").exists()


def test_a_table_is_written_with_its_hash(run):
    with run.hold():
        digest = run.write_csv("split.csv", [{"a": 1, "b": "x,y"}, {"a": 0.1, "b": None}])
    content = (run / "split.csv").read_bytes()
    assert content == b'a,b\n1,"x,y"\n0.1,\n'
    assert digest == hashlib.sha256(content).hexdigest()


def test_a_file_that_is_missing_or_damaged_is_told(run):
    with run.hold():
        run.write_json("metrics.json", {"roc_auc": 0.5})
        assert run.read_json("metrics.json") == {"roc_auc": 0.5}
        run.write("metrics.json", json.dumps({"roc_auc": 0.5})[:-3])
        with pytest.raises(RunError, match=r"metrics\.json cannot be read"):
            run.read_json("metrics.json")
        with pytest.raises(RunError, match=r"graph\.json cannot be read"):
            run.read_json("graph.json")


def test_a_discarded_run_leaves_the_other_runs_of_its_spec(run):
    beside = run.path.parent / "fake-auto-1"
    with run.hold():
        beside.mkdir()
        run.discard()
    assert [path.name for path in run.path.parent.iterdir()] == ["fake-auto-1"]
    beside.rmdir()
    with run.hold():
        run.discard()
    assert not run.path.parent.exists()
