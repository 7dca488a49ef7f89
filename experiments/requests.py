"""What the runner asks of a worker and writes of a run, from its spec and its images."""

import hashlib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from .. import zoo
from ..errors import SpecError, UnknownName
from ..preprocessing import Store, splits
from . import source
from .data import SIDES, Cohort
from .plan import Plan
from .run import RunDirectory


def as_yaml(spec: dict[str, Any]) -> str:
    """A resolved spec as it can be run again."""
    return source.text_of(spec)


def split_rows(cohort: Cohort) -> list[dict[str, Any]]:
    """Salted hashes of images and patients with their side: comparable, but no names."""
    salt = cohort.dataset.content
    images = splits.salted(cohort.dataset.table["id"].astype(str).tolist(), salt)
    patients = splits.salted(cohort.patients.tolist(), salt)
    return [
        {"image": image, "patient": patient, "side": side}
        for image, patient, side in zip(images, patients, cohort.sides.tolist(), strict=True)
        if side
    ]


def data_facts(cohort: Cohort) -> dict[str, Any]:
    """What the manifest says of the dataset."""
    dataset = cohort.dataset
    return {
        "name": dataset.name,
        "content_sha256": dataset.content,
        "classes": list(cohort.classes),
        "images": len(dataset.table),
        "patients": len(np.unique(cohort.patients)),
        "synthetic": dataset.synthetic,
        "source": dataset.source,
        "licence": dataset.licence,
        "notes": list(cohort.notes),
    }


def model(plan: Plan, cohort: Cohort, images: Store) -> dict[str, Any]:
    """The model of a request.

    Raises:
        SpecError: the images have another shape than the architecture takes.
    """
    section = plan.spec.model
    wanted, given = tuple(section.options["input_shape"]), tuple(images.shape[1:])
    if wanted != given:
        raise SpecError(
            f"{plan.place('model', 'architecture')}: {section.architecture} takes images of "
            f"{_size(wanted)}, and the preprocessing gives {_size(given)}. Add `- {{name: resize, "
            f"rows: {wanted[0]}, columns: {wanted[1]}}}` to preprocessing, or set "
            f"model.options.input_shape: {list(given)}."
        )
    return {
        "architecture": section.architecture,
        "options": section.options,
        "classes": len(cohort.classes),
        **({"several": True} if cohort.findings else {}),
    }


def labels(cohort: Cohort) -> np.ndarray:
    """What the worker is to learn: (images,) class indices, or 1, 0, -1 (images, findings)."""
    if not cohort.findings:
        return cohort.labels
    return np.nan_to_num(cohort.truth, nan=-1).astype("int8")


def training(plan: Plan, cohort: Cohort, run: RunDirectory) -> dict[str, Any]:
    """The plan of a `train` request; see backends/worker/training.py.

    Raises:
        SpecError: a phase freezes up to a layer that the model does not have.
    """
    section = plan.spec.training
    layers = [layer["name"] for layer in run.read_json("graph.json")["layers"]]
    augmentation = plan.spec.augmentation
    stopping, plateau = section.early_stopping, section.reduce_on_plateau
    return {
        "folder": str(run.path),
        "seed": plan.seed,
        "rows": {side: cohort.rows(side).tolist() for side in SIDES if side != "test"},
        "phases": _phases(plan, layers),
        "batch_size": section.batch_size,
        "class_weight": class_weight(plan, cohort),
        "augmentation": augmentation and augmentation.model_dump(),
        "loss": section.loss,
        "monitor": section.monitor,
        "restore_best": section.restore_best,
        "early_stopping": stopping and stopping.model_dump(),
        "reduce_on_plateau": plateau and plateau.model_dump(),
        "jit_compile": section.jit_compile,
        "precision": section.precision,
    }


def class_weight(plan: Plan, cohort: Cohort) -> list[float] | list[list[float]] | None:
    """One factor a class; `balanced` gives every class the same total.

    Of findings, for each the factors of a negative and of a positive label: over the training
    images of which it is known, both have the same total.

    Raises:
        SpecError: the factors are not those of the dataset's classes.
    """
    asked, classes = plan.spec.training.class_weight, cohort.dataset.classes
    if asked is None:
        return None
    train = cohort.rows("train")
    if cohort.findings:
        truth = cohort.truth[train]
        return _balanced(np.stack([(truth == 0).sum(0), (truth == 1).sum(0)], axis=1))
    if asked == "balanced":
        counts = np.bincount(cohort.labels[train], minlength=len(classes))
        return (counts.sum() / (len(classes) * counts)).tolist()
    if set(asked) != set(classes):
        raise SpecError(
            f"{plan.place('training', 'class_weight')}: names {', '.join(asked)}; the classes "
            f"are {', '.join(classes)}. Give a factor for each."
        )
    return [asked[name] for name in classes]


def _balanced(counts: np.ndarray) -> list[list[float]]:
    """n / (2 n_negative) and n / (2 n_positive) of each finding; 1 where one of them is 0."""
    total = counts.sum(axis=1, keepdims=True)
    both = (counts > 0).all(axis=1, keepdims=True)
    return np.divide(total, 2 * counts, out=np.ones(counts.shape), where=both).tolist()


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _phases(plan: Plan, layers: list[str]) -> list[dict[str, Any]]:
    section = plan.spec.training
    if not section.phases:
        return [_phase(section.epochs, None, section.optimizer)]
    phases = []
    for number, phase in enumerate(section.phases):
        layer = phase.frozen_until and _last_frozen(plan, number, layers)
        phases.append(_phase(phase.epochs, layer, phase.optimizer or section.optimizer))
    return phases


def _last_frozen(plan: Plan, number: int, layers: list[str]) -> str:
    """The layer that `frozen_until` of a phase means."""
    asked = plan.spec.training.phases[number].frozen_until or ""
    declared = zoo.get(plan.spec.model.architecture).blocks
    # An option may leave a block out; and the fake backend has no layers at all.
    blocks = {name: last for name, last in declared.items() if last in layers or not layers}
    if asked in blocks or asked in layers:
        return blocks.get(asked, asked)
    near = get_close_matches(asked, layers, n=3)  # all of some hundred are no help
    also = f"All {len(layers)} layers are in graph.json of the run directory." if layers else ""
    unknown = UnknownName("layer or block", asked, [*blocks, *near], also)
    raise SpecError(f"{plan.place('training', 'phases', number, 'frozen_until')}: {unknown}")


def _phase(epochs: int | None, layer: str | None, optimizer: dict[str, Any]) -> dict[str, Any]:
    return {"epochs": epochs, "frozen_until": layer, "optimizer": optimizer}


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
