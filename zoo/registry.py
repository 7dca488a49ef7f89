"""The registry of architectures: three ways in, one way to look up.

An architecture is a factory `name(keras, classes, input_shape=..., option: type = default)`.
`keras` is handed to it, so nothing here imports a framework. It comes in by

1. the decorator `@architecture(...)`, in a file of `zoo/architectures/`;
2. the decorator in another package, with an entry point in the group `radzoo.architectures`;
3. its address: `get("my_package.my_module:my_factory")`, decorated or plain.
"""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import UnknownName, UserError
from . import plugins, signature

Factory = Callable[..., Any]
Shape = tuple[int, int, int]

_ARCHITECTURES: dict[str, "Architecture"] = {}


@dataclass(frozen=True)
class Architecture:
    """A factory and what one must know to use it; None where a plain function does not say."""

    name: str  # what `get` accepts
    factory: Factory
    input_shape: Shape  # default (rows, columns, channels), in pixels
    minimum_size: int | None = None  # least rows and least columns, in pixels
    value_range: tuple[float, float] = (0.0, 1.0)  # of the images; scaled inside the model
    heatmap_layer: str | None = None  # its activations are the last on a grid of the image
    parameters: int | None = None  # with the default options and 2 classes
    source: str | None = None  # the paper, with table or section
    licence: str | None = None  # of the code, and of the weights if there are any
    # Name of a block -> its last layer, with the default options. To freeze a block is to
    # freeze that layer and every layer before it in `model.layers`.
    blocks: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    pretrained: str | None = None  # name in keras.applications whose ImageNet weights fit

    @property
    def summary(self) -> str:
        """First line of the factory's docstring."""
        return (inspect.getdoc(self.factory) or "").partition("\n")[0]

    @property
    def module(self) -> str:
        """Where the factory is written."""
        return self.factory.__module__

    @property
    def options(self) -> dict[str, inspect.Parameter]:
        """Name of each option -> its type (`annotation`) and `default`; input_shape included."""
        return signature.options(self.factory)


def architecture(  # noqa: PLR0913  (a record is written down here, each field by its name)
    *,
    input_shape: Shape,
    heatmap_layer: str,
    parameters: int,
    source: str,
    licence: str,
    minimum_size: int,
    blocks: Mapping[str, str],
    pretrained: str | None = None,
    value_range: tuple[float, float] = (0.0, 1.0),
) -> Callable[[Factory], Factory]:
    """Register the decorated factory under its own name; the fields are those of `Architecture`.

    Raises:
        ValueError: the signature is not that of a factory, its default input_shape is
            another one, or another module has registered the name.
    """

    def register(factory: Factory) -> Factory:
        record = dataclasses.replace(
            _record_of(factory.__name__, factory),
            minimum_size=minimum_size,
            value_range=value_range,
            heatmap_layer=heatmap_layer,
            parameters=parameters,
            source=source,
            licence=licence,
            blocks=dict(blocks),
            pretrained=pretrained,
        )
        if record.input_shape != input_shape:
            raise ValueError(
                f"{record.module}.{record.name} is registered with input_shape {input_shape}, "
                f"but its signature's default is {record.input_shape}. Write the same in both."
            )
        _add(record)
        return factory

    return register


def _record_of(name: str, factory: Factory) -> Architecture:
    """What the signature alone says about `factory`."""
    problem = signature.problems(factory)
    if problem:
        raise ValueError(problem)
    return Architecture(name, factory, signature.options(factory)["input_shape"].default)


def _add(record: Architecture) -> None:
    known = _ARCHITECTURES.get(record.name)
    # The same function may come again: a notebook cell is run twice, an import is retried.
    if known and _address(known.factory) != _address(record.factory):
        raise ValueError(
            f"Architecture {record.name!r} is registered twice: by {known.module} and by "
            f"{record.module}. Rename one of the two functions."
        )
    _ARCHITECTURES[record.name] = record


def _address(factory: Factory) -> tuple[str, str]:
    return factory.__module__, factory.__qualname__


def names() -> list[str]:
    """Every registered name, ours and those of installed plug-ins, sorted."""
    _discover()
    return sorted(_ARCHITECTURES)


def entries() -> list[Architecture]:
    """The record of every registered name, in the order of `names()`."""
    return [_ARCHITECTURES[name] for name in names()]


def failed_plugins() -> dict[str, str]:
    """Installed packages whose architectures could not be registered -> the error."""
    return {plugin.package: plugin.error for plugin in _discover() if plugin.error}


def get(name: str) -> Architecture:
    """Look up an architecture by its name or by its address, "package.module:function".

    Returns:
        Its record. The record's `name` is the one asked for, so that another process can
        ask for it in the same way.

    Raises:
        UnknownName: nothing has that name, or the address cannot be imported; the message
            has near names, where was searched, and which plug-ins failed and why.
        UserError: the function at that address does not have the signature of a factory.
    """
    _discover()
    if ":" in name:
        return _at(name)
    if name not in _ARCHITECTURES:
        raise UnknownName("architecture", name, _ARCHITECTURES, also=_searched())
    return _ARCHITECTURES[name]


def _at(reference: str) -> Architecture:
    try:
        factory = plugins.load_function(reference)
    except Exception as error:
        also = f"{reference} could not be imported: {plugins.describe(error)}."
        raise UnknownName("architecture", reference, _ARCHITECTURES, also) from error
    for record in _ARCHITECTURES.values():
        if record.factory is factory:
            return dataclasses.replace(record, name=reference)
    try:
        return _record_of(reference, factory)
    except (NameError, ValueError) as error:  # NameError: a type annotation that names nothing
        raise UserError(str(error)) from error


def _searched() -> str:
    packages = sorted({plugin.package for plugin in _discover()})
    also = f"Searched: {', '.join(['radzoo', *packages])}."
    for package, error in failed_plugins().items():
        also += f" The plug-in {package} failed to load: {error}."
    return also


@cache  # plug-ins are loaded once; a second try would only hide the first error
def _discover() -> tuple[plugins.Plugin, ...]:
    """Import our own architectures, then those of installed plug-ins."""
    package = importlib.import_module(".architectures", __package__)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return tuple(_adopt(plugin) for plugin in plugins.load_all())


def _adopt(plugin: plugins.Plugin) -> plugins.Plugin:
    """Register a plug-in's factory that has no decorator: nothing installed stays unseen."""
    known = [record.factory for record in _ARCHITECTURES.values()]
    if plugin.error or inspect.ismodule(plugin.loaded) or plugin.loaded in known:
        return plugin
    try:
        _add(_record_of(plugin.loaded.__name__, plugin.loaded))
    except (AttributeError, NameError, TypeError, ValueError) as error:
        return plugin._replace(error=plugins.describe(error))
    return plugin


def build(name: str, keras: Any, classes: int, **options: Any) -> Any:
    """Build an untrained model of architecture `name` with the given `keras`.

    Args:
        name: a registered name or "package.module:function".
        keras: the Keras module to build with, on any backend.
        classes: number of output classes, at least 2.
        options: those in the factory's signature, such as `input_shape`.

    Returns:
        An uncompiled functional model. Its input "images" takes float32 (batch, rows,
        columns, channels) in the record's `value_range`; its last layers are "scores"
        (batch, classes), before the softmax, and "probabilities" (batch, classes).

    Raises:
        UnknownName: no such architecture, or no such option of it.
        ValueError: too few classes, an input shape that the architecture cannot take, or
            a factory whose model lacks one of the three named layers.
    """
    record = get(name)
    for option in options:
        if option not in record.options:
            raise UnknownName(f"option of {name}", option, record.options)
    if classes < 2:
        raise ValueError(f"{name} needs at least 2 classes, healthy and not; got {classes}.")
    options["input_shape"] = _checked_shape(record, options.get("input_shape", record.input_shape))
    model = record.factory(keras, classes, **options)
    _check_layers(record, [layer.name for layer in model.layers])
    return model


def _checked_shape(record: Architecture, shape: Sequence[int]) -> Shape:
    least = record.minimum_size or 1
    if len(shape) != 3 or min(shape[:2]) < least or shape[2] < 1:
        raise ValueError(
            f"{record.name} takes images (rows, columns, channels) of at least {least} x {least} "
            f"pixels and 1 channel; got {tuple(shape)}. Resize the images in `preprocessing`."
        )
    rows, columns, channels = shape
    return rows, columns, channels


def _check_layers(record: Architecture, layers: Sequence[str]) -> None:
    wanted = [n for n in ("images", "scores", "probabilities", record.heatmap_layer) if n]
    missing = [name for name in wanted if name not in layers]
    if missing:
        raise ValueError(
            f"The model that {record.module}.{record.factory.__name__} built has no layer called "
            f"{' or '.join(missing)}; all of {', '.join(wanted)} are needed. It has: "
            f"{', '.join(layers)}."
        )
