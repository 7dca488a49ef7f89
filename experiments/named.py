"""Names in a spec that a registry must know, alone or with the options of what they name."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from ..errors import UnknownName, UserError
from ..preprocessing import steps
from .optimizers import OPTIMIZERS
from .options import checked


def known(lookup: Any) -> AfterValidator:
    """Refuse a name that a registry does not know, with the nearest ones."""

    def check(name: str) -> str:
        try:
            lookup(name)
        except UserError as error:  # unknown, or no function of the kind
            raise ValueError(str(error)) from None
        return name

    return AfterValidator(check)


def _named(value: Any, lookup: Any, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Check `name` or `{name: ..., option: ...}`, where options stand beside the name."""
    given = {"name": value} if isinstance(value, str) else value
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise ValueError("must be a name, or {name: ..., and its options}")
    try:
        function = lookup(given["name"])
    except UnknownName as error:
        raise ValueError(str(error)) from None
    options = {key: option for key, option in given.items() if key != "name"}
    return {"name": given["name"], **checked(function, options, leave_out)}


def _step(value: Any) -> dict[str, Any]:
    return _named(value, lambda name: steps.get(name).function, leave_out=("image",))


def _optimizer(value: Any) -> dict[str, Any]:
    def lookup(name: str) -> Any:
        if name not in OPTIMIZERS:
            raise UnknownName("optimiser", name, OPTIMIZERS)
        return OPTIMIZERS[name]

    return _named(value, lookup)


Step = Annotated[dict[str, Any], BeforeValidator(_step)]
Optimizer = Annotated[dict[str, Any], BeforeValidator(_optimizer)]
