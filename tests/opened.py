"""Opens a batch as the service does: by its path, or as it came with a request."""

from __future__ import annotations

from pathlib import Path

from digits.datasets.dataset import MAX_HELD_OUT, Dataset, open_dataset, open_upload
from digits.datasets.matching import plain


def opened(
    batch: Path | bytes,
    max_bytes: int,
    transposed: bool = False,
    max_held_out: int = MAX_HELD_OUT,
    field: str = "images_batch",
) -> Dataset:
    """A file or folder at a path without links, or a file's bytes."""
    if isinstance(batch, bytes):
        return open_upload(batch, field, max_bytes, transposed, max_held_out)
    return open_dataset(plain(batch), field, max_bytes, transposed, max_held_out=max_held_out)
