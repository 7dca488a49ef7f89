"""Preprocessing and predicting: the same for the images of a run and for those of others."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..backends import Worker
from ..errors import RunError
from ..preprocessing import Dataset, Pipeline, Store, store

Listener = Callable[[dict[str, Any]], None]


def preprocess(dataset: Dataset, steps: Sequence[Mapping[str, Any]], tell: Listener) -> Store:
    """Make the array of a dataset, or find it made.

    Args:
        dataset: whose images are read.
        steps: of a spec: `name`, and the options beside it.
        tell: takes events "store" with images done.

    Raises:
        DataError: an image cannot be read, or images differ in size after the steps.
        RunError: the cache folder cannot be written.
    """

    def progress(done: int, of: int) -> None:
        tell({"event": "store", "images": done, "of": of})

    return store.build(dataset, pipeline(steps), store.cache_folder(), progress)


def pipeline(steps: Sequence[Mapping[str, Any]]) -> Pipeline:
    """The preprocessing of a spec as one callable; steps as for `preprocess`."""
    return Pipeline(
        (step["name"], {key: value for key, value in step.items() if key != "name"})
        for step in steps
    )


def predict(
    worker: Worker, model: dict[str, Any], weights: Path, images: Store, out: Path, batch_size: int
) -> np.ndarray:
    """Probabilities (images, classes) of a whole dataset, by the weights of a file.

    Args:
        worker: of any backend that can compute the model.
        model: as `requests.model` gives it.
        weights: `weights.safetensors` of a run.
        images: what the model sees.
        out: a file to write on the way.
        batch_size: images at a time.

    Raises:
        UnsupportedModel: the backend cannot compute it.
        RunError: the file cannot be written.
    """
    worker.ask(
        "predict",
        model=model,
        weights=str(weights),
        data={"images": str(images.path), "scale": images.scale},
        out=str(out),
        batch_size=batch_size,
    )
    try:
        return np.load(out)
    except (ValueError, EOFError) as error:  # NumPy does not notice when a disk is full
        raise RunError(f"{out} is not whole: {error}. Is there space left on the disk?") from error
