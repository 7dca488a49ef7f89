"""Files of weights that mean harm, made by script: what each is, what is said of it, the maker.

Each maker takes a path to write to and the path of a canary: a file that code in it would make.
"""

import io
import json
import marshal
import os
import pickle
import struct
import zipfile

import h5py
import numpy as np
from safetensors.numpy import save

KERNEL, BIAS = np.full((4, 2), 7, "float32"), np.full(2, 7, "float32")
ARRAYS = {"dense/kernel": KERNEL, "dense/bias": BIAS}  # of the model in read_models.py
GB = 2**30


class Harm:
    """Unpickled, it makes the canary."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


def arrays(**changed):
    """A .safetensors of the model, with arrays put in, or taken out by None."""
    found = {**ARRAYS, **{name.replace("__", "/"): array for name, array in changed.items()}}
    return save({name: array for name, array in found.items() if array is not None})


def said(header, data=bytes(40), length=None):
    """A .safetensors of a header of one's own."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def part(shape, start, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def both(kernel, bias):
    return said({"dense/kernel": kernel, "dense/bias": bias})


OF_A_RUN = {
    "nothing": ("no sound", lambda canary: b""),
    "seven bytes": ("no sound", lambda canary: b"1234567"),
    "a pickle": ("no sound", lambda canary: pickle.dumps(Harm(canary))),
    "half": ("no sound", lambda canary: arrays()[:-30]),
    "a tail": ("no sound", lambda canary: arrays() + b"tail"),
    "a header of 2^60 bytes": ("no sound", lambda canary: said({}, length=2**60)),
    "a header of 200 MB": ("no sound", lambda canary: said({}, length=200_000_000)),
    "a header that is no JSON": ("no sound", lambda canary: said(b"{'a': __import__('os')}")),
    "a header that is not UTF-8": ("no sound", lambda canary: said(b'{"\xff\xfe": 1}')),
    "a header of 100,000 levels": ("no sound", lambda canary: said(b'{"a":' * 100_000)),
    "a list for a header": ("no sound", lambda canary: said([1])),
    "arrays that overlap": (
        "no sound", lambda canary: both(part([4, 2], 0, 32), part([2], 24, 32)),
    ),
    "a gap between arrays": (
        "no sound", lambda canary: both(part([3, 2], 0, 24), part([2], 32, 40)),
    ),
    "an array beyond the file": (
        "no sound", lambda canary: both(part([4, 2], 0, 32), part([10**9], 32, 4 * 10**9 + 32)),
    ),
    "an end before its start": (
        "no sound", lambda canary: both(part([4, 2], 32, 0), part([2], 32, 40)),
    ),
    "a shape that overflows": (
        "no sound", lambda canary: both(part([2**40, 2**40], 0, 32), part([2], 32, 40)),
    ),
    "a shape below zero": (
        "no sound", lambda canary: both(part([-4, -2], 0, 32), part([2], 32, 40)),
    ),
    "an unknown dtype": (
        "no sound", lambda canary: both(part([4, 2], 0, 32, "OBJ"), part([2], 32, 40)),
    ),
    "a missing weight": ("dense/bias is missing", lambda canary: arrays(dense__bias=None)),
    "a weight too many": (
        "'extra' is no weight of the model", lambda canary: arrays(extra=np.zeros(9, "float32")),
    ),
    "a name that climbs": (
        r"'\.\./\.\./evil' is no weight",
        lambda canary: save({**ARRAYS, "../../evil": KERNEL}),
    ),
    "another shape": (
        "kernel is float32 2 x 4, the model takes float32 4 x 2",
        lambda canary: arrays(dense__kernel=KERNEL.T.copy()),
    ),
    "half precision": (
        "kernel is float16 4 x 2", lambda canary: arrays(dense__kernel=KERNEL.astype("float16")),
    ),
    "whole numbers": (
        "kernel is int64 4 x 2", lambda canary: arrays(dense__kernel=KERNEL.astype("int64")),
    ),
    "a NaN": (
        "bias is not finite", lambda canary: arrays(dense__bias=np.array([1, np.nan], "float32")),
    ),
    "an infinity": (
        "bias is not finite", lambda canary: arrays(dense__bias=np.array([1, -np.inf], "float32")),
    ),
    "a weight of 64 MB that none asked for": (
        "is no weight", lambda canary: arrays(extra=np.zeros(2**24, "float32")),
    ),
}  # fmt: skip


def hdf5(fill):
    """A file that `fill` puts things into, beside a sound array."""
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened["sound"] = KERNEL
        fill(opened)
    return file.getvalue()


def bomb(gigabytes, **how):
    return lambda file: file.create_dataset("bomb", (gigabytes * GB // 4,), "float32", **how)


def deep(levels):
    return lambda file: file.create_group("/".join("g" * levels))


def circle(file):
    group = file.create_group("round")
    group["again"] = file["/"]


def virtual(file):
    layout = h5py.VirtualLayout((3,), "float32")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3,), "float32")
    file.create_virtual_dataset("virtual", layout)


def referring(file):
    file.create_dataset("reference", data=[file["sound"].ref], dtype=h5py.ref_dtype)


def external(file):
    file.create_dataset("outside", (100,), "uint8", external=[("/etc/passwd", 0, 100)])


OF_HDF5 = {
    "nothing": ("no sound HDF5", lambda: b""),
    "text": ("no sound HDF5", lambda: b"not HDF5 at all"),
    "half": ("no sound HDF5", lambda: hdf5(bomb(0))[:1000]),
    "external storage": ("'/outside' is stored in another file", lambda: hdf5(external)),
    "a virtual array": ("'/virtual' is put together from other files", lambda: hdf5(virtual)),
    "an external link": (
        "'/out' is a link", lambda: hdf5(lambda f: f.update(out=h5py.ExternalLink("/etc/x", "/")))
    ),
    "a soft link": (
        "'/soft' is a link", lambda: hdf5(lambda f: f.update(soft=h5py.SoftLink("/sound"))),
    ),
    "a soft link to nowhere": (
        "'/soft' is a link", lambda: hdf5(lambda f: f.update(soft=h5py.SoftLink("/no/where"))),
    ),
    "a circle": ("leads round in circles", lambda: hdf5(circle)),
    "100 levels": ("more than 32 levels", lambda: hdf5(deep(100))),
    "40 GB that are not there": (r"claims 42,949,672,960 bytes, and 0 are", lambda: hdf5(bomb(40))),
    "1 GB of zeros, packed": (
        "'/bomb' claims 1,073,741,824 bytes",
        lambda: hdf5(bomb(1, chunks=(2**20,), compression="gzip")),
    ),
    "texts of any length": (
        "no numbers",
        lambda: hdf5(lambda f: f.create_dataset("text", data=["x"], dtype=h5py.string_dtype())),
    ),
    "references": ("no numbers", lambda: hdf5(referring)),
    "a filter from a library": (
        "is packed by filter",
        lambda: hdf5(
            lambda f: f.create_dataset("odd", (8,), "float32", chunks=(8,), scaleoffset=2)
        ),
    ),
}  # fmt: skip


def keras(config, weights=None, **others):
    """A .keras: a ZIP with a config, weights and whatever else."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        if weights != b"":
            archive.writestr("model.weights.h5", weights or sound())
        for name, content in others.items():
            archive.writestr(name.replace("__", "/").replace("UP", ".."), content)
    return file.getvalue()


def sound():
    """What Keras 3 writes of the model."""
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        kept = opened.create_group("layers/dense/vars")
        kept["0"], kept["1"] = KERNEL, BIAS
        opened.create_group("layers/input_layer/vars")
    return file.getvalue()


def layer(kind, module="keras.layers", **config):
    return {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"layers": [{"module": module, "class_name": kind, "config": config}]},
    }


def bytecode(canary):
    code = compile(f"open({str(canary)!r}, 'w')", "<lambda>", "eval")
    return {"class_name": "__lambda__", "config": {"code": marshal.dumps(code).hex()}}


# Taken as what they are, arrays: nothing else in them is looked at, least of all run.
HARMLESS = {
    "lambda.keras": lambda canary: keras(layer("Lambda", function=bytecode(canary))),
    "module.keras": lambda canary: keras(layer("system", module="os", command=f"touch {canary}")),
    "get_file.keras": lambda canary: keras(
        layer("get_file", module="keras.utils", fname=str(canary), origin="file:///etc/passwd")
    ),
    "tfsm.keras": lambda canary: keras(layer("TFSMLayer", filepath="/etc")),
    "lookup.keras": lambda canary: keras(layer("StringLookup", vocabulary="/etc/passwd")),
    "torch.keras": lambda canary: keras(
        layer("TorchModuleWrapper", module=pickle.dumps(Harm(canary)).hex())
    ),
    "unsafe.keras": lambda canary: keras(
        layer("enable_unsafe_deserialization", module="keras.config")
    ),
    "climbing.keras": lambda canary: keras({}, UP__UP__climbed=b"x", assets__UP__UP__climbed=b"x"),
    "dots.keras": lambda canary: keras(layer("Dense", name="..", units=2)),
    "config_bomb.keras": lambda canary: keras(" " * 150_000_000),
}
REFUSED = {
    "pickle.pkl": ("no sound HDF5", lambda canary: pickle.dumps(Harm(canary))),
    "pickle.h5": ("no sound HDF5", lambda canary: pickle.dumps(Harm(canary))),
    "torch.pt": (
        "no sound HDF5",
        lambda canary: zipped({"archive/data.pkl": pickle.dumps(Harm(canary))}),
    ),
    "objects.npz": (
        "no sound HDF5", lambda canary: zipped({"a.npy": pickle.dumps(Harm(canary))})
    ),
    "no_zip.keras": ("BadZipFile", lambda canary: b"PK\3\4"),
    "no_weights.keras": ("no item named 'model.weights.h5'", lambda canary: keras({}, b"")),
    "pickle.keras": (
        "no sound HDF5", lambda canary: keras({}, pickle.dumps(Harm(canary)))
    ),
    "external.keras": ("another file", lambda canary: keras({}, hdf5(external))),
    "virtual.keras": ("other files", lambda canary: keras({}, hdf5(virtual))),
    "zeros.keras": ("claims 73,400,320 bytes", lambda canary: keras({}, bytes(70 * 2**20))),
    "shape.keras": ("0 are stored", lambda canary: keras({}, hdf5(bomb(40)))),
    "many.weights.h5": (
        "at most are taken",
        lambda canary: hdf5(
            lambda f: [f.create_dataset(f"a{n}", (2**22,), "float32") for n in range(9)]
        ),
    ),
    "nan.weights.h5": (
        "are not finite",
        lambda canary: sound().replace(BIAS.tobytes(), np.full(2, np.nan, "float32").tobytes()),
    ),
}  # fmt: skip


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()
