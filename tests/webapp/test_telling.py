"""What is said of a study: values by hand, sentences in the language of who reads."""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest

from radzoo.evaluation import Estimate
from radzoo.webapp import telling
from radzoo.webapp.card import Card
from radzoo.webapp.database import Analysis, Reading, Study
from radzoo.webapp.exports.result import Check
from radzoo.webapp.reference import Case
from radzoo.webapp.seen import Seen

CARD = Card({"weights": "m", "classes": ["benign", "malignant"], "audits": {}})
FACTS = {"kind": "DICOM", "modality": "DX", "rows": 90, "columns": 80, "bits": 12, "notes": []}


def seen(analysis=None, reading=None, **study):
    """A study with its results, not in any database."""
    values = {
        "id": "s1",
        "name": "film.dcm",
        "state": "done",
        "created": dt.datetime(2026, 11, 25, 9, 30, 1, 234567),
        "facts": FACTS,
    }
    return Seen(Study(**{**values, **study}), analysis, withheld=False, reading=reading)


def analysis(distance=0.5, likeness=0.9):
    return Analysis(
        probabilities=[0.3, 0.7], distance=distance, likeness=likeness, method="gradcam",
        model="m", embedding=np.zeros(1, "<f4").tobytes(),
    )  # fmt: skip


def room(known):
    """A room in which every model has this reference."""
    return SimpleNamespace(reference=lambda _model: known, own_nearest=lambda *_: [])


MEASURED = SimpleNamespace(
    false_alarms=np.array([3, 40]),
    nearest=lambda _embedding, count: [Case(7, "i7", 1, "train", 0.25)][:count],
)


def test_the_class_has_the_datasets_word_where_there_is_one():
    assert telling.class_name("es", CARD, 1) == "Maligno"
    assert telling.class_name("en", CARD, 0) == "Benign"
    unknown = Card({"classes": ["calm", "wheezing"]})
    assert telling.class_name("en", unknown, 1) == "Finding (wheezing)"
    assert telling.class_name("es", unknown, 0) == "Sin hallazgo (calm)"


def test_a_finding_has_its_word_in_whatever_letters_the_dataset_writes_it():
    known = Card({"classes": ["no Effusion", "Effusion"], "finding": "Effusion"})
    assert [telling.class_name("es", known, label) for label in (0, 1)] == [
        "Sin derrame",
        "Derrame",
    ]
    other = Card({"classes": ["no Big Heart", "Big Heart"], "finding": "Big Heart"})
    assert [telling.class_name("en", other, label) for label in (0, 1)] == [
        "No Big Heart", "Big Heart",
    ]  # fmt: skip
    assert telling.finding_name("es", "Pleural_Thickening") == "Engrosamiento pleural"


def test_a_preset_tells_how_it_was_chosen_and_a_fixed_one_nothing():
    chosen = {"name": "sensitivity >= 0.95", "threshold": 0.31}
    assert telling.preset("es", chosen) == {
        "threshold": 0.31,
        "rule": "Elegido en validación para una sensibilidad de al menos 0,95.",
    }
    fixed = {"name": "threshold 0.5", "threshold": 0.5}
    assert telling.preset("en", fixed) == {"threshold": 0.5, "rule": ""}


def test_a_row_of_what_was_read_and_analysed():
    reading = Reading(verdict="finding", note="", blind=True, created=dt.datetime(2026, 1, 1))
    assert telling.row("en", seen(analysis(distance=1.2), reading)) == {
        "id": "s1",
        "name": "film.dcm",
        "state": "done",
        "created": "2026-11-25T09:30:01.234Z",
        "kind": "DICOM DX",
        "rows": 90,
        "columns": 80,
        "probability": 0.7,
        "unlike": True,
        "withheld": False,
        "verdict": "finding",
        "refusal": None,
    }


@pytest.mark.parametrize("distance", [None, 0.0, 1.0])
def test_a_film_up_to_the_limit_is_not_called_unlike(distance):
    assert telling.row("en", seen(analysis(distance)))["unlike"] is False


def test_a_row_of_what_waits_or_was_refused_has_no_figures():
    row = telling.row("es", seen(state="waiting", facts=None))
    assert (row["probability"], row["rows"], row["kind"], row["verdict"]) == (None, None, "", None)
    refusal = {"code": "too_big", "values": {"megabytes": 70.25, "limit": 64}}
    row = telling.row("es", seen(state="refused", facts=None, refusal=refusal))
    assert row["refusal"].startswith("El archivo ocupa 70,2 MB y se admiten hasta 64 MB.")


def test_checks_begin_with_warnings_and_end_with_what_is_good():
    facts = {**FACTS, "notes": ["cut_levels", "lateral"]}
    told = telling.checks("en", room(MEASURED), seen(analysis(2.34, -0.2), facts=facts), CARD)
    assert [check.level for check in told] == ["warning", "warning", "warning", "note", "good"]
    assert "2.3 times the limit away" in told[0].text
    assert "3 of 40 test images: 8%" in told[0].text  # 7.5 % is rounded to even
    assert told[1].text.startswith("Black and white may be swapped.")
    assert told[2].text.startswith("A lateral view")
    assert told[4] == Check("good", "DICOM, 80 \N{MULTIPLICATION SIGN} 90 px, 12 bit")


@pytest.mark.parametrize(("likeness", "swapped"), [(-0.11, True), (-0.1, False), (None, False)])
def test_polarity_is_doubted_where_the_correlation_is_clearly_negative(likeness, swapped):
    told = telling.checks("en", room(MEASURED), seen(analysis(0.5, likeness)), CARD)
    assert any("swapped" in check.text for check in told) == swapped
    assert told[-2 if swapped else 0].text.startswith("Like the images the model learned from.")


def test_without_a_reference_it_is_said_that_likeness_was_not_measured():
    told = telling.checks("en", room(None), seen(analysis(None, None)), CARD)
    assert [check.level for check in told] == ["note", "good"]
    assert "was not measured" in told[0].text


def test_of_what_was_not_analysed_or_not_read_nothing_of_the_model_is_said():
    assert [check.level for check in telling.checks("en", room(MEASURED), seen(), CARD)] == ["good"]
    assert telling.checks("en", room(MEASURED), seen(facts=None), CARD) == []


def audited(value):
    """A card of a model whose maps were audited on 80 called images."""
    estimate = {"low": 0.3, "high": 0.5, "method": "", "images": 80, "patients": 70, "positives": 0}
    hit = vars(Estimate(value=value, **estimate))
    called = {"hit": hit, "area": {"value": 0.05}}
    return Card({"audits": {"gradcam": {"localisation": {"called": called}}}})


def test_what_a_map_is_worth_is_its_audits_figure_beside_chance():
    said = telling.map_worth("es", audited(0.4), "gradcam")
    space = "\N{NO-BREAK SPACE}"
    assert f"en 40{space}% (30 a 50{space}%) de 80 imágenes" in said
    assert said.endswith(f"al azar, 5{space}%.")


UNMEASURED = Card({"audits": {"gradcam": {"localisation": {"not_measured": ""}}}})


@pytest.mark.parametrize("card", [CARD, audited(None), UNMEASURED])
def test_a_map_that_was_not_audited_is_not_measured(card):
    assert telling.map_worth("en", card, "gradcam").endswith("not measured for this model.")


def test_an_interval_is_written_with_its_unit_once():
    assert telling.interval("en", (0.7, 0.634, 0.786)) == "63 to 79%"
    assert telling.interval("es", (0.7, 0.634, 0.786)) == "63 a 79\N{NO-BREAK SPACE}%"
    assert telling.interval("en", (0.7, None, None)) == ""


def test_similar_cases_are_the_models_own_and_then_the_users():
    other = Study(id="s2", name="other.png")
    here = room(MEASURED)
    here.own_nearest = lambda *_: [(other, 1.5)]
    assert telling.similar(here, "u", Study(id="s1"), analysis()) == [
        {"case": 7, "id": "i7", "label": 1, "side": "train"},
        {"study": "s2", "name": "other.png", "distance": 1.5},
    ]
