"""The registry of datasets: names to factories, readable without reading any data.

A dataset enters in three ways: by a file in `datasets/`, by an entry point of the group
`radzoo.datasets` in another installed package, or by its address, `module:function`.
Importing this module and listing the names loads NumPy at most.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import DataError, UnknownName
from . import options as _options

if TYPE_CHECKING:
    import pandas as pd

PLUGINS = "radzoo.datasets"  # entry point group of third-party packages

_DATASETS: dict[str, "DatasetEntry"] = {}
_BROKEN: dict[str, str] = {}  # plug-ins that did not load, by the name of their entry point


@dataclass(frozen=True)
class Dataset:
    """Images, what is known of them, and how to read them. No pixels are held.

    Attributes:
        name: the registered name.
        classes: the names of the labels; the last is the positive one.
        table: one row an image, numbered from 0: `id` (unique), `label` (index into
            `classes`), `patient` (missing where unknown), and where known `view`, `age`
            (years), `sex`, `site`, `study_date`, `split`, and `box_x0 box_y0 box_x1 box_y1`
            (edges in source pixels). Missing is missing, never 0.
        read: row number -> float32 (rows, columns) in [0, 1], bone white. Several threads
            may call it at once.
        content: SHA-256 of what decides the images and the table, and their order.
        levels: 256 if the pixels are whole 255ths, 65536 if 16 bits hold them well enough,
            None if only floats do.
        synthetic: whether the images were drawn by a program.
        source, licence: filled in from the registration where empty.
        notes: sentences that a report must carry, such as how many rows were left out.
        masks: row number -> bool (rows, columns), True on the lesion, or None if that image's is
            not known; None if none is known.
        image_digests: by row, the SHA-256 of what decides the image that `read` gives, such as
            of its file; empty if there is none. Datasets that share images share their arrays.
        findings: columns of `table` that hold 1, 0, or missing where nobody knows: an image may
            have any number of them.

    Raises:
        DataError: the table lacks a column, names an image twice, or leaves a class empty; or a
            finding is anything but 1, 0 or missing.
    """

    name: str
    classes: tuple[str, ...]
    table: "pd.DataFrame"
    read: Callable[[int], np.ndarray]
    content: str
    levels: int | None = None
    synthetic: bool = False
    source: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()
    masks: Callable[[int], np.ndarray | None] | None = None
    image_digests: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = list(_faults(self))
        if problems:
            raise DataError(f"Dataset {self.name!r} cannot be used: " + "; ".join(problems) + ".")


def _faults(dataset: Dataset) -> Any:
    """Yield what is wrong with the table of `dataset`."""
    missing = [name for name in ("id", "label", "patient") if name not in dataset.table]
    if missing:
        yield f"its table has no column {' and no column '.join(missing)}"
        return
    if not dataset.table["id"].is_unique:
        yield f"its table has two rows with id {dataset.table['id'].mode().iloc[0]!r}"
    if list(dataset.table.index) != list(range(len(dataset.table))):
        yield "the rows of its table are not numbered 0, 1, 2, ..."
    if len(dataset.image_digests) not in (0, len(dataset.table)):
        yield f"it has {len(dataset.image_digests)} image digests for {len(dataset.table)} rows"
    counts = dataset.table["label"].value_counts()
    strange = set(counts.index) - set(range(len(dataset.classes)))
    if strange:
        yield f"its labels {sorted(map(str, strange))} are no index into {dataset.classes}"
    for index, name in enumerate(dataset.classes):
        if index not in counts:
            yield f"no image has the class {name!r}"
    yield from _finding_faults(dataset)


def _finding_faults(dataset: Dataset) -> Any:
    for name in dataset.findings:
        if name not in dataset.table:
            yield f"its table has no column {name!r}, which it names as a finding"
        elif not dataset.table[name].dropna().isin((0, 1)).all():
            yield f"its finding {name!r} has values other than 0, 1 and missing"


@dataclass(frozen=True)
class DatasetEntry:
    """What is known of a dataset before any data is read."""

    name: str
    factory: Callable[..., Dataset]
    source: str
    licence: str
    synthetic: bool
    summary: str  # first line of the factory's docstring
    checks: Callable[..., Iterable["Check"]] | None = None  # takes the factory's options


class Check(NamedTuple):
    """Something that is known of a dataset's files, and what was found: a count, or a hash."""

    what: str
    expected: int | str
    found: int | str


def dataset(
    *,
    source: str,
    licence: str,
    synthetic: bool = False,
    checks: Callable[..., Iterable[Check]] | None = None,
) -> Callable[[Callable[..., Dataset]], Callable[..., Dataset]]:
    """Register the decorated function, whose name becomes the dataset's name.

    Args:
        source: where the images come from, as a report would cite it.
        licence: the terms of the images, or where to find them.
        synthetic: whether a program drew the images.
        checks: takes the function's options by name, and compares the files with what is known
            of them; `data prepare` tells it.

    Raises:
        ValueError: another module has registered that name.
    """

    def register(factory: Callable[..., Dataset]) -> Callable[..., Dataset]:
        name = factory.__name__
        if name in _DATASETS and _DATASETS[name].factory.__module__ != factory.__module__:
            raise ValueError(
                f"Dataset {name!r} is registered twice: by "
                f"{_DATASETS[name].factory.__module__} and by {factory.__module__}."
            )
        summary = (factory.__doc__ or "").strip().partition("\n")[0]
        _DATASETS[name] = DatasetEntry(name, factory, source, licence, synthetic, summary, checks)
        return factory

    return register


def names() -> list[str]:
    """Every registered name, sorted."""
    _discover()
    return sorted(_DATASETS)


def broken() -> dict[str, str]:
    """Why each plug-in that could not be loaded could not, by its entry point's name."""
    _discover()
    return dict(_BROKEN)


def get(name: str) -> DatasetEntry:
    """Look up a dataset by its registered name or by its address `module:function`.

    Raises:
        UnknownName: no dataset has that name; plug-ins that did not load are told.
        DataError: the address leads to nothing, or to a function without `@dataset`.
        ValueError: a plug-in claims a name that is taken.
    """
    if ":" in name:
        return _at(name)
    _discover()
    if name not in _DATASETS:
        also = "".join(f" The plug-in {plugin!r} did not load: {why}." for plugin, why in _told())
        raise UnknownName("dataset", name, _DATASETS, also.strip())
    if name in _BROKEN:
        raise ValueError(f"The plug-in {name!r} did not load: {_BROKEN[name]}.")
    return _DATASETS[name]


def load(name: str, **options: Any) -> Dataset:
    """Read the table of a dataset, and make ready to read its images.

    Raises:
        UnknownName: no dataset has that name.
        DataError: an option is unknown or missing, or the data cannot be used.
    """
    entry = get(name)
    loaded = entry.factory(**_options.resolve("dataset", name, entry.factory, options))
    return replace(
        loaded,
        synthetic=entry.synthetic,
        source=loaded.source or entry.source,
        licence=loaded.licence or entry.licence,
    )


def _told() -> list[tuple[str, str]]:
    return sorted(_BROKEN.items())


def _at(address: str) -> DatasetEntry:
    module, _, function = address.partition(":")
    try:
        factory = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise DataError(
            f"The dataset {address!r} cannot be imported: {error}. Expected module:function, "
            "with the module's folder on PYTHONPATH."
        ) from error
    for entry in _DATASETS.values():
        if entry.factory is factory:
            return entry
    raise DataError(
        f"{address!r} is not a dataset: decorate it with "
        "@radzoo.preprocessing.dataset(source=..., licence=...)."
    )


@cache
def _discover() -> None:
    """Import our own datasets, then those of installed plug-ins."""
    package = importlib.import_module(".datasets", __package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    for plugin in entry_points(group=PLUGINS):
        _load(plugin)


def _load(plugin: EntryPoint) -> None:
    try:
        plugin.load()
    except Exception as error:  # noqa: BLE001 - whatever is wrong in one must not stop the others
        _BROKEN[plugin.name] = f"{type(error).__name__}: {error}"
