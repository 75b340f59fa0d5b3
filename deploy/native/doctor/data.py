"""What is trained on, and what judges it."""

from __future__ import annotations

import os

from deploy.native.doctor.finding import Finding, doubtful, fine, wrong
from deploy.native.downloads.mnist_checksums import is_mnist
from digits.datasets import data_folder
from digits.errors import InvalidInput, NotFound
from digits.settings import Settings

_FETCH = "python -m deploy.native.downloads.mnist {}"


def data(settings: Settings) -> list[Finding]:
    """Whether the data folder can be read, holds MNIST, and holds the reference set."""
    folder = settings.data_dir.expanduser().resolve()
    if not (folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)):
        mend = f"mkdir -p {folder}, or set DIGITS_DATA_DIR to a folder that can be read"
        return [wrong("data", f"{folder} is no folder that can be read", mend)]
    return [_mnist(settings), *_reference(settings)]


def _mnist(settings: Settings) -> Finding:
    path = settings.data_dir.expanduser().resolve() / "mnist.npz"
    if not path.exists():
        return doubtful("data", f"{path} is not there", _FETCH.format(path))
    if not is_mnist(path):
        return wrong(
            "data", f"{path} is damaged or not MNIST", f"mv {path} {path}.other && {_FETCH.format(path)}"
        )
    return fine("data", f"{path} is MNIST")


def _reference(settings: Settings) -> list[Finding]:
    name = settings.reference_batch
    if name in ("", "mnist.npz"):
        return []
    try:
        data_folder.resolve(settings.data_dir, name, "DIGITS_REFERENCE_BATCH", folder_allowed=True)
    except (InvalidInput, NotFound) as error:
        return [
            wrong("reference set", str(error), "DIGITS_REFERENCE_BATCH=mnist.npz, or a batch that is there")
        ]
    return [fine("reference set", name)]
