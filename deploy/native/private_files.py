"""Files that only their owner may read."""

from __future__ import annotations

import os
from pathlib import Path

OWNERS_FOLDER, OWNERS_FILE = 0o700, 0o600


def make_folder(path: Path) -> None:
    """Makes a folder, or makes the one that is there its owner's alone; raises OSError.

    Another's, such as a volume that a container was given, stays as it is.
    """
    path.mkdir(mode=OWNERS_FOLDER, parents=True, exist_ok=True)
    if path.stat().st_uid == os.getuid():
        path.chmod(OWNERS_FOLDER)


def write(path: Path, text: str) -> None:
    """Writes a file in a folder that is there, and replaces what it was; nobody else can read either."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNERS_FILE), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    draft.replace(path)
