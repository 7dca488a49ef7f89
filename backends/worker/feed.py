"""Batches from the array store: the same pixels in the same order for every backend."""

import mmap

import numpy as np

from . import augmentation
from . import targets as kinds

RELEASE_EVERY = 64  # batches after which the pages of the store leave our memory


class Feed:
    """The images and labels of one request, read batch by batch.

    Args:
        images: path of a `.npy` of shape (images, rows, columns, channels).
        scale: factor that brings its pixels to [0, 1].
        labels: path of a `.npy` as `targets.of` takes it, or None to predict only.
        classes: number of classes.

    Attributes:
        targets: what the model is to say, of `targets`; None without labels.
    """

    def __init__(self, images, scale=1.0, labels=None, classes=2):
        self._images = np.load(images, mmap_mode="r", allow_pickle=False)
        self._scale = np.float32(scale)
        self.targets = None
        if labels is not None:
            self.targets = kinds.of(np.load(labels, allow_pickle=False), classes)
        self._reads = 0

    def __len__(self):
        return len(self._images)

    def images(self, rows):
        """Float32 (len(rows), rows, columns, channels) in [0, 1]."""
        self._reads += 1
        if self._reads % RELEASE_EVERY == 0:  # else memory grows to the size of the store
            self._images._mmap.madvise(mmap.MADV_DONTNEED)  # novm
        return self._images[rows].astype("float32") * self._scale

    def batches(self, rows, batch_size, seed, epoch, options=None):
        """Go through `rows` once, in an order that (seed, epoch) alone decides.

        Args:
            options: of `augmentation.augment`, or None for the images as they are.

        Yields:
            (images, targets float32 (batch, classes), rows of the batch).
        """
        order = np.random.default_rng([seed, epoch]).permutation(rows)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            images = self.images(batch)
            if options:
                images = augmentation.augment(images, batch, seed, epoch, options)
            yield images, self.targets.rows(batch), batch
