"""Data is looked up in the current folder, then in RADZOO_DATA."""

from pathlib import Path

import pytest

from radzoo.errors import DataError
from radzoo.preprocessing import paths


def test_the_current_folder_goes_before_the_data_folder(tmp_path, monkeypatch):
    (tmp_path / "data" / "both.csv").touch()
    (tmp_path / "data" / "there.csv").touch()
    (tmp_path / "both.csv").touch()
    monkeypatch.chdir(tmp_path)
    assert paths.find("both.csv") == tmp_path / "both.csv"
    assert paths.find("there.csv") == tmp_path / "data" / "there.csv"


def test_an_absolute_path_is_taken_as_it_is(tmp_path):
    assert paths.find(str(tmp_path)) == tmp_path


def test_what_is_nowhere_names_the_places_and_the_variable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        paths.find("no.csv")
    for told in (tmp_path / "no.csv", tmp_path / "data" / "no.csv", "Set RADZOO_DATA"):
        assert str(told) in str(caught.value)


def test_the_cache_folder_can_be_chosen(monkeypatch):
    monkeypatch.setenv("RADZOO_CACHE", "/somewhere")
    assert paths.cache_folder() == Path("/somewhere")
    monkeypatch.delenv("RADZOO_CACHE")
    assert paths.cache_folder().name == "radzoo"
