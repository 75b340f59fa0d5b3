"""Values that this process follows: one thread for all of them, and one watch in ZooKeeper for each path."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from kazoo.protocol.states import WatchedEvent, ZnodeStat

from digits.adapters.zookeeper_session import ZooKeeperSession
from digits.background import BackgroundLoop
from digits.errors import CoordinatorUnavailable
from digits.ports import Stored

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
# A node's mzxid tells its values apart; these stand for no value so far, and for no node.
_NOTHING_YET, _NO_NODE = -1, 0


@dataclass(eq=False)
class _Listener:
    changed: Callable[[Stored | None], None]
    seen: int = _NOTHING_YET
    ended: bool = False

    def tell(self, stored: Stored | None) -> None:
        """One who fails, or who is told too late, costs the others nothing."""
        try:
            if not self.ended:
                self.changed(stored)
        except Exception:
            logger.exception("a change could not be told")


class ZooKeeperWatches:
    """Reads a path when ZooKeeper says that it changed, when there is a new listener, and when a connection
    was lost, since its watches went with it. A watch fires once; each read sets the next."""

    def __init__(self, session: ZooKeeperSession) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._listeners: dict[str, list[_Listener]] = {}
        self._unread: set[str] = set()
        self._loop = BackgroundLoop("zookeeper watches", self._read, _RETRY_SECONDS)
        session.when_connected(self._read_all_again)

    def start(self) -> None:
        """Begins to tell."""
        self._loop.start()

    def stop(self) -> None:
        """Tells nobody any more."""
        self._loop.stop()

    def watch(self, path: str, changed: Callable[[Stored | None], None]) -> Callable[[], None]:
        """See Coordinator."""
        listener = _Listener(changed)
        with self._lock:
            self._listeners.setdefault(path, []).append(listener)
        self._to_be_read({path})
        return lambda: self._end(path, listener)

    def _end(self, path: str, listener: _Listener) -> None:
        listener.ended = True
        with self._lock:
            left = [other for other in self._listeners.get(path, []) if other is not listener]
            if left:
                self._listeners[path] = left
            else:
                self._listeners.pop(path, None)

    def _fired(self, event: WatchedEvent) -> None:
        # An event without a path says that the connection is lost.
        if event.path:
            self._to_be_read({self._session.own_path(event.path)})

    def _read_all_again(self) -> None:
        with self._lock:
            paths = set(self._listeners)
        self._to_be_read(paths)

    def _to_be_read(self, paths: set[str]) -> None:
        with self._lock:
            self._unread |= paths
        self._loop.wake()

    def _read(self) -> None:
        with self._lock:
            paths = [path for path in self._unread if path in self._listeners]
            self._unread.clear()
        try:
            found = dict(
                zip(paths, self._session.ask_many("get_async", paths, watch=self._fired), strict=True)
            )
            missing = [path for path in paths if found[path] is None]
            # A read sets no watch if there is no node; this does, and may find one that came meanwhile.
            stats = self._session.ask_many("exists_async", missing, watch=self._fired)
        except CoordinatorUnavailable:
            # Read at the next turn, or once there is a connection: no reason for a growing backoff.
            with self._lock:
                self._unread.update(paths)
            return
        came = {path for path, stat in zip(missing, stats, strict=True) if stat is not None}
        for path in paths:
            if path not in came:
                self._tell(path, found[path])
        if came:
            self._to_be_read(came)

    def _tell(self, path: str, found: tuple[bytes, ZnodeStat] | None) -> None:
        number = found[1].mzxid if found else _NO_NODE
        stored = Stored(found[0], found[1].version) if found else None
        with self._lock:
            listeners = [listener for listener in self._listeners.get(path, []) if listener.seen != number]
        for listener in listeners:
            listener.seen = number
            listener.tell(stored)
