"""A coordinator that goes wrong as ZooKeeper does, when a test asks it to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from digits.errors import CoordinatorUnavailable, LeaseLost
from digits.ports import Coordinator, EphemeralNode, Operation, Stored

Answer = TypeVar("Answer")


class FaultyCoordinator:
    """Another coordinator's session, whose answers can be lost and which can be away or over.

    `method` is the name of one of Coordinator's methods, or "update" for EphemeralNode's.
    """

    def __init__(self, inner: Coordinator) -> None:
        self._inner = inner
        self._away = False
        self._lost: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._unwanted: list[EphemeralNode] = []

    def lose_answers(self, method: str, count: int = 1) -> None:
        """The next calls of a method take effect and raise CoordinatorUnavailable."""
        self._lost[method] += count

    def refuse(self, method: str, count: int = 1) -> None:
        """The next calls of a method do nothing and raise CoordinatorUnavailable."""
        self._refused[method] += count

    def go_away(self) -> None:
        """From now on every call does nothing and raises CoordinatorUnavailable."""
        self._away = True

    def come_back(self) -> None:
        """Answers again; what was released, or created without anybody's knowledge, is removed as in a real
        session's background."""
        self._away = False
        self._remove_unwanted()

    def expire_session(self) -> None:
        """Ends the session as a silence that was too long does: its nodes go, and a new one begins."""
        self._unwanted.clear()
        self._inner.close()

    def get(self, path: str) -> Stored | None:
        """See Coordinator."""
        return self.call("get", lambda: self._inner.get(path))

    def sync(self) -> None:
        """See Coordinator."""
        self.call("sync", self._inner.sync)

    def get_many(self, paths: Sequence[str]) -> list[Stored | None]:
        """See Coordinator."""
        return self.call("get_many", lambda: self._inner.get_many(paths))

    def children(self, path: str) -> list[str]:
        """See Coordinator."""
        return self.call("children", lambda: self._inner.children(path))

    def commit(self, *operations: Operation) -> None:
        """See Coordinator."""
        self.call("commit", lambda: self._inner.commit(*operations))

    def create_ephemeral(self, path: str, value: bytes) -> EphemeralNode | None:
        """See Coordinator."""
        node: EphemeralNode | None = None

        def create() -> EphemeralNode | None:
            nonlocal node
            self._remove_unwanted()
            node = self._inner.create_ephemeral(path, value)
            return FaultyNode(self, node) if node else None

        try:
            return self.call("create_ephemeral", create)
        except CoordinatorUnavailable:
            if node:
                self._unwanted.append(node)
            raise

    def watch(self, path: str, changed: Callable[[Stored | None], None]) -> Callable[[], None]:
        """See Coordinator."""
        return self._inner.watch(path, changed)

    def connected(self) -> bool:
        """See Coordinator."""
        return not self._away

    def close(self) -> None:
        """See Coordinator."""
        self._inner.close()

    def release(self, node: EphemeralNode) -> None:
        """Removes a node, or remembers to while the coordinator is away."""
        self._unwanted.append(node)
        if not self._away:
            self._remove_unwanted()

    def call(self, method: str, does: Callable[[], Answer]) -> Answer:
        """Has the faults that were asked for happen to a call."""
        if self._away or _taken(self._refused, method):
            raise CoordinatorUnavailable("ZooKeeper does not answer")
        answer = does()
        if _taken(self._lost, method):
            raise CoordinatorUnavailable("ZooKeeper does not answer (ConnectionLoss)")
        return answer

    def _remove_unwanted(self) -> None:
        while self._unwanted:
            self._unwanted.pop().release()


class FaultyNode:
    """A node of a FaultyCoordinator's session."""

    def __init__(self, coordinator: FaultyCoordinator, inner: EphemeralNode) -> None:
        self._coordinator, self._inner = coordinator, inner
        self._released = False
        self.number = inner.number

    def alive(self) -> bool:
        """See EphemeralNode."""
        return not self._released and self._inner.alive()

    def update(self, value: bytes) -> None:
        """See EphemeralNode."""
        if self._released:
            raise LeaseLost("released")
        self._coordinator.call("update", lambda: self._inner.update(value))

    def release(self) -> None:
        """See EphemeralNode."""
        self._released = True
        self._coordinator.release(self._inner)


def _taken(faults: Counter[str], method: str) -> bool:
    """Whether a fault is due, which then is one less."""
    due = faults[method] > 0
    faults[method] -= due
    return due
