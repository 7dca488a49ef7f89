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


@pytest.fixture
def write_dicom():
    """Writes a small DICOM file: path, stored numbers, tags; those that are None are left out."""
    pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed")
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

    def write(path, pixels, syntax=ExplicitVRLittleEndian, **tags):
        file = pydicom.Dataset()
        file.file_meta = pydicom.dataset.FileMetaDataset()
        file.file_meta.TransferSyntaxUID = syntax
        file.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
        file.SOPClassUID = DigitalXRayImageStorageForPresentation
        file.SOPInstanceUID = tags.pop("SOPInstanceUID", f"1.2.{abs(hash(str(path)))}")
        file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID
        file.Modality, file.PhotometricInterpretation = "DX", "MONOCHROME2"
        file.Rows, file.Columns = pixels.shape[-2:]
        file.SamplesPerPixel, file.PixelRepresentation = 1, int(pixels.dtype.kind == "i")
        file.BitsAllocated = file.BitsStored = 8 * pixels.dtype.itemsize
        if "PixelData" not in tags:
            raw = pixels.tobytes()
            file.add_new("PixelData", "OW", raw + bytes(len(raw) % 2))
        for tag, value in tags.items():
            if isinstance(value, tuple):  # its VR and value, where the VR is ambiguous
                file.add_new(tag, *value)
            elif value is None:
                if tag in file:
                    delattr(file, tag)
            else:
                setattr(file, tag, value)
        if "HighBit" not in tags and "BitsStored" in file:
            file.HighBit = file.BitsStored - 1
        path.parent.mkdir(parents=True, exist_ok=True)
        file.save_as(path, enforce_file_format=True)
        return path

    return write
