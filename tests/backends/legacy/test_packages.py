"""pip brings what is pinned and nothing else."""

import hashlib
import zipfile

import pytest

from radzoo.backends.legacy import packages
from radzoo.errors import BackendUnavailable

PIN = "tiny==1.0"


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The one wheel to be had, for CPython 2.7; its SHA-256."""
    wheel = tmp_path / "wheels" / "tiny-1.0-cp27-cp27mu-manylinux1_x86_64.whl"
    wheel.parent.mkdir()
    about = "tiny-1.0.dist-info/"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny.py", "print 'of 2.7'\n")
        file.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr(about + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n")
        file.writestr(about + "RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def bring(tmp_path):
    with (tmp_path / "lock").open("w") as lock:
        packages.bring("2.7", (PIN,), tmp_path / "site", lock)


def test_wheels_of_an_older_python_are_brought_by_ours(tmp_path, tiny, monkeypatch):
    monkeypatch.setitem(packages.WHEELS, "2.7", {PIN: tiny})
    bring(tmp_path)
    assert (tmp_path / "site" / "tiny.py").read_text() == "print 'of 2.7'\n"


def test_a_wheel_that_is_not_the_pinned_one_is_refused(tmp_path, tiny, monkeypatch):
    monkeypatch.setitem(packages.WHEELS, "2.7", {PIN: hashlib.sha256(b"another").hexdigest()})
    with pytest.raises(BackendUnavailable, match=r"pip could not bring tiny==1.0") as caught:
        bring(tmp_path)
    assert tiny in str(caught.value)  # what pip got in place of it
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize("minor", packages.WHEELS)
def test_gpu_changes_the_package_of_cntk_and_nothing_else(minor):
    cpu, gpu = (set(packages.requirements(minor, gpu)) for gpu in (False, True))
    assert (cpu - gpu, gpu - cpu) == ({"cntk==2.7.post2"}, {"cntk-gpu==2.7.post2"})
