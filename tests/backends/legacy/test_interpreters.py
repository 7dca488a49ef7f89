"""The right old interpreter is found, and a wrong one is refused in words."""

import json
import shlex

import pytest

from radzoo.backends.legacy import interpreters
from radzoo.errors import BackendUnavailable

GOOD = {
    "implementation": "CPython",
    "version": "3.6.15",
    "machine": "x86_64",
    "wide": True,
    "libraries": "/usr/lib",
}


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without any interpreter; makes one that says of itself what it is told."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("PYENV_ROOT", raising=False)

    def make(place, **said):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        told = json.dumps({**GOOD, "executable": str(path), **said})
        path.write_text(f"#!/bin/sh\necho {shlex.quote(told)}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.mark.parametrize(
    "place",
    [
        "bin/python3.6",
        "home/.pyenv/versions/3.6.15/bin/python",
        "home/miniforge3/envs/cntk/bin/python3.6",
    ],
)
def test_an_interpreter_is_found_on_path_under_pyenv_and_under_conda(machine, place):
    path = machine(place)
    found = interpreters.find()
    assert (found.path, found.version, found.minor) == (path, "3.6.15", "3.6")


def test_an_environment_that_conda_has_noted_is_found_wherever_it_lies(machine, tmp_path):
    path = machine("elsewhere/cntk/bin/python2.7", version="2.7.18")
    noted = tmp_path / "home" / ".conda" / "environments.txt"
    noted.parent.mkdir(parents=True)
    noted.write_text(f"{tmp_path / 'gone'}\n{path.parents[1]}\n")
    assert interpreters.find().path == path


def test_the_newest_version_is_preferred_wherever_it_lies(machine):
    machine("bin/python2.7", version="2.7.18")
    machine("bin/python3.5", version="3.5.10")
    newest = machine("home/.pyenv/versions/3.6.15/bin/python")
    assert interpreters.find().path == newest


def test_a_name_on_path_that_answers_to_nothing_is_passed_over(machine):
    shim = machine("bin/python3.6")
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.6: command not found' >&2\nexit 127\n")
    behind = machine("home/.pyenv/versions/3.6.15/bin/python")
    assert interpreters.find().path == behind


def test_where_none_is_found_the_message_says_where_it_looked_and_how_to_get_one(machine, tmp_path):
    with pytest.raises(BackendUnavailable) as caught:
        interpreters.find()
    told = str(caught.value)
    assert f"Looked in: PATH, {tmp_path}/home/.pyenv/versions" in told
    assert "pyenv install 3.6.15" in told
    assert "conda create -n cntk -c conda-forge python=3.6" in told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"version": "3.8.18"}, "CPython 3.8.18 on x86_64"),
        ({"implementation": "PyPy"}, "PyPy 3.6.15"),
        ({"machine": "aarch64"}, "on aarch64"),
        ({"wide": False}, "a 32-bit or narrow build"),
    ],
)
def test_an_interpreter_that_cntk_was_not_built_for_is_refused_by_what_it_is(machine, said, told):
    path = machine("bin/wrong", **said)
    with pytest.raises(BackendUnavailable) as caught:
        interpreters.check(path)
    assert f"{path} is " in str(caught.value)
    assert told in str(caught.value)
    assert "built for CPython 3.6, 3.5 or 2.7, 64 bit" in str(caught.value)


@pytest.mark.parametrize("what", ["missing", "a text", "no Python"])
def test_what_is_no_python_is_refused(machine, tmp_path, what):
    path = tmp_path / "python3.6"
    if what == "a text":
        path.write_text("print('hello')")
    if what == "no Python":
        path = machine("bin/python3.6")
        path.write_text("#!/bin/sh\necho hello\n")
    with pytest.raises(BackendUnavailable, match="is no Python that runs here"):
        interpreters.check(path)
