"""Appends a job's images to its log, no faster than they are trained."""

from __future__ import annotations

import contextvars
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from digits.ports import BlockLog
from digits.signals import traces
from digits.training.window import IngestWindow

_MAX_AT_ONCE = 32


class Ingest:
    """A thread that appends block k to partition k mod P at offset k div P, if the log does not have it.

    The blocks of a batch and a seed are the same each time, so an interrupted ingest goes on where it was.
    """

    def __init__(
        self,
        log: BlockLog,
        job_id: str,
        blocks: Iterable[bytes],
        window: IngestWindow,
        changed: Callable[[], None],
    ) -> None:
        self._log, self._job_id, self._blocks = log, job_id, blocks
        self._window, self._changed = window, changed
        self._ends = log.end_offsets(job_id)
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
                self._append_all(self._missing())
        except Exception as error:
            self.error = error
            self._window.close()

    def _append_all(self, missing: Iterator[tuple[int, int, bytes]]) -> None:
        while room := self._window.room(_MAX_AT_ONCE):
            taken = list(itertools.islice(missing, room))
            if not taken:
                return
            for partition in range(len(self._ends)):
                if blocks := [block for target, _, block in taken if target == partition]:
                    first = next(offset for target, offset, _ in taken if target == partition)
                    self._log.append(self._job_id, partition, first, blocks)
            self._window.mark_appended(len(taken))
            self._changed()

    def _missing(self) -> Iterator[tuple[int, int, bytes]]:
        """Partition, offset and block of what the log did not have, in order and without a gap."""
        for number, block in enumerate(self._blocks):
            self._window.mark_packed()
            offset, partition = divmod(number, len(self._ends))
            if offset >= self._ends[partition]:
                yield partition, offset, block
