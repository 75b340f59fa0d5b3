"""Fetches MNIST once and checks every pixel: `python -m deploy.native.downloads.mnist [FILE]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from deploy.native.downloads.mnist_checksums import is_mnist
from deploy.native.downloads.mnist_sources import fetch
from deploy.native.errors import CannotFetch


def ensure(path: Path) -> bool:
    """Puts MNIST at `path` if there is no file; returns whether it did.

    The file is an npz: x_train (uint8, 60000 x 28 x 28), y_train (uint8, 60000), x_test and y_test (10000).
    Raises CannotFetch when no source is in reach, or a file is there that is not MNIST.
    """
    if path.exists():
        if not is_mnist(path):
            raise CannotFetch(f"{path} is damaged or not MNIST: move it away and run this again")
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".mnist-") as folder:
        draft = Path(folder, "mnist.npz")
        fetch(draft, Path(folder))
        draft.replace(path)
    return True


if __name__ == "__main__":
    try:
        target = Path(sys.argv[1] if len(sys.argv) > 1 else "data/mnist.npz")
        if ensure(target):
            print(f"{target} fetched, checksum verified")
    except CannotFetch as failure:
        sys.exit(f"digits: {failure}")
