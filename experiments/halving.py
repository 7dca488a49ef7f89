"""Successive halving of a grid: every point begins, and of each round the better ones go on.

Source: Jamieson and Talwalkar, 'Non-stochastic best arm identification and hyperparameter
optimization', AISTATS 2016. A run that pauses keeps its last state, so nothing is trained twice,
and the winner's runs are those that the whole grid would have given. All points are judged at the
same epoch: how many runs go on at a time changes nothing.
"""

import csv
import json
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

from .executors import Event
from .plan import Plan, plans
from .spec import Spec, load
from .sweep import Ledger, Listener, Trial, connected, not_done, opened
from .trial import Request

Point = list[int]  # numbers of the runs that differ in their seed alone


def run(asked: Request, tell: Listener) -> list[Trial]:
    """Do the rounds of a spec's grid that are not done yet.

    Arguments, result and errors are those of `sweep.run`. Runs that did not go on are "pruned".
    `study.json` says what it cost: epochs `trained`, and those `of_the_grid`.
    """
    spec, _ = load(Path(asked.spec), asked.overrides, asked.quick)
    todo = plans(Path(asked.spec), asked.overrides, asked.quick)
    with opened(Path(asked.out) / todo[0].name, spec, tell) as ledger:
        for number, plan in enumerate(todo):
            ledger.add(Trial(number, plan.settings))
        left = set(not_done(ledger, todo, Path(asked.out)))
        ledger.write()
        halving = _Halving(spec, asked, ledger, left)
        going = _points(todo)
        for epochs in spec.rounds:
            told = {"points": len(going), "epochs": epochs, "trials": len(halving.waiting(going))}
            tell(None, {"event": "round", **told})
            halving.train(going, epochs)
            going = halving.better(going, epochs)
        ledger.about["epochs"] = halving.cost
        ledger.write()
    return ledger.in_order


def _points(todo: list[Plan]) -> list[Point]:
    found: dict[str, Point] = {}
    for number, plan in enumerate(todo):
        settings = {key: value for key, value in plan.settings.items() if key != "seed"}
        found.setdefault(json.dumps(settings, sort_keys=True), []).append(number)
    return list(found.values())


class _Halving:
    """Brings runs to an epoch, and tells which points do better.

    Args:
        left: numbers of the runs that were not finished before.
    """

    def __init__(self, spec: Spec, asked: Request, ledger: Ledger, left: set[int]) -> None:
        self._spec, self._asked, self._ledger, self._left = spec, asked, ledger, left
        self._figures: dict[int, dict[int, float]] = {n: {} for n in ledger.trials}
        for number in self._figures.keys() - left:
            self._take(number, _history(ledger.folder / ledger.trials[number].folder))

    @property
    def cost(self) -> dict[str, int]:
        """In epochs; a run that was stopped early would have cost the grid no more, either."""
        trained = {number: len(figures) for number, figures in self._figures.items()}
        whole = [trained[n] if n not in self._left else self._spec.epochs for n in trained]
        return {"trained": sum(trained.values()), "of_the_grid": sum(whole)}

    def waiting(self, points: list[Point]) -> set[int]:
        """The runs of points that are not at their end."""
        return {number for point in points for number in point} & self._left

    def train(self, points: list[Point], epochs: int) -> None:
        """Bring the runs of points to an epoch, or to their end where it is not beyond that."""
        until = epochs if epochs < self._spec.epochs else None
        going = self.waiting(points)
        if not going:
            return
        with connected(self._spec) as executor:
            for number in sorted(going):
                executor.submit(number, replace(self._asked, number=number, until=until))
            while going:
                number, event = executor.next()
                self._note(number, event)
                if self._ledger.note(number, event):
                    going.discard(number)

    def better(self, points: list[Point], epochs: int) -> list[Point]:
        """The best 1/factor of the points, in their order; of equal ones the first."""
        assert self._spec.halving is not None, "see `run`"
        keep = math.ceil(len(points) / self._spec.halving.factor)
        ranked = sorted(points, key=lambda point: -self._worth(point, epochs))
        return [point for point in points if point in ranked[:keep]]

    def _worth(self, point: Point, epochs: int) -> float:
        return mean(self._worth_of(number, epochs) for number in point)

    def _worth_of(self, number: int, epochs: int) -> float:
        """The best figure of a run up to an epoch, the greater the better."""
        if self._ledger.trials[number].state == "failed":
            return -math.inf
        sign = -1 if self._spec.training.monitor == "val_loss" else 1
        found = [sign * one for at, one in self._figures[number].items() if at <= epochs]
        return max(filter(math.isfinite, found), default=-math.inf)

    def _note(self, number: int, event: Event) -> None:
        if event["event"] == "epoch":
            self._take(number, [event])
        elif event["event"] == "resumed":
            self._take(number, event["history"])
        elif event["event"] in ("finished", "error") and event.get("kind") != "Pruned":
            self._left.discard(number)

    def _take(self, number: int, rows: Iterable[Any]) -> None:
        monitor = self._spec.training.monitor
        self._figures[number].update({int(row["epoch"]): float(row[monitor]) for row in rows})


def _history(folder: Path) -> list[dict[str, str]]:
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))
