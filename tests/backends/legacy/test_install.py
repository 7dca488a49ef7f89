"""CNTK is set up from nothing, whatever happens on the way, and refused where it is wrong."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from radzoo.backends import legacy
from radzoo.backends.legacy import cntk, interpreters, packages, runtime
from radzoo.errors import BackendUnavailable

INSTALL = ("backends", "install", "cntk")
# What an install makes itself, and what CPython keeps beside the modules that it has read.
OWN = shutil.ignore_patterns("libmpi*", "libpython*", "__pycache__")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cache folder: first an install is killed in it, then two at once are told to install."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def old_python():
    """Tests that need one are skipped where there is none."""
    try:
        interpreters.find()
    except BackendUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def told(folder, old_python, place_in, tmp_path_factory):
    """What the two that came after the killed one said, the longer first."""
    place = place_in(tmp_path_factory.mktemp("place"))
    place.env["RADZOO_CACHE"] = str(folder)
    _stop_in_the_middle(place, folder, signal.SIGKILL)
    assert runtime.read(folder / "legacy" / "cntk") is None
    two = [place.start(*INSTALL) for _ in range(2)]
    said = [process.communicate(timeout=300) for process in two]
    errors = "".join(error for _, error in said)
    if "pip could not bring" in errors:
        pytest.skip(errors)
    assert [process.returncode for process in two] == [0, 0], errors
    return sorted((out for out, _ in said), key=len, reverse=True)


def _stop_in_the_middle(place, folder, with_signal):
    with place.start(*INSTALL) as process:
        while not list(folder.glob("legacy/cntk/build-*/requirements.txt")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        os.kill(process.pid, with_signal)
        return process.wait(60), process.stderr.read()


@pytest.fixture
def here(folder, told, monkeypatch):
    """The folder with the runtime in it, in this process."""
    monkeypatch.setenv("RADZOO_CACHE", str(folder))
    return folder / "legacy" / "cntk"


@pytest.fixture
def empty(here, tmp_path, monkeypatch):
    """An empty cache folder, to which pip brings what it brought to the other one."""
    site = cntk.find().site

    def bring(minor, pins, target, lock):
        shutil.copytree(site, target, copy_function=os.link, ignore=OWN)

    monkeypatch.setattr(packages, "bring", bring)
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path))
    return tmp_path / "legacy" / "cntk"


def test_after_a_kill_the_same_command_installs(here):
    found = cntk.find()
    assert found.versions["cntk"] == "2.7"
    assert found.requirements == packages.requirements(
        found.python_version.rpartition(".")[0], False
    )


def test_of_two_at_once_one_waits_for_the_other(told):
    worked, waited = told
    assert "CNTK 2.7 is ready" in worked
    assert "Another install of CNTK is at work; waiting for it to end." in waited
    assert "CNTK is installed already" in waited


def test_nothing_is_left_of_an_install_that_was_killed(here):
    assert {path.name for path in here.iterdir()} == {
        runtime.RECORD,
        cntk.find().site.parent.name,
    }


def test_an_install_that_is_done_is_not_done_again(here):
    before = (here / runtime.RECORD).stat()
    said = []
    assert cntk.install(tell=said.append) == cntk.find()
    assert (here / runtime.RECORD).stat() == before
    assert len(said) == 1
    assert said[0].startswith("CNTK is installed already")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_runtime_whose_interpreter_is_no_more_is_mended(empty, replaced):
    former = runtime.Runtime(
        python=empty / "python3.6",
        python_version="3.6.15",
        site=empty / "build-former" / "site",
        requirements=packages.requirements("3.6", gpu=False),
        versions={"cntk": "2.7"},
    )
    former.site.mkdir(parents=True)
    if replaced:  # an upgrade of its environment, say
        former.python.write_text("#!/bin/sh\necho no Python\n")
        former.python.chmod(0o755)
    runtime.write(empty, former)
    mended = cntk.install()
    assert mended.python == interpreters.find().path
    assert cntk.find() == mended
    assert not former.site.exists()


def test_a_sound_device_is_far_within_the_tolerance_of_the_self_test(cntk_runtime):
    ask = (
        f"import sys; sys.path.insert(0, {str(runtime.ENGINE)!r}); import cntk, numpy, selftest;"
        "print(max(selftest.errors_on(cntk, numpy)), selftest.TOLERANCE)"
    )
    done = subprocess.run(
        [cntk_runtime.python, "-s", "-W", "ignore", "-c", ask],
        env=cntk_runtime.environment(threads=1),
        capture_output=True,
        text=True,
        check=True,
    )
    error, tolerance = map(float, done.stdout.splitlines()[-1].split())
    assert 0 < error < tolerance / 10


def test_cntk_that_computes_wrong_numbers_is_refused_and_leaves_nothing(empty, monkeypatch):
    bring = packages.bring

    def bring_wrong(minor, pins, target, lock):
        bring(minor, pins, target, lock)
        module = target / "cntk" / "__init__.py"
        source = module.read_text()
        module.unlink()  # the other folder's file shall stay as it is
        wrong = "def convolution(*a, **k): return 1.001 * _right(*a, **k)"
        module.write_text(f"{source}\n_right = convolution\n{wrong}\n")

    monkeypatch.setattr(packages, "bring", bring_wrong)
    with pytest.raises(BackendUnavailable, match=r"'cpu' computes wrong numbers.*Nothing was inst"):
        cntk.install()
    assert list(empty.iterdir()) == []
    assert cntk.find() is None


def test_a_removed_runtime_is_gone_and_the_rest_of_the_cache_is_not(empty):
    empty.mkdir(parents=True)
    (empty / runtime.RECORD).touch()
    (empty / "build-1").mkdir()
    images = empty.parents[1] / "images.npy"
    images.touch()
    assert cntk.remove()
    assert not empty.exists()
    assert images.exists()
    assert not cntk.remove()


def test_a_folder_that_cannot_be_written_is_told_of(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(BackendUnavailable, match="set RADZOO_CACHE to a folder that can be writ"):
        cntk.install()


def test_another_machine_than_linux_on_x86_64_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path))
    monkeypatch.setattr(cntk.platform, "machine", lambda: "aarch64")
    with pytest.raises(BackendUnavailable, match="and this is linux on aarch64"):
        cntk.install()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_no_legacy_backend_is_refused():
    with pytest.raises(KeyError, match="No legacy backend is called 'ctnk'"):
        legacy.get("ctnk")


@pytest.fixture
def place(place_in, tmp_path):
    made = place_in(tmp_path)
    made.env["RADZOO_CACHE"] = str(tmp_path / "empty")
    return made


def test_ctrl_c_leaves_nothing(place, old_python):
    code, error = _stop_in_the_middle(place, place.path / "empty", signal.SIGINT)
    assert code == 130
    assert error == ("error: Interrupted; nothing was installed. The same command begins again.\n")
    assert not list(place.path.glob("empty/legacy/cntk/*"))


def test_a_wrong_python_is_refused_on_the_command_line(place):
    done = place.run(*INSTALL, "--python", sys.executable)
    assert done.returncode == 3
    assert "built for CPython 3.6, 3.5 or 2.7, 64 bit" in done.stderr
    assert not list(place.path.glob("empty/legacy/cntk/*"))


@pytest.mark.parametrize(
    ("what", "hint"),
    [("install", "pip install 'radzoo[torch]'"), ("remove", "what pip installed, pip uninstalls")],
)
def test_a_backend_that_needs_no_set_up_is_left_to_pip(place, what, hint):
    done = place.run("backends", what, "torch")
    assert (done.returncode, hint in done.stderr) == (3, True)


def test_removing_what_is_not_there_is_told_and_is_no_error(place):
    done = place.run("backends", "remove", "cntk")
    assert (done.returncode, done.stdout) == (0, "cntk was not installed.\n")
