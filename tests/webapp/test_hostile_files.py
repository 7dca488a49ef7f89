"""Each hostile file is refused with its reason, soon, and leaves nothing behind."""

import re
import time

import numpy as np
import pytest
from hostile import EXIF, FILM, JPEG, NOISE, PNG, REFUSED, chunk, dicom, picture, png

from radzoo.errors import FilmRefused
from radzoo.webapp.decoder import Decoder
from radzoo.webapp.decoding import decode
from radzoo.webapp.wording import LANGUAGES, say


@pytest.fixture(scope="module")
def decoder():
    with Decoder() as one:
        yield one


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_with_its_reason(tmp_path, decoder, name):
    code, make = REFUSED[name]
    path = tmp_path / "torax.png"
    path.write_bytes(make())
    start = time.monotonic()
    with pytest.raises(FilmRefused) as refused:
        decoder.decode(path, tmp_path / "film", False, {})
    assert time.monotonic() - start < 15
    assert refused.value.code == code
    assert [one.name for one in tmp_path.iterdir()] == ["torax.png"]
    for language in LANGUAGES:
        sentence = say(language, f"refused.{code}", **refused.value.values)
        assert not re.search(r"Error|Traceback|torax\.png|<script|[{}]", sentence)
        assert len(sentence) > 20


def test_the_kinds_are_many():
    assert len(REFUSED) >= 80


@pytest.mark.parametrize(
    ("name", "make"),
    {
        "a picture with a tail": lambda: PNG + b"PK\3\4" * 500,
        "a photograph with a tail": lambda: JPEG + b"<?php system($_GET[0]);" * 500,
        "a polyglot of DICOM and a program": lambda: dicom(preamble=b"MZ" + b"\x90" * 126),
        "a bomb behind the rows of a PNG": lambda: png(
            pixels=b"".join(b"\0" + line.tobytes() for line in FILM) + bytes(300_000_000)
        ),
        "a comment in a photograph": lambda: picture(kind="JPEG", comment=b"SECRETNAME"),
        "text in a picture": lambda: png(before=chunk(b"tEXt", b"Patient\0SECRETNAME")),
        "EXIF in a picture": lambda: picture(exif=EXIF),
    }.items(),
)  # fmt: skip
def test_what_hides_beside_the_pixels_is_not_kept(tmp_path, decoder, name, make):
    (tmp_path / "file").write_bytes(make())
    decoder.decode(tmp_path / "file", tmp_path / "film", False, {})
    for kept in (tmp_path / "film").iterdir():
        assert not re.search(rb"MZ\x90|PK\x03\x04|<\?php|SECRET", kept.read_bytes())
        assert kept.stat().st_size < 50_000


def test_a_file_too_large_is_not_read(tmp_path):
    with (tmp_path / "file").open("wb") as file:
        file.truncate(128_000_001)  # a hole: it takes no room
    with pytest.raises(FilmRefused) as refused:
        decode(tmp_path / "file", tmp_path / "film", False)
    assert refused.value.code == "too_big"
    assert refused.value.values == {"megabytes": 128.0, "limit": 128}


def test_any_cut_of_a_file_is_refused(tmp_path):
    for whole in (PNG, JPEG, dicom()):
        for share in np.linspace(0.01, 0.995, 40):
            (tmp_path / "file").write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(FilmRefused):
                decode(tmp_path / "file", tmp_path / "film", False)


@pytest.mark.parametrize("whole", [PNG, JPEG, dicom(NOISE)], ids=["PNG", "JPEG", "DICOM"])
def test_no_change_of_bytes_escapes_as_another_error(tmp_path, whole):
    random = np.random.default_rng(1)
    for _ in range(150):
        data = bytearray(whole)
        for at in random.integers(0, len(data), random.integers(1, 12)):
            data[at] = random.integers(256)
        (tmp_path / "file").write_bytes(data)
        try:
            decode(tmp_path / "file", tmp_path / "film", False)
        except FilmRefused as refused:
            say("es", f"refused.{refused.code}", **refused.values)
