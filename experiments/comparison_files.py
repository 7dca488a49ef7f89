"""A comparison's table as files: CSV for programs, Markdown and LaTeX for papers."""

import re
from typing import Any

import pandas as pd

from ..evaluation.replicates import COUNTS, METRICS
from .compare import Comparison, Row
from .comparison_tables import Cell, main
from .comparison_words import notes, reported, verdict

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


def frame(comparison: Comparison) -> pd.DataFrame:
    """A row a configuration and metric, with all that is known of the number."""
    return pd.DataFrame(
        [
            {**_about(row, comparison), **_number(row, name), **_apart(row, name)}
            for row in comparison.rows
            for name in (*METRICS, *COUNTS)
        ]
    )


def marked(data: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """Data for a file, with what must not be parted from them in columns of their own."""
    return data.assign(
        dataset=comparison.first.metrics["dataset"],
        synthetic=comparison.synthetic,
        use="Research use only",
    )


def markdown(comparison: Comparison) -> str:
    """The table with the sentences under it."""
    table = main(comparison)
    lines = [table.head, ["---"] * len(table.head)]
    body = [[_markdown(cell) for cell in row] for row in table.rows]
    rows = ["| " + " | ".join(row) + " |" for row in (map(_piped, lines[0]), lines[1], *body)]
    said = [verdict(comparison), *notes(comparison)]
    return "\n".join([f"## {comparison.title}", "", *rows, "", *(f"{one}\n" for one in said)])


def latex(comparison: Comparison) -> str:
    r"""A `table` for LaTeX with `\usepackage{booktabs}`: each interval under its number."""
    table, said = main(comparison), [verdict(comparison), *notes(comparison)]
    columns = "l" + "c" * (len(table.head) - 1)
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{{_escaped(comparison.title)}}}",
            r"\footnotesize",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _latex_row([_escaped(head) for head in table.head]),
            r"\midrule",
            *(_latex_row([_latex(cell) for cell in row]) for row in table.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\par\smallskip",
            *(_escaped(one) for one in said),
            r"\end{table}",
            "",
        ]
    )


def _about(row: Row, comparison: Comparison) -> dict[str, Any]:
    spec = {f"setting: {key}": value for key, value in row.candidate.settings.items()}
    return {
        "configuration": row.name,
        **spec,
        "reference": row.name == comparison.reference,
        "wall_time_s": row.wall_time_s,
        "threshold": comparison.threshold.name,
        "runs": " ".join(run.name for run in row.candidate.runs),
    }


def _number(row: Row, name: str) -> dict[str, Any]:
    found = row.metrics[name]
    figures = reported(row)
    return {
        "metric": name,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "interval": found.method,
        "note": found.note,
        "seed_sd": found.seed_sd,
        "seeds": found.seeds,
        "images": found.images,
        "patients": found.patients,
        "positives": found.positives,
        "reported": figures.get(name),
        "reported_by": row.reported.get("source", "") if name in figures else "",
    }


def _apart(row: Row, name: str) -> dict[str, Any]:
    found = row.differences.get(name)
    return {
        "difference": found and found.value,
        "difference_low": found and found.low,
        "difference_high": found and found.high,
        "difference_interval": found.method if found else "",
        "p": found and found.p_value,
        "p_holm": row.corrected.get(name),
        "test": found.test if found else "",
        "difference_note": found.note if found else "",
    }


def _markdown(cell: Cell) -> str:
    text = f"**{cell.text}**" if cell.bold else cell.text
    return _piped(f"{text} {cell.detail}".strip())


def _piped(text: str) -> str:
    return text.replace("|", r"\|")


def _latex(cell: Cell) -> str:
    text = _escaped(cell.text)
    text = rf"\textbf{{{text}}}" if cell.bold else text
    return rf"\shortstack{{{text}\\{_escaped(cell.detail)}}}" if cell.detail else text


def _latex_row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _escaped(text: str) -> str:
    return re.sub(r"[\\&%$#_{}~^<>]", lambda found: _LATEX[found.group()], text)
