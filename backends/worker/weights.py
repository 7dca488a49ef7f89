"""Weights from a file of unknown worth: what the model needs, all of it and nothing else.

A `.safetensors` holds numbers and no code. Its header is compared with the model before any
number is read, so what a file claims costs no memory; that the ranges of its arrays neither
overlap, leave gaps nor end beyond the file is the library's own check.
"""

from contextlib import contextmanager

import numpy as np
from safetensors import SafetensorError, safe_open

from ...errors import DataError

SHOWN = 4  # problems of a file that are told
_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "U8": "uint8",
    "BOOL": "bool",
}


def read(path, needed):
    """Read the weights of a model.

    Args:
        path: a `.safetensors`.
        needed: {name: (shape, dtype)} of every weight of the model.

    Returns:
        {name: array}; every float in it is finite.

    Raises:
        DataError: the file holds anything else; each problem is told, the first few by name.
        OSError: it cannot be read.
    """
    with _opened(path) as file:
        _refuse(path, list(_misfits(_header(file), needed)))
        return _finite(path, {name: file.get_tensor(name) for name in needed})


def fitting(path, needed):
    """Read those arrays of a file that fit a model by name, shape and dtype, and no others.

    Args, returns and raises: as for `read`.
    """
    with _opened(path) as file:
        names = [name for name, said in _header(file).items() if needed.get(name) == said]
        return _finite(path, {name: file.get_tensor(name) for name in names})


@contextmanager
def _opened(path):
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except SafetensorError as error:
        raise DataError(
            f"{path} is no sound .safetensors: {error}. Get the file back, or repeat the run."
        ) from error


def _finite(path, arrays):
    wrong = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    _refuse(path, [f"{name} is not finite" for name in wrong])
    return arrays


def _header(file):
    """{name: (shape, dtype)} of every array; none is read."""
    parts = {name: file.get_slice(name) for name in set(file.keys())}
    return {
        name: (tuple(part.get_shape()), _DTYPES.get(part.get_dtype(), part.get_dtype()))
        for name, part in parts.items()
    }


def _misfits(found, needed):
    for name in sorted(needed.keys() - found.keys()):
        yield f"{name} is missing"
    for name in sorted(found.keys() - needed.keys()):
        yield f"{name[:80]!r} is no weight of the model"
    for name in sorted(needed.keys() & found.keys()):
        if found[name] != needed[name]:
            yield f"{name} is {_words(found[name])}, the model takes {_words(needed[name])}"


def _words(said):
    shape, dtype = said
    return f"{dtype} {' x '.join(map(str, shape)) or 'scalar'}"


def _refuse(path, problems):
    if problems:
        shown = "; ".join(problems[:SHOWN])
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise DataError(
            f"{path} does not hold the weights of the model: {shown}{more}. Give the file that "
            "was written for this architecture and these options, or repeat the run."
        )
