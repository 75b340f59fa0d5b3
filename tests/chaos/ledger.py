"""What callers were told, written down as it was said: what was accepted, answered, and refused."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Labelled images of a training, uint8 (N, 28, 28) and (N,)."""

    images: np.ndarray
    labels: np.ndarray

    def sha256(self) -> str:
        """As a model's provenance has it: of the one shard's checksum, of its pixels and then its labels."""
        shard = hashlib.sha256(self.images.tobytes() + self.labels.tobytes())
        return hashlib.sha256(shard.digest()).hexdigest()


@dataclass
class Ledger:
    """Threads write it, and the end reads it."""

    accepted: dict[str, tuple[str, Batch]] = field(default_factory=dict)
    """By request id: the job, and what it was to be trained on."""
    seen_versions: list[tuple[str, int]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    answered_at: float = field(default_factory=time.monotonic)
    """When a caller was last told a digit; who is told nothing for minutes breaks a service that is down."""
    excused: set[str] = field(default_factory=set)
    """The requests that were not over while a disk was full: those may fail for want of room."""
    _open: set[str] = field(default_factory=set)
    _no_room: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, request_id: str) -> None:
        """A caller is about to ask for a training."""
        with self._lock:
            self._open.add(request_id)
            self.excused |= self._open if self._no_room else set()

    def end(self, request_id: str) -> None:
        """The caller was told that its job is over."""
        with self._lock:
            self._open.discard(request_id)

    @contextlib.contextmanager
    def excusing_no_room(self) -> Iterator[None]:
        """While a disk is full."""
        with self._lock:
            self._no_room = True
            self.excused |= self._open
        try:
            yield
        finally:
            with self._lock:
                self._no_room = False

    def accept(self, request_id: str, job_id: str, batch: Batch) -> None:
        """A caller was told of its job; the same request is the same job for ever."""
        with self._lock:
            known = self.accepted.setdefault(request_id, (job_id, batch))
            if known[0] != job_id:
                self.violations.append(f"{request_id} is {known[0]} and {job_id}")

    def answer(self, expected: int, digit: int, seconds: float, served_by: str) -> None:
        """A caller was told a digit."""
        with self._lock:
            self.calls[f"answered by {served_by}"] += 1
            self.calls["answered later than a second"] += seconds > 1
            self.slowest_seconds = max(self.slowest_seconds, seconds)
            self.answered_at = time.monotonic()
            if digit != expected:
                self.violations.append(f"a {expected} was read as {digit} by {served_by}")

    def note(self, what: str) -> None:
        """Something happened once more."""
        with self._lock:
            self.calls[what] += 1

    def violate(self, what: str) -> None:
        """A promise was broken."""
        with self._lock:
            self.violations.append(what)
