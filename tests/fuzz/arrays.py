"""Npz files whose arrays may have any name, type, shape and order, honest or not about their length."""

from __future__ import annotations

import io
import zipfile

from hypothesis import strategies as st

_NAMES = ("x_train", "y_train", "x_test", "y_test", "x_val", "images", "labels", "X", "train_images")
_TYPES = (
    "|u1",
    "<i8",
    "<f4",
    "<f8",
    ">i2",
    "|b1",
    "<f2",
    "<c8",
    "<U3",
    "|O",
    "|V4",
    "<M8[s]",
    "[('a','u1')]",
    "",
)
_SHAPES = (
    "(12, 28, 28)",
    "(12, 784)",
    "(12,)",
    "(12, 1)",
    "(12, 10)",
    "(28, 28, 12)",
    "()",
    "(0,)",
    "(-1,)",
    "12",
)
_MAGIC = b"\x93NUMPY"


@st.composite
def npz(draw: st.DrawFn) -> bytes:
    """A zip of up to four such arrays."""
    file = io.BytesIO()
    packing = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))
    with zipfile.ZipFile(file, "w", packing) as archive:
        for name in draw(st.lists(st.sampled_from(_NAMES), max_size=4, unique=True)):
            archive.writestr(f"{name}.npy", draw(_array()))
    return file.getvalue()


@st.composite
def _array(draw: st.DrawFn) -> bytes:
    kind, shape = draw(st.sampled_from(_TYPES)), draw(st.sampled_from(_SHAPES))
    order = draw(st.sampled_from(["False", "True"]))
    header = f"{{'descr': {kind!r}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    values = draw(st.sampled_from([12 * 784, 12 * 784 * 4, 12, 96, 12 * 784 * 8, 0]))
    unit = draw(st.binary(min_size=1, max_size=24))
    version = draw(st.sampled_from([b"\1\0", b"\2\0", b"\3\0", b"\xff\0"]))
    length = len(header).to_bytes(2 if version == b"\1\0" else 4, "little")
    return _MAGIC + version + length + header + (unit * (values // len(unit) + 1))[:values]
