"""A dataset is prepared once: killed it goes on, and what cannot be read is told."""

import importlib
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from radzoo import preprocessing
from radzoo.errors import DataError, ProcessKilled
from radzoo.preprocessing import cleaning, prepare, registry, store

STEPS = prepare.pipeline(4)
PROGRAM = """
import sys, time
from pathlib import Path
from radzoo import preprocessing
from radzoo.preprocessing import prepare

def tell(done, of):
    if done == 96:
        print("here", flush=True)
        time.sleep(60)

images = preprocessing.load("table", path=sys.argv[1], classes=["well", "sick"])
prepare.prepared(images, prepare.pipeline(4), Path(sys.argv[2]), tell, int(sys.argv[3]))
"""


@pytest.fixture
def listed(tmp_path):
    """A CSV and the function that makes it, with 8 x 8 images of noise."""
    folder = tmp_path / "data"

    def make(images):
        draw = np.random.default_rng(0)
        with (folder / "list.csv").open("w") as file:
            file.write("path,label\n")
            for row in range(images):
                pixels = draw.integers(0, 256, (8, 8), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{row:03d}.png")
                file.write(f"{row:03d}.png,{('well', 'sick')[row % 2]}\n")
        return load()

    return make


def load():
    return preprocessing.load("table", path="list.csv", classes=["well", "sick"])


def counting(dataset):
    """The dataset, and the rows that are read from now on."""
    rows = []

    def read(row):
        rows.append(row)
        return dataset.read(row)

    return replace(dataset, read=read), rows


def quiet(done, of):
    pass


def prepared(dataset, cache, **more):
    return prepare.prepared(dataset, STEPS, cache, quiet, **more)


@pytest.mark.parametrize("processes", [1, 2])
def test_killed_it_goes_on_and_decodes_no_finished_image_again(listed, tmp_path, processes):
    dataset = listed(150)
    arguments = [str(tmp_path / "data" / "list.csv"), str(tmp_path / "kept"), str(processes)]
    root = store.__file__.rpartition("preprocessing")[0]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=root, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout.readline() == b"here\n"
        os.kill(first.pid, signal.SIGKILL)
    watched, rows = counting(dataset)
    again = prepared(watched, tmp_path / "kept")
    assert sorted(rows) == list(range(96, 150))
    assert again.done == 54
    whole = prepared(dataset, tmp_path / "other").store
    assert again.store.path.read_bytes() == whole.path.read_bytes()
    assert again.store.sha256 == whole.sha256
    left = {path.suffix for path in (tmp_path / "kept").iterdir()}
    assert left == {".npy", ".json", ".rows", ".lock"}


def interrupted(dataset, cache, at=96):
    def tell(done, of):
        if done == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.build(dataset, STEPS, cache, tell)
    (partial,) = cache.glob("*.partial")
    return partial


def test_a_block_that_a_crash_spoilt_is_made_again(listed, tmp_path):
    dataset = listed(120)
    partial = interrupted(dataset, tmp_path / "kept")
    spoilt = bytearray(partial.read_bytes())
    spoilt[128 + 40 * 4 * 4 * 2] ^= 1  # image 40 of 16 pixels of 16 bits
    partial.write_bytes(spoilt)
    watched, rows = counting(dataset)
    kept = prepared(watched, tmp_path / "kept").store
    assert sorted(rows) == list(range(32, 120))
    assert kept.sha256 == prepared(dataset, tmp_path / "other").store.sha256


def test_a_journal_cut_off_in_the_middle_costs_its_last_line(listed, tmp_path):
    dataset = listed(120)
    journal = interrupted(dataset, tmp_path / "kept").with_suffix(".journal")
    os.truncate(journal, journal.stat().st_size - 20)
    watched, rows = counting(dataset)
    prepared(watched, tmp_path / "kept")
    assert sorted(rows) == list(range(64, 120))


def test_what_was_left_of_other_images_is_not_used(listed, tmp_path):
    interrupted(listed(120), tmp_path / "kept")
    Image.new("L", (8, 8), 7).save(tmp_path / "data" / "000.png")
    kept = prepared(load(), tmp_path / "kept").store
    np.testing.assert_allclose(kept.images()[0] * kept.scale, 7 / 255, atol=1e-5)


def test_processes_and_threads_write_the_same_bytes(listed, tmp_path):
    dataset = listed(70)
    several, one = (prepared(dataset, tmp_path / str(n), processes=n).store for n in (2, 1))
    assert several.path.read_bytes() == one.path.read_bytes()
    expected = np.stack([STEPS(dataset.read(row)) for row in range(70)])[..., np.newaxis]
    np.testing.assert_allclose(one.images() * one.scale, expected, atol=1 / 131070 + 1e-7)


def spoil(folder):
    sound = (folder / "003.png").read_bytes()
    (folder / "003.png").write_bytes(sound[:50])
    (folder / "035.png").write_text("a page that says: not found")
    return sound


def test_every_image_that_cannot_be_read_is_told_and_the_others_are_kept(listed, tmp_path):
    listed(40)
    spoil(tmp_path / "data")
    dataset = load()
    found = prepared(dataset, tmp_path / "kept", processes=2)
    assert list(found.unreadable) == ["003.png", "035.png"]
    assert "is no image" in found.unreadable["035.png"]
    sound = [row for row in range(40) if row not in (3, 35)]
    expected = np.stack([STEPS(dataset.read(row)) for row in sound])[..., np.newaxis]
    np.testing.assert_allclose(found.store.images() * found.store.scale, expected, atol=1e-5)
    assert not list((tmp_path / "kept").glob("*.partial"))


def test_a_run_without_the_listed_images_finds_the_array(listed, tmp_path):
    listed(40)
    spoil(tmp_path / "data")
    found = prepared(load(), tmp_path / "kept")
    listed_in = prepare.write(found.unreadable, tmp_path / "unreadable.csv")
    assert [line[:8] for line in listed_in.read_text().splitlines()[1:]] == ["003.png,", "035.png,"]
    watched, rows = counting(cleaning.leave_out(load(), str(listed_in)))
    assert store.build(watched, STEPS, tmp_path / "kept") == found.store
    assert rows == []


def test_after_mending_only_the_mended_image_is_decoded(listed, tmp_path):
    listed(40)
    sound = spoil(tmp_path / "data")
    prepared(load(), tmp_path / "kept")
    (tmp_path / "data" / "003.png").write_bytes(sound)
    watched, rows = counting(load())
    mended = prepared(watched, tmp_path / "kept")
    assert sorted(rows) == [0, 3, 35]  # the first image tells the size, the last is still spoilt
    assert list(mended.unreadable) == ["035.png"]
    expected = STEPS(load().read(3))
    np.testing.assert_allclose(mended.store.images()[3, ..., 0] / 65535, expected, atol=1e-5)


def test_other_labels_share_the_array_and_other_rows_its_images(listed, tmp_path):
    first = prepared(listed(40), tmp_path / "kept").store
    swapped = preprocessing.load("table", path="list.csv", classes=["sick", "well"])
    fewer = preprocessing.load(
        "table", path="list.csv", classes=["well", "sick"], where={"path": ["001.png", "004.png"]}
    )
    for dataset in swapped, fewer:
        watched, rows = counting(dataset)
        kept = store.build(watched, STEPS, tmp_path / "kept")
        assert rows in ([], [0])  # the first image tells the size
    np.testing.assert_array_equal(kept.images(), first.images()[[1, 4]])


def test_a_build_stops_at_an_image_that_a_preparation_went_past(listed, tmp_path):
    listed(80)
    spoil(tmp_path / "data")
    dataset = load()

    def tell(done, of):
        if done == 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.build_readable(dataset, STEPS, tmp_path / "kept", tell)
    with pytest.raises(DataError, match=r"Image '003.png' of 'table'"):
        store.build(dataset, STEPS, tmp_path / "kept")
    assert not list((tmp_path / "kept").glob("*.partial"))


def test_if_no_image_can_be_read_all_are_told(made, tmp_path):
    def read(row):
        raise DataError(f"{row} is damaged.")

    found = prepared(made([None] * 3, read=read), tmp_path)
    assert found.store is None
    assert found.unreadable == {f"image {n}": f"{n} is damaged." for n in range(3)}


def test_a_process_that_is_killed_is_told(made, tmp_path, monkeypatch):
    (tmp_path / "deadly.py").write_text(
        "import os, signal, numpy as np\n"
        "def read(row):\n"
        "    if row == 1: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return np.zeros((4, 4), np.float32)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    read = importlib.import_module("deadly").read
    with pytest.raises(ProcessKilled, match=r"ended with code -9\. .*start again"):
        store.build(made([None] * 4, read=read), STEPS, tmp_path / "kept", None, 2)


def test_a_dataset_brings_its_own_checks(monkeypatch):
    monkeypatch.setattr(registry, "_DATASETS", dict(registry._DATASETS))

    @registry.dataset(
        source="s", licence="l", checks=lambda path: [registry.Check("letters", 3, len(path))]
    )
    def ours(path: str) -> preprocessing.Dataset: ...

    entry = registry.get("ours")
    assert prepare.differing(prepare.checked(entry, {"path": "abc"})) == []
    assert prepare.differing(prepare.checked(entry, {"path": "abcd"})) == [("letters", 3, 4)]


def test_the_command_lists_what_cannot_be_read_and_ends_with_2(listed, tmp_path, place_in):
    listed(6)
    sound = (tmp_path / "data" / "003.png").read_bytes()
    (tmp_path / "data" / "003.png").write_bytes(sound[:50])
    place = place_in(tmp_path)
    command = ("data", "prepare", "table", "--source", tmp_path / "data" / "list.csv")
    command += ("--set", "classes=[well, sick]", "--size", "4")
    first = place.run(*command)
    assert first.returncode == 2
    assert "1 images cannot be read; unreadable.csv lists them" in first.stderr
    assert "003.png" in (tmp_path / "unreadable.csv").read_text()
    (tmp_path / "data" / "003.png").write_bytes(sound)
    second = place.run(*command)
    assert second.returncode == 0, second.stderr
    assert "6 images of 4 x 4 pixels" in second.stdout
