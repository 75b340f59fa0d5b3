"""A folder of this machine's that may hold a batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from digits.datasets.files import MAX_FILES, BatchFolder, PlainFile
from digits.datasets.plain_files import names_in
from digits.datasets.shards import reading
from digits.errors import InvalidInput


@dataclass(frozen=True)
class PlainFolder(BatchFolder):
    """At a path without links."""

    path: Path

    def listed(self, field: str) -> tuple[dict[str, PlainFile], dict[str, PlainFolder]]:
        """See BatchFolder; a link that leads out of it is refused and not read."""
        with reading("the folder", field):
            names = [name for name in names_in(self.path) if not name.startswith(".")]
        # A link that stays inside is followed here, once: what is opened later has none in its path.
        # Each costs a look, and one more than a batch may have is enough to refuse them.
        paths = {name: (self.path / name).resolve() for name in names[: MAX_FILES + 1]}
        for name, path in paths.items():
            if not path.is_relative_to(self.path):
                raise InvalidInput(field, f"{name} is a link that leads out of the folder")
        files = {name: PlainFile(path) for name, path in paths.items() if path.is_file()}
        return files, {name: PlainFolder(path) for name, path in paths.items() if path.is_dir()}
