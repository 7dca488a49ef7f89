"""Each check finds its fault and lets the near miss pass; a list leaves out what it names."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import comb
from typer.testing import CliRunner

from radzoo import cli, preprocessing
from radzoo.errors import DataError, UnknownName
from radzoo.preprocessing import cleaning, leaks
from radzoo.preprocessing.cleaning import checks, copies, looks

SIZE = 64


def film(seed, size=SIZE):
    """A grey body with two dark lungs, and shadows that differ by seed; no black, no white."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    lungs = sum(np.exp(-(((x - at) / 0.3) ** 2 + (y / 0.6) ** 2) * 2) for at in (-0.45, 0.45))
    coarse = np.random.default_rng(seed).uniform(-0.25, 0.25, (7, 7)).astype(np.float32)
    shadows = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(0.7 - 0.45 * lungs + shadows, 0.1, 0.9).astype(np.float32)


def jpeg(image, quality):
    coded = cv2.imencode(".jpg", np.rint(image * 255).astype(np.uint8), [1, quality])[1]
    return cv2.imdecode(coded, 0).astype(np.float32) / 255


def framed(image, width, grey=0.0):
    result = np.full_like(image, grey)
    result[width:-width, width:-width] = image[width:-width, width:-width]
    return result


def written(image, words):
    image = np.rint(image * 255).astype(np.uint8)
    cv2.putText(image, words, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 255, 1)
    return image.astype(np.float32) / 255


@pytest.fixture
def proposed(made):
    """Rows that a check proposes of 24 films, the last of which are the ones given."""

    def proposed(check, *last, size=SIZE, **columns):
        images = [film(seed, size) for seed in range(24 - len(last))] + list(last)
        table = made(images).table.assign(**columns)
        found = cleaning.propose(made(images, table=table), [check])
        assert not found.skipped
        return [one.row for one in found.proposals]

    return proposed


@pytest.mark.parametrize("grey", [0.0, 1.0])
def test_a_frame_is_proposed_with_the_box_inside(made, grey):
    # 4 of 64 pixels on each side: 1 - (56 / 64) ** 2 = 0.234; 1 pixel: 1 - (62 / 64) ** 2 = 0.06
    wide, narrow = framed(film(0), 4, grey), framed(film(1), 1, grey)
    (one,) = cleaning.propose(made([wide, narrow]), ["border"]).proposals
    assert (one.row, one.value) == (0, pytest.approx(1 - (56 / 64) ** 2))
    assert "rows 4 to 60 and columns 4 to 60" in one.reason


def test_a_flat_image_is_blank_and_a_faint_one_is_not(proposed):
    flat = 0.4 + 0.04 * film(90)  # its whole range is at most 0.04 * 0.8
    faint = 0.4 + 0.25 * film(91)
    assert faint.max() - faint.min() > 0.1
    assert proposed("blank", flat, faint) == [22]


def test_much_at_the_ends_is_saturated_and_a_third_is_not(proposed):
    half, third = film(90), film(91)
    half[:, ::2] = 1.0
    third[:, ::3] = 0.0
    assert proposed("saturated", half, third) == [22]


def test_a_frame_is_not_taken_for_saturation(proposed):
    assert proposed("saturated", framed(film(90), 16)) == []  # three quarters of it are black


def test_a_strip_is_a_bad_crop_and_a_wide_film_is_not(proposed):
    assert proposed("proportions", film(90)[:32], film(91)[:42]) == [22]  # 2 and 1.5 to 1


def test_a_side_view_is_known_by_its_column(proposed):
    views = ["PA"] * 10 + ["AP"] * 6 + [None] * 4 + ["LL", "Lateral", "LLD", "left lateral"]
    assert proposed("lateral", view=views) == [20, 21, 23]  # LLD is lying on a side, from front


def test_side_views_are_not_told_without_a_column_or_where_most_are(made):
    images = [film(0), film(1), film(2)]
    assert "no column view" in cleaning.propose(made(images), ["lateral"]).skipped["lateral"]
    sideways = made(images, table=made(images).table.assign(view=["LL", "LL", "PA"]))
    assert cleaning.propose(sideways, ["lateral"]).skipped == {
        "lateral": "most images are side views"
    }


def test_a_negative_is_proposed_and_a_dark_or_mirrored_film_is_not(proposed):
    assert proposed("inverted", 1 - film(90), film(91) * 0.3, film(92)[:, ::-1]) == [21]


def test_a_set_without_a_usual_image_is_not_asked_for_negatives(made):
    images = np.random.default_rng(0).uniform(0.2, 0.8, (24, 32, 32))
    assert "too unlike each other" in cleaning.propose(made(images)).skipped["inverted"]
    few = cleaning.propose(made([film(n) for n in range(19)]), ["inverted"])
    assert "fewer than 20" in few.skipped["inverted"]


def test_words_are_text_whichever_way_they_run_and_a_marker_or_a_wire_is_none(proposed):
    words = written(film(90, 256) * 0.6, "DOE JOHN 1970")
    turned = np.rot90(words).copy()
    marker = written(film(91, 256) * 0.6, "L")
    wire = film(92, 256) * 0.6
    wire[40:42, 30:200] = 1.0
    assert proposed("text", words, turned, marker, wire, size=256) == [20, 21]


def test_text_is_not_looked_for_where_letters_cannot_be_told(made):
    small = [written(film(0), "A"), film(1)]
    assert "too small" in cleaning.propose(made(small), ["text"]).skipped["text"]


def test_an_image_that_cannot_be_read_is_proposed_and_stops_nothing(made):
    def read(row):
        if row == 1:
            raise DataError("1.png is damaged")
        return film(row)

    found = cleaning.propose(made([film(n) for n in range(4)], read=read))
    assert [(one.row, one.check) for one in found.proposals] == [(1, "unreadable")]
    assert "1.png is damaged" in found.proposals[0].reason


def test_copies_are_found_when_coded_again_shrunk_or_darker_and_a_follow_up_is_not(made):
    first = film(0, 128)
    half = cv2.resize(jpeg(first, 60), (64, 64), interpolation=cv2.INTER_AREA)
    follow_up = np.clip(first + 0.6 * (film(7, 128) - film(8, 128)), 0, 1)
    images = [first, first.copy(), jpeg(first, 50), half, first**1.3, follow_up, film(9, 128)]
    table = made(images).table.assign(patient="p", label=[0] * 6 + [1])
    found = cleaning.propose(made(images, table=table), ["duplicate", "leak"])
    assert [(one.row, one.check) for one in found.proposals] == [
        (row, "duplicate") for row in (1, 2, 3, 4)
    ]
    assert found.proposals[0].reason.startswith("pixel for pixel the same as image 0: 5 copies")
    assert found.proposals[1].reason.startswith("nearly, with correlation")


def test_the_same_image_of_another_patient_or_on_another_side_is_a_leak(made):
    images = [film(0), film(0), film(1), film(1), film(2), film(2), film(3)]
    table = made(images).table.assign(
        label=[0, 0, 1, 1, 0, 0, 1],
        patient=["a", "b", "c", "c", "d", "d", "e"],
        split=["train", "train", "train", "test", "val", "validation", "test"],
    )
    found = cleaning.propose(made(images, table=table))
    told = {one.row: (one.check, one.reason) for one in found.proposals if one.row % 2}
    assert {row: check for row, (check, _) in told.items()} == {
        1: "leak", 3: "leak", 5: "duplicate"
    }  # fmt: skip
    assert "of 2 patients" in told[1][1]
    assert "on 2 sides" in told[3][1]


def test_of_copies_with_different_labels_none_is_kept(made):
    found = cleaning.propose(made([film(0), film(0), film(1), film(2)]), ["leak"])
    assert [one.row for one in found.proposals] == [0, 1]
    assert all("different labels" in one.reason for one in found.proposals)


def test_flat_images_are_no_copies_of_each_other(made):
    rng = np.random.default_rng(0)
    flat = [np.clip(0.5 + rng.normal(0, 0.004, (SIZE, SIZE)), 0, 1) for _ in range(3)]
    found = cleaning.propose(made([*flat, film(0)]), ["leak", "duplicate"])
    assert found.proposals == ()


def test_unknown_patients_are_not_different_patients(made):
    images = [film(0), film(1), film(0)]
    table = made(images).table.assign(patient=pd.NA)
    found = cleaning.propose(made(images, table=table), ["leak", "duplicate"])
    assert [(one.row, one.check) for one in found.proposals] == [(2, "duplicate")]


def test_a_patient_on_two_sides_is_proposed_where_least_of_him_is(made):
    images = [film(n) for n in range(6)]
    table = made(images).table.assign(
        patient=["a", "a", "a", "b", "b", None],
        split=["train", "test", "train", "val", "valid", "test"],
    )
    found = cleaning.propose(made(images, table=table), ["patient_on_two_sides"])
    assert [one.row for one in found.proposals] == [1]
    assert found.proposals[0].reason.startswith("on the side 'test'; most")


def test_no_near_hash_is_missed_and_none_that_is_far_is_given():
    rng = np.random.default_rng(0)
    base = rng.integers(0, 2**63, 60, dtype=np.uint64)
    turned = [int(h) ^ sum(1 << int(b) for b in rng.choice(64, rng.integers(0, 10), False))
              for h in base for _ in range(4)]  # fmt: skip
    hashes = np.concatenate([base, np.array(turned, np.uint64)])
    apart = np.bitwise_count(hashes[:, None] ^ hashes[None])
    expected = np.argwhere(np.triu(apart <= copies.BITS, k=1))
    assert len(expected) > 100
    np.testing.assert_array_equal(copies.near(hashes), expected)


def test_a_hash_has_half_its_bits_and_is_blind_to_contrast():
    small = looks.thumbnail(film(0))
    bits = looks.perceptual_hash(small)
    assert 31 <= bits.bit_count() <= 33
    darker = looks.thumbnail(film(0) * 0.5)
    assert (bits ^ looks.perceptual_hash(darker)).bit_count() <= 2


def test_whether_removal_depends_on_the_class_is_told_with_fishers_p(made):
    dataset = made(np.zeros((16, 2, 2)))
    one_sided = cleaning.balance(dataset, [0, 2, 4, 6, 8])  # 5 of 8 well, 0 of 8 sick
    # both tails: 5 of one class and none of the other, either way round
    assert one_sided.p == pytest.approx(2 * comb(8, 5) / comb(16, 5))
    assert str(one_sided).startswith("Removal depends on the class: 5 of 8 well (62.5%), 0 of 8")
    even = cleaning.balance(dataset, [0, 1])
    assert even.p == pytest.approx(1)
    assert "No sign that removal depends" in str(even)
    assert cleaning.balance(dataset, []).p is None


def test_three_classes_are_tested_by_chi_square(made):
    images = np.zeros((30, 2, 2))
    table = made(images).table.assign(label=np.arange(30) % 3)
    dataset = made(images, table=table, classes=("a", "b", "c"))
    # 6, 0 and 0 of 10 each, 2 expected: (16 + 4 + 4) / 2 + (16 + 4 + 4) / 8 = 15; 2 degrees
    assert cleaning.balance(dataset, range(0, 18, 3)).p == pytest.approx(np.exp(-15 / 2))


def test_an_unknown_check_is_refused_by_name(made):
    with pytest.raises(UnknownName, match="Did you mean 'duplicate'"):
        cleaning.propose(made(np.zeros((2, 2, 2))), ["duplicates"])


def test_every_check_is_explained():
    assert all(checks.get(name).__doc__ for name in cleaning.names())


def test_a_list_leaves_out_what_it_names_and_makes_other_data_of_it(made, tmp_path):
    images = [film(n) for n in (0, 1, 2, 3, 2)]
    digests = tuple("abcde")
    dataset = made(images, masks=lambda row: np.full((1, 1), row == 3), image_digests=digests)
    found = cleaning.propose(dataset, ["leak"])
    path = cleaning.write(found, tmp_path / "cleaning.csv")
    (row,) = csv.DictReader(path.read_text().splitlines())
    assert (row["id"], row["label"], row["check"], row["value"]) == ("image 4", "well", "leak", "1")
    kept = cleaning.leave_out(dataset, str(path))
    assert list(kept.table["id"]) == ["image 0", "image 1", "image 2", "image 3"]
    path.write_text("id\nimage 1\nimage 1\nimage 4\n")
    kept = cleaning.leave_out(dataset, str(path))
    assert list(kept.table["id"]) == ["image 0", "image 2", "image 3"]
    np.testing.assert_array_equal(kept.read(2), images[3])
    assert kept.masks(2).all()
    assert kept.image_digests == ("a", "c", "d")
    assert kept.content != dataset.content
    assert kept.notes == ("2 of 5 images were left out, as cleaning.csv lists them.",)


def test_a_list_of_another_dataset_is_refused(made, tmp_path):
    dataset = made([film(n) for n in range(4)])
    path = tmp_path / "list.csv"
    path.write_text("id\nimage 1\nelse\n")
    with pytest.raises(DataError, match=r"1 of the 2 ids in list.csv are not in 'made': else"):
        cleaning.leave_out(dataset, str(path))
    path.write_text("name\nimage 1\n")
    with pytest.raises(DataError, match="has no column 'id'"):
        cleaning.leave_out(dataset, str(path))
    path.write_text("id\nimage 1\nimage 3\n")
    with pytest.raises(DataError, match="no image has the class 'sick'"):
        cleaning.leave_out(dataset, str(path))


def test_a_sheet_shows_what_was_found_and_what_cannot_be_read(made, tmp_path):
    images = [film(0), film(1), film(0), film(1)]

    def read(row):
        if row == 3:
            raise DataError("damaged")
        return images[row]

    found = cleaning.propose(made(images, read=read))
    assert {one.check for one in found.proposals} == {"unreadable", "leak"}
    with Image.open(cleaning.draw(found, tmp_path / "sheet.png")) as sheet:
        assert sheet.format == "PNG"
        assert np.asarray(sheet.convert("L")).std() > 20


def test_the_command_writes_a_list_and_a_sheet_and_tells_what_it_cannot_check(folder, tmp_path):
    args = ["data", "clean", "table", "--set", "path=list.csv"]
    args += ["--set", "classes={well: well, sick: sick}", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(cli.app, args)
    assert done.exit_code == 0, done.output
    assert "Not checked: lateral: the dataset has no column view" in done.output
    rows = list(csv.DictReader((tmp_path / "out" / "cleaning.csv").read_text().splitlines()))
    assert [row["id"] for row in rows if row["check"] == "blank"] == [f"{n}.png" for n in range(4)]
    assert (tmp_path / "out" / "sheet.png").is_file()
    assert sorted(path.name for path in folder.iterdir()) == [
        *(f"{n}.png" for n in range(4)), "list.csv"
    ]  # fmt: skip
    strange = CliRunner().invoke(cli.app, [*args, "--check", "blnk"])
    assert isinstance(strange.exception, UnknownName)


def test_images_on_two_sides_are_counted_by_side():
    images = np.array([[1, 1], [2, 2], [1, 1], [3, 3], [1, 1]], np.uint8)
    sides = np.array(["train", "train", "test", "test", "train"])
    found = leaks.on_two_sides(images, sides)
    assert found == {"train": 2, "test": 1}
    assert "2 of the train side, 1 of the test side" in leaks.note(found)
    assert leaks.on_two_sides(images[[0, 1, 3]], sides[[0, 1, 2]]) == {}


def test_looking_for_images_on_two_sides_does_not_hold_the_store_in_memory(tmp_path):
    """120 MB of images; what of them is mapped counts as ours, as RssFile."""
    images = np.lib.format.open_memmap(tmp_path / "store.npy", "w+", "u1", (7680, 128, 128, 1))
    images[:] = 7
    del images
    store = np.load(tmp_path / "store.npy", mmap_mode="r")
    before = mapped_mb()
    found = leaks.on_two_sides(store, np.array(["train", "test"] * 3840))
    assert found == {"train": 3840, "test": 3840}
    assert mapped_mb() - before < 30


def mapped_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (one for one in lines if one.startswith("RssFile"))
    return int(line.split()[1]) / 1024


def test_real_films_have_words_a_copy_and_no_negative(real_data, monkeypatch):
    monkeypatch.setenv("RADZOO_DATA", str(real_data))
    films = preprocessing.load(
        "table",
        path="nih/labels_extended.csv",
        root="nih/images",
        columns={"path": "image", "patient": "Patient ID", "view": "View Position"},
        classes={"no_finding": 0, "finding": 1},
    )
    found = cleaning.propose(films)
    assert [films.table["id"][one.row] for one in found.of("duplicate")] == ["00002658_002.png"]
    assert not found.of("inverted")
    texts = {films.table["id"][one.row] for one in found.of("text")}
    assert "00000150_002.png" in texts  # "PORTABLE" at its top left
    assert 120 <= len(texts) <= 180
