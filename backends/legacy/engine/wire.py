"""Messages between a worker and its engine (2.7): a line of JSON, then the bytes of its arrays.

{"do": "step", "arrays": [["images", "<f4", [64, 64, 64, 1]], ...]}\n<bytes of images>...
"""

import json

import numpy as np


def write(stream, message, arrays=()):
    """Send a message.

    Args:
        stream: a binary file.
        message: a dict of JSON values.
        arrays: {name: array} to send with it.
    """
    arrays = {name: _contiguous(array) for name, array in dict(arrays).items()}
    told = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    stream.write(json.dumps(dict(message, arrays=told)).encode("utf-8") + b"\n")
    for array in arrays.values():
        stream.write(array.tobytes())
    stream.flush()


def read(stream):
    """Receive a message.

    Returns:
        (message, arrays), or None if the other side has closed the stream or died in the
        middle of a message.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    message, arrays = json.loads(line.decode("utf-8")), {}
    for name, dtype, shape in message.pop("arrays"):
        array = np.empty(shape, dtype)
        block = stream.read(array.nbytes)
        if len(block) < array.nbytes:
            return None
        arrays[name] = np.frombuffer(block, dtype).reshape(shape)
    return message, arrays


def _contiguous(array):
    array = np.asarray(array)
    return array if array.flags.c_contiguous else array.copy(order="C")
