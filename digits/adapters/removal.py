"""Folders that go at once, as in HDFS and Kafka, though somebody still writes to them."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

# Each writer may have one file on its way.
_TRIES = 20


def remove_folder(folder: Path) -> None:
    """Takes its name away first, so that no writer gets in while it is emptied; raises OSError.

    Nothing is said of a folder that is not there. What a killed remover left goes with the next removal.
    """
    leaving = folder.with_name(f".{folder.name}")
    _empty(leaving)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(leaving)
    _empty(leaving)


def _empty(folder: Path) -> None:
    """Removes it with all that is in it, and what a writer adds that was on its way in already."""
    for tries_left in reversed(range(_TRIES)):
        try:
            shutil.rmtree(folder, onerror=_unless_gone)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY or not tries_left:
                raise
        else:
            return


def folder_names(paths: Iterable[Path]) -> list[str]:
    """The folders among `paths`, sorted, with those whose removal was not finished: they are to go."""
    return sorted({path.name.removeprefix(".") for path in paths if path.is_dir()})


def _unless_gone(
    _: Callable[..., object], __: str, raised: tuple[type[BaseException], BaseException, TracebackType]
) -> None:
    # Another remover may be at it.
    if not isinstance(raised[1], FileNotFoundError):
        raise raised[1]
