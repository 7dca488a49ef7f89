"""The sections of a spec, one class each, in the order of the data flow.

Their docstrings are what the reference of the documentation shows: a line of `Attributes:` a key.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from .. import zoo
from ..backends.registry import Precision
from ..preprocessing import registry as datasets
from .named import Optimizer, known
from .options import checked
from .section import Section, Seed, Share

Monitor = Literal["val_loss", "val_accuracy", "val_roc_auc"]


class Split(Section):
    """Shares of the patients (of the images, where patients are not known) on each side.

    Attributes:
        train: share to learn from.
        validation: share by which epochs, thresholds and temperature are chosen.
        test: share that is measured once, at the end. The three sum to 1.
    """

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

    Attributes:
        name: which dataset, a registered name or `module:function`.
        options: what its function takes; see the page of datasets.
        leave_out: path of a CSV with the column `id`: these images are not used.
        findings: the labels of a model of several; `all`, or some of those that the dataset names.
        patient: `patient` splits by patient; null says that the patients are not known.
        split: shares of the three sides, or `given`.
        seed: decides the split; the same for every run of a study.
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
    """How far a training image may be changed, either way; see backends/worker.

    Attributes:
        rotation_degrees: turned by at most so much.
        zoom: enlarged or made smaller by at most this share.
        shift: moved by at most this share of the side, along rows and columns.
        shear_degrees: sheared by at most so much.
        brightness: made brighter or darker by at most this share.
        flip_horizontal: whether left and right are exchanged in half of the images.
    """

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

    Attributes:
        architecture: a registered name, or `module:function`.
        options: what its function takes; see the page of architectures.
        weights: null (from scratch), `imagenet`, or the path of a run, of a folder that holds one
            run, or of a file of weights.
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
    """Stop a phase when the monitored figure has not become better for `patience` epochs.

    Attributes:
        patience: epochs without gain.
        min_delta: what counts as gain: better than the best so far by more than this.
    """

    patience: PositiveInt
    min_delta: NonNegativeFloat = 0.0


class ReduceOnPlateau(Section):
    """Multiply the learning rate by `factor` after `patience` epochs without gain.

    Attributes:
        patience: epochs without gain.
        factor: below 1.
    """

    patience: PositiveInt
    factor: Share = 0.5


class Phase(Section):
    """A part of training with its own optimiser.

    `frozen_until` names a layer, or a block that the architecture declares: it and all that
    it depends on keep their weights.

    Attributes:
        epochs: how many passes over the training images.
        frozen_until: the last layer, or block, that keeps its weights; null trains all.
        optimizer: that of `training` if not given.
    """

    epochs: PositiveInt
    frozen_until: str | None = None
    optimizer: Optimizer | None = None


class Training(Section):
    """How a backend fits the model: `epochs` in one go, or `phases` for transfer learning.

    `loss` is binary_crossentropy, label by label, for findings, and one of the others for classes.

    Attributes:
        optimizer: a name, or a name with its options.
        loss: what is made small.
        epochs: passes over the training images; or give `phases`.
        phases: parts of the training, one after the other; or give `epochs`.
        batch_size: images a step.
        class_weight: `balanced` weighs classes by the inverse of their number; or a weight a class.
        monitor: the figure of the validation side that decides which epoch is best.
        restore_best: whether the weights of the best epoch are kept, and not those of the last.
        early_stopping: when to stop early; null trains every epoch.
        reduce_on_plateau: when to lower the learning rate; null leaves it as it is.
        jit_compile: whether the backend compiles the model by XLA; null is what is faster there.
        precision: numbers that layers compute with while training. The mixed ones are faster on
            recent GPUs; weights and softmax are float32 in each, and so is all that is measured
            of the finished network.
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
    precision: Precision = "float32"

    @model_validator(mode="after")
    def _epochs_or_phases(self) -> "Training":
        if (self.epochs is None) == (not self.phases):
            raise ValueError("Give either epochs or phases.")
        return self


class Costs(Section):
    """What a missed patient costs against a false alarm; only their ratio matters.

    Attributes:
        miss: cost of a patient with the finding who is called without.
        false_alarm: cost of one without who is called with it.
    """

    miss: PositiveFloat
    false_alarm: PositiveFloat = 1.0


class Evaluation(Section):
    """What is measured on the test side; thresholds are chosen on the validation side.

    The first of `thresholds` is the one that the report leads with. PPV and NPV are worked out
    for `prevalence` too, where it is given.

    Attributes:
        thresholds: set beforehand: a probability of so much or more is called positive.
        target_sensitivity: choose on validation the highest threshold that reaches it.
        target_specificity: choose on validation the lowest threshold that reaches it.
        costs: choose on validation the threshold whose errors cost least.
        prevalence: share of the ill where the model is meant to be used.
        subgroups: which groups of patients are measured apart.
        resamples: of the patients, for the intervals.
        confidence: of the intervals.
    """

    thresholds: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.5,)
    target_sensitivity: Share | None = None
    target_specificity: Share | None = None
    costs: Costs | None = None
    prevalence: Share | None = None
    subgroups: tuple[Literal["view", "sex", "age", "site"], ...] = ()
    resamples: Annotated[int, Field(ge=100, le=100_000)] = 2000
    confidence: Share = 0.95
