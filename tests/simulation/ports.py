"""The memory adapters as one process sees them: each call may be late, refused, or done without an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from digits.adapters.memory import MemoryCoordinator, MemoryLog, MemoryStore, MemoryTree
from digits.errors import (
    CoordinatorUnavailable,
    LogFull,
    LogUnavailable,
    QueueUnavailable,
    StoreFull,
    StoreUnavailable,
    Unavailable,
)
from digits.offsets import OffsetRanges
from digits.ports import EphemeralNode, Stored, StreamSource
from tests.simulation.scheduler import Process
from tests.unit.faults import FaultyCoordinator, FaultyNode

REFUSED, ANSWER_LOST, SESSION_OVER = "refused", "answer lost", "session over"
FAULTS = (REFUSED, ANSWER_LOST, SESSION_OVER)
SYSTEMS = ("coordinator", "store", "log", "queue")

Answer = TypeVar("Answer")


@dataclass
class Systems:
    """What all processes share, what of it is away, and which disks are full."""

    tree: MemoryTree = field(default_factory=MemoryTree)
    store: MemoryStore = field(default_factory=MemoryStore)
    log: MemoryLog = field(default_factory=MemoryLog)
    messages: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)


class Line:
    """From one process to one system."""

    def __init__(self, process: Process, systems: Systems, system: str, away: type[Unavailable]) -> None:
        self.process, self._systems, self._system, self._away = process, systems, system, away

    def call(self, method: str, does: Callable[[], Answer]) -> Answer:
        """Has the faults that are due happen to a call."""
        self.process.point(f"{self._system}.{method}")
        return self.meet(does)

    def meet(self, does: Callable[[], Answer]) -> Answer:
        """The same for a call whose turn has come."""
        fault = "" if self.process.fault == SESSION_OVER else self.process.take_fault()
        if fault == REFUSED or self._system in self._systems.away:
            raise self._away(f"the {self._system} does not answer")
        answer = does()
        if fault == ANSWER_LOST:
            raise self._away(f"the {self._system} does not answer")
        return answer

    def write(self, method: str, does: Callable[[], Answer], full: type[Unavailable]) -> Answer:
        """The same for what needs room."""

        def if_there_is_room() -> Answer:
            if self._system in self._systems.full:
                raise full(f"the {self._system} has no room")
            return does()

        return self.call(method, if_there_is_room)


class SimStore:
    """An artifact store."""

    def __init__(self, process: Process, systems: Systems) -> None:
        self._line, self._inner = Line(process, systems, "store", StoreUnavailable), systems.store

    def publish(self, name: str, data: bytes) -> None:
        self._line.write("publish", lambda: self._inner.publish(name, data), StoreFull)

    def read(self, name: str) -> bytes:
        return self._line.call("read", lambda: self._inner.read(name))

    def names(self, folder: str) -> list[str]:
        return self._line.call("names", lambda: self._inner.names(folder))

    def folders(self, folder: str) -> list[str]:
        return self._line.call("folders", lambda: self._inner.folders(folder))

    def delete(self, name: str) -> None:
        self._line.call("delete", lambda: self._inner.delete(name))

    def delete_unfinished(self, folder: str, min_age_seconds: float) -> None:
        self._line.call("delete_unfinished", lambda: self._inner.delete_unfinished(folder, min_age_seconds))


class SimLog:
    """A log of blocks; `read` is Spark's."""

    def __init__(self, process: Process, systems: Systems) -> None:
        self._line, self._inner = Line(process, systems, "log", LogUnavailable), systems.log

    def create(self, job_id: str, partition_count: int) -> None:
        self._line.write("create", lambda: self._inner.create(job_id, partition_count), LogFull)

    def append(self, job_id: str, partition: int, first_offset: int, blocks: Sequence[bytes]) -> None:
        """Each block may be the last that is taken."""
        for offset, block in enumerate(blocks, first_offset):
            self._line.write(
                "append",
                lambda offset=offset, block=block: self._inner.append(job_id, partition, offset, [block]),
                LogFull,
            )

    def end_offsets(self, job_id: str) -> list[int]:
        return self._line.call("end_offsets", lambda: self._inner.end_offsets(job_id))

    def source(self, job_id: str, trained: OffsetRanges, max_blocks: int) -> StreamSource:
        options = {"job": job_id, "max": str(max_blocks)}
        return StreamSource("memory", options, "partition", "offset", "block")

    def delete(self, job_id: str) -> None:
        self._line.call("delete", lambda: self._inner.delete(job_id))

    def jobs(self) -> list[str]:
        return self._line.call("jobs", self._inner.jobs)

    def read(self, job_id: str, partition: int, first: int, count: int) -> list[tuple[int, int, bytes]]:
        """Partition, offset and block of what there is; raises NotFound."""
        blocks = self._line.call("read", lambda: self._inner._log(job_id)[partition][first : first + count])
        return [(partition, offset, block) for offset, block in enumerate(blocks, first)]


class SimQueue:
    """The train queue. Messages are delivered, lost and repeated by whoever steps the world."""

    def __init__(self, process: Process, systems: Systems) -> None:
        self._line, self._messages = Line(process, systems, "queue", QueueUnavailable), systems.messages

    def enqueue(self, job_id: str) -> None:
        self._line.call("enqueue", lambda: self._messages.append(job_id))


class SimCoordinator(FaultyCoordinator):
    """A session, which can end at any call, and whose watches are as late as the process likes."""

    def __init__(self, process: Process, systems: Systems) -> None:
        self.session = MemoryCoordinator(systems.tree)
        super().__init__(self.session)
        self._line = Line(process, systems, "coordinator", CoordinatorUnavailable)
        self.news: list[Callable[[], None]] = []
        self._nodes: list[FaultyNode] = []

    def call(self, method: str, does: Callable[[], Answer]) -> Answer:
        process = self._line.process
        process.point(f"coordinator.{method}")
        if process.fault == SESSION_OVER:
            process.take_fault()
            self.expire_session()
            raise CoordinatorUnavailable("ZooKeeper ended this session")
        return self._line.meet(does)

    def create_ephemeral(self, path: str, value: bytes) -> EphemeralNode | None:
        node = super().create_ephemeral(path, value)
        if isinstance(node, FaultyNode):
            self._nodes.append(node)
        return node

    def release(self, node: EphemeralNode) -> None:
        self._line.process.point("coordinator.release")
        super().release(node)

    def doubt(self) -> None:
        """The session may be over: its nodes count as gone here, though they are there for a while yet."""
        for node in self._nodes:
            if node.alive():
                node._released = True
                self._unwanted.append(node._inner)
        self._nodes.clear()

    def watch(self, path: str, changed: Callable[[Stored | None], None]) -> Callable[[], None]:
        return super().watch(path, lambda stored: self.news.append(lambda: changed(stored)))

    def hear(self) -> None:
        """Has what was watched be known here."""
        self.news, news = [], self.news
        for tell in news:
            tell()
