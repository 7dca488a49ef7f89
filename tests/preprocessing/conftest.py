"""Small images, tables and datasets made by hand."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from radzoo.preprocessing import Dataset


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RADZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RADZOO_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()


@pytest.fixture
def folder(tmp_path):
    """Where RADZOO_DATA points: four 8-bit images of grey 0, 85, 170 and 255, and a CSV."""
    folder = tmp_path / "data"
    lines = ["path,label,patient,site"]
    for number, grey in enumerate((0, 85, 170, 255)):
        Image.new("L", (6, 4), grey).save(folder / f"{number}.png")
        lines.append(f"{number}.png,{'sick' if number % 2 else 'well'},p{number // 2},A")
    (folder / "list.csv").write_text("\n".join(lines) + "\n")
    return folder


def dataset_of(images, levels=256, content="abc", **more):
    """A dataset of arrays; labels 0 and 1 in turn, each image its own patient."""
    table = pd.DataFrame(
        {
            "id": [f"image {row}" for row in range(len(images))],
            "label": np.arange(len(images)) % 2,
            "patient": [f"p{row}" for row in range(len(images))],
        }
    )
    given = {
        "name": "made",
        "classes": ("well", "sick"),
        "table": table,
        "read": lambda row: np.asarray(images[row], np.float32),
        "content": content,
        "levels": levels,
    }
    return Dataset(**given | more)


@pytest.fixture
def made():
    return dataset_of
