"""Keras 3's optimisers as CNTK functions (2.7).

Each takes (options, slots, rate, parameter, gradient) and returns a CNTK function that, when
evaluated, moves the parameter. CNTK has optimisers of its own, with other formulas.

Source:
    keras.io/api/optimizers, Keras 3.15: `update_step` of each
"""

import cntk


class Slots(object):
    """The arrays that an optimiser keeps of each parameter, and the number of the step."""

    def __init__(self):
        self.step = cntk.constant(0.0, ())
        self._kept = {}

    def of(self, parameter, name):
        """One array of a parameter's shape, zero at first."""
        kept = cntk.constant(0.0, parameter.shape)
        self._kept["{}:{}".format(parameter.name, name)] = kept
        return kept

    def values(self):
        """{name: array}."""
        found = {name: kept.value for name, kept in self._kept.items()}
        return dict(found, step=self.step.value)

    def assign(self, arrays):
        """Set what `values` gave."""
        self.step.value = arrays["step"]
        for name, kept in self._kept.items():
            kept.value = arrays[name]


def learner(options, slots, rate, parameters):
    """A CNTK learner.

    Args:
        options: the optimiser's `name` and its options in Keras.
        slots: a `Slots` for what it keeps.
        rate: CNTK constant, the learning rate.
        parameters: what it moves.
    """

    def update(parameters, gradients):
        moves, step = [], _Step(slots)
        for parameter, gradient in zip(parameters, gradients):
            clipped = _clipped(gradient, options.get("clipnorm"))
            optimizer = OPTIMIZERS[options["name"]]
            moves.append(optimizer(options, slots, rate, parameter, clipped, step))
        return cntk.combine(moves)

    return cntk.universal(update, parameters)


class _Step(object):
    """The number of the step, counted up once however many parameters ask for it."""

    def __init__(self, slots):
        self._slots, self._next = slots, None

    def power(self, beta):
        """`beta` to the number of this step."""
        if self._next is None:
            self._next = cntk.assign(self._slots.step, self._slots.step + 1.0)
        return cntk.pow(cntk.constant(float(beta)), self._next)


def _clipped(gradient, norm):
    """A gradient of at most this norm."""
    if norm is None:
        return gradient
    squares = cntk.reduce_sum(cntk.square(gradient), cntk.Axis.all_static_axes())
    length = cntk.reshape(cntk.sqrt(squares), ())
    return gradient * (norm / cntk.element_max(length, norm))


def _sgd(options, slots, rate, parameter, gradient, step):
    change, momentum = gradient * rate, options["momentum"]
    if not momentum:
        return cntk.assign(parameter, parameter - change)
    kept = slots.of(parameter, "momentum")
    moved = cntk.assign(kept, kept * momentum - change)
    moved = moved * momentum - change if options["nesterov"] else moved
    return cntk.assign(parameter, parameter + moved)


def _rmsprop(options, slots, rate, parameter, gradient, step):
    rho, momentum = options["rho"], options["momentum"]
    velocity = slots.of(parameter, "velocity")
    moved = cntk.assign(velocity, velocity * rho + cntk.square(gradient) * (1 - rho))
    change = gradient * rate / cntk.sqrt(moved + options["epsilon"])
    if momentum:
        kept = slots.of(parameter, "momentum")
        change = cntk.assign(kept, kept * momentum + change)
    return cntk.assign(parameter, parameter - change)


def _adam(options, slots, rate, parameter, gradient, step):
    beta_1, beta_2 = options["beta_1"], options["beta_2"]
    momentum, velocity = (slots.of(parameter, name) for name in ("momentum", "velocity"))
    mean = cntk.assign(momentum, momentum + (gradient - momentum) * (1 - beta_1))
    square = cntk.assign(velocity, velocity + (cntk.square(gradient) - velocity) * (1 - beta_2))
    alpha = rate * cntk.sqrt(1.0 - step.power(beta_2)) / (1.0 - step.power(beta_1))
    change = mean * alpha / (cntk.sqrt(square) + options["epsilon"])
    return cntk.assign(parameter, parameter - change)


def _adamax(options, slots, rate, parameter, gradient, step):
    beta_1, beta_2 = options["beta_1"], options["beta_2"]
    momentum, largest = (slots.of(parameter, name) for name in ("momentum", "largest"))
    mean = cntk.assign(momentum, momentum + (gradient - momentum) * (1 - beta_1))
    norm = cntk.assign(largest, cntk.element_max(largest * beta_2, cntk.abs(gradient)))
    change = rate * mean / ((1.0 - step.power(beta_1)) * (norm + options["epsilon"]))
    return cntk.assign(parameter, parameter - change)


OPTIMIZERS = {"adam": _adam, "adamax": _adamax, "rmsprop": _rmsprop, "sgd": _sgd}
