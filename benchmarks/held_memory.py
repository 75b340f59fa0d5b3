"""What each process of a service holds, one look a second."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.beside import beside
from deploy.native.folder import StateFolder
from deploy.native.supervision.record import RunRecord
from digits.settings import Settings

_LOOK_SECONDS = 1.0

Held = dict[str, list[int]]
"""Bytes by a part's name, or by that and the program's that it started; pages of several count once."""


@contextmanager
def looking(settings: Settings) -> Iterator[Held]:
    """Yields what is filled until this is left."""
    parts = part_ids(settings)
    held: Held = defaultdict(list)

    def look(over: threading.Event) -> None:
        while not over.wait(_LOOK_SECONDS):
            for name, size in _sizes(parts).items():
                held[name].append(size)

    with beside(look):
        yield held


def part_ids(settings: Settings) -> dict[str, int]:
    """The process of each part that runs, by its name."""
    record = RunRecord.read(StateFolder.at(state_folder(settings)))
    assert record
    return {part.name: part.pid for part in record.processes if part.pid}


def state_folder(settings: Settings) -> Path:
    """A run's; of the real stack the parts keep their state one folder below it."""
    folders = (settings.var_dir, settings.var_dir.parent)
    return next(folder for folder in folders if RunRecord.read(StateFolder.at(folder)))


def _sizes(parts: dict[str, int]) -> dict[str, int]:
    sizes: dict[str, int] = defaultdict(int)
    for part, pid in parts.items():
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            sizes[part] = process.memory_full_info().pss
            for child in process.children(recursive=True):
                with suppress(psutil.Error):
                    sizes[f"{part}: {child.name()}"] += child.memory_full_info().pss
    return sizes
