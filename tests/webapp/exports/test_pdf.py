import datetime as dt
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from radzoo.webapp.exports import pdf
from radzoo.webapp.exports.result import Check

WEIGHTS = "0123456789ab" + "c" * 52
needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext of poppler-utils is not installed"
)


def text(data, tmp_path):
    """What poppler reads in a PDF, a space for each run of blanks."""
    (tmp_path / "report.pdf").write_bytes(data)
    command = ["pdftotext", "-enc", "UTF-8", str(tmp_path / "report.pdf"), "-"]
    found = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    return " ".join(found.split())


def pages(data):
    return len(re.findall(rb"/Type /Page\b", data))


def spanish(make, **changes):
    return make(
        language="es",
        name="tórax_señora_ñandú.png",
        classes=("Sin hallazgo", "Con hallazgo"),
        **changes,
    )


@needs_poppler
def test_an_english_report_says_all_that_must_be_known(make, tmp_path):
    words = text(pdf.pdf(make()), tmp_path)
    for fact in (
        *(
            "Research use only · not a medical device",
            "phantom.dcm",
            "400 \N{MULTIPLICATION SIGN} 480",
        ),
        *("63% Finding", "Above the threshold", "decision threshold 0.400"),
        "Score of the model, not calibrated: 0.634",
        "Calibrated probability of “Finding”: 41.2%",
        "Sensitivity 86% (95% CI 80% to 91%), specificity 64% (95% CI 58% to 70%)",
        "2048 test images of 1021 patients",
        *("Original", "Map of “No finding”", "Map of “Finding”", "does not outline the lesion"),
        *("Warning: The film may be inverted.", "inside the map in 31% of films", "Grad-CAM"),
        *("Uncertain · read on 2026-11-22 20:15 UTC", "Opacity at the right base.", "Dr Ruiz"),
        *("Clinician's conclusion", "Baseline CNN · tensorflow-cpu-1a2b3c4d", WEIGHTS),
        *("weights 0123456789ab", "2026-11-22 20:29 UTC", "Page 1 of 1"),
    ):
        assert fact in words
    assert "rule out" not in words
    assert "synthetic" not in words


@needs_poppler
def test_a_spanish_report_below_the_threshold(make, tmp_path):
    result = spanish(make, probabilities=(0.81, 0.19), verdict=None, calibrated=None, note="")
    words = text(pdf.pdf(result), tmp_path)
    for fact in (
        *("Solo investigación · no es producto sanitario", "tórax_señora_ñandú.png"),
        *("19 %", "Por debajo del umbral. No descarta enfermedad.", "umbral de decisión 0,400"),
        *("Puntuación del modelo, sin calibrar: 0,190", "La calibración no se ha medido"),
        *("Sensibilidad 86 % (IC 95 %: 80 % a 91 %)", "Sin leer todavía", "Sin nota"),
        *("no delimita la lesión", "Conclusión del facultativo", "Página 1 de 1"),
    ):
        assert fact in words


@needs_poppler
def test_what_was_not_measured_is_said(make, tmp_path):
    unknown = make(sensitivity=None, specificity=None, measured_on=(0, 0), checks=())
    words = text(pdf.pdf(unknown), tmp_path)
    assert "Sensitivity and specificity of this model were not measured." in words
    assert "No check was made" in words
    half = text(pdf.pdf(make(sensitivity=None)), tmp_path)
    assert "Sensitivity not measured, specificity 64%" in half


@needs_poppler
def test_a_model_trained_on_synthetic_images_says_so_at_the_top(make, tmp_path):
    words = text(pdf.pdf(make(model=replace(make().model, synthetic=True))), tmp_path)
    assert words.index("Model trained on synthetic images") < words.index("phantom.dcm")


@needs_poppler
def test_an_empty_map_is_told_from_an_error(make, tmp_path, spot):
    result = make(maps=np.stack([spot(0.5, 0.5), np.zeros((33, 33), np.float32)]))
    assert text(pdf.pdf(result), tmp_path).count("no evidence for this class") == 1


@needs_poppler
def test_hostile_text_is_text(make, hostile, tmp_path):
    words = text(pdf.pdf(make(**hostile)), tmp_path)
    assert '<b>&"x"\'</para>' in words
    assert words.count("<script>alert('ñ')</script> &") == 6
    assert '"><img src=x>' in words


@needs_poppler
def test_a_long_note_is_whole_and_each_page_has_head_and_foot(make, tmp_path):
    note = " ".join(f"word{number}" for number in range(240))[:2000]
    data = pdf.pdf(make(note=note, checks=(Check("note", "A check. " * 60),) * 6))
    words = text(data, tmp_path)
    assert pages(data) >= 2
    for number in range(240):
        assert f"word{number}" in words
    assert words.count("Research use only · not a medical device") == pages(data)
    assert words.count("weights 0123456789ab") == pages(data)
    assert f"Page {pages(data)} of {pages(data)}" in words


@needs_poppler
def test_no_line_leaves_the_paper(make, hostile, tmp_path):
    """By the boxes of words that poppler finds: A4 is 595 points wide."""
    (tmp_path / "report.pdf").write_bytes(pdf.pdf(make(**hostile)))
    command = ["pdftotext", "-bbox", str(tmp_path / "report.pdf"), str(tmp_path / "boxes")]
    subprocess.run(command, check=True, capture_output=True)
    boxes = (tmp_path / "boxes").read_text(encoding="utf-8")
    ends = [float(end) for end in re.findall(r'xMax="([\d.]+)"', boxes)]
    assert len(ends) > 100
    assert max(ends) < 595.3 - 45


@pytest.mark.parametrize("shape", [(480, 400), (900, 300), (300, 900), (900, 12), (12, 900)])
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_film_of_any_shape_fits_on_a_page(make, shape, language, phantom):
    assert pages(pdf.pdf(make(picture=phantom(*shape), language=language))) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"note": "\n" * 2000},
        {"note": "a\n" * 1000},
        {"note": "ñ" * 2000},
        {"note": "🫁 漢字 &amp; <i>"},
        {"name": "", "user": "", "note": " "},
        {"checks": (Check("warning", "x" * 3000),) * 20},
        {"map_worth": "y" * 5000},
        {"classes": ("n" * 300, "p" * 300)},
    ],
)
def test_no_text_breaks_the_layout(make, changes):
    assert pdf.pdf(make(**changes)).startswith(b"%PDF-")


def test_all_letters_are_embedded(make):
    data = pdf.pdf(make())
    fonts = re.findall(rb"/BaseFont /([\w+-]+)", data)
    assert fonts
    assert all(b"DejaVuSans" in font for font in fonts)
    assert len(re.findall(rb"/FontFile2 ", data)) == len(set(fonts))


def test_language_title_and_date_are_in_the_file(make):
    data = pdf.pdf(spanish(make))
    assert b"/Lang (es)" in data
    assert b"/CreationDate (D:20261122202931+00'00')" in data
    title = "Informe de tórax_señora_ñandú.png".encode("utf-16-be")
    assert title in data or b"Informe de t\\363rax_se\\361ora" in data


def test_the_same_result_gives_the_same_bytes(make):
    assert pdf.pdf(make()) == pdf.pdf(make())
    assert pdf.pdf(make()) != pdf.pdf(make(made=dt.datetime(2026, 11, 23)))
