"""How far two runs agree: weights, predictions and metrics, number by number."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import RunError
from .requests import digest
from .run import RunDirectory

TOLERANCE = 1e-6  # of a probability and a metric; what is nearer is called equal
_TIMES = ("seconds", "images_per_s")  # columns of history.csv that no two runs share
_WORDS = {"predictions": "a prediction", "metrics": "a metric", "history": "an epoch's figures"}


def of(was: RunDirectory, now: RunDirectory) -> dict[str, Any]:
    """Compare a run with a finished one of the same spec and data.

    A file that the first lacks, since it was not published or the run was not finished, is not
    compared; of an unfinished run the epochs that it did are.

    Returns:
        `equal`, `verdict` in words, and of each thing that was compared whether it is `identical`
        and the `largest_difference` (None: not by numbers alone); `metrics` also has `values`,
        each with `metric`, `was`, `now`, `difference`.

    Raises:
        RunError: a file is damaged, or the first has nothing to compare with.
    """
    found = dict(_compared(was, now))
    if not found:
        raise RunError(f"{was.path} has neither weights nor an epoch to compare with.")
    return {**_judged(found), **found}


def _compared(was: RunDirectory, now: RunDirectory) -> Iterator[tuple[str, dict[str, Any]]]:
    if not was.is_finished:
        if (was / "history.csv").exists():
            yield "history", _history(_table(was / "history.csv"), _table(now / "history.csv"))
        return
    yield "weights", _weights(was, now)
    if (was / "predictions.csv").exists():
        tables = (_table(run / "predictions.csv") for run in (was, now))
        yield "predictions", _tables(*tables)
    yield "metrics", _metrics(was.read_json("metrics.json"), now.read_json("metrics.json"))


def _judged(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if all(one["identical"] for one in found.values()):
        return {"equal": True, "verdict": "identical" + _as_far_as(found)}
    told = {name: one for name, one in found.items() if name in _WORDS and not one["identical"]}
    words = ", ".join(f"of {_WORDS[name]} {_size(one)}" for name, one in told.items())
    worst = f"largest difference {words}" if told else "the weights alone differ"
    near = [one["largest_difference"] for one in told.values()]
    if all(one is not None and one <= TOLERANCE for one in near):
        return {"equal": True, "verdict": f"equal to {TOLERANCE:g}: {worst}" + _as_far_as(found)}
    return {"equal": False, "verdict": f"differs: {worst}" + _as_far_as(found)}


def _as_far_as(found: Mapping[str, Mapping[str, Any]]) -> str:
    return f" (in the {found['history']['rows']} epochs that it did)" if "history" in found else ""


def _size(one: Mapping[str, Any]) -> str:
    size, where = one["largest_difference"], one.get("largest_is")
    said = "not in numbers alone" if size is None else f"{size:.2g}"
    return f"{said} ({where})" if where else said


def _weights(was: RunDirectory, now: RunDirectory) -> dict[str, Any]:
    """By SHA-256, and by numbers where the first run still has them."""
    expected = was.read_json("manifest.json").get("weights_sha256")
    found = digest(now / "weights.safetensors")
    size: float | None = 0.0 if found == expected else None
    if size is None and (was / "weights.safetensors").exists():
        size = _largest_of_weights(was / "weights.safetensors", now / "weights.safetensors")
    same = found == expected
    return {"identical": same, "was": expected, "now": found, "largest_difference": size}


def _largest_of_weights(was: Path, now: Path) -> float | None:
    from safetensors.numpy import load_file

    first, second = load_file(was), load_file(now)
    if {name: array.shape for name, array in first.items()} != {
        name: array.shape for name, array in second.items()
    }:
        return None
    pairs = [(first[name].astype(float), second[name].astype(float)) for name in first]
    return max(float(np.abs(one - other).max(initial=0)) for one, other in pairs)


def _history(was: pd.DataFrame, now: pd.DataFrame) -> dict[str, Any]:
    """Of the epochs that both did."""
    both = min(len(was), len(now))
    kept = [table.drop(columns=[*_TIMES], errors="ignore").head(both) for table in (was, now)]
    return _tables(*kept)


def _tables(was: pd.DataFrame, now: pd.DataFrame) -> dict[str, Any]:
    """Cell by cell: as texts, and where these differ as numbers."""
    size: float | None = None
    if was.columns.equals(now.columns) and len(was) == len(now):
        other = (was != now).to_numpy()
        cells = zip(was.to_numpy()[other], now.to_numpy()[other], strict=True)
        size = _largest(cells)
    return {"identical": size == 0, "rows": len(was), "largest_difference": size}


def _largest(pairs: Any) -> float | None:
    """The largest difference of pairs of numbers; None if some are none."""
    try:
        sizes = [abs(float(one) - float(other)) for one, other in pairs]
    except (TypeError, ValueError):
        return None
    return max(sizes, default=0.0) if all(map(math.isfinite, sizes)) else None


def _metrics(was: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Every value of `metrics.json`; the estimates also by name."""
    first, second = dict(_leaves(was)), dict(_leaves(now))
    keys = {**first, **second}
    other = {key: (first.get(key), second.get(key)) for key in keys
             if first.get(key) != second.get(key)}  # fmt: skip
    size, worst = _largest(other.values()), None
    if other:
        worst = max(other, key=lambda key: _infinite_if_none(_largest([other[key]])))
    return {
        "identical": not other,
        "compared": len(keys),
        "largest_difference": size,
        "largest_is": worst,
        "values": [_pair(key, first[key], second.get(key)) for key in first
                   if key.endswith(".value")],
    }  # fmt: skip


def _infinite_if_none(size: float | None) -> float:
    return math.inf if size is None else size


def _pair(key: str, was: float | None, now: float | None) -> dict[str, Any]:
    difference = None if was is None or now is None else now - was
    return {"metric": key.removesuffix(".value"), "was": was, "now": now, "difference": difference}


def _leaves(values: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value below, by its dotted key."""
    if not isinstance(values, Mapping | list):
        yield key, values
        return
    items = values.items() if isinstance(values, Mapping) else enumerate(values)
    for name, value in items:
        yield from _leaves(value, f"{key}.{name}".strip("."))


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}.") from error
