"""The coordinator in a real ZooKeeper."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    ConnectionClosedError,
    KazooException,
    NodeExistsError,
    NoNodeError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.protocol.states import ZnodeStat
from kazoo.retry import KazooRetry

from digits.errors import CoordinatorUnavailable, LeaseLost, StaleWrite
from digits.ports import Check, Create, Replace, Stored

logger = logging.getLogger(__name__)

_ANSWER_SECONDS = 5.0
_STALE = (BadVersionError, NodeExistsError, RolledBackError, RuntimeInconsistency)
_AWAY = (KazooException, KazooTimeoutError, ConnectionClosedError)


class ZooKeeperEphemeralNode:
    """An ephemeral node; its number is the transaction that created it (czxid)."""

    def __init__(self, coordinator: ZooKeeperCoordinator, path: str, number: int) -> None:
        self._coordinator, self._path = coordinator, path
        self._over = threading.Event()
        self.number = number

    def alive(self) -> bool:
        """See EphemeralNode."""
        return not self._over.is_set()

    def update(self, value: bytes) -> None:
        """See EphemeralNode."""
        if not self.alive():
            raise LeaseLost(self._path)
        try:
            self._coordinator.ask("set_async", self._path, value)
        except NoNodeError as error:
            raise LeaseLost(self._path) from error

    def release(self) -> None:
        """See EphemeralNode."""
        if self.alive():
            self._over.set()
            with contextlib.suppress(NoNodeError):
                self._coordinator.ask("delete_async", self._path)

    def end(self) -> None:
        """Marks the node as gone: its session is."""
        self._over.set()


class ZooKeeperCoordinator:
    """A kazoo session that comes up in the background and comes back by itself."""

    def __init__(self, url: str, session_seconds: float, connect_seconds: float = 10.0) -> None:
        parts = urlsplit(url)
        self._root = parts.path.rstrip("/")
        self._nodes: list[ZooKeeperEphemeralNode] = []
        forever = KazooRetry(max_tries=-1, max_delay=1.0)
        self._client = KazooClient(hosts=parts.netloc, timeout=session_seconds, connection_retry=forever)
        self._client.add_listener(self._session_changed)
        self._client.start_async().wait(connect_seconds)

    def get(self, path: str) -> Stored | None:
        """See Coordinator."""
        try:
            value, stat = self.ask("get_async", path)
        except NoNodeError:
            return None
        return Stored(value, stat.version)

    def sync(self) -> None:
        """See Coordinator."""
        self._answer(self._client.sync_async, self._root or "/")

    def children(self, path: str) -> list[str]:
        """See Coordinator."""
        try:
            return sorted(self.ask("get_children_async", path))
        except NoNodeError:
            return []

    def commit(self, *operations: Create | Replace | Check) -> None:
        """See Coordinator; one ZooKeeper transaction."""
        transaction = self._client.transaction()
        for operation in operations:
            if isinstance(operation, Create):
                self._make_parent(operation.path)
                transaction.create(self._root + operation.path, operation.value)
            elif isinstance(operation, Replace):
                transaction.set_data(self._root + operation.path, operation.value, operation.version)
            else:
                transaction.check(self._root + operation.path, operation.version)
        results = self._answer(transaction.commit_async)
        if any(isinstance(result, _STALE) for result in results):
            raise StaleWrite(", ".join(operation.path for operation in operations))
        if failed := next((result for result in results if isinstance(result, Exception)), None):
            raise StaleWrite(str(failed) or type(failed).__name__)

    def create_ephemeral(self, path: str, value: bytes) -> ZooKeeperEphemeralNode | None:
        """See Coordinator."""
        self._make_parent(path)
        try:
            _, stat = self.ask("create_async", path, value, ephemeral=True, include_data=True)
        except NodeExistsError:
            return None
        created = ZooKeeperEphemeralNode(self, path, stat.czxid)
        self._nodes = [*(node for node in self._nodes if node.alive()), created]
        return created

    def watch(self, path: str, changed: Callable[[Stored | None], None]) -> Callable[[], None]:
        """See Coordinator. Set on a thread of its own, since kazoo waits there for a connection."""
        ended = threading.Event()

        def on_change(value: bytes | None, stat: ZnodeStat | None) -> bool | None:
            if ended.is_set():
                return False
            changed(Stored(value, stat.version) if value is not None and stat is not None else None)
            return None

        def install() -> None:
            with contextlib.suppress(*_AWAY):
                self._client.DataWatch(self._root + path, on_change)

        threading.Thread(target=install, daemon=True, name=f"watch {path}").start()
        return ended.set

    def connected(self) -> bool:
        """See Coordinator."""
        return bool(self._client.connected)

    def close(self) -> None:
        """See Coordinator."""
        with contextlib.suppress(*_AWAY):
            self._client.stop()
            self._client.close()

    def ask(self, method: str, path: str, *arguments: object, **options: object) -> Any:
        """Calls one of kazoo's *_async methods below the root; errors of the tree pass as they are."""
        return self._answer(getattr(self._client, method), self._root + path, *arguments, **options)

    def _answer(self, call: Callable[..., Any], *arguments: object, **options: object) -> Any:
        if not self._client.connected:
            raise CoordinatorUnavailable("ZooKeeper does not answer")
        try:
            return call(*arguments, **options).get(timeout=_ANSWER_SECONDS)
        except (NoNodeError, NodeExistsError, BadVersionError):
            raise
        except _AWAY as error:
            raise CoordinatorUnavailable(f"ZooKeeper does not answer ({type(error).__name__})") from error

    def _make_parent(self, path: str) -> None:
        parent = self._root + path.rpartition("/")[0]
        if parent:
            self._answer(self._client.ensure_path_async, parent)

    def _session_changed(self, state: str) -> None:
        logger.info("ZooKeeper session: %s", state)
        if state == KazooState.LOST:
            for node in self._nodes:
                node.end()
