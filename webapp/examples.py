"""Images for a first look at a model that learned from synthetic ones: some of its test images."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..experiments import data
from ..explain.explainer import Prepared

OF_EACH = 4  # class


def write(prepared: Prepared, folder: Path) -> None:
    """Write some test images of each class as PNG, in an order that tells nothing.

    Raises:
        DataError: the dataset cannot be read, or is another one now.
    """
    cohort = data.load(prepared.plan.spec.dataset)
    prepared.check_dataset(cohort.dataset)
    rows = cohort.rows("test")
    positive = cohort.positive[rows]
    chosen = np.concatenate([rows[positive == one][:OF_EACH] for one in np.unique(positive)])
    folder.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(np.sort(chosen), 1):
        grey = np.round(cohort.dataset.read(int(row)) * 255).astype(np.uint8)
        Image.fromarray(grey).save(folder / f"example-{number}.png")


def read(folder: Path) -> list[tuple[str, bytes]]:
    """Names and contents of what `write` wrote; none where the model has no examples."""
    return [(path.name, path.read_bytes()) for path in sorted(folder.glob("example-*.png"))]
