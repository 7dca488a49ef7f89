"""What the heatmaps of a run are worth: five questions, each answered with numbers or not at all.

Do they lie on the lesion? Does the probability follow them? Do they change when the network
forgets what it learned? Are they the same for another seed? And on another backend?
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from .. import backends
from ..errors import RadZooError, RunError, UserError
from ..evaluation import Bootstrap
from ..evaluation.means import mean_of_images
from ..experiments import finished, heatmap_tables, report
from ..experiments.finished import Finished
from ..experiments.plan import NOT_DECISIVE
from ..experiments.run import RunDirectory
from . import localisation, perturbation, registry
from .evidence import shares
from .explainer import BATCH, Explainer
from .likeness import rank_correlation
from .network import Network
from .subjects import Subjects, of_test

STAGES = 8  # of forgetting, from the top
FORGOTTEN = 0.5  # likeness below which the maps of a network that knows nothing are others
OTHER_SEED = 20_000  # of the weights that know nothing
AGREES = 1e-4  # of the strongest evidence, between two backends

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Auditor:
    """One audit.

    Attributes:
        explainer: of the run.
        method: the heatmap method.
        bootstrap: of the intervals.
    """

    explainer: Explainer
    method: registry.Method
    bootstrap: Bootstrap

    def maps(self, network: Network, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, classes, rows, columns) on the method's grid, scaled; see `evidence.shares`."""
        batches = range(0, len(images), BATCH)
        raw = [self.method.function(network, images[at : at + BATCH]) for at in batches]
        return np.stack([shares(one) for one in np.concatenate(raw)])

    def mean(self, values: Any, subjects: Subjects) -> dict[str, Any]:
        """Of one value an image, with its interval."""
        positives = int(subjects.positive.sum())
        return mean_of_images(
            np.asarray(values, float), subjects.patients, positives, self.bootstrap
        ).as_dict()


def audit(explainer: Explainer, method: registry.Method, count: int, tell: Tell) -> dict[str, Any]:
    """Answer the five questions.

    Args:
        explainer: of a run whose dataset is still there.
        method: that runs here.
        count: how many test images are tried, where not all are.
        tell: called with what is being done.

    Returns:
        JSON values, of which a part that could not be measured is {"not_measured": why}.

    Raises:
        DataError: the dataset cannot be read, or is another one now.
        UserError: the run tells several findings.
    """
    run = explainer.prepared.run
    if run.several:
        raise UserError(
            "An audit asks about the class that is called, and a run of several findings calls "
            "each by itself. Audit a run of two classes: the same spec without dataset.findings."
        )
    auditor = Auditor(explainer, method, Bootstrap())
    tell("reading the test images")
    everyone = of_test(explainer.prepared)
    some = everyone.sample(count)
    network = explainer.network
    found: dict[str, Any] = {
        "method": method.name,
        "layer": network.layer if method.grid == "layer" else network.images,
        "grid": str(network.grid) if method.grid == "layer" else "pixels",
        "backend": network.worker.backend.name,
        "dataset": run.manifest["data"]["name"],
        "synthetic": run.manifest["data"]["synthetic"],
        "positive_class": explainer.prepared.classes[-1],
        "weights_sha256": run.manifest["weights_sha256"],
        "tried_on": len(some),
    }
    for name, question in (
        ("localisation", lambda: _localised(auditor, everyone)),
        ("faithfulness", lambda: _faithful(auditor, some)),
        ("randomisation", lambda: _forgotten(auditor, some)),
        ("seeds", lambda: _repeated(auditor, some)),
        ("backends", lambda: _agreed(auditor, some)),
    ):
        tell(name)
        found[name] = question()
    return found


def keep(run: Finished, found: Mapping[str, Any]) -> Path:
    """Write an audit into the directory of its run, and its report anew; gives the report.

    Raises:
        RunError: they cannot be written.
    """
    folder = RunDirectory(run.folder / heatmap_tables.FOLDER)
    try:
        folder.path.mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder.path} cannot be made: {error.strerror}.") from error
    folder.write_json(heatmap_tables.name_of(found["method"]), found)
    return report.write(run.folder)


def _localised(auditor: Auditor, everyone: Subjects) -> dict[str, Any]:
    """Of the positive images whose lesion is known, in all and of those called positive."""
    explainer = auditor.explainer
    known = np.array([lesion is not None for lesion in everyone.lesions])
    subjects = everyone.some(known & everyone.positive)
    if not len(subjects):
        return {"not_measured": "the dataset knows no lesion of a positive test image"}
    located, called = [], []
    found = explainer.explain(subjects.images, subjects.ids, auditor.method)
    for one, lesion in zip(found, subjects.lesions, strict=True):
        assert lesion is not None, "chosen above"
        located.append(localisation.locate(one.maps[-1], lesion))
        called.append(one.probabilities[-1] >= 0.5)
    right = np.array(called)

    def means(kept: NDArray[np.bool_]) -> dict[str, Any]:
        chosen = [one for one, keep in zip(located, kept, strict=True) if keep]
        names = ("hit", "mass", "overlap", "area", "middle")
        group = subjects.some(kept)
        return {name: auditor.mean([getattr(o, name) for o in chosen], group) for name in names}

    return {"all": means(np.ones(len(right), bool)), "called": means(right)}


def _faithful(auditor: Auditor, subjects: Subjects) -> dict[str, Any]:
    """Deletion and insertion by the map of the called class, and by an order that knows nothing."""
    explainer, network = auditor.explainer, auditor.explainer.network
    rows = []
    for one in explainer.explain(subjects.images, subjects.ids, auditor.method):
        label = int(one.probabilities.argmax())
        blind = perturbation.random_map(one.maps[label].shape)
        by_map, by_chance = (
            perturbation.areas(network.probabilities, one.image, order, label)
            for order in (one.maps[label], blind)
        )
        rows.append([*by_map, *by_chance])
    deletion, insertion, deletion_blind, insertion_blind = np.array(rows).T
    return {
        "deletion": auditor.mean(deletion, subjects),
        "insertion": auditor.mean(insertion, subjects),
        "deletion_less_blind": auditor.mean(deletion - deletion_blind, subjects),
        "insertion_less_blind": auditor.mean(insertion - insertion_blind, subjects),
    }


def _forgotten(auditor: Auditor, subjects: Subjects) -> dict[str, Any]:
    """Likeness to the maps of networks that forget layer by layer, from the top.

    Source:
        Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018. arXiv:1810.03292
    """
    network = auditor.explainer.network
    before, subjects = _called_maps(auditor, network, subjects)
    if not len(subjects):
        return {"not_measured": "no map of the tried images holds any evidence"}
    rows: list[dict[str, Any]] = []
    for layer, other in _forgetting(network):
        likeness = _likeness(before, auditor.maps(other, subjects.images))
        rows.append({"down_to": layer, "likeness": auditor.mean(likeness, subjects)})
    last = rows[-1]["likeness"]
    high = last["value"] if last["high"] is None else last["high"]
    return {"cascade": rows, "passed": bool(high < FORGOTTEN), "passes_below": FORGOTTEN}


def _called_maps(
    auditor: Auditor, network: Network, subjects: Subjects
) -> tuple[list[tuple[NDArray[np.float64], int]], Subjects]:
    """The map of the called class of each image and the class, where the map is not empty."""
    maps = auditor.maps(network, subjects.images)
    labels = network.probabilities(subjects.images).argmax(axis=1)
    kept = np.array([maps[n, label].any() for n, label in enumerate(labels)], bool)
    found = [(maps[n, label], int(label)) for n, label in enumerate(labels) if kept[n]]
    return found, subjects.some(kept)


def _likeness(
    before: Sequence[tuple[NDArray[np.float64], int]], after: NDArray[np.float64]
) -> list[float]:
    """Of the map of the called class of each image to that of the same class in `after`."""
    return [
        rank_correlation(one, maps[label]) for (one, label), maps in zip(before, after, strict=True)
    ]


def _forgetting(network: Network) -> Iterator[tuple[str, Network]]:
    """The layer down to which all is drawn anew, and the network with those weights."""
    fresh = network.scratch / "fresh.safetensors"
    network.worker.ask(
        "build",
        model=dict(network.model),
        seed=OTHER_SEED,
        graph=str(network.scratch / "fresh.json"),
        weights=str(fresh),
    )
    arrays, drawn = load_file(network.weights), load_file(fresh)
    layers = [layer for layer in reversed(network.graph["layers"]) if layer["weights"]]
    ends = np.linspace(0, len(layers), min(STAGES, len(layers)) + 1).round().astype(int)
    for start, end in itertools.pairwise(ends):
        for layer in layers[start:end]:
            arrays |= {name: drawn[name] for name in layer["weights"]}
        path = network.scratch / f"forgotten-{end}.safetensors"
        save_file(arrays, path)
        yield layers[end - 1]["name"], replace(network, weights=path)


def _repeated(auditor: Auditor, subjects: Subjects) -> dict[str, Any]:
    """Likeness to the maps of runs that differ in nothing but the seed."""
    run, network = auditor.explainer.prepared.run, auditor.explainer.network
    twins = _twins(run)
    if not twins:
        return {"not_measured": "no run beside this one differs from it in its seed alone"}
    before, subjects = _called_maps(auditor, network, subjects)
    if not len(subjects):
        return {"not_measured": "no map of the tried images holds any evidence"}
    likeness = [
        _likeness(
            before, auditor.maps(replace(network, weights=twin.checked_weights()), subjects.images)
        )
        for twin in twins
    ]
    mean = auditor.mean(np.mean(likeness, axis=0), subjects)
    return {"likeness": mean, "seeds": [run.seed, *(twin.seed for twin in twins)]}


def _twins(run: Finished) -> list[Finished]:
    def decisive(one: Finished) -> dict[str, Any]:
        return {k: v for k, v in one.spec.items() if k not in {*NOT_DECISIVE, "seeds"}}

    beside = finished.find([run.folder.resolve().parent]).runs
    return [
        other
        for other in beside
        if other.seed != run.seed and decisive(other) == decisive(run) and other.split == run.split
    ]


def _agreed(auditor: Auditor, subjects: Subjects) -> dict[str, Any]:
    """The largest difference to the maps of each other backend by the same weights."""
    if auditor.method.backend is not None:
        return {"not_measured": f"{auditor.method.name} runs on {auditor.method.backend} only"}
    network = auditor.explainer.network
    subjects = subjects.sample(BATCH)
    here = auditor.maps(network, subjects.images)
    found: dict[str, Any] = {}
    for name in backends.frameworks():
        if name == network.worker.backend.name or not backends.get(name).installed:
            continue
        try:
            with ExitStack() as stack:
                worker = stack.enter_context(backends.connect(name, "cpu"))
                there = auditor.maps(replace(network, worker=worker), subjects.images)
        except RadZooError as error:
            found[name] = {"not_measured": str(error).splitlines()[0]}
            continue
        found[name] = {"largest_difference": float(np.abs(there - here).max())}
    if not found:
        return {"not_measured": "no other backend is installed"}
    return {"images": len(subjects), "agrees_below": AGREES, "largest": found}
