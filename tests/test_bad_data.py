"""Tables of images that cannot be used, on the command line: which, where, and how to mend it."""

import json

import numpy as np
import pytest
from PIL import Image

from radzoo import errors

TABLE = """\
title: Table
dataset:
  name: table
  options:
    path: good/labels.csv
    classes: {healthy: 0, ill: 1}
model: {architecture: tiny_cnn}
training: {epochs: 2}
evaluation: {resamples: 100}
backends: [fake]
"""

BAD_TABLES = {
    "none.csv": (["tables.yaml:2: dataset: There is no 'none.csv'", "RADZOO_DATA"], "nothing"),
    "good/gone.csv": (["1 of 40 images are missing: line 7: ", "good/gone.png"], "nothing"),
    "one_class/labels.csv": (
        ["one_class/labels.csv cannot be used", "the class 'ill' has no image"],
        "nothing",
    ),
    "damaged_png/labels.csv": (
        ["Image '007.png' of 'table': ", "damaged_png/007.png is damaged"],
        "failed",
    ),
    "damaged_jpg/labels.csv": (["damaged_jpg/007.png is damaged"], "failed"),
    "two_sizes/labels.csv": (
        ["'000.png' has 64 x 64 pixels, '033.png' has 70 x 64", "resize"],
        "failed",
    ),
    "all_small/labels.csv": (
        [
            "tables.yaml:7: model.architecture: tiny_cnn takes images of 64 x 64 x 1, and the "
            "preprocessing gives 48 x 48 x 1.",
            "{name: resize, rows: 64, columns: 64}",
        ],
        "failed",
    ),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory, place_in):
    place = place_in(tmp_path_factory.mktemp("place"))
    write_tables(place.path)
    grid = f"grid: {{dataset.options.path: [{', '.join(BAD_TABLES)}]}}\n"
    place.write(table=TABLE, tables=TABLE + grid)
    return place


def write_tables(path):
    rows = write_table(path / "good")
    write_table(path / "one_class", label=lambda i: 0)
    write_table(path / "two_sizes", size=lambda i: (70, 64) if i == 33 else (64, 64))
    write_table(path / "all_small", size=lambda i: (48, 48))
    for kind in "png", "jpg":
        folder = path / f"damaged_{kind}"
        write_table(folder)
        damage(folder / "007.png", kind)
    sides = ["test" if i % 4 == 0 else "val" if i < 20 else "train" for i in range(40)]
    given = [f"{row},{side}" for row, side in zip(rows, ["split", *sides], strict=True)]
    (path / "good" / "given.csv").write_text("\n".join(given) + "\n")
    (path / "good" / "gone.csv").write_text("\n".join(rows).replace("005.png", "gone.png"))


def damage(image, kind):
    """Leave half of an image."""
    if kind == "jpg":
        with Image.open(image) as opened:
            opened.save(image, format="JPEG")
    content = image.read_bytes()
    image.write_bytes(content[: len(content) // 2])


def write_table(folder, count=40, size=lambda i: (64, 64), label=lambda i: i % 2):
    """Images with a CSV that lists them; each of a patient of its own."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    rows = ["path,label,patient"]
    for i in range(count):
        pixels = draw.integers(0, 120, size(i)) + 100 * label(i)
        Image.fromarray(pixels.astype("uint8")).save(folder / f"{i:03d}.png")
        rows.append(f"{i:03d}.png,{label(i)},P{i}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return rows


@pytest.fixture(scope="module")
def tables(place):
    """One run for each table, all of them in one spec."""
    return place.run("run", "tables.yaml", "--json", "--out", "tables")


def test_a_run_that_cannot_be_done_does_not_stop_the_next_ones(tables):
    assert (tables.returncode, tables.stderr) == (2, "")
    told = errors_in(tables)
    assert len(told) == len(BAD_TABLES)
    assert {getattr(errors, event["kind"]).exit_code for event in told} == {2}


@pytest.mark.parametrize("path", BAD_TABLES)
def test_a_table_that_cannot_be_used_is_told_with_its_place(path, tables, place):
    words, leaves = BAD_TABLES[path]
    message = errors_in(tables)[list(BAD_TABLES).index(path)]["message"]
    for word in words:
        assert word in message
    files = place.path.glob("tables/*/*/manifest.json")
    manifests = [json.loads(file.read_text()) for file in files]
    of_it = [m for m in manifests if m["settings"]["dataset.options.path"] == path]
    expected = [("failed", message)] if leaves == "failed" else []
    assert [(m["state"], m["error"]) for m in of_it] == expected


def errors_in(done):
    """The errors that `--json` printed, each line of which is an object."""
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return [event for event in events if event["event"] == "error"]


def test_a_given_split_whose_test_side_has_one_class_is_refused(place):
    change = ["--set", "dataset.options.path=good/given.csv", "--set", "dataset.split=given"]
    done = place.run("run", "table.yaml", *change, "--out", "given")
    assert done.returncode == 2
    told = "error: table.yaml:2: dataset: The split cannot be used: test has no image of 'ill'."
    assert done.stderr.startswith(told)
    assert not (place.path / "given").exists()
