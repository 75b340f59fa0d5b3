"""The path below the data folder that somebody meant who named another."""

from __future__ import annotations

import difflib
import os
import re
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

# A folder of more entries is not searched for a name that was mistyped.
MAX_ENTRIES = 10_000
# How alike two names must be: one wrong letter in a short one.
_LIKENESS = 0.75
# How much of the data folder is named for somebody who is far off.
_SHOWN = 6


def nearby(data_dir: Path, asked: str) -> str:
    """A path that there is: without spaces, quotes, file:// or folders above, in another case, spelt alike.

    Or with the ending that was left out. Empty if there is none. Never leads out of the data folder, nor
    tells where that is.
    """
    parts = _parts(asked)
    try:
        root = data_dir.resolve()
        for start in range(len(parts)):
            if found := _walk(root, parts[start:]):
                return found
    except (OSError, RuntimeError, ValueError):
        # Advice alone: what cannot be looked at is not advised.
        return ""
    return ""


def top_entries(data_dir: Path) -> list[str]:
    """Names at the top of the data folder, folders with a slash, at most six and "…" for more; sorted."""
    try:
        with os.scandir(data_dir) as entries:
            found = [entry for entry in islice(entries, MAX_ENTRIES) if not entry.name.startswith(".")]
            names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in found)
    except OSError:
        return []
    return names if len(names) <= _SHOWN else [*names[:_SHOWN], "…"]


def _parts(asked: str) -> list[str]:
    text = asked[:1024].strip().strip("\"'").strip().replace("\\", "/")
    if text.lower().startswith("file:"):
        text = unquote(re.sub(r"^file:(//(localhost)?)?", "", text, flags=re.IGNORECASE))
    return [part.strip() for part in text.split("/") if part.strip() not in ("", ".", "..")][-16:]


def _walk(root: Path, parts: list[str]) -> str:
    """The path that these parts name, each as it is, in another case or, the last one, mistyped."""
    here = root
    for number, part in enumerate(parts):
        name = _alike(here, part, mistyped=number == len(parts) - 1)
        if not name:
            return ""
        here /= name
    inside = here != root and here.resolve().is_relative_to(root)
    return here.relative_to(root).as_posix() if inside else ""


def _alike(folder: Path, part: str, *, mistyped: bool) -> str:
    if not folder.is_dir():
        return ""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in islice(entries, MAX_ENTRIES) if not entry.name.startswith("."))
    if part in names:
        return part
    same = [name for name in names if name.lower() == part.lower()]
    if not same and mistyped:
        same = [name for name in names if name.lower().partition(".")[0] == part.lower()]
    if not same and mistyped:
        same = difflib.get_close_matches(part, names, 1, _LIKENESS)
    return same[0] if same else ""
