"""What every section of a spec is, and the kinds of value that several of them hold."""

from typing import Annotated

from pydantic import BaseModel, Field

Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Section(BaseModel, frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False):
    """A part of a spec: it does not change once read, and knows every key it may hold."""
