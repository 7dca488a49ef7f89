"""Where films lie, and who may read them."""

import numpy as np
import pytest
from PIL import Image

from radzoo.webapp import films
from radzoo.webapp.films import Films

FILM, MODEL = "ab" * 32, "0123456789abcdef" * 4


@pytest.fixture
def store(tmp_path) -> Films:
    return Films(tmp_path / "home")


def mode(path):
    return path.stat().st_mode & 0o777


def test_a_film_is_named_by_the_sha256_of_its_file():
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert films.name_of(b"abc") == expected


def test_the_folders_are_the_rooms_own(store, tmp_path):
    assert [mode(tmp_path / "home" / name) for name in ("films", "incoming")] == [0o700] * 2
    Films(tmp_path / "home")  # by another process


def test_each_film_has_a_folder_of_its_own(store, tmp_path):
    assert store.folder(FILM) == tmp_path / "home" / "films" / "ab" / FILM
    assert store.folder(FILM) != store.folder("ac" * 32)
    assert store.incoming("study") == tmp_path / "home" / "incoming" / "study"


def test_a_file_that_waits_is_whole_private_and_written_once(store):
    store.keep_incoming("study", b"content")
    path = store.incoming("study")
    assert (path.read_bytes(), mode(path)) == (b"content", 0o600)
    with pytest.raises(FileExistsError):
        store.keep_incoming("study", b"another")
    assert path.read_bytes() == b"content"


def test_the_dicom_is_the_image_where_there_is_one(store):
    folder = store.folder(FILM)
    folder.mkdir(parents=True)
    assert store.path(FILM) == folder / "film.png"
    (folder / "film.dcm").touch()
    assert store.path(FILM) == folder / "film.dcm"


def test_maps_are_read_back_as_shares_each_of_its_model_and_class(store):
    store.folder(FILM).mkdir(parents=True)
    drawn = np.array([[[0, 51], [102, 255]], [[255, 0], [1, 2]]], np.uint8)
    for label, one in enumerate(drawn):
        Image.fromarray(one).save(store.map_path(FILM, MODEL, label))
    np.testing.assert_allclose(store.maps(FILM, MODEL, 2), drawn / 255, atol=1e-7)
    other = store.map_path(FILM, "f" * 64, 0)
    assert other.parent == store.folder(FILM)
    assert not other.exists()


def test_what_is_removed_takes_all_that_was_made_of_it_and_nothing_else(store):
    for name in (FILM, "ac" * 32, "ab" + "cd" * 31):
        store.folder(name).mkdir(parents=True)
        (store.folder(name) / "film.png").touch()
    store.remove(FILM)
    store.remove(FILM)  # of what is gone nothing is said
    assert not store.folder(FILM).exists()
    assert store.path("ac" * 32).exists()
    assert store.path("ab" + "cd" * 31).exists()
