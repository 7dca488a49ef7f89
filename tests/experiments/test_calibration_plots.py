"""The reliability plot of made-up predictions."""

import numpy as np
import pytest

from radzoo.evaluation import Bootstrap, Options, Predictions, Subject, summarise
from radzoo.experiments import plots
from radzoo.experiments.calibration_plots import reliability

CAPTION = plots.Caption("made up", "test", 60, 40, synthetic=True)


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """The text of the figure of some predictions, kept as text instead of paths."""
    monkeypatch.setitem(plots.STYLE, "svg.fonttype", "none")

    def drawn(test, validation):
        splits = {"test": test} | ({} if validation is None else {"validation": validation})
        options = Options(bootstrap=Bootstrap(50))
        summary = summarise(splits, Subject("made up", ("well", "ill")), options)
        paths = reliability(summary["calibration"], test, tmp_path, CAPTION)
        assert [path.name for path in paths] == ["reliability.png", "reliability.svg"]
        return paths[1].read_text(), summary["calibration"]

    return drawn


def made(seed):
    random = np.random.default_rng(seed)
    labels = np.arange(60) % 2
    return Predictions(labels, np.clip(random.normal(0.35 + 0.3 * labels, 0.2), 0, 1), range(60))


def test_it_says_bins_errors_and_temperature_of_both(drawn):
    text, found = drawn(made(0), made(1))
    for side in ("raw", "scaled"):
        for name, label in (("ece", "ECE"), ("brier", "Brier")):
            assert f"{label} {found[side]['metrics'][name]['value']:.3f} (" in text
    assert f"calibrated, temperature {found['temperature']['value']:.3g}" in text
    assert text.count("6 bins of 10 images, 95 % intervals") == 2
    for words in ("as promised", "Observed share", "(SYNTHETIC images)", "Research use only"):
        assert words in text


def test_without_validation_only_the_raw_probabilities_are_drawn(drawn):
    text, _ = drawn(made(0), None)
    assert "raw probability" in text
    assert "calibrated" not in text


def test_one_class_and_one_value_can_be_drawn(drawn):
    text, _ = drawn(Predictions([0] * 20, [1.0] * 20, range(20)), made(1))
    assert "1 bins of 20 images" in text
    assert "ECE 1.000 (no interval)" in text
