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

from .curves import PrecisionRecallCurve, RocCurve, precision_recall_curve, roc_curve
from .estimate import Estimate
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
from .subgroups import Subgroup, age_bands, measure_groups
from .summary import Options, Subject, summarise

__all__ = [
    "NAMES",
    "Bootstrap",
    "Estimate",
    "OperatingPoint",
    "Options",
    "PrecisionRecallCurve",
    "Predictions",
    "RocCurve",
    "Subgroup",
    "Subject",
    "age_bands",
    "at_threshold",
    "fixed",
    "max_youden",
    "measure",
    "measure_groups",
    "minimal_cost",
    "precision_recall_curve",
    "roc_curve",
    "summarise",
    "target_sensitivity",
    "target_specificity",
]
