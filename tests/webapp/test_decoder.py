"""The process that decodes: it is bounded, replaced when it dies, and leaves nothing half done."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from radzoo.errors import FilmRefused, WorkerFailed
from radzoo.preprocessing import readers
from radzoo.webapp import decoder as module
from radzoo.webapp.decoder import Decoder, Recipe

RAMP = np.add.outer(np.arange(96), np.arange(80)).astype(np.uint8)
HALF = Recipe([{"name": "resize", "rows": 48, "columns": 40}], (48, 40, 1))


@pytest.fixture
def decoder():
    with Decoder() as one:
        yield one


@pytest.fixture
def upload(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "upload", "PNG")
    return tmp_path / "upload"


def child(decoder):
    """The process id; what ends processes is tested, so it must be known."""
    return decoder._child._process.pid


@pytest.fixture
def program(monkeypatch):
    """Puts another program in place of ours."""

    def put(body):
        ready = "import sys, json, os, time, signal\nprint('{\"ready\": true}', flush=True)\n"
        monkeypatch.setattr(module, "_PROGRAM", ready + body)

    return put


def test_a_film_appears_whole_with_what_each_model_sees(decoder, upload, tmp_path):
    recipes = {"a1": HALF, "b-2": Recipe([{"name": "grey_to_rgb"}], (96, 80, 3))}
    facts = decoder.decode(upload, tmp_path / "film", False, recipes)
    assert (facts["kind"], facts["rows"], facts["columns"]) == ("PNG", 96, 80)
    names = {"film.png", "pixels.gz", "thumbnail.jpg", "model-a1.npy", "model-b-2.npy"}
    assert {one.name for one in (tmp_path / "film").iterdir()} == names
    half = np.load(tmp_path / "film" / "model-a1.npy")
    assert (half.dtype, half.shape) == (np.float32, (48, 40, 1))
    means = RAMP.reshape(48, 2, 40, 2).mean((1, 3)) / 255  # halving is averaging
    np.testing.assert_allclose(half[..., 0], means, atol=1e-6)
    colour = np.load(tmp_path / "film" / "model-b-2.npy")
    expected = readers.read(tmp_path / "film" / "film.png")
    np.testing.assert_array_equal(colour, np.dstack([expected] * 3))
    assert {one.name for one in tmp_path.iterdir()} == {"upload", "film"}


def test_one_process_does_many_files(decoder, upload, tmp_path):
    decoder.decode(upload, tmp_path / "1", False, {})
    first = child(decoder)
    with pytest.raises(FilmRefused):
        decoder.decode(Path(os.devnull), tmp_path / "2", False, {})
    decoder.decode(upload, tmp_path / "3", False, {})
    assert child(decoder) == first


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe([], (64, 64, 1)),
        Recipe([], (96, 80, 3)),
        Recipe([{"name": "crop_centre", "rows": 500, "columns": 500}], (500, 500, 1)),
    ],
)
def test_what_does_not_fit_a_model_is_refused_with_sizes(decoder, upload, tmp_path, recipe):
    with pytest.raises(FilmRefused) as refused:
        decoder.decode(upload, tmp_path / "film", False, {"a": HALF, "b": recipe})
    assert refused.value.code == "does_not_fit"
    rows, columns, _ = recipe.shape
    sizes = {"rows": 96, "columns": 80, "wanted_rows": rows, "wanted_columns": columns}
    assert refused.value.values == sizes
    assert [one.name for one in tmp_path.iterdir()] == ["upload"]


def test_an_old_folder_of_the_same_film_is_replaced(decoder, upload, tmp_path):
    (tmp_path / "film").mkdir()
    (tmp_path / "film" / "model-old.npy").touch()
    decoder.decode(upload, tmp_path / "film", False, {})
    assert not (tmp_path / "film" / "model-old.npy").exists()
    assert {one.name for one in tmp_path.iterdir()} == {"upload", "film"}


def test_a_file_that_takes_too_long_is_refused_and_the_next_is_read(
    decoder, upload, tmp_path, program, monkeypatch
):
    program("open('pid', 'w').write(str(os.getpid()))\ntime.sleep(100)")
    monkeypatch.setattr(module, "TIME_S", 0.5)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FilmRefused) as refused:
        decoder.decode(upload, tmp_path / "film", False, {})
    assert (refused.value.code, refused.value.values) == ("took_too_long", {"seconds": 0.5})
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path("pid").read_text()), 0)
    monkeypatch.undo()
    assert decoder.decode(upload, tmp_path / "film", False, {})["kind"] == "PNG"
    assert not list(tmp_path.glob(".part*"))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SIGKILL", "took_too_much"),
        ("SIGXCPU", "took_too_long"),
        ("SIGSEGV", "damaged"),
        ("SIGABRT", "damaged"),
    ],
)
def test_a_process_that_dies_refuses_its_file_only(
    decoder, upload, tmp_path, program, monkeypatch, name, code
):
    program(f"sys.stdin.readline()\nos.kill(os.getpid(), signal.{name})")
    with pytest.raises(FilmRefused) as refused:
        decoder.decode(upload, tmp_path / "film", False, {})
    assert refused.value.code == code
    monkeypatch.undo()
    assert decoder.decode(upload, tmp_path / "film", False, {})["kind"] == "PNG"


def test_one_that_was_killed_between_files_is_replaced_and_no_film_refused(
    decoder, upload, tmp_path
):
    decoder.decode(upload, tmp_path / "1", False, {})
    os.kill(child(decoder), signal.SIGKILL)
    time.sleep(0.2)
    assert decoder.decode(upload, tmp_path / "2", False, {})["kind"] == "PNG"


def test_a_film_whose_process_is_killed_once_is_read(
    decoder, upload, tmp_path, program, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    once = "os.path.exists('once') or (open('once', 'w'), os.kill(os.getpid(), signal.SIGKILL))"
    program(
        f"sys.stdin.readline()\n{once}\nprint(json.dumps({{'refused': 'damaged', 'values': {{}}}}))"
    )
    with pytest.raises(FilmRefused) as refused:
        decoder.decode(upload, tmp_path / "film", False, {})
    assert refused.value.code == "damaged"  # what the second process says of it


def test_memory_is_bounded(upload, tmp_path):
    code = (
        "from radzoo.webapp import decoder, decoding\n"
        "def decode(*_):\n"
        "    import numpy\n"
        "    return numpy.ones(6 * 2**30, numpy.uint8)\n"
        "decoding.decode = decode\n"
        "decoder.main()\n"
    )
    with Decoder() as decoder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PROGRAM", code)
        with pytest.raises(FilmRefused) as refused:
            decoder.decode(upload, tmp_path / "film", False, {})
    assert refused.value.code == "took_too_much"


def test_what_libraries_print_does_not_disturb(upload, tmp_path):
    code = (
        "import os\n"
        "from radzoo.webapp import decoder, decoding\n"
        "true = decoding.decode\n"
        "def decode(*given):\n"
        "    print('chatter'); os.write(1, b'noise\\n')\n"
        "    return true(*given)\n"
        "decoding.decode = decode\n"
        "decoder.main()\n"
    )
    with Decoder() as decoder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PROGRAM", code)
        assert decoder.decode(upload, tmp_path / "film", False, {})["kind"] == "PNG"


def test_a_fault_of_ours_is_no_refusal(decoder, upload, tmp_path, program):
    program("sys.exit('no such module')")
    with pytest.raises(WorkerFailed, match="exit code 1 and said:\nno such module"):
        decoder.decode(upload, tmp_path / "film", False, {})
    program("sys.stdin.readline()\nprint(json.dumps({'failed': 'KeyError: 3'}), flush=True)")
    with pytest.raises(WorkerFailed, match="KeyError: 3"):
        decoder.decode(upload, tmp_path / "film", False, {})


def test_a_reply_without_an_end_is_not_waited_for(decoder, upload, tmp_path, program):
    program("sys.stdin.readline()\nwhile True: os.write(1, b'x' * 65536)")
    with pytest.raises(FilmRefused) as refused:
        decoder.decode(upload, tmp_path / "film", False, {})
    assert refused.value.code == "damaged"


def test_it_ends_when_its_server_does(upload, tmp_path):
    server = (
        "import sys, os\nfrom pathlib import Path\n"
        "from radzoo.webapp.decoder import Decoder\n"
        "decoder = Decoder()\n"
        "decoder.decode(Path(sys.argv[1]), Path(sys.argv[2]), False, {})\n"
        "print(decoder._child._process.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    found = subprocess.run(
        [sys.executable, "-c", server, str(upload), str(tmp_path / "film")],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    until = time.monotonic() + 10
    while Path(f"/proc/{found.stdout.strip()}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{found.stdout.strip()}").exists()


def test_threads_may_share_one(decoder, upload, tmp_path):
    done = []

    def work(number):
        done.append(decoder.decode(upload, tmp_path / str(number), False, {"a": HALF})["kind"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == ["PNG"] * 8
    assert len(list(tmp_path.glob("*/model-a.npy"))) == 8


def test_it_can_be_closed_twice_and_used_again(upload, tmp_path):
    decoder = Decoder()
    decoder.close()
    decoder.decode(upload, tmp_path / "1", False, {})
    decoder.close()
    decoder.close()
    decoder.decode(upload, tmp_path / "2", False, {})
    decoder.close()
