"""Batches whose images tell which they are, and what opening them ends with."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from digits.datasets.dataset import Dataset
from digits.datasets.shards import Images
from digits.errors import InvalidInput
from tests.opened import opened as opened_within

LIMIT = 10_000_000
Array = NDArray[Any]


def numbered(count: int, first: int = 0) -> Array:
    """Images that differ from each other: each holds its number."""
    pixels = np.zeros((count, 28, 28), np.uint8)
    numbers = np.arange(first, first + count)
    pixels[:, 0, 0], pixels[:, 0, 1] = numbers // 256, numbers % 256
    return pixels


def numbers_of(images: Images) -> list[int]:
    return [int(number) for number in images.pixels[:, 0].astype(int) * 256 + images.pixels[:, 1]]


def digits_of(count: int) -> Array:
    return (np.arange(count) % 10).astype(np.uint8)


def arrays(count: int = 40, test_count: int = 10, **changed: Any) -> dict[str, Any]:
    good = {"x_train": numbered(count), "y_train": digits_of(count)}
    if test_count:
        good |= {"x_test": numbered(test_count, 5000), "y_test": digits_of(test_count)}
    return {name: value for name, value in (good | changed).items() if value is not None}


def npz(**contents: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **contents)
    return file.getvalue()


def opened(source: Path | bytes, transposed: bool = False) -> Dataset:
    return opened_within(source, LIMIT, transposed)


def refusal(source: Path | bytes, limit: int = LIMIT) -> str:
    with pytest.raises(InvalidInput) as caught:
        opened_within(source, limit)
    assert caught.value.field == "images_batch"
    return caught.value.problem


def trained(batch: Dataset, seed: int = 1) -> list[int]:
    return [number for images in batch.train(seed) for number in numbers_of(images)]


def write_idx(folder: Path, part: str, pixels: Array, labels: Array, write: Callable[[bytes], bytes]) -> None:
    suffix = "" if write is bytes else ".gz"
    image_head, label_head = (
        struct.pack(">IIII", 0x803, len(pixels), 28, 28),
        struct.pack(">II", 0x801, len(labels)),
    )
    (folder / f"{part}-images-idx3-ubyte{suffix}").write_bytes(write(image_head + pixels.tobytes()))
    (folder / f"{part}-labels-idx1-ubyte{suffix}").write_bytes(write(label_head + labels.tobytes()))
