"""What a model is to say of each image: one class of several, or yes and no for each finding."""

import numpy as np

UNKNOWN = -1  # the label of a finding that nobody knows


def of(labels, classes):
    """The targets that an array of labels means.

    Args:
        labels: class indices (images,); or for findings 1, 0 and `UNKNOWN`, (images, findings).
        classes: number of classes.
    """
    return Findings(labels) if labels.ndim == 2 else OneClass(labels, classes)


class OneClass:
    """Each image is of one class; its target is one-hot."""

    def __init__(self, labels, classes):
        self._labels, self._one_hot = labels, np.eye(classes, dtype="float32")

    def rows(self, rows):
        """Float32 (len(rows), classes)."""
        return self._one_hot[self._labels[rows]]

    @staticmethod
    def weights(targets, factors):
        """Of each image in the loss, (batch,); None where all count alike.

        Args:
            targets: as `rows` gives them.
            factors: one a class, or None.
        """
        return None if factors is None else np.asarray(factors, "float32")[targets.argmax(1)]

    @staticmethod
    def known(targets):
        """How many labels a share of right ones is of."""
        return len(targets)

    @staticmethod
    def measured(targets, probabilities):
        """Accuracy and ROC AUC, that of the last class."""
        right = probabilities.argmax(1) == targets.argmax(1)
        area = roc_auc(targets.argmax(1) == targets.shape[1] - 1, probabilities[:, -1])
        return {"val_accuracy": float(right.mean()), "val_roc_auc": area}


class Findings:
    """Each image has a label for each finding, and some of these are not known."""

    def __init__(self, labels):
        self._labels = labels.astype("float32")

    def rows(self, rows):
        """Float32 (len(rows), findings): 1, 0 or `UNKNOWN`."""
        return self._labels[rows]

    @staticmethod
    def weights(targets, factors):
        """Of each label in the loss, float32 (batch, findings): 0 where it is not known.

        Args:
            targets: as `rows` gives them.
            factors: (findings, 2), of a negative and of a positive label; or None for 1.
        """
        negative, positive = (1.0, 1.0) if factors is None else np.asarray(factors, "float32").T
        found = np.where(targets == 1, positive, negative)
        return np.where(targets == UNKNOWN, 0.0, found).astype("float32")

    @staticmethod
    def known(targets):
        """How many labels a share of right ones is of."""
        return int((targets != UNKNOWN).sum())

    @staticmethod
    def measured(targets, probabilities):
        """The share of known labels on the right side of 0.5, and the mean ROC AUC.

        The mean is over the findings that have both a positive and a negative label.
        """
        known = targets != UNKNOWN
        right = (probabilities >= 0.5) == (targets == 1)
        columns = zip(targets.T, probabilities.T, known.T, strict=True)
        areas = [
            roc_auc(labels[there] == 1, scores[there])
            for labels, scores, there in columns
            if len(set(labels[there])) == 2
        ]
        return {"val_accuracy": float(right[known].mean()), "val_roc_auc": float(np.mean(areas))}


def roc_auc(positive, scores):
    """Share of (positive, negative) pairs that the scores put in order; ties count half."""
    _, tied, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[tied]
    positives = int(np.sum(positive))
    pairs = positives * (len(scores) - positives)
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / pairs)
