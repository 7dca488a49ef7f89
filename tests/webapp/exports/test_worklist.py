import csv
import datetime as dt
import io
import random

import pandas as pd
import pytest

from radzoo.webapp.exports import worklist
from radzoo.webapp.exports.result import ModelName
from radzoo.webapp.exports.worklist import Row

WEIGHTS, UPLOAD = "0123456789ab" + "c" * 52, "fedcba987654" + "3" * 52
READ = {
    "study": "s1",
    "name": "tórax.png",
    "upload": UPLOAD,
    "created": dt.datetime(2026, 11, 22, 20, 29, 31),
    "state": "done",
    "probability": 0.6339,
    "threshold": 0.4,
    "above": True,
    "verdict": "finding",
    "note": "Opacity, right base",
    "model": ModelName("Baseline CNN", "tensorflow-cpu-1a2b3c4d", WEIGHTS, False),
}
UNREAD = READ | dict.fromkeys(("probability", "above", "verdict")) | {"note": ""}


def row(**changes):
    return Row(**{**READ, **changes})


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_is_read_back_as_it_was():
    (found,) = read(worklist.csv([row()]))
    assert found == {
        "study_id": "s1",
        "name": "tórax.png",
        "upload_sha256": UPLOAD,
        "created": "2026-11-22T20:29:31Z",
        "state": "done",
        "probability": "0.6339",
        "threshold": "0.4",
        "above_threshold": "true",
        "verdict": "finding",
        "note": "Opacity, right base",
        "model_title": "Baseline CNN",
        "model_version": "tensorflow-cpu-1a2b3c4d",
        "weights_sha256": WEIGHTS,
        "notice": "research use only; not a medical device",
    }


def test_pandas_reads_numbers_moments_and_what_is_missing():
    text = worklist.csv([row(), Row(**UNREAD)])
    table = pd.read_csv(io.StringIO(text), parse_dates=["created"])
    assert table["probability"].tolist()[0] == pytest.approx(0.6339)
    assert table["created"].dt.tz is not None
    unread = ["probability", "above_threshold", "verdict", "note"]
    assert table.loc[1, unread].isna().all()
    assert table["notice"].str.startswith("research use only").all()


def test_a_film_below_the_threshold_is_never_listed_without_the_warning():
    rows = read(worklist.csv([row(above=False, probability=0.1), row()]))
    assert ["does not rule out disease" in found["notice"] for found in rows] == [True, False]


def test_lines_end_as_the_standard_says_and_an_empty_list_keeps_its_head():
    assert worklist.csv([]) == ",".join(worklist.COLUMNS) + "\r\n"
    assert worklist.csv([row()]).count("\r\n") == 2


def test_a_models_name_is_no_formula_either():
    (found,) = read(worklist.csv([row(model=ModelName("=1+1", "@x", WEIGHTS, False))]))
    assert (found["model_title"], found["model_version"]) == ("'=1+1", "'@x")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff20"])
@pytest.mark.parametrize("field", ["name", "note", "state", "study"])
def test_no_cell_starts_as_a_formula(field, start):
    (found,) = read(worklist.csv([row(**{field: f"{start}cmd|' /C calc'!A0"})]))
    cells = [value for value in found.values() if "calc" in value]
    assert len(cells) == 1
    assert cells[0].startswith("'")


def test_no_formula_hides_behind_what_a_spreadsheet_in_spanish_takes_for_the_end_of_a_cell():
    hidden = 'a;=1+1;"\n=2+2\n\t@x'
    text = worklist.csv([row(note=hidden)])
    for line in text.splitlines():
        for cell in line.replace("\t", ";").split(";"):
            assert not cell.startswith(("=", "+", "-", "@"))


def test_quotes_commas_and_new_lines_stay_in_their_cell():
    note = 'says "no", twice\n\nsecond paragraph, 5 - 3 = 2'
    (found,) = read(worklist.csv([row(note=note)]))
    assert found["note"] == note


def test_hostile_text_can_be_encoded_and_stays_in_its_row(hostile):
    rows = read(worklist.csv([row(name=hostile["name"], note=hostile["note"]), row()]))
    assert len(rows) == 2
    assert rows[1]["name"] == "tórax.png"
    rows[0]["name"].encode()
    assert "\x00" not in rows[0]["name"]


def test_any_text_is_one_cell():
    draw = random.Random(7)
    signs = "=+-@\t\r\n;,\"'\\| a1é漢\x00\u202e"
    for _ in range(300):
        text = "".join(draw.choices(signs, k=draw.randrange(12)))
        (found,) = read(worklist.csv([row(note=text)]))
        assert len(found) == len(worklist.COLUMNS)
        assert not found["note"].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
