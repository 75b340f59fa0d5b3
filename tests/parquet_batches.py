"""Batches as Parquet: the same images as Hugging Face, pandas and others write them, and what is refused."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image
from pyarrow import parquet

from tests.batches_of_people import TEST_COUNT, X_TEST, Y_TEST, Array, X, Y

FLAT = X.reshape(-1, 784)
_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def written(table: pa.Table | pd.DataFrame, **options: Any) -> bytes:
    """The table as a Parquet file."""
    file = io.BytesIO()
    if isinstance(table, pd.DataFrame):
        table.to_parquet(file, **options)
    else:
        parquet.write_table(table, file, **options)
    return file.getvalue()


def of(images: Any, labels: Any = Y, **options: Any) -> bytes:
    """A file of the columns `image` and `label`."""
    return written(pa.table({"image": images, "label": labels}), **options)


def picture(image: Array, kind: str = "PNG") -> bytes:
    """A picture's file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind)
    return file.getvalue()


def pictures(images: Any) -> pa.Array:
    """As Hugging Face has pictures; of bytes, they are what is in them."""
    files = [image if image is None or isinstance(image, bytes) else picture(image) for image in images]
    return pa.array([{"bytes": file, "path": f"{at}.png"} for at, file in enumerate(files)], _PICTURE)


def wide(names: list[str], images: Array = FLAT, **others: Any) -> pd.DataFrame:
    """A column for each pixel, as Kaggle has them."""
    return pd.DataFrame(others | {name: images[:, at] for at, name in enumerate(names)})


PIXELS = [f"pixel{number}" for number in range(784)]
_GRID = [f"{row}x{column}" for row in range(1, 29) for column in range(1, 29)]
_SHUFFLED = wide(PIXELS, label=Y)[["label", *sorted(PIXELS)]]
_RAW = [image.tobytes() for image in FLAT]


def _with_empty_groups() -> bytes:
    file, table = io.BytesIO(), pa.table({"image": _RAW, "label": Y})
    with parquet.ParquetWriter(file, table.schema) as writer:
        for start, end in ((0, 0), (0, 20), (20, 20), (20, 44), (44, 44)):
            writer.write_table(table[start:end])
    return file.getvalue()


# Name → (file, what is said); each holds X and Y, and nothing to test on.
ACCEPTED: dict[str, tuple[bytes, str]] = {
    "Hugging Face's": (of(pictures(X)), "the upload: 44 rows of label and image"),
    "Kaggle's by pandas": (written(wide(PIXELS, label=Y)), "44 rows of label and pixel0 to pixel783"),
    "a grid's names": (written(wide(_GRID, label=Y)), "44 rows of label and 1x1 to 28x28"),
    "columns in the order of their names": (written(_SHUFFLED), "label and pixel0 to pixel783"),
    "columns without names": (
        written(pd.DataFrame(np.column_stack([Y, FLAT])).rename(columns=str)),
        "0 and 1",
    ),
    "pandas' index kept": (
        written(pd.DataFrame({"label": Y, "image": [*FLAT]}).set_index(np.arange(44) * 2)),
        "__index_level_0__ of the upload: not used",
    ),
    "lists": (written(pd.DataFrame({"label": Y, "image": [*FLAT]})), "44 rows of label and image"),
    "lists of int64": (written(pa.table({"y": Y, "x": FLAT.astype(int).tolist()})), "44 rows of y and x"),
    "lists of floats": (of((FLAT / 255).tolist()), "0 to 1 taken as 0 to 255"),
    "28 lists of 28": (of(X.tolist()), "44 rows"),
    "a channel": (of(X[:, None].tolist()), "44 rows"),
    "lists of one length": (of(pa.FixedSizeListArray.from_arrays(FLAT.ravel(), 784)), "44 rows"),
    "large lists": (of(pa.array(FLAT.tolist(), pa.large_list(pa.int16()))), "44 rows"),
    "bytes": (written(pa.table({"digit": Y, "pixels": _RAW})), "44 rows of digit and pixels"),
    "bytes of one length": (of(pa.array(_RAW, pa.binary(784))), "44 rows"),
    "PNG alone": (of([picture(image) for image in X]), "44 rows"),
    "PNG of colours": (of(pictures(np.stack([X] * 3, axis=-1))), "44 rows"),
    "labels of floats": (of(_RAW, Y / 1.0), "44 rows"),
    "OpenML's": (
        written(
            wide([f"pixel{number}" for number in range(1, 785)], **{"class": [str(digit) for digit in Y]})
        ),
        "44 rows of class and pixel1 to pixel784",
    ),
    "labels of text": (of(_RAW, [str(digit) for digit in Y]), "44 rows"),
    "categories": (written(pd.DataFrame({"label": pd.Categorical(Y.astype(str)), "image": _RAW})), "44 rows"),
    "pandas' index as a column": (
        written(wide(PIXELS, label=Y, **{"Unnamed: 0": np.arange(44)})),
        "Unnamed: 0 of the upload: not used",
    ),
    "white paper": (of(pictures(255 - X)), "white paper inverted"),
    "many row groups, pages of version 2": (
        of(FLAT.tolist(), row_group_size=7, data_page_version="2.0", compression="zstd", data_page_size=500),
        "44 rows",
    ),
    **{
        f"{codec} and no dictionary": (of(_RAW, compression=codec, use_dictionary=False), "44 rows")
        for codec in ("none", "snappy", "gzip", "zstd", "lz4", "brotli")
    },
    "DELTA_BYTE_ARRAY": (
        of(_RAW, use_dictionary=False, column_encoding={"image": "DELTA_BYTE_ARRAY"}),
        "44 rows",
    ),
    "row groups without rows": (_with_empty_groups(), "44 rows"),
    "a column that nobody knows": (
        written(pa.table({"image": _RAW, "label": Y, "writer": Y})),
        "writer of the upload: not used",
    ),
}

TRAIN, TEST = of(pictures(X)), of(pictures(X_TEST), Y_TEST)
VALIDATION = of(pictures(X[:TEST_COUNT]), Y[:TEST_COUNT])


def _with(value: Any, row: int = 3, images: Any = _RAW) -> Any:
    return [*images[:row], value, *images[row + 1 :]]


_HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"
_LISTS = FLAT.tolist()

# Name → (file, everything that the one answer says).
REFUSED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "names that nobody knows": (
        written(pa.table({"pic": _RAW, "lable": Y})),
        (
            "in the upload there is no column of images; allowed are image (or x, pixels, data), or 784",
            "Found: pic binary, lable uint8",
            "Right is: pandas.DataFrame(",
        ),
    ),
    "a label nearly right": (
        written(pa.table({"image": _RAW, "lable": Y})),
        (
            "there is no column of labels ('lable' is not 'label')",
            "allowed are label, y, target, digit or class",
        ),
    ),
    "types of no use": (
        written(pa.table({"image": [str(digit) for digit in Y], "label": [[digit] for digit in Y]})),
        (
            "label must be integers 0 to 9, but is list<element: uint8>",
            "image must be lists of numbers, or bytes, or a struct with bytes, but is string",
        ),
    ),
    "a type of somebody's own": (
        of(pa.FixedShapeTensorArray.from_numpy_ndarray(X)),
        ("image must be lists of numbers, or bytes, or a struct with bytes, but is extension<arrow",),
    ),
    "two that may be meant": (
        written(pa.table({"image": _RAW, "x": _RAW, "label": Y})),
        ("image and x may both be meant",),
    ),
    "parts in one file": (
        written(pa.table({"x_train": _RAW, "y_train": Y, "x_test": _RAW, "y_test": Y})),
        ("cannot be one batch: write a file of each part",),
    ),
    "a pixel too few": (
        written(wide(PIXELS[:783], label=Y)),
        ("no column of images, and pixel0 is one of 783", "or 784 columns"),
    ),
    "no row": (
        of(pa.array([], pa.binary()), pa.array([], pa.int8())),
        ("there is nothing to train on", "the upload: not used: it has no rows"),
    ),
    "a label 10": (
        of(_RAW, _with(10, 5, Y.tolist())),
        ("the upload cannot be read: label must hold the digits 0 to 9, but label 5 is 10",),
    ),
    "a text for a label": (
        of(_RAW, _with("seven", 5, [str(digit) for digit in Y])),
        ("row 5 of column label is 'seven'; allowed are the digits 0 to 9",),
    ),
    "a pixel left out": (
        written(wide([*PIXELS[:400], *PIXELS[401:], "pixel784"], label=Y)),
        ("there is no column of images, and pixel0 is one of 400; allowed are",),
    ),
    "a label named as pixels are": (
        written(wide(PIXELS, label1=Y)),
        ("there is no column of labels ('label1' is not 'label')",),
    ),
    "a pixel that is there twice": (
        written(wide(PIXELS, label=Y, pixel00=Y)),
        ("pixel00 and pixel0 may both be the same pixel",),
    ),
    "two sets of pixels": (
        written(wide(PIXELS, label=Y).join(wide([f"old{number}" for number in range(784)]))),
        ("pixel0 and old0 may both be the first pixel",),
    ),
    "half a label": (of(_RAW, _with(0.5, 5, Y.tolist())), ("label 5 is 0.5",)),
    "no label": (of(_RAW, _with(None, 5, Y.tolist())), ("row 5 of column label is null",)),
    "no picture": (of(pa.array(_with(None))), ("the upload cannot be read: row 3 of column image is null",)),
    "a picture without bytes": (of(pictures(_with(None, 3, [*X]))), ("row 3 of column image is null",)),
    "a picture without anything": (
        of(pa.array(_with(None, 3, pictures(X).to_pylist()), _PICTURE)),
        ("row 3 of column image is null",),
    ),
    "a short list": (
        of(_with([0] * 783, 3, _LISTS)),
        ("row 3 of column image has 783 values where others have",),
    ),
    "lists that are all short": (of(FLAT[:, :64].tolist()), ("row 0 of column image has the shape (64,)",)),
    "a list that is null": (of(_with(None, 3, _LISTS)), ("row 3 of column image is null",)),
    "a null in a list": (
        of(_with(_with(None, 9, _LISTS[3]), 3, _LISTS)),
        ("row 3 of column image is null, or",),
    ),
    "a short row of a picture": (
        of(_with([[0] * 28] * 27 + [[0] * 27], 3, X.tolist())),
        ("row 3 of column image has 27 values",),
    ),
    "a null pixel": (
        written(wide(PIXELS, label=Y).assign(pixel7=[0.0, np.nan, *FLAT[2:, 7]])),
        ("row 1 of column pixel7 is null",),
    ),
    "783 bytes": (of(_with(_RAW[3][:783])), ("row 3 of column image has 783 bytes; allowed are a PNG",)),
    "a large picture": (
        of(pictures(_with(np.zeros((2800, 2800), np.uint8), 3, [*X]))),
        ("row 3 of column image is 2800 x 2800 pixels, and must be 28 x 28",),
    ),
    "a picture cut off": (
        of(pictures(_with(picture(X[3])[:60], 3, [*X]))),
        ("row 3 of column image is a damaged picture",),
    ),
    "a picture of other bytes": (of(_with(_HTML)), ("row 3 of column image is an HTML page",)),
    "a GIF": (of(_with(picture(X[3], "GIF"))), ("row 3 of column image is a GIF picture; allowed are",)),
    "a picture one can see through": (
        of(pictures(_with(np.zeros((28, 28, 4), np.uint8), 3, [*X]))),
        ("is a picture of mode RGBA",),
    ),
    "a picture of a megabyte": (of(_with(picture(X[3]) + bytes(1 << 20))), ("a picture at most 16,384",)),
    "a pixel of 17 bits": (of(_with(_with(65791, 9, _LISTS[3]), 3, _LISTS)), ("holds 0 to 65791",)),
    "encrypted": (b"PARE" + bytes(40) + b"PARE", ("it is encrypted",)),
    "cut off": (TRAIN[:-30], ("the upload cannot be read: it is cut off",)),
    "a footer of nothing": (b"PAR1" + bytes(90) + b"\x5a\0\0\0PAR1", ("the upload cannot be read",)),
    "nothing but the magic number": (b"PAR1", ("it is cut off",)),
}
