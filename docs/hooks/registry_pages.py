"""What is registered, as pages: architectures, datasets, heatmap methods, backends."""

import words

from radzoo import zoo
from radzoo.backends import registry as backends
from radzoo.explain import registry as methods
from radzoo.preprocessing import registry as datasets

WRITTEN = "This page is written from the registry when the site is built."


def architectures() -> str:
    """Write the page of the zoo's architectures, with what is known of each."""
    rows = [
        [f"[{one.name}](#{one.name})", _shape(one), _count(one), one.summary]
        for one in zoo.entries()
    ]
    head = (
        f"# Architectures\n\n{WRITTEN} The zoo ships no weights: an architecture says nothing of "
        "an image before it is trained. What trained ones are worth stands on the "
        "[model cards](../cards/index.md). Images come in as float32 in [0, 1], bone white; the "
        "last layers are `scores` and `probabilities`.\n\n"
        "    python cli.py models list\n    python cli.py models show chest_xray_cnn\n\n"
    )
    overview = words.table(["name", "images", "parameters", "what it is"], rows)
    return head + "\n".join([overview, *map(_architecture, zoo.entries())])


def _architecture(one: zoo.Architecture) -> str:
    known = {
        "images (rows x columns x channels)": _shape(one),
        "smallest side, pixels": one.minimum_size,
        "parameters, with 2 classes": _count(one),
        "heatmap layer": f"`{one.heatmap_layer}`",
        "blocks that a phase can freeze": ", ".join(
            f"`{name}` (ends at `{layer}`)" for name, layer in one.blocks.items()
        ),
        "ImageNet weights that fit": one.pretrained and f"keras.applications.{one.pretrained}",
        "source": one.source,
        "licence": one.licence,
    }
    options = words.options(one.factory, ("keras", "classes"))
    said = words.prose(one.factory)
    return f"## {one.name} {{: #{one.name} }}\n\n{said}\n\n{words.facts(known)}\n{options}"


def _shape(one: zoo.Architecture) -> str:
    return " x ".join(map(str, one.input_shape))


def _count(one: zoo.Architecture) -> str:
    return f"{one.parameters:,}" if one.parameters else ""  # a plug-in may not say


def data() -> str:
    """Write the page of datasets."""
    found = [datasets.get(name) for name in datasets.names()]
    head = (
        f"# Datasets\n\n{WRITTEN} How files are read, checked, cleaned and prepared stands under "
        "[Data](../data.md). No image comes with radzoo; the synthetic ones are drawn on the spot "
        "and say nothing about patients.\n\n"
        "    python cli.py data list\n    python cli.py data show phantom_nodules\n\n"
    )
    rows = [
        [f"[{one.name}](#{one.name})", "synthetic" if one.synthetic else "", one.summary]
        for one in found
    ]
    return head + "\n".join([words.table(["name", "", "what it is"], rows), *map(_dataset, found)])


def _dataset(one: datasets.DatasetEntry) -> str:
    known = {
        "synthetic": "yes: a program drew it, no patient is shown" if one.synthetic else "no",
        "source": one.source,
        "licence": one.licence,
    }
    said, options = words.prose(one.factory), words.options(one.factory)
    return f"## {one.name} {{: #{one.name} }}\n\n{said}\n\n{words.facts(known)}\n{options}"


def heatmaps() -> str:
    """Write the page of heatmap methods."""
    found = [methods.get(name) for name in methods.names()]
    rows = [
        [
            f"`{one.name}`",
            one.summary,
            "each cell of the heatmap layer" if one.grid == "layer" else "each pixel",
            one.backend or "all",
            one.source,
        ]
        for one in found
    ]
    head = (
        f"# Heatmap methods\n\n{WRITTEN} How a map is drawn and what it is worth stands under "
        "[Heatmaps](../heatmaps.md). A heatmap shows where the network found evidence; it does "
        "not outline a lesion.\n\n    python cli.py explain methods\n\n"
    )
    return head + words.table(["method", "what it shows", "a value for", "backend", "source"], rows)


def processes() -> str:
    """Write the page of backends."""
    rows = [
        [f"`{name}`", f"`{backends.get(name).adapter}`", f"`{backends.get(name).install}`"]
        for name in backends.frameworks()
    ]
    head = (
        f"# Backends\n\n{WRITTEN} A backend is a worker process of its own; `fake`, which is "
        "not listed, computes without a framework, for tests. CNTK is described under "
        "[CNTK](../backends.md), a new one under [Add a backend](../howto/backend.md).\n\n"
        "    python cli.py backends list\n\n"
    )
    return head + words.table(["name", "adapter in `backends/worker/`", "to install it"], rows)
