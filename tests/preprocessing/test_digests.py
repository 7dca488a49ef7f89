"""Contents of files are remembered by size and time of change."""

import hashlib
import os

from radzoo.preprocessing import digests


def test_a_digest_is_the_sha256_of_the_bytes(folder):
    file = folder / "0.png"
    assert digests.of_files([file]) == [
        digests.Digest(hashlib.sha256(file.read_bytes()).hexdigest(), 256)
    ]


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(folder, monkeypatch):
    file = folder / "0.png"
    before = digests.of_files([file])
    file.write_bytes((folder / "1.png").read_bytes())
    after = digests.of_files([file])
    assert after == digests.of_files([folder / "1.png"]) != before
    monkeypatch.setattr(digests, "_digest", lambda file: 1 / 0)
    assert digests.of_files([file]) == after


def test_a_memory_cut_off_in_the_middle_does_no_harm(folder):
    file = folder / "0.png"
    before = digests.of_files([file])
    (memory,) = digests.paths.cache_folder().rglob("*.jsonl")
    os.truncate(memory, 20)
    assert digests.of_files([file]) == before
    assert digests.of_files([file]) == before


def test_what_cannot_be_read_has_a_digest_of_its_own_that_is_not_remembered(folder):
    for name in "a", "b":
        (folder / name).mkdir()  # opens as no file
    first, second, sound = digests.of_files([folder / "a", folder / "b", folder / "0.png"])
    assert first != second
    (memory,) = digests.paths.cache_folder().rglob("*.jsonl")
    assert sound.sha256 in memory.read_text()
    assert first.sha256 not in memory.read_text()


def test_whoever_watches_is_told_of_new_files_alone(folder):
    told = []
    digests.of_files([folder / "0.png"])
    with digests.watched(lambda *done: told.append(done)):
        digests.of_files([folder / "0.png", folder / "1.png", folder / "2.png"])
        digests.of_files([folder / "1.png"])
    assert told == [(2, 2)]
