"""Images that filters answer to."""

import numpy as np
import pytest

from radzoo.explain import patterns


class Linear:
    """Two filters, each one cell: the sum of the image times a pattern, and nothing at all."""

    images = "images"
    image_shape = (4, 4, 1)
    graph = {}  # noqa: RUF012  never changed

    def __init__(self):
        self.pattern = np.random.default_rng(0).choice([-1.0, 1.0], (4, 4, 1)).astype("float32")

    def gradients(self, images, layer, of, choices):
        assert (layer, of) == ("images", "conv")
        slopes = [self.pattern if choice == 0 else 0 * self.pattern for (choice,) in choices]
        return images, np.stack(slopes)[:, None]

    def activations(self, images, layer):
        answers = (images * self.pattern).sum(axis=(1, 2, 3))
        return np.stack([answers, 0 * answers], axis=1)[:, None, None, :]


def test_a_linear_filter_is_answered_by_its_own_pattern():
    network = Linear()
    images, answers = patterns.ascend(network, "conv", [0])
    np.testing.assert_array_equal(images[0], network.pattern > 0)
    assert answers[0, 1] == pytest.approx((network.pattern > 0).sum())


def test_a_filter_that_answers_to_nothing_keeps_the_noise():
    images, answers = patterns.ascend(Linear(), "conv", [1, 0])
    assert np.abs(images[0] - 0.5).max() < 0.3
    assert answers[0].tolist() == [0, 0]


@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax", "cntk"])
def test_filters_of_a_real_network_answer_more_on_every_backend(backend, network_of):
    network = network_of("tiny_cnn", backend)
    images, answers = patterns.ascend(network, "block2", range(4))
    assert images.shape == (4, *network.image_shape)
    assert (images.min() >= 0, images.max() <= 1) == (True, True)
    alive = answers[:, 0] > 0
    assert alive.sum() == 3
    assert (answers[alive, 1] > 1.5 * answers[alive, 0]).all()
    assert answers[~alive].tolist() == [[0, 0]]


def test_tf_keras_vis_finds_images_too(network_of):
    pytest.importorskip("tf_keras_vis")
    network = network_of("tiny_cnn", "tensorflow")
    images = network.keras_vis_patterns("block2", [0, 3], 20)
    assert images.shape == (2, *network.image_shape)
    assert (images.min() >= 0, images.max() <= 1) == (True, True)
    grey = np.full((2, *network.image_shape), 0.5, "float32")
    before, after = (network.activations(of, "block2") for of in (grey, images))
    for place, channel in enumerate((0, 3)):
        assert after[place, ..., channel].mean() > before[place, ..., channel].mean()
