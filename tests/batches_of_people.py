"""Batches as people bring them: the same images in many forms, and what is refused with the way out."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Files = dict[str, bytes]

COUNT, TEST_COUNT = 44, 12


def pictures(count: int, seed: int = 1) -> Array:
    """Ink that differs from picture to picture, within MNIST's margin: (count, 28, 28) uint8."""
    images = np.zeros((count, 28, 28), np.uint8)
    ink = np.random.default_rng(seed).integers(0, 256, (count, 20, 20), np.uint8)
    images[:, 4:24, 4:24] = np.where(ink > 128, ink, 0)
    images[:, 14, 14] = 255
    return images


X, Y = pictures(COUNT), (np.arange(COUNT) % 10).astype(np.uint8)
X_TEST, Y_TEST = pictures(TEST_COUNT, 2), (np.arange(TEST_COUNT) % 10).astype(np.uint8)
INK = (X > 127).astype(np.uint8)


def npz(**arrays: Array) -> bytes:
    """The arrays as an npz file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def csv(x: Array, y: Array, heading: bool = True, end: str = "\n") -> bytes:
    """A label and 784 pixels a line, as Kaggle has it."""
    names = ["label", *(f"pixel{number}" for number in range(784))]
    lines = [names] if heading else []
    lines += [[str(label), *map(str, image)] for label, image in zip(y, x.reshape(-1, 784), strict=True)]
    return "".join(",".join(line) + end for line in lines).encode()


def zipped(files: Files) -> bytes:
    """The files as a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def idx(array: Array, kind: int = 0x08) -> bytes:
    """An IDX file of bytes (0x08), big-endian int32 (0x0C) or big-endian float64 (0x0E)."""
    head = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return head + array.astype({0x0C: ">i4", 0x0E: ">f8"}.get(kind, np.uint8)).tobytes()


def idx_files(names: str, test: str = "test") -> Files:
    """The four files; `names` has places for the part, the kind and the number of dimensions."""
    parts = {"train": (X, Y), test: (X_TEST, Y_TEST)}
    return {
        names.format(part=part, kind=kind, dimensions=array.ndim): idx(array)
        for part, pair in parts.items()
        for kind, array in zip(("images", "labels"), pair, strict=True)
    }


ONE_HOT = np.eye(10, dtype=np.float32)[Y]

# Name → (file, what is said); each holds X and Y, and nothing to test on.
ACCEPTED: dict[str, tuple[bytes, str]] = {
    "a channel at the end": (npz(x_train=X[..., None], y_train=Y), "(44, 28, 28, 1) taken as (N, 28, 28)"),
    "a channel in front": (npz(x_train=X[:, None], y_train=Y), "(44, 1, 28, 28) taken as (N, 28, 28)"),
    "flat": (npz(x_train=X.reshape(-1, 784), y_train=Y), "(44, 784) taken as (N, 28, 28)"),
    "labels in a column": (npz(x_train=X, y_train=Y[:, None]), "(44, 1) taken as (N,)"),
    "one-hot labels": (npz(x_train=X, y_train=ONE_HOT), "one-hot rows taken as digits"),
    "float labels": (npz(x_train=X, y_train=Y / 1.0), "float64 taken as whole numbers"),
    "floats 0 to 1": (npz(x_train=X / 255, y_train=Y), "0 to 1 taken as 0 to 255"),
    "floats 0 to 255": (npz(x_train=X.astype(np.float32), y_train=Y), "float32 (44, 28, 28) taken as"),
    "int64 pixels": (npz(x_train=X.astype(np.int64), y_train=Y), "int64 (44, 28, 28) taken as"),
    "white paper": (npz(x_train=255 - X, y_train=Y), "white paper inverted"),
    "white paper, floats": (npz(x_train=1 - X / 255, y_train=Y), "white paper inverted"),
    "Keras as a notebook has it": (
        npz(x_train=(X / 255).astype(np.float32)[..., None], y_train=ONE_HOT),
        "0 to 1 taken as 0 to 255",
    ),
    "train_images": (npz(train_images=X, train_labels=Y), "train_images of the upload: taken as x_train"),
    "X and y": (npz(X=X, y=Y), "X of the upload: taken as x_train"),
    "x and y": (npz(x=X, y=Y), "taken as x_train"),
    "X_train": (npz(X_train=X, Y_train=Y), "X_train of the upload: taken as x_train"),
    "images and labels": (npz(images=X, labels=Y), "images of the upload: taken as x_train"),
    "data and target": (npz(data=X.reshape(-1, 784), target=Y), "data of the upload: taken as x_train"),
    "an array that nobody knows": (npz(x_train=X, y_train=Y, writer=Y), "writer of the upload: not used"),
    "the same images to test on": (
        npz(x_train=X, y_train=Y, x_test=X, y_test=Y),
        "x_test of the upload: not used: the same images as x_train of the upload",
    ),
    "Kaggle's CSV": (csv(X, Y), "44 lines of a label and 784 pixels"),
    "CSV without a heading": (csv(X, Y, heading=False), "44 lines"),
    "CSV of Windows with a mark": (b"\xef\xbb\xbf" + csv(X, Y, end="\r\n"), "44 lines"),
    "CSV with empty lines": (csv(X, Y).replace(b"\n", b"\n\n"), "44 lines"),
    "CSV packed with gzip": (gzip.compress(csv(X, Y)), "44 lines"),
}

PARTS = {"x_train": X, "y_train": Y}
TEST_PARTS = {"x_test": X_TEST, "y_test": Y_TEST}

# Name → (files in a folder, what is said); each holds X, Y, X_TEST and Y_TEST.
ACCEPTED_FOLDERS: dict[str, tuple[Files, str]] = {
    "X_test": ({"b.npz": npz(**PARTS, X_test=X_TEST, Y_test=Y_TEST)}, "X_test of b.npz: taken as x_test"),
    "x_val": ({"b.npz": npz(**PARTS, x_val=X_TEST, y_val=Y_TEST)}, "x_val of b.npz: held out"),
    "x_val beside x_test": (
        {"b.npz": npz(**PARTS, **TEST_PARTS, x_val=X[:9] // 2, y_val=Y[:9])},
        "x_val of b.npz: not used: the test images are held out",
    ),
    "upper case": ({"part.NPZ": npz(**PARTS), "test.npz": npz(**TEST_PARTS)}, ""),
    "what a Mac leaves": ({"a.npz": npz(**PARTS, **TEST_PARTS), "._a.npz": b"\0\5\x16\7"}, ""),
    "a file of another kind": (
        {"a.npz": npz(**PARTS, **TEST_PARTS), "readme.txt": b"MNIST"},
        "readme.txt: not used",
    ),
    "the same images twice": (
        {"a.npz": npz(**PARTS, **TEST_PARTS), "copy.npz": npz(x_train=X / 255, y_train=Y)},
        "x_train of copy.npz: not used: the same images as x_train of a.npz",
    ),
    "IDX files beside an npz": (
        {**idx_files("{part}-{kind}-idx{dimensions}-ubyte", "t10k"), "mnist.npz": npz(**PARTS)},
        "mnist.npz: not used",
    ),
    "a file packed and not": (
        {
            **idx_files("{part}-{kind}-idx{dimensions}-ubyte", "t10k"),
            "train-images-idx3-ubyte.gz": gzip.compress(idx(X)),
        },
        "train-images-idx3-ubyte.gz: not used: train-images-idx3-ubyte is",
    ),
    "gzip by another name": (
        {
            name: gzip.compress(data)
            for name, data in idx_files("{part}-{kind}-idx{dimensions}-ubyte").items()
        },
        "",
    ),
    ".gz that is plain": (idx_files("{part}-{kind}-idx{dimensions}-ubyte.gz"), ""),
    "EMNIST": (idx_files("emnist-digits-{part}-{kind}-idx{dimensions}-ubyte"), "send orientation TRANSPOSED"),
    "QMNIST": (
        {
            **idx_files("qmnist-{part}-{kind}-idx{dimensions}-ubyte"),
            "qmnist-train-labels-idx2-int": idx(np.stack([Y] + [Y + 7] * 7, axis=1), 0x0C),
        },
        "the first of 8 columns taken as the digit",
    ),
    "torchvision's raw/": (
        {
            f"raw/{name}": data
            for name, data in idx_files("{part}-{kind}-idx{dimensions}-ubyte", "t10k").items()
        },
        "raw/: the batch is in this folder below",
    ),
    "CSV to train and to test": (
        {"mnist_train.csv": csv(X, Y), "mnist_test.csv": csv(X_TEST, Y_TEST)},
        "mnist_train.csv: 44 lines",
    ),
}
del ACCEPTED_FOLDERS["QMNIST"][0]["qmnist-train-labels-idx1-ubyte"]

HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 11490434\n"

# Name → (file, everything that the one answer says).
REFUSED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "four faults": (
        npz(x_train=X[:, :14], y_train=Y.astype("U1"), x_test=X_TEST - 300.0, y_test=Y_TEST[1:]),
        (
            "x_train of the upload must have the shape (N, 28, 28), but has (44, 14, 28)",
            "y_train of the upload must be integers 0 to 9, but is <U1: y_train = y_train.astype(int)",
            "x_test of the upload holds 12 images but y_test of the upload 11 labels",
            "x_test of the upload holds -300 to -45",
            "Found: x_test float64 (12, 28, 28)",
            "numpy.savez_compressed",
        ),
    ),
    "keys that nobody knows": (
        npz(pictures_of_me=X, names=Y),
        ("x_train of the upload is missing", "names, pictures_of_me in the upload"),
    ),
    "two that may be meant": (npz(x_train=X, X_train=X, y_train=Y), ("X_train and x_train", "leave one")),
    "digits of scikit-learn": (npz(data=X[:, :8, :8].reshape(-1, 64), target=Y), ("but has (44, 64)",)),
    "centred floats": (
        npz(x_train=X / 127.5 - 1, y_train=Y),
        ("holds -1 to 1, as in row 0; allowed are", 'astype("uint8")'),
    ),
    "nothing but zeros": (npz(x_train=X * 0, y_train=Y), ("shows nothing",)),
    "both kinds of paper": (
        npz(x_train=np.where(Y[:, None, None] < 5, X, 255 - X), y_train=Y),
        ("both white",),
    ),
    "gzip": (gzip.compress(npz(**PARTS)), ("packed with gzip", "gunzip")),
    "HTML": (HTML, ("an HTML page",)),
    "nothing": (b"", ("empty: 0 bytes",)),
    "Git LFS": (LFS, ("a Git LFS pointer", "git lfs pull")),
    "UTF-16": ("label,pixel0".encode("utf-16"), ("text in UTF-16",)),
    "a pickle": (b"\x80\x04\x95\x10\0\0\0", ("a pickle, which is never opened",)),
    "one array": (b"\x93NUMPY\1\0", ("a single array (.npy)",)),
    "base64": (b"UEsDBBQAAAAIAAAAIQBPhpBVtQAAALYAAAALABQAeF90cmFpbg==", ("base64 as text",)),
    "a picture": (b"\x89PNG\r\n\x1a\n", ("a PNG picture",)),
    "one IDX file": (idx(X), ("is one IDX file", "Right is: train-images-idx3-ubyte")),
    "CSV with too few columns": (
        csv(X, Y).replace(b",pixel783", b"").replace(b"\n", b",1\n"),
        ("785 columns",),
    ),
    "CSV without labels": (
        b"\n".join(line.partition(b",")[2] for line in csv(X, Y).splitlines()),
        ("it has no label column", "nothing to train on"),
    ),
    "CSV of empty lines": (csv(X, Y) + b"\n" * 1000, ("holds hundreds of empty lines",)),
    "CSV with a word in it": (csv(X, Y).replace(b",255,", b",ink,", 1), ("is not 785 numbers",)),
    "CSV with a pixel of 17 bits": (
        csv(X, Y).replace(b",255,", b",65791,", 1),
        ("holds 0 to 65791, as in row 0; allowed are",),
    ),
    "CSV with a label 10": (
        csv(X, np.where(Y == 9, 10, Y)),
        ("the digits 0 to 9, but that of image 10 is '10'", 'Right is: numpy.savetxt("batch.csv"'),
    ),
    "CSV with a word for a label": (
        csv(X, Y).replace(b"\n0,", b"\nnull,", 1),
        ("the digits 0 to 9, but that of image 1 is 'null'",),
    ),
    "CSV with a label below 0": (csv(X, Y.astype(int) - 1, heading=False), ("that of image 1 is '-1'",)),
    "a zip of pictures": (zipped({"5/a.png": b"\x89PNG"}), ("5/a.png in the upload", "PIL.Image.open")),
}

# Name → (files in a folder, everything that the one answer says).
REFUSED_FOLDERS: dict[str, tuple[Files, tuple[str, ...]]] = {
    "two damaged shards": (
        {"a.npz": npz(x_train=X), "b.npz": HTML, "c.npz": npz(**PARTS)},
        ("y_train of a.npz is missing", "b.npz is not an npz file (a zip of arrays), but an HTML page"),
    ),
    "CSV files that are none": (
        {
            "a.csv": csv(X, Y).decode().encode("utf-16"),
            "b.csv": HTML,
            "c.csv": b"",
            "d.csv": gzip.compress(LFS),
        },
        (
            "a.csv cannot be read: it is not CSV, but text in UTF-16",
            "b.csv cannot be read: it is not CSV, but an HTML page",
            "c.csv cannot be read: it is not CSV, but empty",
            "d.csv cannot be read: it is not CSV, but a Git LFS pointer",
        ),
    ),
    "several sets": (
        idx_files("emnist-digits-{part}-{kind}-idx{dimensions}-ubyte")
        | idx_files("emnist-mnist-{part}-{kind}-idx{dimensions}-ubyte"),
        ("emnist-digits, emnist-mnist: keep one",),
    ),
    "Git LFS pointers": (
        dict.fromkeys(idx_files("{part}-{kind}-idx{dimensions}-ubyte", "t10k"), LFS),
        (
            "train-images-idx3-ubyte cannot be read: it is not an IDX file, but a Git LFS pointer",
            "t10k-labels",
        ),
    ),
    "IDX files with their axes mixed up": (
        {
            "train-images-idx3-ubyte": idx(X.transpose(1, 2, 0)),
            "train-labels-idx1-ubyte": idx(Y.astype(float) / 2, 0x0E),
        },
        ("has (28, 28, 44): x = x.transpose(2, 0, 1)", "Right is: train-images-idx3-ubyte"),
    ),
    "pictures": (
        {"1.png": b"\x89PNG", "raw/2.png": b"\x89PNG"},
        ("holds no .npz, .csv or .parquet files", "1.png, raw/", "PIL.Image.open"),
    ),
    "pictures by digit": ({"0/a.png": b"\x89PNG", "1/b.png": b"\x89PNG"}, ("but 0/, 1/", 'glob("[0-9]/*")')),
}
