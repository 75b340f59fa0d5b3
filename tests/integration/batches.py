"""Makes npz files of labelled images, good and bad."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np
from numpy.lib import format as npy

SIDE = 28


def npz(**arrays: np.ndarray) -> bytes:
    """The arrays as an npz file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def noise(count: int = 40) -> dict[str, np.ndarray]:
    """Arrays of a batch that is formally right: noise with each label in turn."""
    pixels = np.random.default_rng(1).integers(0, 256, (count, SIDE, SIDE), np.uint8)
    return {"x_train": pixels, "y_train": (np.arange(count) % 10).astype(np.uint8)}


def bomb(image_count: int = 2_000_000) -> bytes:
    """A small npz whose images unpack to 1.5 GB, by its own word."""
    header, file = io.BytesIO(), io.BytesIO()
    shape = (image_count, SIDE, SIDE)
    npy.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    labels = io.BytesIO()
    np.save(labels, np.arange(image_count, dtype=np.uint8) % 10)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", header.getvalue() + bytes(1000))
        archive.writestr("y_train.npy", labels.getvalue())
    data = bytearray(file.getvalue())
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + 24, len(header.getvalue()) + image_count * SIDE * SIDE)
    return bytes(data)


def unusable() -> dict[str, tuple[bytes, str]]:
    """Batches that are refused: name → (bytes, what the answer says)."""
    good = noise()
    x, y = good["x_train"], good["y_train"]
    return {
        "empty": (b"", "not an npz file"),
        "not a zip": (b"x_train,y_train\n" * 100, "not an npz file"),
        "truncated": (npz(**good)[:-100], "not an npz file"),
        "zip bomb": (bomb(), "at most"),
        "no arrays": (npz(other=y), "x_train"),
        "no labels": (npz(x_train=x), "y_train"),
        "no images": (npz(y_train=y), "x_train"),
        "pickled objects": (npz(x_train=x, y_train=y.astype(object)), "pickled"),
        "label 10": (npz(x_train=x, y_train=np.where(y == 9, 10, y)), "0 to 9"),
        "label -1": (npz(x_train=x, y_train=y.astype(np.int64) - 1), "0 to 9"),
        "fractional labels": (npz(x_train=x, y_train=y / 2), "label 1 is 0.5"),
        "lengths that differ": (npz(x_train=x, y_train=y[:-1]), "39 labels"),
        "wrong shape": (npz(x_train=x[:, :14], y_train=y), "(N, 28, 28)"),
        "NaN pixels": (npz(x_train=np.full(x.shape, np.nan, np.float32), y_train=y), "NaN"),
        "zero images": (npz(x_train=x[:0], y_train=y[:0]), "no image"),
        "one class only": (npz(x_train=x, y_train=np.zeros_like(y)), "at least two"),
    }
