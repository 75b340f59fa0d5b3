"""What is to be published, bytes or a local file, as a stream that is read in pieces."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import IO


def opened(data: bytes | Path) -> IO[bytes]:
    """The bytes from the first; to be closed."""
    return data.open("rb") if isinstance(data, Path) else io.BytesIO(data)


def digest(data: bytes | Path) -> bytes:
    """Their SHA-256."""
    if isinstance(data, bytes):
        return hashlib.sha256(data).digest()
    with data.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
