"""One set of weights gives the same heatmaps on every backend."""

import dataclasses

import numpy as np
import pytest

from radzoo.explain import registry
from radzoo.explain.evidence import shares

ARCHITECTURES = ("baseline_cnn", "chest_xray_cnn", "xception_small", "inception_v3_transfer")


def scaled(network, images, method):
    raw = registry.get(method).function(network, images)
    return np.stack([shares(one) for one in raw])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("backend", ["torch", "jax", "cntk"])
def test_gradcam_is_the_same_on_every_backend(architecture, backend, network_of, images_of):
    here = network_of(architecture, "tensorflow")
    images = images_of(here)
    expected = scaled(here, images, "gradcam")
    assert expected.any(axis=(2, 3)).any(axis=1).all(), "each image has evidence for a class"
    found = scaled(network_of(architecture, backend), images, "gradcam")
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("method", ["gradcam_plus_plus", "layercam", "scorecam", "saliency"])
@pytest.mark.parametrize("backend", ["torch", "jax", "cntk"])
def test_every_method_is_the_same_on_every_backend(method, backend, network_of, images_of):
    here = network_of("baseline_cnn", "tensorflow")
    images = images_of(here, 2)
    expected = scaled(here, images, method)
    found = scaled(network_of("baseline_cnn", backend), images, method)
    allowed = 5e-3 if method == "gradcam_plus_plus" else 1e-4  # it divides by small sums
    np.testing.assert_allclose(found, expected, atol=allowed)


def test_weights_that_change_are_seen_though_the_function_is_kept(network_of, images_of):
    """The compiled gradient takes the weights of each request."""
    for backend in ("tensorflow", "torch", "jax"):
        network = network_of("baseline_cnn", backend)
        images = images_of(network, 1)
        before = network.gradients(images)[1]
        other = network.scratch / "other.safetensors"
        graph = str(network.scratch / "other.json")
        network.worker.ask("build", model=network.model, seed=9, graph=graph, weights=str(other))
        changed = dataclasses.replace(network, weights=other).gradients(images)[1]
        assert np.abs(changed - before).max() > 1e-6
        np.testing.assert_array_equal(network.gradients(images)[1], before)


def test_gradients_by_the_images_are_slopes(network_of, images_of):
    """Against differences of the scores: what a tiny step along the gradient changes."""
    network = network_of("baseline_cnn", "tensorflow")
    images = images_of(network, 1)
    gradients = network.gradients(images, layer="images")[1][0, 1]
    step = 1e-2 * gradients / np.linalg.norm(gradients)
    scores = [network.activations(images + sign * step, "scores")[0, 1] for sign in (-1, 1)]
    slope = (scores[1] - scores[0]) / 2e-2
    assert slope == pytest.approx(np.linalg.norm(gradients), rel=0.02)
