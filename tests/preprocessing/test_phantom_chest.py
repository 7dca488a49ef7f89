"""Synthetic radiographs: known truth, the same everywhere, findings that look like findings."""

import hashlib

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d
from sklearn.metrics import roc_auc_score

from radzoo import preprocessing
from radzoo.errors import DataError
from radzoo.preprocessing import (
    chest_anatomy,
    chest_findings,
    chest_patients,
    chest_phantom,
)
from radzoo.preprocessing.chest_patients import FINDINGS

BRIGHTER = ("consolidation", "nodule", "effusion", "cardiomegaly")


def load(**options):
    return preprocessing.load("phantom_chest", **{"images": 12, "size": 96} | options)


def visit(**known):
    """A man's upright film; at 1 a finding is moderate."""
    given = {"seed": 3, "patient": 1, "row": 1, "female": False, "age": 50.0, "supine": False}
    return chest_patients.Visit(**given | {"severity": {}, "lookalikes": 0.0} | known)


def drawn(seen, size=128):
    return chest_phantom.radiograph(chest_patients.film(seen), size, chest_patients.noise(seen))


def chest_of(seen, size=256):
    film = chest_patients.film(seen)
    return chest_anatomy.chest(film.body, film.pose, film.ratio, size)


def marked(seen, name, size=128):
    if name == "cardiomegaly":
        return chest_findings.excess(chest_of(seen, size), chest_patients.usual_ratio(seen))
    return chest_findings.mask(chest_of(seen, size), chest_patients.local(seen)[name])


def across(inside):
    columns = np.flatnonzero(inside.any(0))
    return columns[-1] + 1 - columns[0]


def test_the_same_seed_draws_the_same_pixels_on_every_machine():
    image = load(images=5, seed=7, size=256).read(3)
    levels = np.rint(image * 255).astype(np.uint8)
    assert hashlib.sha256(levels.tobytes()).hexdigest()[:16] == "5c287c481f86842a"


def test_another_option_is_another_content():
    changes = {
        "seed": 1,
        "difficulty": 0.4,
        "size": 64,
        "finding_share": 0.4,
        "target": "effusion",
        "images": 13,
    }
    contents = {load(**{option: value}).content for option, value in changes.items()}
    assert len(contents | {load().content}) == 7


def test_pixels_are_whole_255ths():
    image = load().read(0)
    np.testing.assert_allclose(image * 255, np.rint(image * 255), atol=1e-4)


def test_the_share_of_films_with_a_finding_is_kept():
    table = load(images=200, finding_share=0.3, size=64).table
    assert table["label"].sum() == 60
    assert (table[list(FINDINGS)].max(axis=1) == table["label"]).all()
    assert (table[list(FINDINGS)].sum() > 3).all()
    assert table[list(FINDINGS)].sum(axis=1).max() > 1


@pytest.fixture(scope="module")
def many():
    """The table of many films, with boxes of the findings that are drawn fastest."""
    return load(images=1500, size=64, target="cardiomegaly").table


def test_age_sex_and_view_tell_nothing_of_the_label(many):
    ill = many[list(FINDINGS)].max(axis=1)
    for known in (many["age"], many["sex"] == "F", many["view"] == "AP"):
        assert 0.45 < roc_auc_score(ill, known.astype(float)) < 0.55


def test_findings_of_a_patient_persist_often_and_not_always(many):
    assert set(many["patient"].value_counts()) == {1, 2, 3}
    there = many[list(FINDINGS)].to_numpy()
    same = (many["patient"] == many["patient"].shift()).to_numpy()
    now, before = there[same], there[np.flatnonzero(same) - 1]
    assert 0.65 < np.mean(now.max(1) == before.max(1)) < 0.95
    both = now.any(1) & before.any(1)
    np.testing.assert_array_equal(now[both], before[both])


def test_films_of_a_patient_show_one_body():
    first, second, other = visit(row=1), visit(row=2, supine=True), visit(patient=2)
    assert chest_patients.body_of(first) == chest_patients.body_of(second)
    assert chest_patients.body_of(first) != chest_patients.body_of(other)
    assert (drawn(first) != drawn(second)).mean() > 0.5


@pytest.mark.parametrize("severity", [None, 0.05, 1.0])
def test_the_heart_is_wider_than_half_the_chest_only_if_enlarged(severity):
    for patient in range(4):
        seen = visit(
            patient=patient,
            supine=bool(patient % 2),
            severity={} if severity is None else {"cardiomegaly": severity},
        )
        chest = chest_of(seen, size=512)
        measured = across(chest.heart) / across(chest.cavity > 0)
        assert (measured > 0.5) == (severity is not None)
        assert measured == pytest.approx(chest_patients.ratio(seen), abs=0.01)


def test_the_table_says_which_hearts_are_enlarged(many):
    assert ((many["cardiothoracic_ratio"] > 0.5) == (many["cardiomegaly"] == 1)).all()


@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_changes_the_film_within_its_mask(name):
    for patient in range(4):
        seen, without = visit(patient=patient, severity={name: 1.0}), visit(patient=patient)
        mask = marked(seen, name)
        change = drawn(seen) - drawn(without)
        assert mask.any()
        assert change[mask].mean() > 0.01 if name in BRIGHTER else change[mask].mean() < -0.005
        assert np.abs(change[~mask]).mean() < 0.3 * np.abs(change[mask]).mean()


def test_no_vessel_is_seen_beyond_the_edge_of_a_collapsed_lung():
    seen = visit(severity={"pneumothorax": 1.5})
    found = tuple(chest_patients.local(seen).values())
    chest = chest_of(seen)
    beyond = chest_findings.mask(chest, found[0])
    with_gap = chest_findings.aerated(chest, found)
    assert chest_findings.aerated(chest, ())[beyond].mean() > 0.1
    assert with_gap[beyond].max() < 0.51  # the edge itself is half a pixel


def test_a_nodule_measures_one_to_three_centimetres():
    for patient in range(20):
        nodule = chest_patients.local(visit(patient=patient, severity={"nodule": 1.0}))["nodule"]
        assert 10 <= 2 * nodule.radius <= 30


def test_a_nodule_of_known_size_and_place_is_drawn_there():
    seen = visit()
    nodule = chest_findings.Nodule(side=-1, across=0.5, down=0.5, radius=15, share=1.0)
    chest = chest_of(seen, 400)  # a pixel a millimetre, but for the zoom
    added = chest_findings.added(chest, nodule)
    area = np.pi * 15 * 15 * 0.92 * chest_patients.film(seen).pose.zoom ** 2
    assert (added > 0).sum() == pytest.approx(area, rel=0.03)
    assert added.max() == pytest.approx(chest_findings.AIR * 30, rel=0.02)
    assert np.nonzero(added)[1].max() < 200  # the patient's right is the image's left


def test_fluid_blunts_the_angle_and_rises_at_the_wall():
    seen = visit(severity={"effusion": 1.0})
    fluid = chest_patients.local(seen)["effusion"]
    mask = marked(seen, "effusion", 256)
    rows, columns = np.nonzero(mask)
    assert (columns > 128).all() if fluid.side > 0 else (columns < 128).all()
    tops = [rows[columns == column].min() for column in np.unique(columns)]
    outward = tops if fluid.side > 0 else tops[::-1]
    assert np.mean(outward[-5:]) < np.mean(outward[:5])


def test_the_left_lung_is_smaller_and_the_heart_bulges_to_the_left():
    chest = chest_of(visit())
    left = chest.x > 0
    assert chest.lung[left].sum() < chest.lung[~left].sum()
    assert chest.heart[left].sum() > 1.5 * chest.heart[~left].sum()


def test_lungs_are_dark_and_the_middle_is_bright():
    seen = visit()
    image, chest = drawn(seen, 256), chest_of(seen)
    middle = (np.abs(chest.x) < 15) & (np.abs(chest.y - 200) < 60)
    outside = np.broadcast_to(np.abs(chest.x) > 195, image.shape) & (chest.y > 300)
    assert image[outside].mean() < image[chest.lung > 100].mean() - 0.1
    assert image[chest.lung > 100].mean() < image[middle].mean() - 0.4


def test_more_size_is_the_same_film_in_finer_grain():
    seen = visit(severity={"consolidation": 1.0})
    fine = drawn(seen, 384).reshape(128, 3, 128, 3).mean((1, 3))
    smooth = [uniform_filter1d(uniform_filter1d(one, 5, 0), 5, 1) for one in (fine, drawn(seen))]
    assert np.abs(smooth[0] - smooth[1])[8:-8, 8:-8].mean() < 0.006


def test_the_marker_stands_on_the_side_that_it_names():
    for row in range(6):
        seen = visit(row=row)
        image = drawn(seen, 256)
        corner = image[:40, -70:].max(), image[:40, :70].max()
        side = chest_patients.film(seen).exposure.marker
        assert np.argmax(corner) == (0 if side > 0 else 1)


def test_boxes_hold_the_masks_and_no_more():
    dataset = load(images=16, size=128)
    boxed = dataset.table["box_x0"].notna()
    assert boxed.equals(dataset.table["label"] == 1)
    for row in np.flatnonzero(boxed):
        rows, columns = np.nonzero(dataset.masks(row))
        box = dataset.table.loc[row, ["box_x0", "box_y0", "box_x1", "box_y1"]]
        assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == list(box)
    assert dataset.masks(int(np.flatnonzero(~boxed)[0])) is None


def test_a_target_is_labelled_and_marked_alone():
    every, one = load(images=60, size=64), load(images=60, size=64, target="nodule")
    assert one.classes == ("no_nodule", "nodule")
    assert (one.table["label"] == one.table["nodule"]).all()
    assert (one.table[list(FINDINGS)] == every.table[list(FINDINGS)]).all(axis=None)
    others = np.flatnonzero((one.table["nodule"] == 0) & (every.table["label"] == 1))
    assert one.masks(int(others[0])) is None
    np.testing.assert_array_equal(one.read(0), every.read(0))
    assert one.image_digests == every.image_digests
    assert len(set(one.image_digests)) == 60
    assert one.content != every.content


def test_difficulty_is_how_little_a_finding_shows():
    def excess(difficulty):
        table = load(images=100, size=64, difficulty=difficulty, target="nodule").table
        return table.loc[table["cardiomegaly"] == 1, "cardiothoracic_ratio"].mean() - 0.5

    assert excess(0.0) > 1.4 * excess(0.5) > 1.4 * 1.4 * excess(1.0) > 0


def test_it_is_called_synthetic_wherever_it_is_described():
    entry = preprocessing.get("phantom_chest")
    assert entry.synthetic
    assert "synthetic" in entry.source
    assert "Synthetic" in entry.summary
    assert any("synthetic" in note for note in load().notes)


def test_options_out_of_range_are_told_together():
    with pytest.raises(DataError) as caught:
        load(images=1, finding_share=1, difficulty=2, size=10, seed=-1, target="nodules")
    for option in ("images", "finding_share", "difficulty", "size", "seed", "target"):
        assert f"{option} must" in str(caught.value)
    assert "did you mean 'nodule'?" in str(caught.value)


def test_a_target_that_no_film_has_is_explained():
    with pytest.raises(DataError, match=r"none of the 2 films show effusion. Ask for more images"):
        load(images=2, target="effusion")
