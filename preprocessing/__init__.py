"""From files to arrays: datasets, readers, splits, steps, and the array store.

>>> from radzoo import preprocessing
>>> nodules = preprocessing.load("phantom_nodules", images=40)
>>> nodules.classes
('benign', 'malignant')
>>> shrink = preprocessing.Pipeline([("resize", {"rows": 32, "columns": 32})])
>>> shrink(nodules.read(0)).shape
(32, 32)
>>> sides = preprocessing.splits.split(nodules.table, {"train": 0.75, "test": 0.25}, seed=1)
>>> sorted(set(sides.tolist()))
['test', 'train']
"""

from . import overview, paths, readers, splits, steps, store
from .pipeline import Pipeline
from .registry import Dataset, DatasetEntry, broken, dataset, get, load, names
from .store import Store

__all__ = [
    "Dataset",
    "DatasetEntry",
    "Pipeline",
    "Store",
    "broken",
    "dataset",
    "get",
    "load",
    "names",
    "overview",
    "paths",
    "readers",
    "splits",
    "steps",
    "store",
]
