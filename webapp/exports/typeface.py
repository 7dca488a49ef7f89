"""The letters of all exports: DejaVu Sans, which comes with matplotlib and has Spanish."""

from pathlib import Path

import matplotlib as mpl


def path(bold: bool) -> str:
    """The TrueType file of the regular or the bold face."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name)
