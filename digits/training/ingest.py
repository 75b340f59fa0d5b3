"""Appends a job's images to its log, no faster than they are trained."""

from __future__ import annotations

import contextvars
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

from digits.ports import BlockLog
from digits.signals import traces
from digits.training.window import IngestWindow

MAX_BLOCKS_AT_ONCE = 32


class Filling(Protocol):
    """How a job's log comes to hold its images."""

    def fill(self, window: IngestWindow, changed: Callable[[], None]) -> None:
        """Appends what the log does not hold yet, as the window lets it, until that is all or it is closed.

        `changed` is called now and then, and what it raises ends this.
        """


class Ingest:
    """A thread that fills a job's log."""

    def __init__(
        self, job_id: str, filling: Filling, window: IngestWindow, changed: Callable[[], None]
    ) -> None:
        self._filling, self._window, self._changed = filling, window, changed
        # With the job's name for the logs, and its span.
        run = partial(contextvars.copy_context().run, self._run)
        self._thread = threading.Thread(target=run, daemon=True, name=f"ingest {job_id}")
        self.error: Exception | None = None

    def __enter__(self) -> Ingest:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._window.close()
        self._thread.join()

    def check(self) -> None:
        """Raises what ended the ingest, if anything did."""
        if self.error:
            raise self.error

    def _run(self) -> None:
        try:
            with traces.span("ingest"):
                self._filling.fill(self._window, self._changed)
        except Exception as error:
            self.error = error
            self._window.close()


class BlockFilling:
    """Appends block k to partition k mod P at offset k div P, if the log does not have it.

    The blocks of a batch and a seed are the same each time, so an interrupted ingest goes on where it was.
    """

    def __init__(self, log: BlockLog, job_id: str, blocks: Iterable[bytes]) -> None:
        self._log, self._job_id, self._blocks = log, job_id, blocks

    def fill(self, window: IngestWindow, changed: Callable[[], None]) -> None:
        """See Filling."""
        ends = self._log.end_offsets(self._job_id)
        missing = self._missing(ends, window)
        while room := window.room(MAX_BLOCKS_AT_ONCE):
            taken = list(itertools.islice(missing, room))
            if not taken:
                return
            for partition in range(len(ends)):
                if blocks := [block for target, _, block in taken if target == partition]:
                    first = next(offset for target, offset, _ in taken if target == partition)
                    self._log.append(self._job_id, partition, first, blocks)
            window.mark_appended(len(taken))
            changed()

    def _missing(self, ends: Sequence[int], window: IngestWindow) -> Iterator[tuple[int, int, bytes]]:
        """Partition, offset and block of what the log did not have, in order and without a gap."""
        for number, block in enumerate(self._blocks):
            window.mark_packed()
            offset, partition = divmod(number, len(ends))
            if offset >= ends[partition]:
                yield partition, offset, block
