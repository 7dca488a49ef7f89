"""The table of backends: what to run, in which interpreter, and what to install."""

import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from ..errors import UnknownName
from . import devices, legacy

# glibc gives large blocks back to the system after every step unless it is told to keep them:
# torch trains 1.27 times faster with these, JAX 1.1 times, TensorFlow as before.
KEEP_LARGE_BLOCKS = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
    "MALLOC_TOP_PAD_": str(2**26),
}

Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
OF_KERAS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True)
class Backend:
    """How to start the worker of one backend.

    Attributes:
        name: what specs and `--backend` say.
        adapter: module in `worker/` that speaks to this framework.
        package: the framework's module, looked for to tell whether it is installed.
        install: the command that makes it available, shown when it is not.
        env: environment of the worker, on top of ours.
        tuning: environment that makes it fast here; what the user has set wins over it.
        hidden: modules that the worker must not find. Keras imports TensorFlow in `fit`
            wherever it finds it, which doubles the start of a torch or JAX worker.
        jit_compile: what Keras's `compile` gets on a CPU unless a spec says otherwise.
        precisions: what `training.precision` of a spec may be.
        python: interpreter of the worker.
        legacy: whether its framework runs in a process and an interpreter of its own, which
            `backends install` sets up and the worker drives.
    """

    name: str
    adapter: str
    package: str
    install: str
    env: Mapping[str, str] = field(default_factory=dict)
    tuning: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    jit_compile: bool = False
    precisions: tuple[Precision, ...] = ("float32",)
    python: str = sys.executable
    legacy: bool = False

    @property
    def installed(self) -> bool:
        """Whether its framework can be imported here; nothing is imported to tell."""
        if self.legacy:
            return legacy.get(self.name).find() is not None
        return importlib.util.find_spec(self.package) is not None

    def environment(self, device: str) -> dict[str, str]:
        """All of the environment of a worker that is to use `device`."""
        return {**self.tuning, **os.environ, **self.env, **devices.environment(device)}


_BACKENDS = {
    backend.name: backend
    for backend in (
        Backend(
            "tensorflow",
            adapter="keras3",
            package="tensorflow",
            install="pip install 'radzoo[tensorflow]'",
            env={"KERAS_BACKEND": "tensorflow"},
            tuning={"TF_CPP_MIN_LOG_LEVEL": "2"},
            precisions=OF_KERAS,
        ),  # jit_compile off: XLA's convolutions train 8 times slower on a CPU
        Backend(
            "torch",
            adapter="keras3",
            package="torch",
            install="pip install 'radzoo[torch]'",
            env={"KERAS_BACKEND": "torch"},
            tuning=KEEP_LARGE_BLOCKS,
            hidden=("tensorflow",),
            precisions=OF_KERAS,
        ),
        Backend(
            "jax",
            adapter="keras3",
            package="jax",
            install="pip install 'radzoo[jax]'",
            env={"KERAS_BACKEND": "jax"},
            tuning={
                # An empty value switches XLA's YNN fusion off: 2.8 times faster on a CPU.
                "XLA_FLAGS": "--xla_cpu_experimental_ynn_fusion_type=",
                **KEEP_LARGE_BLOCKS,
            },
            hidden=("tensorflow",),
            jit_compile=True,
            precisions=OF_KERAS,
        ),
        Backend(
            "cntk",
            adapter="cntk",
            package="cntk",
            install="radzoo backends install cntk",
            tuning=KEEP_LARGE_BLOCKS,
            legacy=True,
        ),
        Backend("fake", adapter="fake", package="numpy", install="nothing: it is part of radzoo"),
    )
}


def names() -> list[str]:
    """Every backend that a spec may name, installed or not."""
    return list(_BACKENDS)


def frameworks() -> list[str]:
    """Those that compute with a framework, installed or not: all but `fake`."""
    return [name for name in names() if name != "fake"]


def get(name: str) -> Backend:
    """Look up a backend.

    Raises:
        UnknownName: no backend has that name.
    """
    if name not in _BACKENDS:
        raise UnknownName("backend", name, names())
    return _BACKENDS[name]
