"""Files of arrays that mean harm, made by script: what each is, what is said of it, the maker."""

import io
import os
import pickle
import zipfile

import numpy as np

IMAGES = np.zeros((3, 8, 8), "uint8")
NOISE = np.random.default_rng(0).integers(0, 256, (3, 8, 8), "uint8")


class Harm:
    """Unpickled, it makes the canary."""

    def __reduce__(self):
        return os.system, ("touch canary",)


def npy(array=IMAGES, **how):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **how)
    return file.getvalue()


def claiming(shape, data=b"", dtype="|u1"):
    """A .npy whose header says what it likes."""
    file = io.BytesIO()
    described = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)
    return file.getvalue() + data


def npz(pack=zipfile.ZIP_STORED, **members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", pack) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def encrypted():
    """Its flags say so, in both places that have them."""
    data = bytearray(npz(images=npy()))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def zeros(megabytes):
    """A packed .npy that grows; it is never whole in memory here either."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, \
            archive.open("images.npy", "w", force_zip64=True) as member:  # fmt: skip
        member.write(claiming((megabytes, 1024, 1024)))
        for _ in range(megabytes):
            member.write(bytes(2**20))
    return file.getvalue()


REFUSED = {
    "a ZIP of a text": ("neither a sound", lambda: npz(images=b"hello")),
    "half a ZIP": ("neither a sound", lambda: npz(images=npy())[:90]),
    "a ZIP without its end": ("neither a sound", lambda: npz(images=npy())[:-22]),
    "an encrypted member": ("neither a sound .*encrypted", encrypted),
    "objects": (
        "holds objects of Python, which are never read",
        lambda: npz(images=npy(np.array([Harm()] * 3), allow_pickle=True)),
    ),
    "a bare pickle": ("neither a sound", lambda: npz(images=pickle.dumps(Harm()))),
    "a header of the third version": (
        "has the header", lambda: npz(images=npy(version=(3, 0))),
    ),
    "a header that is code": (
        "neither a sound",
        lambda: npz(images=b"\x93NUMPY\1\0\x30\0" + b"__import__('os').abort()".ljust(48)),
    ),
    "a header of 60 KB": (
        "neither a sound", lambda: npz(images=b"\x93NUMPY\1\0\x60\xea" + b"(" * 60_000),
    ),
    "a claim of a terabyte": (
        "claims 1,099,511,627,776 bytes, and has 0", lambda: npz(images=claiming((2**40,))),
    ),
    "a claim that overflows": ("claims", lambda: npz(images=claiming((2**62, 2**62)))),
    "a shape below zero": ("claims|neither", lambda: npz(images=claiming((-1, 8, 8), bytes(64)))),
    "too few bytes": (
        "claims 192 bytes, and has 100", lambda: npz(images=claiming((3, 8, 8), bytes(100)))
    ),
    "a bomb of zeros": ("would become 272,629,760 bytes", lambda: zeros(260)),
    "a wrong checksum": (
        "Bad CRC-32", lambda: npz(images=npy(NOISE)).replace(NOISE.tobytes(), bytes(192))
    ),
}  # fmt: skip
