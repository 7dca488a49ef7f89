"""Fixtures for all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images; tests that need it are skipped where it is not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RADZOO_DATA") or beside)
    if not (folder / "index.csv").is_file():
        pytest.skip(f"no real images: {folder} has no index.csv (set RADZOO_DATA)")
    return folder
