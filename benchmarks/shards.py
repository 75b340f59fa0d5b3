"""As many labelled images as are wanted: MNIST's, shifted and turned, in npz files of 60,000."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

_SHARD = 60_000


def write(folder: Path, count: int) -> None:
    """Writes `part-0000.npz` and so on, always the same for one count; those that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    with np.load("data/mnist.npz") as arrays:
        pixels, labels = arrays["x_train"], arrays["y_train"]
    for number, first in enumerate(range(0, count, _SHARD)):
        path = folder / f"part-{number:04d}.npz"
        if path.exists():
            continue
        some = min(_SHARD, count - first)
        random = np.random.default_rng(number)
        moved = pixels[:some] if number == 0 else np.stack([_moved(one, random) for one in pixels[:some]])
        np.savez(path, x_train=moved, y_train=labels[:some])


def _moved(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    matrix = cv2.getRotationMatrix2D((13.5, 13.5), random.uniform(-12, 12), random.uniform(0.9, 1.1))
    matrix[:, 2] += random.uniform(-2, 2, 2)
    return np.asarray(cv2.warpAffine(picture, matrix, (28, 28)))
