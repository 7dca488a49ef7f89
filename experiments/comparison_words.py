"""A comparison in sentences: the verdict, and what a reader must know to read its table."""

from collections.abc import Iterator, Sequence

from ..evaluation import Difference
from .compare import Comparison, Row
from .report_tables import LABELS

USE = "Research use only. Not a medical device; not validated for clinical use."
SHOWN = ("roc_auc", "sensitivity", "specificity", "accuracy")
_ALIASES = {"recall": "sensitivity", "auc": "roc_auc", "precision": "ppv"}


def verdict(comparison: Comparison) -> str:
    """Which configuration is ahead and by how much, or that this is not decisive."""
    ranked = comparison.ranking
    if ranked is None:
        return "There is nothing to rank: fewer than two configurations have a figure."
    best, second, apart = ranked
    name, interval = label(comparison.metric), _interval(apart, comparison)
    if not apart.excludes_zero:
        return (
            f"The ranking is not decisive. '{best.name}' and '{second.name}' differ by "
            f"{signed(apart.value)} in {name} ({interval})."
        )
    return (
        f"'{best.name}' is ahead of '{second.name}' by {abs(apart.value or 0):.3f} in {name} "
        f"({interval}). Both were picked by these very figures, which flatters the first a little."
    )


def notes(comparison: Comparison) -> list[str]:
    """What a reader must know to read the table, a sentence or two each."""
    return [
        images(comparison),
        _means(comparison),
        *(_about_differences(comparison) if len(comparison.rows) > 1 else ()),
        threshold(comparison),
        *_uneven(comparison),
        *_remarks(comparison),
        *_about_reports(comparison),
        *_about_left_out(comparison),
        USE,
    ]


def images(comparison: Comparison) -> str:
    """Of what the test side consists."""
    first = comparison.rows[0].metrics["roc_auc"]
    known = comparison.patients_known
    people = f"{first.patients:,} patients" if known else "patients unknown"
    made = "SYNTHETIC images, made by a program: " if comparison.synthetic else ""
    metrics = comparison.first.metrics
    return (
        f"Test side of {metrics['dataset']}: {made}{first.images:,} images, {people}, "
        f"{first.positives:,} '{metrics['positive_class']}'."
    )


def threshold(comparison: Comparison) -> str:
    """Where positives begin, and how that was set."""
    point = comparison.threshold
    low, high = min(point.values), max(point.values)
    if point.chosen_on == "beforehand":
        return f"A probability of {low:g} or more is called positive; this was set beforehand."
    span = f"{low:.3f}" if low == high else f"{low:.3f} to {high:.3f}"
    return (
        f"Operating point '{point.name}', chosen on the {point.chosen_on} images of each run: "
        f"a probability of {span} or more is called positive."
    )


def label(metric: str) -> str:
    """What people call a metric."""
    return LABELS.get(metric, metric)


def signed(value: float | None) -> str:
    """A difference with its sign; 0.000 has none."""
    if value is None:
        return "unknown"
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text


def reported(row: Row) -> dict[str, float]:
    """The figures that a paper gives, by our names of metrics."""
    return {
        _ALIASES.get(key, key): value
        for key, value in row.reported.items()
        if isinstance(value, int | float)
    }


def _interval(apart: Difference, comparison: Comparison) -> str:
    if apart.method == "identical predictions":
        return apart.method
    if apart.low is None:
        return apart.note or "no interval"
    percent = f"{100 * comparison.bootstrap.confidence:g} %"
    return f"paired {percent} interval {signed(apart.low)} to {signed(apart.high)}"


def _means(comparison: Comparison) -> str:
    how = comparison.bootstrap
    said = (
        f"Each value with its {100 * how.confidence:g} % interval over resampled patients "
        f"({how.resamples:,} resamples, the same for all configurations)."
    )
    if max(len(row.candidate.runs) for row in comparison.rows) > 1:
        said += " Values are means over seeds; the standard deviation between seeds stands beside."
    return said


def _about_differences(comparison: Comparison) -> Iterator[str]:
    yield (
        f"Differences are to the reference, '{comparison.reference}': the first configuration, or "
        "the one asked for, never chosen by test figures. A difference is bold only where its "
        "paired interval excludes zero."
    )
    yield _tests(comparison)


def _tests(comparison: Comparison) -> str:
    found = [row.differences[comparison.metric] for row in comparison.rows if row.differences]
    tests = dict.fromkeys(one.test for one in found if one.test != "none")
    count = sum(one.p_value is not None for one in found)
    if not count:
        return "There is no p value: no established test fits; the paired intervals speak."
    what = f"{count} comparison{'s' * (count != 1)}"
    return f"p values: {' or '.join(tests)}, two-sided, corrected by Holm over {what}."


def _uneven(comparison: Comparison) -> Iterator[str]:
    counts = {len(row.candidate.runs) for row in comparison.rows}
    if len(counts) > 1:
        yield "The configurations have different numbers of seeds."


def _remarks(comparison: Comparison) -> Iterator[str]:
    """The remarks on single numbers of the table, each with the configurations it is about."""
    about: dict[str, list[str]] = {}
    for row in comparison.rows:
        for name in dict.fromkeys((*SHOWN, comparison.metric)):
            if row.metrics[name].note:
                about.setdefault(f"{label(name)}: {row.metrics[name].note}", []).append(row.name)
        apart = row.differences.get(comparison.metric)
        if apart and apart.note:
            about.setdefault(f"Difference: {apart.note}", []).append(row.name)
    for remark, names in about.items():
        yield f"{remark} ({_list(names)})."


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _about_reports(comparison: Comparison) -> Iterator[str]:
    if any(reported(row) for row in comparison.rows):
        yield (
            "Reported figures were measured by others, on other images or another split; a "
            "difference says as much about the images as about the model."
        )


def _about_left_out(comparison: Comparison) -> Iterator[str]:
    if comparison.left_out:
        said = "; ".join(f"{one.name} ({one.state})" for one in comparison.left_out)
        yield f"Left out: {said}."
