"""What a run knows of its data, its model and its training, as sentences for a checklist.

Each fact raises KeyError where the run directory does not hold what it tells; the checklist then
has a blank.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .finished import Finished

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What sentences are made from.

    Args:
        run: finished.
        external: `metrics.json` of each external validation of it.
    """

    run: Finished
    external: tuple[dict[str, Any], ...] = ()

    @property
    def spec(self) -> Values:
        """`spec.yaml`."""
        return self.run.spec

    @property
    def manifest(self) -> Values:
        """`manifest.json`."""
        return self.run.manifest

    @property
    def metrics(self) -> Values:
        """`metrics.json`."""
        return self.run.metrics


def data_source(evidence: Evidence) -> str:
    """The dataset, its source and its licence."""
    data = evidence.manifest["data"]
    synthetic = " They are SYNTHETIC: made by a program." if data["synthetic"] else ""
    return (
        f"{data['images']:,} images of the dataset {data['name']}. Source: {data['source']}. "
        f"Licence: {data['licence']}. SHA-256 of the content: {data['content_sha256']}.{synthetic}"
    )


def preprocessing(evidence: Evidence) -> str:
    """The steps from an image to the model's input."""
    steps = [_named(step) for step in evidence.spec["preprocessing"]]
    done = f"the steps {', '.join(steps)}" if steps else "no further step"
    _, rows, columns, channels = evidence.manifest["store"]["shape"]
    return (
        f"Images are read as values from 0 to 1, bone white; then {done}. The model gets "
        f"{rows} x {columns} x {channels} values, kept as {evidence.manifest['store']['dtype']}."
    )


def input_values(evidence: Evidence) -> str:
    """What the predictors are to the model."""
    return f"The only predictors are the pixels of one image. {preprocessing(evidence)}"


def partition(evidence: Evidence) -> str:
    """How images came to their sides."""
    split, section = evidence.manifest["split"], evidence.spec["dataset"]
    if section["split"] == "given":
        how = "The dataset's own split was taken"
    else:
        shares = ", ".join(f"{side} {share:.0%}" for side, share in section["split"].items())
        unit = "Patients" if split["by_patient"] else "Images"
        how = f"{unit} were dealt out by class, with the seed {section['seed']}: {shares}"
    return f"{how}. {counts(evidence)} SHA-256 of the split: {split['sha256']}."


def counts(evidence: Evidence) -> str:
    """Images, patients and positives of each side."""
    sides = evidence.manifest["split"]["sides"]
    return "; ".join(f"{name}: {side(evidence, name)}" for name in sides) + "."


def side(evidence: Evidence, name: str) -> str:
    """Images, patients and positives of one side."""
    split, positive = evidence.manifest["split"], evidence.metrics["positive_class"]
    found = split["sides"][name]
    people = f"{found['patients']:,} patients" if split["by_patient"] else "patients unknown"
    return f"{found['images']:,} images, {people}, {found['positives']:,} '{positive}'"


def disjoint(evidence: Evidence) -> str:
    """What is on one side only."""
    if evidence.manifest["split"]["by_patient"]:
        return "Patients: all images of a patient are on one side."
    return "Images only: patients are not known, so images of one may be on several sides."


def architecture(evidence: Evidence) -> str:
    """The model, and where all its layers are told."""
    model = evidence.manifest["model"]
    return (
        f"{_named({'name': model['architecture'], **model['options']})}: {model['parameters']:,} "
        f"parameters, {model['trainable']:,} of them trained; {model['classes']} outputs, the "
        f"probabilities of {' and '.join(evidence.metrics['classes'])}. All layers: graph.json."
    )


def software(evidence: Evidence) -> str:
    """Packages and code, each with its version."""
    versions = evidence.manifest["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    known = f" {code(evidence)}" if evidence.manifest["git"] else ""
    return f"{told}; backend {evidence.manifest['backend']}.{known}"


def code(evidence: Evidence) -> str:
    """The commit of radzoo."""
    git = evidence.manifest["git"]
    changed = ", with changes that are in no commit" if git["dirty"] else ""
    return f"radzoo, commit {git['commit']}{changed}."


def initialisation(evidence: Evidence) -> str:
    """Where the weights began."""
    start = evidence.manifest["model"]["started_from"]
    drawn = f"drawn at random with the seed {evidence.manifest['seed']}"
    return f"Weights to start from: {start}; others {drawn}." if start else f"All weights {drawn}."


def training(evidence: Evidence) -> str:
    """Settings, hardware and time."""
    section, manifest = evidence.spec["training"], evidence.manifest
    machine, device = manifest["machine"], manifest["device"]
    augmentation = _changed(evidence.spec["augmentation"] or {})
    return (
        f"{_length(section)} with {_named(section['optimizer'])}, loss {section['loss']}, batches "
        f"of {section['batch_size']}, {class_weights(section)}. Augmentation: "
        f"{augmentation or 'none'}. One model was trained, on {device['used']} ({device['name']}), "
        f"{machine['processor']}, {manifest['precision']}, in {manifest['wall_time_s']:,.0f} s."
    )


def selection(evidence: Evidence) -> str:
    """Which of the epochs' weights were tested."""
    section = evidence.spec["training"]
    stopping = section["early_stopping"]
    kept = f"epoch with the best {section['monitor']}" if section["restore_best"] else "last epoch"
    told = f"The weights of the {kept} were kept."
    if stopping is None:
        return told
    return f"{told} Training was to stop after {stopping['patience']} epochs without gain."


def ensemble(evidence: Evidence) -> str:
    """That there is none."""
    seed = evidence.manifest["seed"]
    return f"No ensemble: the figures are of one model, trained with the seed {seed}."


def class_imbalance(evidence: Evidence) -> str:
    """What training did about unequal classes."""
    section = evidence.spec["training"]
    focal = "focal" in section["loss"]
    loss = f"The loss was {section['loss']}" + (", which weighs hard images more" if focal else "")
    return f"{loss}; {class_weights(section)}. The probabilities were not put right afterwards."


def class_weights(section: Values) -> str:
    """The section `training` on class weights."""
    asked = section["class_weight"]
    if asked is None:
        return "no class weights"
    if asked == "balanced":
        return "class weights that give every class the same total"
    return "class weights " + ", ".join(f"{name} {weight:g}" for name, weight in asked.items())


def model_building(evidence: Evidence) -> str:
    """All of the model and its training at once."""
    return " ".join(fact(evidence) for fact in (architecture, initialisation, training, selection))


def specification(evidence: Evidence) -> str:
    """The files with which others can predict."""
    return (
        "Layers: graph.json; weights: weights.safetensors, SHA-256 "
        f"{evidence.manifest['weights_sha256']}; preprocessing and all settings: spec.yaml."
    )


def details(evidence: Evidence) -> str:
    """Where all settings are written down."""
    command = " ".join(evidence.manifest["command"])
    return (
        f"Every setting is in spec.yaml, the machine and the versions in manifest.json. "
        f"Command: {command}"
    )


def _named(given: Values) -> str:
    options = ", ".join(f"{key}: {value}" for key, value in given.items() if key != "name")
    return given["name"] + (f" ({options})" if options else "")


def _changed(section: Values) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in section.items() if value)


def _length(section: Values) -> str:
    if not section["phases"]:
        return f"{section['epochs']} epochs at most"
    return "Phases: " + ", then ".join(map(_phase, section["phases"]))


def _phase(phase: Values) -> str:
    frozen = phase["frozen_until"]
    fixed = f", all up to {frozen} frozen" if frozen else ""
    own = f", {_named(phase['optimizer'])}" if phase["optimizer"] else ""
    return f"{phase['epochs']} epochs at most{fixed}{own}"
