"""The losses that a spec may name, as Keras computes them on each backend.

That of findings is Keras's binary cross-entropy label by label, so that a label that is not known
can be left out: its target is -1 and its weight 0.
"""

import keras

FINDINGS = "binary_crossentropy"


def each(name):
    """The function from (targets, probabilities) to the losses: (batch,), or (batch, findings)."""
    return of_findings if name == FINDINGS else keras.losses.get(name)


def of_findings(targets, probabilities):
    """The cross-entropy of each label, (batch, findings); 0 where it is not known."""
    known = keras.ops.cast(targets >= 0, "float32")
    return known * keras.ops.binary_crossentropy(known * targets, probabilities)


def compiled(name):
    """What `compile` takes: the mean over the batch of the weighted losses, and the accuracy."""
    if name == FINDINGS:
        return {"loss": _OfFindings(), "metrics": [accuracy]}
    return {"loss": name, "metrics": ["accuracy"]}


def accuracy(targets, probabilities):
    """The share of the known labels of a batch that are on the right side of 0.5."""
    ops = keras.ops
    known = ops.cast(targets >= 0, "float32")
    right = ops.cast(ops.equal(probabilities >= 0.5, targets > 0.5), "float32")
    return ops.sum(known * right) / ops.maximum(ops.sum(known), 1.0)


class _OfFindings(keras.losses.Loss):
    """Takes weights of (batch, findings); the mean is over all labels, known or not."""

    def call(self, y_true, y_pred):
        return of_findings(y_true, y_pred)
