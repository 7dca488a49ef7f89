"""The optimisers that a spec may name, with Keras's defaults; signatures only.

Every backend implements these with Keras 3's formulas (keras.io/api/optimizers).
"""

from collections.abc import Callable

from pydantic import NonNegativeFloat, PositiveFloat


def sgd(
    learning_rate: PositiveFloat = 0.01,
    momentum: NonNegativeFloat = 0.0,
    nesterov: bool = False,
    clipnorm: PositiveFloat | None = None,
) -> None:
    """Stochastic gradient descent."""


def rmsprop(
    learning_rate: PositiveFloat = 0.001,
    rho: NonNegativeFloat = 0.9,
    momentum: NonNegativeFloat = 0.0,
    epsilon: PositiveFloat = 1e-7,
    clipnorm: PositiveFloat | None = None,
) -> None:
    """RMSprop."""


def adam(
    learning_rate: PositiveFloat = 0.001,
    beta_1: NonNegativeFloat = 0.9,
    beta_2: NonNegativeFloat = 0.999,
    epsilon: PositiveFloat = 1e-7,
    clipnorm: PositiveFloat | None = None,
) -> None:
    """Adam."""


def adamax(
    learning_rate: PositiveFloat = 0.001,
    beta_1: NonNegativeFloat = 0.9,
    beta_2: NonNegativeFloat = 0.999,
    epsilon: PositiveFloat = 1e-7,
    clipnorm: PositiveFloat | None = None,
) -> None:
    """Adamax."""


OPTIMIZERS: dict[str, Callable] = {f.__name__: f for f in (sgd, rmsprop, adam, adamax)}
