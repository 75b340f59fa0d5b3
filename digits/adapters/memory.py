"""Every port in memory: for unit tests, and to say what a port means in the fewest lines."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from digits.errors import AlreadyPublished, LeaseLost, LogLost, NotFound, StaleWrite
from digits.offsets import OffsetRanges
from digits.ports import Check, Create, Delete, Operation, Stored, StreamSource


class MemoryStore:
    """An artifact store in a dictionary."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def publish(self, name: str, data: bytes | Path) -> None:
        """See ArtifactStore."""
        content = data.read_bytes() if isinstance(data, Path) else data
        if self._files.setdefault(name, content) is not content:
            raise AlreadyPublished(name)

    def read(self, name: str) -> bytes:
        """See ArtifactStore."""
        try:
            return self._files[name]
        except KeyError as error:
            raise NotFound("artifact", name) from error

    def names(self, folder: str) -> list[str]:
        """See ArtifactStore."""
        return sorted(name for name in self._files if name.rpartition("/")[0] == folder)

    def folders(self, folder: str) -> list[str]:
        """See ArtifactStore."""
        prefix = f"{folder}/"
        below = [name.removeprefix(prefix) for name in self._files if name.startswith(prefix)]
        return sorted({prefix + name.partition("/")[0] for name in below if "/" in name})

    def delete(self, name: str) -> None:
        """See ArtifactStore."""
        self._files = {n: d for n, d in self._files.items() if n != name and not n.startswith(f"{name}/")}

    def total_bytes(self) -> int:
        """See ArtifactStore."""
        return sum(map(len, self._files.values()))

    def delete_unfinished(self, folder: str, min_age_seconds: float) -> None:
        """See ArtifactStore; here nothing is ever half written."""


class MemoryLog:
    """A log in lists. Spark cannot read it."""

    def __init__(self) -> None:
        self.blocks: dict[str, list[list[bytes]]] = {}

    def create(self, job_id: str, partition_count: int) -> None:
        """See BlockLog."""
        self.blocks.setdefault(job_id, [[] for _ in range(partition_count)])

    def append(self, job_id: str, partition: int, first_offset: int, blocks: Sequence[bytes]) -> None:
        """See BlockLog."""
        there = self._log(job_id)[partition]
        if first_offset > len(there):
            raise LogLost(job_id, f"ends before offset {first_offset}")
        there.extend(blocks[max(0, len(there) - first_offset) :])

    def end_offsets(self, job_id: str) -> list[int]:
        """See BlockLog."""
        return [len(partition) for partition in self._log(job_id)]

    def source(self, job_id: str, trained: OffsetRanges, max_blocks: int) -> StreamSource:
        """See BlockLog."""
        raise NotImplementedError("Spark cannot read another process's memory")

    def delete(self, job_id: str) -> None:
        """See BlockLog."""
        self.blocks.pop(job_id, None)

    def jobs(self) -> list[str]:
        """See BlockLog."""
        return sorted(self.blocks)

    def _log(self, job_id: str) -> list[list[bytes]]:
        if job_id not in self.blocks:
            raise LogLost(job_id)
        return self.blocks[job_id]


@dataclass
class MemoryTree:
    """What the sessions of several MemoryCoordinators share."""

    nodes: dict[str, Stored] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    watchers: dict[str, list[Callable[[Stored | None], None]]] = field(
        default_factory=lambda: defaultdict(list)
    )


class MemoryEphemeralNode:
    """A node of one session."""

    def __init__(self, tree: MemoryTree, path: str) -> None:
        self._tree, self._path = tree, path
        self._alive = True
        self.number = next(tree.numbers)

    def alive(self) -> bool:
        """See EphemeralNode."""
        return self._alive

    def update(self, value: bytes) -> None:
        """See EphemeralNode."""
        with self._tree.lock:
            if not self._alive:
                raise LeaseLost(self._path)
            _store(self._tree, self._path, value)

    def release(self) -> None:
        """See EphemeralNode."""
        with self._tree.lock:
            if self._alive:
                self._alive = False
                _delete(self._tree, self._path)


class MemoryCoordinator:
    """One session on a shared tree."""

    def __init__(self, tree: MemoryTree | None = None) -> None:
        self._tree = tree or MemoryTree()
        self._nodes: list[MemoryEphemeralNode] = []

    def get(self, path: str) -> Stored | None:
        """See Coordinator."""
        return self._tree.nodes.get(path)

    def sync(self) -> None:
        """See Coordinator."""

    def get_many(self, paths: Sequence[str]) -> list[Stored | None]:
        """See Coordinator."""
        return [self.get(path) for path in paths]

    def children(self, path: str) -> list[str]:
        """See Coordinator."""
        prefix = path.rstrip("/") + "/"
        with self._tree.lock:
            below = [node[len(prefix) :] for node in self._tree.nodes if node.startswith(prefix)]
        return sorted({path.partition("/")[0] for path in below})

    def commit(self, *operations: Operation) -> None:
        """See Coordinator."""
        with self._tree.lock:
            for operation in operations:
                self._require(operation)
            for operation in operations:
                if isinstance(operation, Delete):
                    _delete(self._tree, operation.path)
                elif not isinstance(operation, Check):
                    _store(self._tree, operation.path, operation.value)

    def create_ephemeral(self, path: str, value: bytes) -> MemoryEphemeralNode | None:
        """See Coordinator."""
        with self._tree.lock:
            if path in self._tree.nodes:
                return None
            _store(self._tree, path, value)
            self._nodes.append(MemoryEphemeralNode(self._tree, path))
            return self._nodes[-1]

    def watch(self, path: str, changed: Callable[[Stored | None], None]) -> Callable[[], None]:
        """See Coordinator; here the caller's thread runs `changed`."""
        with self._tree.lock:
            self._tree.watchers[path].append(changed)
            changed(self._tree.nodes.get(path))

        def end() -> None:
            if changed in self._tree.watchers[path]:
                self._tree.watchers[path].remove(changed)

        return end

    def connected(self) -> bool:
        """See Coordinator."""
        return True

    def close(self) -> None:
        """See Coordinator."""
        for node in self._nodes:
            node.release()

    def _require(self, operation: Operation) -> None:
        node = self._tree.nodes.get(operation.path)
        if isinstance(operation, Create):
            if node is not None:
                raise StaleWrite(f"{operation.path} exists")
        elif node is None or node.version != operation.version:
            raise StaleWrite(f"{operation.path} changed")
        elif isinstance(operation, Delete) and self.children(operation.path):
            raise StaleWrite(f"{operation.path} has children")


def _store(tree: MemoryTree, path: str, value: bytes) -> None:
    node = tree.nodes.get(path)
    tree.nodes[path] = Stored(value, node.version + 1 if node else 0)
    _tell(tree, path)


def _delete(tree: MemoryTree, path: str) -> None:
    del tree.nodes[path]
    _tell(tree, path)


def _tell(tree: MemoryTree, path: str) -> None:
    for changed in list(tree.watchers[path]):
        changed(tree.nodes.get(path))


class MemoryTrainQueue:
    """Remembers what was queued."""

    def __init__(self) -> None:
        self.job_ids: list[str] = []

    def enqueue(self, job_id: str) -> None:
        """See TrainQueue."""
        self.job_ids.append(job_id)
