"""What a YAML spec may say. One class per section, in the order of the data flow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from .. import zoo
from ..backends import devices
from ..backends import registry as backend_table
from ..errors import SpecError
from ..preprocessing import registry as datasets
from . import problems, source
from .named import Optimizer, Step, known
from .options import checked
from .section import Section, Seed, Share
from .study import Executor, Grid, Search

FINDINGS_LOSS = "binary_crossentropy"
Monitor = Literal["val_loss", "val_accuracy", "val_roc_auc"]


class Split(Section):
    """Shares of the patients (of the images, where patients are not known) on each side."""

    train: Share = 0.6
    validation: Share = 0.15
    test: Share = 0.25

    @model_validator(mode="after")
    def _is_whole(self) -> "Split":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"The shares must sum to 1; they sum to {total:g}.")
        return self


class Dataset(Section):
    """Which images, and how they are split.

    `patient: null` says that the patients are not known and the split is by image.
    `split: given` takes the sides that the dataset's own `split` column gives.
    `leave_out` names a CSV with a column `id`, as `data clean` writes it: these are not used.
    `findings` asks for a model of several labels, of which an image may have any number: "all"
    of those that the dataset names, or these. Without it the model tells two classes apart.
    """

    name: Annotated[str, known(datasets.get)]
    options: dict[str, Any] = {}
    leave_out: str | None = None
    findings: Literal["all"] | Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    patient: Literal["patient"] | None = "patient"
    split: Split | Literal["given"] = Split()
    seed: Seed = 0

    @field_validator("options")
    @classmethod
    def _fit_the_reader(cls, options: dict, info: ValidationInfo) -> dict:
        if "name" not in info.data:
            return options
        return checked(datasets.get(info.data["name"]).factory, options)


class Augmentation(Section):
    """How far a training image may be changed, either way; see backends/worker."""

    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    zoom: Annotated[float, Field(ge=0, lt=1)] = 0.0
    shift: Annotated[float, Field(ge=0, lt=1)] = 0.0
    shear_degrees: Annotated[float, Field(ge=0, lt=90)] = 0.0
    brightness: Annotated[float, Field(ge=0, lt=1)] = 0.0
    flip_horizontal: bool = False


class Model(Section):
    """Which architecture, the options of its factory, and weights to start from.

    `weights` is null, "imagenet", or a path: of a run, or of a file; see
    `backends/worker/pretrained.py`.
    """

    architecture: Annotated[str, known(zoo.get)]
    options: dict[str, Any] = {}
    weights: str | None = None

    @field_validator("options")
    @classmethod
    def _fit_the_factory(cls, options: dict, info: ValidationInfo) -> dict:
        if "architecture" not in info.data:
            return options
        return checked(zoo.get(info.data["architecture"]).factory, options, ("keras", "classes"))


class EarlyStopping(Section):
    """Stop a phase when the monitored figure has not become better for `patience` epochs."""

    patience: PositiveInt
    min_delta: NonNegativeFloat = 0.0


class ReduceOnPlateau(Section):
    """Multiply the learning rate by `factor` after `patience` epochs without gain."""

    patience: PositiveInt
    factor: Share = 0.5


class Phase(Section):
    """A part of training with its own optimiser.

    `frozen_until` names a layer, or a block that the architecture declares: it and all that
    it depends on keep their weights.
    """

    epochs: PositiveInt
    frozen_until: str | None = None
    optimizer: Optimizer | None = None


class Training(Section):
    """How a backend fits the model: `epochs` in one go, or `phases` for transfer learning.

    `loss` is binary_crossentropy, label by label, for findings, and one of the others for classes.
    """

    optimizer: Optimizer = {"name": "adam"}
    loss: Literal[
        "categorical_crossentropy", "categorical_focal_crossentropy", "binary_crossentropy"
    ] = "categorical_crossentropy"
    epochs: PositiveInt | None = None
    phases: tuple[Phase, ...] = ()
    batch_size: PositiveInt = 64
    class_weight: Literal["balanced"] | dict[str, PositiveFloat] | None = None
    monitor: Monitor = "val_loss"
    restore_best: bool = True
    early_stopping: EarlyStopping | None = None
    reduce_on_plateau: ReduceOnPlateau | None = None
    jit_compile: bool | None = None

    @model_validator(mode="after")
    def _epochs_or_phases(self) -> "Training":
        if (self.epochs is None) == (not self.phases):
            raise ValueError("Give either epochs or phases.")
        return self


class Costs(Section):
    """What a missed patient costs against a false alarm; only their ratio matters."""

    miss: PositiveFloat
    false_alarm: PositiveFloat = 1.0


class Evaluation(Section):
    """What is measured on the test side; thresholds are chosen on the validation side.

    The first of `thresholds` is the one that the report leads with. PPV and NPV are worked out
    for `prevalence` too, where it is given.
    """

    thresholds: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.5,)
    target_sensitivity: Share | None = None
    target_specificity: Share | None = None
    costs: Costs | None = None
    prevalence: Share | None = None
    subgroups: tuple[Literal["view", "sex", "age", "site"], ...] = ()
    resamples: Annotated[int, Field(ge=100, le=100_000)] = 2000
    confidence: Share = 0.95


class Spec(Section):
    """One experiment, as `experiments/*.yaml` describe it.

    `quick` holds dotted keys and their values in a small version of it, for `--quick`.
    """

    title: str
    dataset: Dataset
    preprocessing: tuple[Step, ...] = ()
    augmentation: Augmentation | None = None
    model: Model
    training: Training
    evaluation: Evaluation = Evaluation()
    backends: Annotated[
        tuple[Annotated[str, known(backend_table.get)], ...], Field(min_length=1)
    ] = ("tensorflow",)
    device: str = "auto"
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (0,)
    grid: Grid = {}
    search: Search | None = None
    executor: Executor = Executor()
    quick: dict[str, Any] = {}
    tracking: Literal["mlflow"] | None = None
    tensorboard: bool = False
    reported: dict[str, float | str] = {}

    @field_validator("dataset", "executor", mode="before")
    @classmethod
    def _a_name_will_do(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("training", mode="before")
    @classmethod
    def _has_the_loss_of_findings(cls, training: Any, info: ValidationInfo) -> Any:
        if isinstance(training, dict) and _findings(info):
            return {"loss": FINDINGS_LOSS, **training}
        return training

    @field_validator("training")
    @classmethod
    def _fits_what_is_told(cls, training: Training, info: ValidationInfo) -> Training:
        if "dataset" in info.data and bool(_findings(info)) != (training.loss == FINDINGS_LOSS):
            raise ValueError(
                f"loss {training.loss} is for {'classes' if _findings(info) else 'findings'}: "
                f"{FINDINGS_LOSS} goes with dataset.findings, the categorical ones go without."
            )
        if _findings(info) and isinstance(training.class_weight, dict):
            raise ValueError("with dataset.findings, class_weight is `balanced` or null.")
        return training

    @model_validator(mode="after")
    def _searches_one_model(self) -> "Spec":
        if self.search and (self.grid or len(self.backends) > 1 or len(self.seeds) > 1):
            raise ValueError("A search takes one backend and one seed, and no grid beside it.")
        return self

    @field_validator("device")
    @classmethod
    def _is_a_device(cls, device: str) -> str:
        if not devices.is_valid(device):
            raise ValueError("must be cpu, gpu, gpu:N or auto")
        return device


def _findings(info: ValidationInfo) -> Any:
    return info.data["dataset"].findings if "dataset" in info.data else None


def load(
    path: Path, overrides: Sequence[str] = (), quick: bool = False
) -> tuple[Spec, source.Source]:
    """Read a spec and check it.

    Args:
        path: a YAML file.
        overrides: `a.b=value` each, the value in YAML; they win over the file.
        quick: whether to take the values of its section `quick`; overrides win over them.

    Returns:
        The checked spec, with every default filled in, and what it was read from.

    Raises:
        SpecError: the file is missing or says something that a spec may not; all
            problems are listed at once.
    """
    text = source.read(path)
    if not isinstance(text.data, dict):
        raise SpecError(f"{path} holds no keys; a spec begins with `title: ...`.")
    if quick:
        text = _quickened(text, path)
    for override in overrides:
        text = source.overridden(text, override)
    return check(text, str(path)), text


def _quickened(text: source.Source, path: Path) -> source.Source:
    values = text.data.get("quick")
    if not values or not isinstance(values, dict):
        raise SpecError(f"{path} has no section `quick`, so there is no small version of it.")
    for dotted, value in values.items():
        text = source.replaced(text, dotted, value, text.place(("quick", dotted)))
    return text


def check(text: source.Source, name: str) -> Spec:
    """Check what a file says.

    Raises:
        SpecError: with every problem, by its place.
    """
    try:
        return Spec.model_validate(text.data)
    except ValidationError as error:
        lines = problems.lines(error, Spec, text)
        raise SpecError(f"{name} cannot be run:\n" + "\n".join(lines)) from error
