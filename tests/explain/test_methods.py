"""Each method against values worked out by hand, and against tf-keras-vis and pytorch-grad-cam."""

import numpy as np
import pytest

from radzoo.explain import registry
from radzoo.explain.evidence import shares
from radzoo.explain.methods import gradcam, gradcam_plus_plus, layercam, saliency

ONE = np.zeros((1, 1, 1, 1), "float32")


def test_channels_without_gradient_are_ignored_by_gradcam():
    activations = np.dstack([np.eye(4), np.full((4, 4), 99.0)])[None]
    gradients = np.dstack([np.ones((4, 4)), np.zeros((4, 4))])[None, None]
    np.testing.assert_array_equal(gradcam.evidence(activations, gradients)[0, 0], np.eye(4))


@pytest.mark.parametrize("method", [gradcam, layercam, gradcam_plus_plus])
def test_evidence_against_the_class_is_cut_to_zero(method):
    assert not method.evidence(np.ones((1, 2, 2, 3)), -np.ones((1, 1, 2, 2, 3))).any()


def test_gradcam_weighs_a_channel_by_the_mean_of_its_gradient():
    activations = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    gradients = np.array([[[[[1.0, -1.0], [3.0, 0.0]]], [[[0.0, 2.0], [0.0, 2.0]]]]])
    # class 0: weights 2 and -0.5; class 1: 0 and 2
    np.testing.assert_allclose(
        gradcam.evidence(activations, gradients), [[[[1.0, 4.0]], [[4.0, 8.0]]]]
    )


def test_layercam_weighs_each_cell_by_its_own_rising_gradient():
    activations = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    gradients = np.array([[[[[1.0, -1.0], [0.5, 2.0]]]]])
    np.testing.assert_allclose(layercam.evidence(activations, gradients), [[[[1.0, 9.5]]]])


def test_gradcam_plus_plus_by_hand():
    # one channel, cells of activation 1 and 3 (sum 4) and gradient 1 and 2:
    # alpha = g^2 / (2 g^2 + 4 g^3) = 1/6 and 4/40; divided by their sum: 0.625 and 0.375
    # weight = 0.625 * 1 + 0.375 * 2 = 1.375
    activations = np.array([[[[1.0], [3.0]]]])
    gradients = np.array([[[[[1.0], [2.0]]]]])
    np.testing.assert_allclose(
        gradcam_plus_plus.evidence(activations, gradients), [[[[1.375, 4.125]]]]
    )


def test_saliency_takes_the_steepest_channel():
    np.testing.assert_array_equal(saliency.steepness(np.array([[[1.0, -3.0]]])), [[3.0]])


def test_smoothgrad_averages_before_it_takes_absolute_values(known):
    """Gradients that change their sign with the noise average out."""
    signs = iter(np.tile([1.0, -1.0], 8))

    class Turning(known):
        def gradients(self, images, layer=None):
            assert layer == "images"
            return images, np.full((1, 2, 1, 1, 1), next(signs))

    found = saliency.smoothgrad(Turning(ONE, ONE), ONE)
    np.testing.assert_array_equal(found, np.zeros((1, 2, 1, 1)))


def test_scorecam_weighs_channels_by_the_probability_of_what_they_show(known):
    class Bright(known):
        """Its probability of class 1 is the brightness of the first pixel."""

        def activations(self, images):
            return self.activations_

        def spread(self, maps, size):
            return maps

        def probabilities(self, images):
            bright = images[:, 0, 0, 0]
            return np.stack([1 - bright, bright], axis=1)

    channels = np.zeros((1, 1, 2, 3), "float32")
    channels[0, 0, :, 0] = 5, 0  # shows the first pixel alone
    channels[0, 0, :, 1] = 0, 3  # the second alone
    channels[0, 0, :, 2] = 7, 7  # the same everywhere: hides all
    image = np.array([[[[0.8], [0.5]]]], "float32")
    found = registry.get("scorecam").function(Bright(channels, ONE), image)
    # class 1: 0.8 of the first channel; class 0: 0.2 of it, and all of the other two
    np.testing.assert_allclose(found, [[[[0.2 * 5 + 7, 3 + 7]], [[0.8 * 5, 0]]]], rtol=1e-6)


@pytest.mark.parametrize("architecture", ["baseline_cnn", "xception_small"])
@pytest.mark.parametrize("method", ["gradcam", "gradcam_plus_plus", "saliency"])
def test_maps_are_those_of_tf_keras_vis(architecture, method, network_of, images_of):
    """tf-keras-vis 0.8.7 on its own arithmetic, on the grid.

    Grad-CAM++ divides by sums that may be small: by processor, it was 0.0005 to 0.0016 off.
    """
    allowed = 5e-3 if method == "gradcam_plus_plus" else 1e-4
    pytest.importorskip("tf_keras_vis")
    network = network_of(architecture, "tensorflow")
    images = images_of(network)
    ours = registry.get(method).function(network, images)
    theirs = registry.get(f"tf_keras_vis.{method}").function(network, images)
    for one, other in zip(ours, theirs, strict=True):
        for ours_of_class, theirs_of_class in zip(one, other, strict=True):
            scaled = [shares(of[None])[0] for of in (ours_of_class, theirs_of_class)]
            np.testing.assert_allclose(scaled[0], scaled[1], atol=allowed)


def test_scorecam_is_that_of_tf_keras_vis_where_nothing_is_enlarged(network_of, images_of):
    """They enlarge masks by another rule, which does nothing on a grid of the image's size."""
    pytest.importorskip("tf_keras_vis")
    network = network_of("chest_xray_cnn", "tensorflow", "block1_conv")
    images = images_of(network, 1)
    ours, theirs = (
        shares(registry.get(name).function(network, images)[0])
        for name in ("scorecam", "tf_keras_vis.scorecam")
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
