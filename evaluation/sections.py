"""Parts of a summary that look at the test images alone, as plain values for JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .calibration import reliability
from .confusion import Confusion
from .decision import net_benefit
from .estimate import Estimate, Sample
from .extremes import extremes
from .intervals import Bootstrap
from .metrics import brier
from .predictions import Predictions
from .prevalence import at_prevalence
from .recalibration import intercept, slope
from .risk_coverage import area_under_risk
from .temperature import Temperature, fit_temperature, scaled


def plain(estimates: Mapping[str, Estimate]) -> dict[str, dict[str, Any]]:
    """Estimates as JSON holds them; `Estimate(**values)` is the way back."""
    return {name: estimate.as_dict() for name, estimate in estimates.items()}


def calibration(
    test: Predictions, validation: Predictions | None, bootstrap: Bootstrap
) -> dict[str, Any]:
    """How far the probabilities of the test images can be believed, raw and temperature-scaled.

    Returns:
        `temperature`, as `fit_temperature` gives it on `validation` (`value` None without such
        images), and `raw` and `scaled`: each with `bins` and its `metrics` ece, slope, intercept
        and brier. `scaled` is None where there is no temperature.
    """
    temperature = (
        Temperature(None, 0, 0, 0, "not estimable: there are no validation images")
        if validation is None
        else fit_temperature(validation)
    )
    value = temperature.value
    return {
        "temperature": asdict(temperature),
        "raw": _calibrated(test, bootstrap),
        "scaled": None if value is None else _calibrated(scaled(test, value), bootstrap),
    }


def _calibrated(predictions: Predictions, bootstrap: Bootstrap) -> dict[str, Any]:
    found = reliability(predictions, bootstrap)
    metrics = {
        "ece": found.ece,
        "slope": slope(predictions, bootstrap),
        "intercept": intercept(predictions, bootstrap),
        "brier": brier(Sample(predictions, bootstrap)),
    }
    return {"bins": [asdict(one) for one in found.bins], "metrics": plain(metrics)}


def surest(test: Predictions, threshold: float, bootstrap: Bootstrap) -> dict[str, Any]:
    """The extremes of the test images, and the area under their risk-coverage curve.

    Returns:
        `counts`: `count`, `lowest` and `highest` each; `too_many`: the counts that do not fit;
        `threshold` and `aurc`, of the calls at it.
    """
    ends = extremes(test, bootstrap)
    return {
        "counts": [asdict(end) for end in ends.found],
        "too_many": list(ends.too_many),
        "threshold": threshold,
        "aurc": area_under_risk(test, threshold, bootstrap).as_dict(),
    }


def use(
    sample: Sample, counted: Confusion, threshold: float, prevalence: float | None
) -> dict[str, Any]:
    """What an operating point is good for.

    Returns:
        `decision`: the net benefit of the `model` and of calling all, `treat_all`; and where a
        prevalence is stated `at_prevalence`: `ppv` and `npv`.
    """
    found = {"decision": asdict(net_benefit(sample, counted, threshold))}
    if prevalence is not None:
        found["at_prevalence"] = asdict(at_prevalence(sample, counted, prevalence))
    return found
