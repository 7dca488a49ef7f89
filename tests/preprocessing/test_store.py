"""Images are kept once, whole or not at all."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from radzoo.errors import DataError, RunError
from radzoo.preprocessing import Pipeline, store

GREYS = np.arange(4 * 6, dtype=np.float32).reshape(4, 2, 3) / 255


def test_eight_bits_stay_eight_bits(made, tmp_path):
    kept = store.build(made(GREYS), Pipeline(), tmp_path)
    assert (kept.dtype, kept.shape, kept.scale) == ("uint8", (4, 2, 3, 1), 1 / 255)
    np.testing.assert_array_equal(kept.images()[..., 0], np.arange(24).reshape(4, 2, 3))


@pytest.mark.parametrize(
    ("levels", "steps", "dtype", "error"),
    [
        (256, [("resize", {"rows": 3, "columns": 2})], "uint16", 1 / 131070),
        (65536, [], "uint16", 1 / 131070),
        (None, [], "float32", 0),
    ],
)
def test_stored_values_times_scale_are_the_images(made, tmp_path, levels, steps, dtype, error):
    images = np.random.default_rng(0).random((3, 2, 3), np.float32)
    pipeline = Pipeline(steps)
    kept = store.build(made(images, levels=levels), pipeline, tmp_path)
    assert kept.dtype == dtype
    expected = np.stack([pipeline(image) for image in images])[..., np.newaxis]
    np.testing.assert_allclose(kept.images() * kept.scale, expected, atol=error + 1e-7)


def test_colour_has_three_channels(made, tmp_path):
    assert store.build(made(GREYS), Pipeline([("grey_to_rgb", {})]), tmp_path).shape[3] == 3


def test_the_hash_is_that_of_the_file(made, tmp_path):
    import hashlib

    kept = store.build(made(GREYS), Pipeline(), tmp_path)
    assert kept.sha256 == hashlib.sha256(kept.path.read_bytes()).hexdigest()


def test_a_second_call_reads_no_image(made, tmp_path):
    first = store.build(made(GREYS), Pipeline(), tmp_path)
    again = store.build(made(GREYS, read=lambda row: 1 / 0), Pipeline(), tmp_path)
    assert again == first


def test_other_content_or_other_steps_are_kept_apart(made, tmp_path):
    paths = {
        store.build(made(GREYS, content=content), Pipeline(steps), tmp_path).path
        for content in ("a", "b")
        for steps in ([], [("grey_to_rgb", {})])
    }
    assert len(paths) == 4


def test_progress_counts_every_image(made, tmp_path):
    told = []
    store.build(made(GREYS), Pipeline(), tmp_path, lambda *done: told.append(done))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_was_interrupted_is_made_again(made, tmp_path):
    def interrupted(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.build(made(GREYS), Pipeline(), tmp_path, interrupted)
    assert [path.suffix for path in tmp_path.iterdir() if path.is_file()] == [".lock"]
    assert store.build(made(GREYS), Pipeline(), tmp_path).images().shape == (4, 2, 3, 1)


@pytest.mark.parametrize("damage", ["cut array", "no array", "no side file", "cut side file"])
def test_what_is_not_whole_is_made_again(made, tmp_path, damage):
    kept = store.build(made(GREYS), Pipeline(), tmp_path)
    side = kept.path.with_suffix(".json")
    {
        "cut array": lambda: os.truncate(kept.path, 130),
        "no array": kept.path.unlink,
        "no side file": side.unlink,
        "cut side file": lambda: os.truncate(side, 10),
    }[damage]()
    assert store.build(made(GREYS), Pipeline(), tmp_path) == kept
    assert kept.images().shape == (4, 2, 3, 1)
    assert json.loads(side.read_text())["bytes"] == kept.path.stat().st_size


def test_two_at_once_make_one_array(made, tmp_path):
    read = []
    dataset = made(GREYS, read=lambda row: read.append(row) or GREYS[row])
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda _: store.build(dataset, Pipeline(), tmp_path), range(4)))
    assert len(set(kept)) == 1
    assert sorted(read) == [0, 1, 2, 3]


def test_two_processes_at_once_make_one_array(tmp_path):
    program = (
        "from pathlib import Path; from radzoo import preprocessing as p\n"
        "d = p.load('phantom_nodules', images=20)\n"
        f"print(p.store.build(d, p.Pipeline(), Path({str(tmp_path)!r})).sha256)"
    )
    root = store.__file__.rpartition("preprocessing")[0]
    runs = [
        subprocess.Popen([sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [run.communicate(timeout=60)[0] for run in runs]
    assert said[0] == said[1] != b""
    assert [run.returncode for run in runs] == [0, 0]


def test_images_of_two_sizes_ask_for_resize(made, tmp_path):
    images = [np.zeros((2, 3)), np.zeros((4, 3))]
    with pytest.raises(
        DataError, match=r"'image 0' has 2 x 3 .*'image 1' has 4 x 3.*name: resize,"
    ):
        store.build(made(images), Pipeline(), tmp_path)


def test_an_image_that_cannot_be_read_is_named(made, tmp_path):
    def read(row):
        raise DataError("/x/y.png is damaged.")

    with pytest.raises(DataError, match=r"Image 'image 0' of 'made': /x/y.png is damaged"):
        store.build(made(GREYS, read=read), Pipeline(), tmp_path)


def test_a_folder_that_cannot_be_made_is_told(made, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="set RADZOO_CACHE to a folder that can be written"):
        store.build(made(GREYS), Pipeline(), tmp_path / "file" / "cache")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_is_told_and_nothing_is_left(made, tmp_path):
    kept = store.build(made(GREYS), Pipeline(), tmp_path)
    kept.path.unlink()
    kept.path.with_suffix(".partial").symlink_to("/dev/full")
    with pytest.raises(RunError, match="No space left on device"):
        store.build(made(GREYS), Pipeline(), tmp_path)
    assert not kept.path.with_suffix(".partial").is_symlink()
    assert not kept.path.exists()
