"""Files of unknown worth, made by script: what they are, the code of their refusal, the maker."""

import io
import struct
import zlib

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    MPEG2MPML,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

FILM = np.add.outer(np.arange(96), np.arange(80)).astype(np.uint8)  # a ramp, 0 to 174
NOISE = np.random.default_rng(0).integers(0, 256, (96, 80), np.uint8)


def picture(array=FILM, kind="PNG", **options):
    file = io.BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name, content):
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def png(columns=80, rows=96, depth=8, colour=0, pixels=None, before=b"", after=b""):
    """A PNG chunk by chunk, with what is asked for before and after its pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0))
    raw = b"".join(b"\0" + line.tobytes() for line in FILM) if pixels is None else pixels
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + before
        + chunk(b"IDAT", zlib.compress(raw, 9))
        + after
        + chunk(b"IEND", b"")
    )


def dicom(array=FILM, pixels=None, syntax=ExplicitVRLittleEndian, preamble=bytes(128), **tags):
    """A DICOM file of one grey picture, with tags as given; None takes one away."""
    file = pydicom.Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = syntax
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = "1.2.3"
    file.Modality, file.PhotometricInterpretation, file.SamplesPerPixel = "CT", "MONOCHROME2", 1
    file.Rows, file.Columns = array.shape[:2]
    file.BitsAllocated = file.BitsStored = 8 * array.dtype.itemsize
    file.HighBit, file.PixelRepresentation = file.BitsStored - 1, 0
    file.PixelData = array.tobytes() if pixels is None else pixels
    file["PixelData"].VR = "OB"
    file["PixelData"].is_undefined_length = syntax.is_encapsulated
    for name, value in tags.items():
        if value is None:
            delattr(file, name)
        else:
            setattr(file, name, value)
    file.preamble = preamble
    out = io.BytesIO()
    pydicom.dcmwrite(out, file, enforce_file_format=True)
    return out.getvalue()


def in_dicom(stream, syntax, **tags):
    return dicom(pixels=encapsulate([stream + b"\0" * (len(stream) % 2)]), syntax=syntax, **tags)


def compressed(syntax):
    """The stream of FILM in a syntax that pydicom can encode."""
    file = pydicom.dcmread(io.BytesIO(dicom()))
    file.compress(syntax, generate_instance_uid=False)
    return next(generate_frames(file.PixelData, number_of_frames=1))


def patched(data, old, new):
    assert data.count(old) == 1
    return data.replace(old, new)


def named(tag, uid):
    """A DICOM file with a UID of 26 characters that pydicom would not write."""
    placeholder = "1.2.3.4.5.6.7.8.9.10.11.12"
    return dicom(**{tag: placeholder}).replace(placeholder.encode(), uid)


def scans(number):
    """A progressive JPEG whose last scan is there again and again."""
    data = picture(kind="JPEG", progressive=True)
    at = data.rindex(b"\xff\xda")
    return data[:at] + data[at:-2] * number + b"\xff\xd9"


def taller(data):
    """A JPEG whose header claims more rows than its data hold."""
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">H", 200) + data[at + 2 :]


def nested(depth):
    """Sequences in sequences, of undefined length, before the picture."""
    start = dicom()
    begin = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    end = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    at = start.index(struct.pack("<HH", 0x0028, 0x0002))
    return start[:at] + (begin + item) * depth + end * depth + start[at:]


def cut_in_stream(syntax):
    stream = compressed(syntax)
    return in_dicom(stream[: len(stream) // 2], syntax)


def cut_and_ended(syntax):
    stream = compressed(syntax)
    return in_dicom(stream[: len(stream) // 2] + b"\xff\xd9", syntax)


JPEG = picture(NOISE, "JPEG")
PROGRESSIVE = picture(NOISE, "JPEG", progressive=True)
PNG = picture(NOISE)
EXIF = Image.Exif()
EXIF[0x010E] = "SECRETNAME"  # ImageDescription
REFUSED = {
    "nothing": ("empty", lambda: b""),
    "a program of Windows": ("not_an_image", lambda: b"MZ\x90\0" + bytes(500)),
    "a program of Linux": ("not_an_image", lambda: b"\x7fELF\2\1\1" + bytes(500)),
    "a program of macOS": ("not_an_image", lambda: b"\xcf\xfa\xed\xfe" + bytes(500)),
    "a PDF": ("not_an_image", lambda: b"%PDF-1.7\n" + bytes(500)),
    "a ZIP": ("not_an_image", lambda: b"PK\3\4" + bytes(500)),
    "a GZIP": ("not_an_image", lambda: zlib.compress(b"x", wbits=31)),
    "a web page": ("not_an_image", lambda: b" <!DOCTYPE html><script>alert(1)</script>"),
    "an SVG": ("not_an_image", lambda: b"<?xml version='1.0'?><svg onload='alert(1)'/>"),
    "text": ("not_an_image", "Informe: tórax normal\n".encode),
    "a shell script": ("not_an_image", lambda: b"#!/bin/sh\nrm -rf /\n"),
    "random bytes": ("unknown_format", lambda: bytes(range(5, 256)) * 8),
    "zeros": ("unknown_format", lambda: bytes(5000)),
    "a GIF": ("other_format", lambda: picture(kind="GIF")),
    "a TIFF": ("other_format", lambda: picture(kind="TIFF")),
    "a BMP": ("other_format", lambda: picture(kind="BMP")),
    "a WebP": ("other_format", lambda: picture(kind="WEBP")),
    "a JPEG 2000": ("other_format", lambda: picture(kind="JPEG2000")),
    "an AVIF": ("other_format", lambda: b"\0\0\0\x20ftypavif" + bytes(500)),
    "a HEIC": ("other_format", lambda: b"\0\0\0\x20ftypheic" + bytes(500)),
    "a NIfTI": ("other_format", lambda: bytes([92, 1]) + bytes(342) + b"n+1\0" + bytes(9)),
    "half a PNG": ("truncated", lambda: PNG[: len(PNG) // 2]),
    "a PNG without IEND": ("truncated", lambda: PNG[:-12]),
    "a PNG of its signature": ("truncated", lambda: PNG[:8]),
    "a PNG with a wrong byte": ("damaged", lambda: PNG[:400] + b"\0\0\0\0" + PNG[404:]),
    "a PNG that claims 65,000 x 65,000": ("too_many_pixels", lambda: png(65_000, 65_000)),
    "a PNG of no columns": ("damaged", lambda: png(0, 96)),
    "a PNG with half a row too few": (
        "truncated", lambda: png(pixels=b"".join(b"\0" + line.tobytes() for line in FILM)[:-40])
    ),
    "a PNG with whole rows too few": (  # Pillow paints these black
        "truncated", lambda: png(pixels=b"".join(b"\0" + line.tobytes() for line in FILM[:40]))
    ),
    "a PNG without a row": ("truncated", lambda: png(pixels=b"")),
    "a PNG with broken deflate": ("damaged", lambda: PNG[:8] + png().split(b"IDAT")[0][8:-4]
        + chunk(b"IDAT", b"\x78\x9c" + bytes(range(200))) + chunk(b"IEND", b"")),
    "a PNG of an unknown colour type": ("damaged", lambda: png(colour=5)),
    "a PNG of 3 bits": ("damaged", lambda: png(depth=3)),
    "a PNG without pixels": ("damaged", lambda: patched(png(), b"IDAT", b"IDAX")),
    "a PNG of 100,000 chunks": ("damaged", lambda: png(before=chunk(b"teSt", b"") * 100_000)),
    "a text bomb in a PNG": (
        "damaged",
        lambda: png(before=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(200_000_000), 9))),
    ),
    "an international text bomb in a PNG": (
        "damaged",
        lambda: png(before=chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(bytes(200_000_000), 9))),
    ),
    "a profile bomb in a PNG": (
        "damaged",
        lambda: png(before=chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(200_000_000), 9))),
    ),
    "an animated PNG": (
        "animated",
        lambda: picture(
            Image.fromarray(FILM), save_all=True, append_images=[Image.fromarray(NOISE)]
        ),
    ),
    "half a JPEG": ("truncated", lambda: JPEG[: len(JPEG) // 2]),
    "a JPEG without its last byte": ("truncated", lambda: JPEG[:-1]),
    "half a JPEG with an end": ("truncated", lambda: JPEG[: len(JPEG) // 2] + b"\xff\xd9"),
    "half a progressive JPEG with an end": (
        "truncated",
        lambda: PROGRESSIVE[: len(PROGRESSIVE) // 2] + b"\xff\xd9",
    ),
    "a JPEG taller than its data": ("truncated", lambda: taller(JPEG)),
    "a JPEG with scrambled data": (
        "damaged",
        lambda: JPEG[:700] + bytes(b ^ 0x55 if b != 0xAA else b for b in JPEG[700:-2]) + JPEG[-2:],
    ),
    "a JPEG of its first bytes": ("truncated", lambda: JPEG[:3]),
    "a JPEG of an end": ("damaged", lambda: b"\xff\xd8\xff\xd9"),
    "a JPEG without segments": ("damaged", lambda: b"\xff\xd8\xff" + bytes(500)),
    "a JPEG that claims 65,000 x 65,000": (
        "too_many_pixels",
        lambda: patched(picture(kind="JPEG"), b"\0\x60\0\x50", b"\xfd\xe8\xfd\xe8"),
    ),
    "a CMYK JPEG": ("cmyk", lambda: picture(Image.new("CMYK", (80, 96), (9, 8, 7, 6)), "JPEG")),
    "a JPEG with many scans": ("too_many_scans", lambda: scans(400)),
    "an arithmetic JPEG": ("unusual_jpeg", lambda: patched(JPEG, b"\xff\xc0", b"\xff\xc9")),
    "a lossless JPEG": ("unusual_jpeg", lambda: patched(JPEG, b"\xff\xc0", b"\xff\xc3")),
    "a JPEG of 12 bits": (
        "unusual_jpeg",
        lambda: patched(JPEG, b"\xff\xc0\0\x0b\x08", b"\xff\xc0\0\x0b\x0c"),
    ),
    "a small picture": ("too_small", lambda: picture(FILM[:31])),
    "a strip": ("too_thin", lambda: picture(np.resize(FILM, (32, 257)))),
    "one shade": ("blank", lambda: picture(np.full((96, 80), 90, np.uint8))),
    "DICOM without a preamble": ("dicom_no_preamble", lambda: dicom()[132:]),
    "DICOM without a file header": ("dicom_no_preamble", lambda: dicom()[
        dicom().index(struct.pack("<HH2s", 8, 0x16, b"UI")):]),
    "DICOM that ends after its magic": ("damaged", lambda: bytes(128) + b"DICM"),
    "DICOM of random bytes": ("damaged", lambda: bytes(128) + b"DICM" + NOISE.tobytes()),
    "DICOM without a picture": ("no_pixels", lambda: dicom(PixelData=None)),
    "DICOM without rows": ("damaged", lambda: dicom(Rows=None)),
    "DICOM whose picture is cut": ("truncated", lambda: dicom()[:-2000]),
    "DICOM in colour": (
        "not_grey",
        lambda: dicom(np.zeros((96, 80, 3), np.uint8), SamplesPerPixel=3, PlanarConfiguration=0,
                      PhotometricInterpretation="RGB"),
    ),
    "DICOM with a palette": ("not_grey", lambda: dicom(PhotometricInterpretation="PALETTE COLOR")),
    "DICOM that calls three samples grey": ("not_grey", lambda: dicom(SamplesPerPixel=3)),
    "DICOM of two frames": ("several_frames", lambda: dicom(NumberOfFrames=2)),
    "DICOM of a billion frames": ("several_frames", lambda: dicom(NumberOfFrames=10**9)),
    "DICOM that claims 65,000 x 65,000": (
        "too_many_pixels", lambda: dicom(Rows=65_000, Columns=65_000)
    ),
    "DICOM of 77 bits": ("damaged", lambda: dicom(BitsStored=77)),
    "DICOM of one shade": ("blank", lambda: dicom(np.full((96, 80), 7, np.uint8))),
    "DICOM with a window that shows nothing": (
        "blank",
        lambda: dicom(Modality="CR", WindowCenter=10_000, WindowWidth=10),
    ),
    "DICOM with a slope of zero": (
        "damaged", lambda: dicom(Modality="CR", RescaleSlope=0, RescaleIntercept=0)
    ),
    "DICOM with an empty slope": (
        "damaged", lambda: dicom(RescaleSlope="", RescaleIntercept=0)
    ),
    "DICOM with 20,000 nested sequences": ("damaged", lambda: nested(20_000)),
    "a deflate bomb in DICOM": (
        "transfer_syntax",
        lambda: dicom(np.zeros((10_000, 10_000), np.uint8), syntax=DeflatedExplicitVRLittleEndian),
    ),
    "a video in DICOM": ("transfer_syntax", lambda: in_dicom(b"\0\0\1\xba" * 99, MPEG2MPML)),
    "HTJ2K in DICOM": (
        "transfer_syntax", lambda: in_dicom(compressed(JPEG2000Lossless), HTJ2KLossless)
    ),
    "an unknown syntax in DICOM": (
        "transfer_syntax",
        lambda: patched(dicom(), b"1.2.840.10008.1.2.1\0", b"9.<script>alert(1)\0\0"),
    ),
    "half a JPEG 2000 in DICOM": ("damaged", lambda: cut_in_stream(JPEG2000Lossless)),
    "half a JPEG-LS in DICOM": ("truncated", lambda: cut_in_stream(JPEGLSLossless)),
    "half a JPEG-LS with an end in DICOM": ("damaged", lambda: cut_and_ended(JPEGLSLossless)),
    "half an RLE in DICOM": ("damaged", lambda: cut_in_stream(RLELossless)),
    "half a JPEG in DICOM": ("truncated", lambda: in_dicom(JPEG[:2000], JPEGBaseline8Bit)),
    "half a JPEG with an end in DICOM": (
        "truncated", lambda: in_dicom(JPEG[:2000] + b"\xff\xd9", JPEGBaseline8Bit),
    ),
    "a JPEG without an end in DICOM": ("truncated", lambda: in_dicom(JPEG[:-2], JPEGLossless)),
    "a JPEG of another size in DICOM": (
        "damaged", lambda: in_dicom(picture(NOISE[:64], "JPEG"), JPEGBaseline8Bit)
    ),
    "a JPEG that claims 65,000 rows in DICOM": (
        "damaged",
        lambda: in_dicom(patched(JPEG, b"\0\x60\0\x50", b"\xfd\xe8\xfd\xe8"), JPEGBaseline8Bit),
    ),
    "a coloured JPEG that DICOM calls grey": (
        "damaged",
        lambda: in_dicom(picture(Image.new("RGB", (80, 96)), "JPEG"), JPEGBaseline8Bit),
    ),
    "a JPEG 2000 of another size in DICOM": (
        "damaged", lambda: in_dicom(compressed(JPEG2000Lossless), JPEG2000Lossless, Rows=64)
    ),
    "two fragments too many in DICOM": (
        "damaged",
        lambda: dicom(
            pixels=encapsulate([JPEG + b"\0" * (len(JPEG) % 2)] * 40), syntax=JPEGBaseline8Bit
        ),
    ),
    "a UID that climbs": (
        "damaged", lambda: named("SOPInstanceUID", b"../../../../../etc/passwd0")
    ),
    "a UID with a script": (
        "damaged", lambda: named("StudyInstanceUID", b"<script>alert(1);</script>")
    ),
    "a UID of letters": ("damaged", lambda: named("SeriesInstanceUID", b"A" * 26)),
    "a program in the picture of DICOM": (
        "damaged", lambda: in_dicom(b"MZ" * 99, JPEG2000Lossless)
    ),
}  # fmt: skip
