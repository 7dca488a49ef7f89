"""From predictions to evidence: metrics with intervals, operating points, curves, subgroups.

Nothing here trains anything or knows a backend; the same arithmetic measures them all.

>>> from radzoo import evaluation
>>> predictions = evaluation.Predictions(
...     labels=[0, 0, 1, 1, 0, 1],
...     probabilities=[0.1, 0.4, 0.35, 0.8, 0.2, 0.9],
...     patients=["a", "b", "c", "d", "e", "f"],
... )
>>> metrics = evaluation.measure(predictions, threshold=0.3, resamples=200)
>>> metrics["false_negatives"].value
0
>>> print(metrics["sensitivity"], "-", metrics["sensitivity"].method)
1.000 (0.439 to 1.000) - Wilson score, 3 patients as trials
>>> point = evaluation.target_sensitivity(predictions, 0.95)
>>> point.threshold
0.35
"""

from .calibration import Bin, Reliability, reliability
from .comparison import Difference, difference, holm
from .curves import (
    PrecisionRecallCurve,
    RocCurve,
    mean_precision_recall_curve,
    mean_roc_curve,
    precision_recall_curve,
    roc_curve,
)
from .decision import DecisionCurve, decision_curve
from .estimate import Estimate
from .extremes import Extreme, Extremes, extremes
from .intervals import Bootstrap
from .metrics import NAMES, at_threshold, measure
from .operating_points import (
    OperatingPoint,
    fixed,
    max_youden,
    minimal_cost,
    target_sensitivity,
    target_specificity,
)
from .predictions import Predictions
from .recalibration import intercept, slope
from .replicates import Configuration, Measured, Replicated, measure_replicates
from .risk_coverage import RiskCoverageCurve, area_under_risk, risk_coverage
from .several import Findings, Together, mean_roc_auc, together
from .subgroups import Subgroup, age_bands, measure_groups
from .summary import Options, Subject, summarise
from .temperature import Temperature, fit_temperature, scaled
from .trade_off import Errors, TradeOff, error_counts

__all__ = [
    "NAMES",
    "Bin",
    "Bootstrap",
    "Configuration",
    "DecisionCurve",
    "Difference",
    "Errors",
    "Estimate",
    "Extreme",
    "Extremes",
    "Findings",
    "Measured",
    "OperatingPoint",
    "Options",
    "PrecisionRecallCurve",
    "Predictions",
    "Reliability",
    "Replicated",
    "RiskCoverageCurve",
    "RocCurve",
    "Subgroup",
    "Subject",
    "Temperature",
    "Together",
    "TradeOff",
    "age_bands",
    "area_under_risk",
    "at_threshold",
    "decision_curve",
    "difference",
    "error_counts",
    "extremes",
    "fit_temperature",
    "fixed",
    "holm",
    "intercept",
    "max_youden",
    "mean_precision_recall_curve",
    "mean_roc_auc",
    "mean_roc_curve",
    "measure",
    "measure_groups",
    "measure_replicates",
    "minimal_cost",
    "precision_recall_curve",
    "reliability",
    "risk_coverage",
    "roc_curve",
    "scaled",
    "slope",
    "summarise",
    "target_sensitivity",
    "target_specificity",
    "together",
]
