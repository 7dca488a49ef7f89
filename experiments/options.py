"""Options of a registered function, checked against its signature."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

STRICT = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False)


class OptionsInvalid(ValueError):
    """Options that do not fit a signature.

    Args:
        error: all that is wrong.
        model: the signature, to look up what is allowed.
    """

    def __init__(self, error: ValidationError, model: type[BaseModel]) -> None:
        super().__init__(str(error))
        self.error, self.model = error, model


def checked(
    function: Callable, options: Mapping[str, Any], leave_out: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Check options and fill in the defaults.

    Args:
        function: its parameters have names, annotations and defaults.
        options: what a spec gives.
        leave_out: parameters that a spec does not give, such as `keras`.

    Raises:
        OptionsInvalid: a name is not a parameter, or a value is of another type.
    """
    model = model_of(function, leave_out)
    try:
        return model.model_validate(options).model_dump(mode="json")
    except ValidationError as error:
        raise OptionsInvalid(error, model) from error


def model_of(function: Callable, leave_out: tuple[str, ...] = ()) -> type[BaseModel]:
    """The signature of a function as a pydantic model."""
    signature = inspect.signature(function, eval_str=True)
    fields: dict[str, Any] = {
        name: (
            Any if parameter.annotation is parameter.empty else parameter.annotation,
            Field(... if parameter.default is parameter.empty else parameter.default),
        )
        for name, parameter in signature.parameters.items()
        if name not in leave_out
    }
    return create_model(function.__name__, __config__=STRICT, **fields)
