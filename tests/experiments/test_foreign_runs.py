"""Run directories from elsewhere: their files are what they were, and lead nowhere else."""

import hashlib
import json

import pytest
from hostile_specs import LAUGHS, spec

from radzoo.errors import RunError
from radzoo.experiments import finished, several, trust
from radzoo.experiments.run import RunDirectory


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def run(tmp_path):
    """A finished run as far as its files are looked at."""
    folder = tmp_path / "study" / "run"
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"weights")
    (folder / "graph.json").write_text("{}")
    (folder / "spec.yaml").write_bytes(spec())
    (folder / "metrics.json").write_text("{}")
    hashes = {
        "weights_sha256": digest(folder / "weights.safetensors"),
        "graph_sha256": digest(folder / "graph.json"),
    }
    (folder / "manifest.json").write_text(json.dumps(hashes))
    return folder


def test_files_as_they_were_are_given(run):
    found = finished.whole(run)
    assert found.checked_weights() == run / "weights.safetensors"
    assert found.checked_graph() == run / "graph.json"


@pytest.mark.parametrize("name", ["weights.safetensors", "graph.json"])
def test_a_changed_file_is_refused_with_what_was_found_and_expected(run, name):
    before = digest(run / name)
    (run / name).write_bytes(b"another")
    found = finished.whole(run)
    check = found.checked_graph if name == "graph.json" else found.checked_weights
    with pytest.raises(RunError) as caught:
        check()
    assert str(caught.value) == (
        f"{run / name} is not what the run was finished with: its SHA-256 begins "
        f"{digest(run / name)[:12]}, that in manifest.json {before[:12]}. Get the file back, or "
        "repeat the run."
    )


def test_a_run_from_before_the_hash_of_its_graph_is_believed(run):
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["graph_sha256"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert finished.whole(run).checked_graph() == run / "graph.json"
    (run / "graph.json").unlink()
    with pytest.raises(RunError, match=r"graph\.json cannot be read: No such file"):
        finished.whole(run).checked_graph()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("spec.yaml", LAUGHS, "aliases"),
        ("spec.yaml", "[1, 2]", "holds no keys"),
        ("spec.yaml", "a: !!python/name:os.system ''", "tags"),
        ("metrics.json", "[" * 100_000, "recursion"),
        ("metrics.json", "[1]", "holds no keys"),
        ("manifest.json", "{", "cannot be read"),
    ],
)
def test_a_hostile_file_of_a_run_is_refused(run, name, content, message):
    (run / name).write_text(content)
    with pytest.raises(RunError, match=message):
        finished.whole(run)


@pytest.mark.parametrize("name", ["../other", "/etc", "findings/../../other", "link"])
def test_a_finding_that_lies_outside_is_not_followed(run, name):
    (run / "link").symlink_to(run.parent)
    with pytest.raises(RunError, match="leads out of it"):
        trust.inside(run, name)
    with pytest.raises(RunError, match="leads out of it"):
        several.directories(RunDirectory(run), {"findings": {"x": {"folder": name}}})


def test_a_finding_that_lies_in_its_run_is(run):
    assert trust.inside(run, "findings/Effusion") == run / "findings" / "Effusion"
    (own,) = several.directories(
        RunDirectory(run), {"findings": {"x": {"folder": "findings/x"}, "y": {}}}
    ).values()
    assert own.path == run / "findings" / "x"
