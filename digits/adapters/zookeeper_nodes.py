"""The ephemeral nodes of one session: none stays there that nobody in this process holds."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from kazoo.exceptions import NodeExistsError, NoNodeError
from kazoo.protocol.states import ZnodeStat

from digits.adapters.zookeeper_session import ZooKeeperSession
from digits.errors import CoordinatorUnavailable, LeaseLost

logger = logging.getLogger(__name__)


class ZooKeeperEphemeralNode:
    """An ephemeral node; its number is the transaction that created it (czxid)."""

    def __init__(self, nodes: EphemeralNodes, path: str, number: int, session_number: int) -> None:
        self._nodes, self._path = nodes, path
        self._over = False
        self.number, self.session_number = number, session_number

    def alive(self) -> bool:
        """See EphemeralNode."""
        if not self._over and not self._nodes.session.surely_stands(self.session_number):
            # The holder is told that it is over, so it must not come back with a session that did survive.
            self._over = True
            self._nodes.abandon(self._path)
        return not self._over

    def update(self, value: bytes) -> None:
        """See EphemeralNode."""
        if not self.alive():
            raise LeaseLost(self._path)
        try:
            self._nodes.session.ask("set_async", self._path, value)
        except NoNodeError as error:
            self._over = True
            raise LeaseLost(self._path) from error

    def release(self) -> None:
        """See EphemeralNode."""
        if not self._over:
            self._over = True
            self._nodes.let_go(self._path)


class EphemeralNodes:
    """Creates them, and remembers which may be there without a holder until those are gone."""

    def __init__(self, session: ZooKeeperSession, abandoned: Callable[[], None]) -> None:
        """`abandoned` is called when there is something for `remove_abandoned`; it must not block."""
        self.session = session
        self._tell_abandoned = abandoned
        self._held: dict[str, ZooKeeperEphemeralNode] = {}
        self._abandoned: set[str] = set()
        self._one_change_at_a_time = threading.Lock()

    def create(self, path: str, value: bytes) -> ZooKeeperEphemeralNode | None:
        """See Coordinator.create_ephemeral."""
        with self._one_change_at_a_time:
            if (held := self._held.get(path)) and held.alive():
                return None
            session_number = self.session.number
            try:
                stat = self._create_or_replace(path, value)
            except CoordinatorUnavailable:
                self.abandon(path)
                raise
            if stat is None:
                return None
            node = ZooKeeperEphemeralNode(self, path, stat.czxid, session_number)
            if not node.alive():
                raise CoordinatorUnavailable("ZooKeeper ended this session")
            self._held = {p: n for p, n in self._held.items() if n.session_number == session_number}
            self._held[path] = node
            return node

    def abandon(self, path: str) -> None:
        """Notes that a node may be there that nobody holds."""
        self._abandoned.add(path)
        self._tell_abandoned()

    def let_go(self, path: str) -> None:
        """Removes a node now, or as soon as ZooKeeper answers."""
        self._abandoned.add(path)
        try:
            self.remove_abandoned()
        except CoordinatorUnavailable as error:
            logger.warning("%s is removed once ZooKeeper is back: %s", path, error)
            self._tell_abandoned()

    def remove_abandoned(self) -> None:
        """Removes the nodes of this session that nobody holds; raises CoordinatorUnavailable if some stay."""
        for path in list(self._abandoned):
            with self._one_change_at_a_time:
                # First, so that whoever abandons it from here on is not overlooked.
                self._abandoned.discard(path)
                if (held := self._held.get(path)) is None or not held.alive():
                    self._remove_unheld(path)

    def _remove_unheld(self, path: str) -> None:
        try:
            self._remove_own(path)
        except CoordinatorUnavailable:
            self._abandoned.add(path)
            raise
        self._held.pop(path, None)

    def _create_or_replace(self, path: str, value: bytes) -> ZnodeStat | None:
        """None if another session holds the path. What stands there of this one, nobody holds."""
        if (stat := self._create(path, value)) is None and self._remove_own(path):
            stat = self._create(path, value)
        return stat

    def _create(self, path: str, value: bytes) -> ZnodeStat | None:
        with contextlib.suppress(NodeExistsError):
            _, stat = self.session.ask("create_async", path, value, ephemeral=True, include_data=True)
            return stat
        return None

    def _remove_own(self, path: str) -> bool:
        stat = self.session.ask("exists_async", path)
        if stat is None or stat.ephemeralOwner != self.session.session_id():
            return False
        with contextlib.suppress(NoNodeError):
            self.session.ask("delete_async", path)
        return True
