"""A study as its owner may see it: before it is read first, without what a model found."""

import datetime as dt
from dataclasses import dataclass
from typing import Self

from .database import Analysis, Reading, Study


@dataclass(frozen=True)
class Seen:
    """What is told of a study; get one from `of`.

    Attributes:
        study: the row.
        analysis: of the model that is asked for; None where there is none, or it is withheld.
        withheld: whether there is one that is not shown yet.
        reading: the latest; None if there is none.
    """

    study: Study
    analysis: Analysis | None
    withheld: bool
    reading: Reading | None

    @classmethod
    def of(
        cls, study: Study, analysis: Analysis | None, reading: Reading | None, first: bool
    ) -> Self:
        """Withhold the analysis of a study that is not read yet from whoever reads `first`."""
        withheld = first and reading is None and analysis is not None
        return cls(study, None if withheld else analysis, withheld, reading)

    def falling(self) -> tuple[float, dt.datetime]:
        """What sorts the likeliest first, then as they came."""
        probability = self.analysis.probabilities[-1] if self.analysis else -1.0
        return -probability, self.study.created
