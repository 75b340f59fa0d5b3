"""The coordinator in a real ZooKeeper."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from kazoo.exceptions import (
    BadVersionError,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    RolledBackError,
    RuntimeInconsistency,
)

from digits.adapters.zookeeper_access import OPEN, ZooKeeperAccess
from digits.adapters.zookeeper_nodes import EphemeralNodes, ZooKeeperEphemeralNode
from digits.adapters.zookeeper_session import REFUSAL, ZooKeeperSession
from digits.adapters.zookeeper_watches import ZooKeeperWatches
from digits.background import BackgroundLoop
from digits.errors import CoordinatorUnavailable, StaleWrite
from digits.ports import Create, Delete, Operation, Replace, Stored

_STALE = (BadVersionError, NodeExistsError, RolledBackError, RuntimeInconsistency)
# A session is known to stand for this many times longer than between two heartbeats.
_HEARTBEATS_A_SESSION = 3.0


class ZooKeeperCoordinator:
    """A session, its ephemeral nodes and its watches. Comes up in the background and comes back by itself."""

    def __init__(
        self,
        url: str,
        session_seconds: float,
        connect_seconds: float = 10.0,
        access: ZooKeeperAccess = OPEN,
    ) -> None:
        self._session = ZooKeeperSession(url, session_seconds, access)
        self._watches = ZooKeeperWatches(self._session)
        period_seconds = session_seconds / _HEARTBEATS_A_SESSION
        self._heartbeat = BackgroundLoop("zookeeper session", self._look_after_session, period_seconds)
        self._nodes = EphemeralNodes(self._session, self._heartbeat.wake)
        self._session.when_connected(self._heartbeat.wake)
        self._session.start(connect_seconds)
        self._watches.start()
        self._heartbeat.start()

    def get(self, path: str) -> Stored | None:
        """See Coordinator."""
        return self.get_many([path])[0]

    def sync(self) -> None:
        """See Coordinator."""
        self._session.ask("sync_async", "")

    def get_many(self, paths: Sequence[str]) -> list[Stored | None]:
        """See Coordinator."""
        found = self._session.ask_many("get_async", paths)
        return [Stored(node[0], node[1].version) if node else None for node in found]

    def children(self, path: str) -> list[str]:
        """See Coordinator."""
        try:
            return sorted(self._session.ask("get_children_async", path))
        except NoNodeError:
            return []

    def commit(self, *operations: Operation) -> None:
        """See Coordinator; one ZooKeeper transaction."""
        transaction = self._session.transaction()
        for operation in operations:
            path = self._session.full_path(operation.path)
            if isinstance(operation, Create):
                self._session.make_parent(operation.path)
                transaction.create(path, operation.value)
            elif isinstance(operation, Replace):
                transaction.set_data(path, operation.value, operation.version)
            elif isinstance(operation, Delete):
                transaction.delete(path, operation.version)
            else:
                transaction.check(path, operation.version)
        results = self._session.answer(transaction.commit_async)
        if any(isinstance(result, NoAuthError) for result in results):
            raise CoordinatorUnavailable(REFUSAL)
        if any(isinstance(result, _STALE) for result in results):
            raise StaleWrite(", ".join(operation.path for operation in operations))
        if failed := next((result for result in results if isinstance(result, Exception)), None):
            raise StaleWrite(str(failed) or type(failed).__name__)

    def create_ephemeral(self, path: str, value: bytes) -> ZooKeeperEphemeralNode | None:
        """See Coordinator."""
        self._session.make_parent(path)
        return self._nodes.create(path, value)

    def watch(self, path: str, changed: Callable[[Stored | None], None]) -> Callable[[], None]:
        """See Coordinator."""
        return self._watches.watch(path, changed)

    def connected(self) -> bool:
        """See Coordinator."""
        return self._session.connected()

    def close(self) -> None:
        """See Coordinator."""
        self._heartbeat.stop()
        self._watches.stop()
        self._session.close()

    def _look_after_session(self) -> None:
        if not self._session.connected():
            self._session.log_if_away()
            self._session.log_in_again()
            return
        # What fails is done at the next turn; a backoff would leave the session in doubt after an outage.
        with contextlib.suppress(CoordinatorUnavailable):
            self._session.ask("exists_async", "")
            self._nodes.remove_abandoned()
