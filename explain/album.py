"""Explanations of chosen images, drawn, kept and put on one page."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, RunError, UnknownName, UserError
from ..experiments import finished, trust
from ..experiments.finished import Finished
from . import page, pictures
from .evidence import Explanation
from .explainer import Explainer, Prepared
from .page import Group
from .registry import Method
from .subjects import of_test

Tell = Callable[[Path], None]


@dataclass(frozen=True)
class Asked:
    """How to explain and draw.

    Attributes:
        method: the heatmap method.
        labels: the numbers of the classes to draw.
        opacity: of the strongest evidence, in (0, 1].
        out: the folder to write to.
    """

    method: Method
    labels: Sequence[int]
    opacity: float
    out: Path


def check_opacity(opacity: float) -> float:
    """See that it is one.

    Raises:
        UserError: it is not.
    """
    if not 0 < opacity <= 1:
        raise UserError(f"--opacity must be above 0 and at most 1; got {opacity}.")
    return opacity


def read(prepared: Prepared, files: Sequence[Path]) -> NDArray[np.float32]:
    """Read image files: PNG, JPEG or DICOM, (n, rows, columns, channels).

    Raises:
        DataError: a file cannot be read or does not fit the model; all such files are told.
    """
    images, wrong = [], []
    for file in files:
        try:
            images.append(prepared.read(file))
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        raise DataError("\n".join(wrong))
    return np.stack(images)


def of_files(
    explainer: Explainer,
    images: NDArray[np.float32],
    names: Sequence[str],
    asked: Asked,
    tell: Tell,
) -> Path:
    """Explain images that were read.

    Args:
        explainer: of a run.
        images: as `read` gives them.
        names: of the images.
        asked: how.
        tell: called with each picture that was written.

    Returns:
        The page.

    Raises:
        RunError: the folder cannot be written.
    """
    found = explainer.explain(images, names, asked.method)
    shown = _drawn(found, asked, "", tell)
    return _page(explainer, [Group("Images", "", shown)], asked, synthetic=False)


def of_extremes(explainer: Explainer, count: int, asked: Asked, tell: Tell) -> Path:
    """Explain the test images of the run that it finds least and most probable.

    Args:
        explainer: of a run whose dataset is still there.
        count: how many of each.
        asked, tell: as for `of_files`.

    Raises:
        DataError: the dataset cannot be read, or is another one now.
        UserError: of several findings, not one is asked for.
    """
    run = _measured(explainer.prepared, asked.labels)
    classes, table = run.metrics["classes"], run.table
    positive = classes[-1]
    order = table[table["split"] == "test"].sort_values("probability", kind="stable")
    count = min(count, len(order) // 2)
    note = "SYNTHETIC image" * bool(run.manifest["data"]["synthetic"])
    subjects = of_test(explainer.prepared)
    places = {name: place for place, name in enumerate(subjects.ids)}
    groups = []
    for words, rows in ("lowest", order[:count]), ("highest", order[::-1][:count]):
        images = subjects.images[[places[name] for name in rows["id"]]]
        found = explainer.explain(images, rows["id"].tolist(), asked.method)
        told = (replace(one, truth=label) for one, label in zip(found, rows["label"], strict=True))
        shown = _drawn(told, asked, note, tell, f"{words}-")
        right = int((rows["label"] == classes[-1 if words == "highest" else 0]).sum())
        text = f"{right} of {len(rows)} are {positive if words == 'highest' else 'not ' + positive}"
        groups.append(Group(f"The {len(rows)} {words} probabilities of {positive}", text, shown))
    return _page(explainer, groups, asked, synthetic=bool(note))


def _measured(prepared: Prepared, labels: Sequence[int]) -> Finished:
    """The run; or of several findings the one that is asked for.

    Raises:
        UserError: not one is asked for, or it was not measured.
    """
    run = prepared.run
    if not run.several:
        return run
    name = prepared.classes[labels[0]]
    folder = run.metrics["findings"][name].get("folder")
    if len(labels) > 1 or folder is None:
        measured = [one for one, found in run.metrics["findings"].items() if "folder" in found]
        raise UserError(
            "The extremes are those of one finding; name one that was measured on test images: "
            f"--class, of {', '.join(measured)}."
        )
    return finished.whole(trust.inside(run.folder, folder))


def chosen(classes: Sequence[str], label: str) -> list[int]:
    """The numbers of the classes that `--class` asks for.

    Raises:
        UnknownName: there is no such class.
    """
    if label in ("both", "all"):
        return list(range(len(classes)))
    if label in classes:
        return [list(classes).index(label)]
    if label.isdigit() and int(label) < len(classes):
        return [int(label)]
    raise UnknownName("class", label, ["both", "all", *map(str, range(len(classes))), *classes])


def _drawn(
    found: Iterable[Explanation],
    asked: Asked,
    note: str,
    tell: Tell,
    prefix: str = "",
) -> list[tuple[Explanation, str]]:
    shown: list[tuple[Explanation, str]] = []
    for number, one in enumerate(found, start=1):
        name = f"{prefix}{number:03d}-" + re.sub(r"[^\w.-]+", "-", Path(one.name).stem)[:60]
        try:
            picture, _ = pictures.draw(one, asked.labels, asked.out, name, asked.opacity, note)
            pictures.keep(one, asked.out / f"{name}.npz")
        except OSError as error:
            raise RunError(f"{asked.out} cannot be written: {error.strerror}.") from error
        shown.append((one, name))
        tell(picture)
    return shown


def _page(explainer: Explainer, groups: Sequence[Group], asked: Asked, synthetic: bool) -> Path:
    run, network = explainer.prepared.run, explainer.network
    about = (
        f"Run {run.folder.resolve().name}; {asked.method.name} by {network.worker.backend.name}. "
        "The layer and its grid stand under each picture."
    )
    return page.write(asked.out, run.manifest["title"], about, groups, synthetic)
