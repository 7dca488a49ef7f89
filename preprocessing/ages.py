"""Ages as tables of images write them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

OLDEST = 120  # years


def in_years(texts: "pd.Series") -> tuple["pd.Series", int]:
    """Read `60`, `060Y`, `006M`, `003W` or `001D`.

    Returns:
        Years, missing where there is no age from 0 to 120; and how many texts are such
        errors, `411Y` for one.
    """
    import pandas as pd

    parts = texts.str.extract(r"^0*(\d+(?:\.\d+)?)\s*([YMWD]?)$")
    per_year = parts[1].map({"": 1.0, "Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25})
    years = pd.to_numeric(parts[0]) / per_year
    sound = years.between(0, OLDEST)
    return years.where(sound), int(((texts != "") & ~sound).sum())
