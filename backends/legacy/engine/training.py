"""Training a network step by step (2.7): loss, penalties, optimiser, moving statistics."""

import cntk
import numpy as np

from . import optimizers
from .network import to_native

EPSILON = 1e-7  # Keras's, below which no probability is taken in a logarithm


class Trainer(object):
    """A network in one phase of its training.

    Args:
        network: a `Network`.
        loss: a name of `LOSSES`.
        optimizer: its `name` and options, as in Keras.
        frozen_until: a layer which, with all that it depends on, does not learn; or None.
    """

    def __init__(self, network, loss, optimizer, frozen_until):
        frozen = network.upstream_of(frozen_until)
        self._pass = network.pass_through(training=True, frozen=frozen)
        self._several = loss == SEVERAL
        shape = self._pass.probabilities.shape
        self._labels = cntk.input_variable(shape)
        self._weight = cntk.input_variable(shape if self._several else ())
        self._penalties = network.penalties(frozen)
        losses = cntk.reshape(LOSSES[loss](self._pass, self._labels), self._weight.shape)
        mean = cntk.reduce_mean(losses * self._weight, axis=cntk.Axis.all_axes())
        self._loss = _total([mean] + self._penalties)
        self._rate = cntk.constant(float(optimizer["learning_rate"]), ())
        self.slots = optimizers.Slots()
        learner = optimizers.learner(optimizer, self.slots, self._rate, _learning(network, frozen))
        self._trainer = cntk.Trainer(self._pass.probabilities, (self._loss, mean), [learner])

    def begin_epoch(self, seed):
        """Make dropout a function of `seed`."""
        for number, dropout in enumerate(self._pass.dropouts):
            dropout.set_attribute("rngSeed", (seed + 7919 * number) % 2**31)

    def step(self, images, labels, weights):
        """One step of the optimiser.

        Args:
            images: float32 (batch, rows, columns, channels).
            labels: one-hot, float32 (batch, classes); of findings 1, 0, and -1 if not known.
            weights: float32 (batch,), of each image in the loss; of findings (batch, classes),
                of each label.

        Returns:
            The loss and the accuracy of the batch before the step.
        """
        given = {
            self._pass.images: to_native(images),
            self._labels: labels,
            self._weight: weights,
        }
        outputs = self._loss.output, self._pass.probabilities.output
        _, found = self._trainer.train_minibatch(given, outputs=outputs)
        for statistics in self._pass.statistics:
            statistics.update(len(images))
        loss, probabilities = (np.asarray(found[output]) for output in outputs)
        return float(loss.ravel()[0]), self._accuracy(probabilities.reshape(labels.shape), labels)

    def _accuracy(self, probabilities, labels):
        if not self._several:
            return float((probabilities.argmax(1) == labels.argmax(1)).mean())
        known = labels >= 0
        right = (probabilities >= 0.5) == (labels == 1)
        return float(right[known].mean()) if known.any() else 0.0

    def penalty(self):
        """What the regularisers add to the loss now."""
        return float(sum(np.asarray(one.eval()) for one in self._penalties))

    @property
    def learning_rate(self):
        """Of the optimiser, now."""
        return float(self._rate.value)

    @learning_rate.setter
    def learning_rate(self, value):
        self._rate.value = np.asarray(value, "float32")


def _learning(network, frozen):
    """The parameters of the layers that learn; moving statistics are no optimiser's."""
    return [
        network.weights.parameter(path)
        for layer in network.graph["layers"]
        if layer["name"] not in frozen
        for path in layer["weights"]
        if not path.endswith(("moving_mean", "moving_variance"))
    ]


def _total(parts):
    found = parts[0]
    for part in parts[1:]:
        found = found + part
    return found


def _crossentropy(made, labels):
    return cntk.cross_entropy_with_softmax(made.scores, labels)


def _focal_crossentropy(made, labels, alpha=0.25):
    """The cross-entropy counts less where the model is sure already, by a gamma of 2.

    Source:
        Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, equation 5; the
        defaults are Keras's
    """
    sure = cntk.clip(made.probabilities, EPSILON, 1 - EPSILON)
    # A square, since the gradient of CNTK's `pow(1 - p, 2)` is wrong: -2, whatever p is.
    return cntk.reduce_sum(labels * cntk.square(1.0 - sure) * cntk.log(sure) * -alpha, axis=0)


def _binary_crossentropy(made, labels):
    """Of each finding; what the label of an unknown one gives is left out by its weight, 0."""
    sure = cntk.clip(made.probabilities, EPSILON, 1 - EPSILON)
    return -(labels * cntk.log(sure) + (1.0 - labels) * cntk.log(1.0 - sure))


SEVERAL = "binary_crossentropy"
LOSSES = {
    SEVERAL: _binary_crossentropy,
    "categorical_crossentropy": _crossentropy,
    "categorical_focal_crossentropy": _focal_crossentropy,
}
