"""The reference set: labelled images of the service's own that judge every model beside its batch's."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from digits.datasets import data_folder
from digits.datasets.dataset import open_dataset
from digits.datasets.matching import plain
from digits.datasets.shards import Images
from digits.errors import InvalidInput, NotFound
from digits.settings import Settings

logger = logging.getLogger(__name__)

_SETTING = "DIGITS_REFERENCE_BATCH"

Files = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Reference:
    """The images, or None and, unless that is wanted, why there are none."""

    images: Images | None
    missing: str = ""


class ReferenceFile:
    """Reads the test images of a batch below the data folder once, and again if its files change."""

    def __init__(self, settings: Settings) -> None:
        self._folder, self._name = settings.data_dir, settings.reference_batch
        self._max_bytes = settings.max_dataset_bytes
        self._lock = threading.Lock()
        self._read: tuple[Files, Images] | None = None

    def load(self) -> Reference:
        """Returns the reference set; a file that is missing or damaged is none, which the log says."""
        if not self._name:
            return Reference(None)
        try:
            with self._lock:
                return Reference(self._images())
        except (InvalidInput, NotFound) as error:
            logger.warning("%s: models are judged by their own held-out images alone: %s", _SETTING, error)
            return Reference(None, f"without a reference set: {error}")

    def _images(self) -> Images:
        path = data_folder.resolve(self._folder, self._name, _SETTING, folder_allowed=True)
        files = _files(path)
        if self._read is None or self._read[0] != files:
            self._read = (files, open_dataset(plain(path), _SETTING, self._max_bytes).held_out())
        return self._read[1]


def _files(path: Path) -> Files:
    """Names, times in nanoseconds and sizes in bytes of a batch's files: others, and it is another batch."""
    paths = sorted(path.iterdir()) if path.is_dir() else [path]
    states = [(each.name, each.stat()) for each in paths]
    return tuple((name, state.st_mtime_ns, state.st_size) for name, state in states)
