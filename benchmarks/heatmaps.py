"""How long heatmaps take: ours beside tf-keras-vis and pytorch-grad-cam, on the same weights.

    python benchmarks/heatmaps.py [--architecture baseline_cnn] [--images 64] [--repetitions 5]

tf-keras-vis runs in the same worker, looped over the images and as one call; pytorch-grad-cam
(`pip install --no-deps grad-cam ttach tqdm`) in a process of its own, on Keras 3 with torch. Ours
is timed as a user has it: with the arrays going to the worker and back, and the arithmetic. The
first call, which compiles, is told apart. Medians of the repetitions; ours and theirs take turns.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from radzoo import backends, zoo
from radzoo.explain import registry
from radzoo.explain.network import Network, read_graph

THEIRS_ON_TORCH = """
import sys, time, warnings
from unittest import mock
warnings.filterwarnings("ignore")
for name in "", ".transforms", ".transforms.functional":  # named there, and not used for this
    sys.modules["torchvision" + name] = mock.MagicMock()
import numpy as np, torch, keras
from safetensors.numpy import load_file
sys.path.insert(0, sys.argv[1])
from radzoo import zoo
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
name, weights, layer, images, times = sys.argv[2:7]
model = zoo.build(name, keras, classes=2)
arrays = load_file(weights)
for weight in model.weights:
    weight.assign(arrays[weight.path])
scores = keras.Model(model.input, model.get_layer("scores").output)

class ChannelsFirst(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scores = scores
    def forward(self, x):
        return self.scores(x)

def first(tensor, *shape):
    return tensor.permute(0, 3, 1, 2)

network = ChannelsFirst()
x = torch.tensor(np.load(images))
cam = GradCAM(network, [model.get_layer(layer)], reshape_transform=lambda t: t.permute(0, 3, 1, 2))
for _ in range(int(times)):
    begun = time.perf_counter()
    for label in range(2):
        cam(input_tensor=x, targets=[ClassifierOutputTarget(label)] * len(x))
    print(time.perf_counter() - begun, flush=True)
"""


def main() -> None:
    """Print a table of seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", default="baseline_cnn")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--repetitions", type=int, default=5)
    asked = parser.parse_args()
    print(f"Grad-CAM of both classes, {asked.images} images, {asked.architecture}, seconds")
    print("| who | first call | median after |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        _on_tensorflow(asked, Path(folder))
        _on_torch(asked, Path(folder))


def _on_tensorflow(asked: argparse.Namespace, folder: Path) -> None:
    with backends.connect("tensorflow", "cpu") as worker:
        network, images = _network(asked, folder, worker)
        ours, theirs = (registry.get(name).function for name in ("gradcam", "tf_keras_vis.gradcam"))
        times = _in_turn(
            {
                "radzoo, tensorflow": lambda: ours(network, images),
                "tf-keras-vis, one call": lambda: theirs(network, images),
                "tf-keras-vis, image by image": lambda: [
                    theirs(network, images[n : n + 1]) for n in range(len(images))
                ],
            },
            asked.repetitions,
        )
    _tell(times)


def _on_torch(asked: argparse.Namespace, folder: Path) -> None:
    with backends.connect("torch", "cpu") as worker:
        network, images = _network(asked, folder, worker)
        ours = registry.get("gradcam").function
        times = _in_turn({"radzoo, torch": lambda: ours(network, images)}, asked.repetitions)
    np.save(folder / "all.npy", images)
    entry = zoo.get(asked.architecture)
    done = subprocess.run(
        [
            *(sys.executable, "-c", THEIRS_ON_TORCH, str(Path(__file__).resolve().parents[1])),
            *(entry.name, str(folder / "weights.safetensors"), str(entry.heatmap_layer)),
            *(str(folder / "all.npy"), str(asked.repetitions + 1)),
        ],
        env={**os.environ, **backends.get("torch").tuning, "KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"| pytorch-grad-cam | not measured: {done.stderr.strip().splitlines()[-1]} | |")
    else:
        times["pytorch-grad-cam on Keras with torch"] = [float(one) for one in done.stdout.split()]
    _tell(times)


def _network(
    asked: argparse.Namespace, folder: Path, worker: backends.Worker
) -> tuple[Network, np.ndarray]:
    entry = zoo.get(asked.architecture)
    model = {"architecture": entry.name, "options": {}, "classes": 2}
    paths = {"graph": str(folder / "graph.json"), "weights": str(folder / "weights.safetensors")}
    worker.ask("build", model=model, seed=0, **paths)
    graph, layer = read_graph(folder / "graph.json"), str(entry.heatmap_layer)
    network = Network(worker, model, folder / "weights.safetensors", graph, layer, folder)
    draw = np.random.default_rng(0)
    return network, draw.random((asked.images, *network.image_shape), dtype="float32")


def _in_turn(calls: dict[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repetitions + 1):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - begun)
    return times


def _tell(times: dict[str, list[float]]) -> None:
    for name, (first, *others) in times.items():
        print(f"| {name} | {first:.2f} | {statistics.median(others):.3f} |", flush=True)


if __name__ == "__main__":
    main()
