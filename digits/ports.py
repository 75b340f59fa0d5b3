"""What the core asks of the systems around it. One file in digits/adapters/ for each real system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from digits.offsets import OffsetRanges
from digits.v1 import queue_pb2


class ArtifactStore(Protocol):
    """Named files that never change once they are there. Names are relative, with "/" between folders."""

    def publish(self, name: str, data: bytes | Path) -> None:
        """Makes the file visible whole or not at all, and durable before this returns.

        `data` is its bytes, or a local file that has them and is never held whole.

        Raises AlreadyPublished if the name was used before, StoreFull if there is no room, StoreUnavailable.
        """

    def read(self, name: str) -> bytes:
        """Returns a file's bytes; raises NotFound, StoreUnavailable."""

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder, sorted; empty if there is no such folder."""

    def folders(self, folder: str) -> list[str]:
        """Names of the folders in a folder, sorted; empty if there is no such folder."""

    def delete(self, name: str) -> None:
        """Removes a file, or a folder with all that is in it; does nothing if there is none."""

    def total_bytes(self) -> int:
        """Bytes of all files together, about; raises StoreUnavailable."""

    def delete_unfinished(self, folder: str, min_age_seconds: float) -> None:
        """Removes what publishers that died left in a folder, if nobody wrote to it for so long."""


@dataclass(frozen=True)
class StreamSource:
    """How Spark reads a log: the arguments of readStream, and SQL expressions for three columns."""

    format: str
    options: Mapping[str, str]
    partition: str
    offset: str
    block: str
    schema: str | None = None


class BlockLog(Protocol):
    """A replayable log of image blocks for each job, split into partitions.

    The offsets of a partition are 0, 1, 2, …, and each block is appended to the offset that it is meant for.
    A job's batch and seed say which block that is, so whoever appends it again appends the same: two trainers
    of one job, of which the older does not know yet that it was replaced, make one log.
    """

    def create(self, job_id: str, partition_count: int) -> None:
        """Makes an empty log; does nothing if the job has one."""

    def append(self, job_id: str, partition: int, first_offset: int, blocks: Sequence[bytes]) -> None:
        """Appends in order, from `first_offset` on, which is the partition's end at most.

        What the log has already stays as it is. The blocks outlive this process when this returns. Raises
        LogLost if the log is gone, or made again without the blocks before `first_offset`; LogUnavailable;
        LogFull if there is no room.
        """

    def end_offsets(self, job_id: str) -> list[int]:
        """For each partition the offset that nobody appended to yet.

        Raises LogLost if there is no log, or blocks that were appended are gone; LogUnavailable; Corrupt if
        it holds what is no block of ours.
        """

    def source(self, job_id: str, trained: OffsetRanges, max_blocks: int) -> StreamSource:
        """How Spark streams what is not in `trained`, at most about `max_blocks` blocks a micro-batch.

        It may bring blocks that are in `trained`, and the same block twice: the reader leaves those out.
        """

    def delete(self, job_id: str) -> None:
        """Removes the job's log; does nothing if there is none."""

    def jobs(self) -> list[str]:
        """Ids of the jobs that have a log, sorted."""


@dataclass(frozen=True)
class Stored:
    """A node's value, and its version for compare-and-set."""

    value: bytes
    version: int


@dataclass(frozen=True)
class Create:
    """Creates a node, and its parents where they are missing."""

    path: str
    value: bytes


@dataclass(frozen=True)
class Replace:
    """Replaces a node's value if its version still is the given one."""

    path: str
    value: bytes
    version: int


@dataclass(frozen=True)
class Check:
    """Holds if a node's version still is the given one."""

    path: str
    version: int


@dataclass(frozen=True)
class Delete:
    """Removes a node without children if its version still is the given one."""

    path: str
    version: int


Operation: TypeAlias = Create | Replace | Check | Delete


class EphemeralNode(Protocol):
    """A node that lives as long as this process's session."""

    number: int
    """Greater than the number of every node created earlier, on any path: a fencing token."""

    def alive(self) -> bool:
        """Whether the node is surely there; once false, false for ever.

        False after a release, and as soon as the session may be over: also in a process that was stopped for
        longer than its session and does not know it yet.
        """

    def update(self, value: bytes) -> None:
        """Replaces the node's value; raises LeaseLost once the node is not alive."""

    def release(self) -> None:
        """Removes the node, now or as soon as the coordinator answers; does nothing if it is gone.

        Never raises Unavailable: whoever calls this once leaves no node in a live session.
        """


class Coordinator(Protocol):
    """A small, strongly ordered tree of values. Every method may raise CoordinatorUnavailable.

    A change may have happened although CoordinatorUnavailable was raised, or may happen a moment later: only
    the answer was lost. What a caller does then is said with each method.
    """

    def get(self, path: str) -> Stored | None:
        """Returns a node, or None."""

    def sync(self) -> None:
        """Has what this session reads from now on be no older than what any session has seen until now."""

    def get_many(self, paths: Sequence[str]) -> list[Stored | None]:
        """Returns what `get` would for each path, in about the time of one; not all at one moment."""

    def children(self, path: str) -> list[str]:
        """Names of the nodes below, sorted; empty if there is none."""

    def commit(self, *operations: Operation) -> None:
        """Does all or nothing; raises StaleWrite if a version differs, a node to create exists, or one to
        delete has children.

        After CoordinatorUnavailable, read again and decide again. A repeated commit is stale if the first one
        was done: StaleWrite may then mean the caller's own write.
        """

    def create_ephemeral(self, path: str, value: bytes) -> EphemeralNode | None:
        """Creates a node that goes with this session; None if another session, or a live EphemeralNode of
        this one, holds the path.

        After CoordinatorUnavailable, simply call again. A node that was made although the answer was lost is
        in nobody's way: the next call of this session replaces it, and if none comes it is removed.
        """

    def watch(self, path: str, changed: Callable[[Stored | None], None]) -> Callable[[], None]:
        """Calls `changed` with the value now and after every change (changes close together may be one),
        None for a node that is not there, also across lost connections and sessions, on a thread of the
        adapter's. Returns a function that ends it. Never raises: the first value comes once there is one."""

    def connected(self) -> bool:
        """Whether the coordinator answers at the moment."""

    def close(self) -> None:
        """Ends the session: every ephemeral node goes."""


class TrainQueue(Protocol):
    """Hands jobs to train workers, at least once."""

    def enqueue(self, job_id: str) -> None:
        """Queues the job durably; raises QueueUnavailable."""


class ClassifyQueue(Protocol):
    """Hands batches of pictures to classify workers."""

    def classify(
        self, batch: queue_pb2.ClassifyBatch, timeout_seconds: float
    ) -> queue_pb2.ClassifyBatchResult:
        """Returns the worker's answer; raises QueueUnavailable if none came in time."""
