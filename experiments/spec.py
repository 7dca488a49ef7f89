"""What a YAML spec may say, and how it is read; its sections are in sections.py."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from ..backends import devices
from ..backends import registry as backend_table
from ..errors import SpecError
from . import problems, source
from .named import Step, known
from .section import Section, Seed
from .sections import Augmentation, Dataset, Evaluation, Model, Training
from .study import Executor, Grid, Halving, Search

FINDINGS_LOSS = "binary_crossentropy"


class Spec(Section):
    """One experiment, as `experiments/*.yaml` describe it.

    `quick` holds dotted keys and their values in a small version of it, for `--quick`.

    Attributes:
        title: one line that says what is done.
        dataset: which images, and how they are split; a name alone will do.
        preprocessing: steps that every image goes through, in this order.
        augmentation: changes to training images; null makes none.
        model: which network.
        training: how it is fitted.
        evaluation: what is measured.
        backends: each makes a run of its own.
        device: cpu, gpu, gpu:N, or auto, which is a GPU where there is one.
        seeds: of initial weights and of the order of images; each makes a run of its own.
        grid: values to be tried, every one with every other, or point by point.
        search: let Optuna choose values; null searches nothing.
        halving: let only the better points of the grid go on; null lets every one.
        executor: who does the runs of a sweep.
        quick: dotted keys and their values in the small version.
        tracking: log the runs to MLflow as well.
        tensorboard: write event files for TensorBoard as well.
        reported: figures that a paper gives for this spec, shown beside ours.
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
    halving: Halving | None = None
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

    @model_validator(mode="after")
    def _halves_a_grid(self) -> "Spec":
        if self.halving and (self.search or not self.grid):
            raise ValueError("halving is of a grid: give a grid, and no search beside it.")
        return self

    @property
    def epochs(self) -> int:
        """Of the whole training, if no phase stops early."""
        return self.training.epochs or sum(phase.epochs for phase in self.training.phases)

    @property
    def rounds(self) -> list[int]:
        """The epochs at which the rounds of `halving` end; the last is the end of the training."""
        assert self.halving is not None, "of a spec that has it"
        ends, end = [], self.halving.epochs
        while end < self.epochs:
            ends.append(end)
            end *= self.halving.factor
        return [*ends, self.epochs]

    @model_validator(mode="after")
    def _computes_as_its_backends_can(self) -> "Spec":
        asked = self.training.precision
        unable = [name for name in self.backends if asked not in backend_table.get(name).precisions]
        if unable:
            raise ValueError(
                f"training.precision {asked}: {', '.join(unable)} computes in float32 alone. Leave "
                "precision out, or take other backends."
            )
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
