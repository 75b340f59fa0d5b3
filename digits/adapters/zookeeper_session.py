"""One session with ZooKeeper: asks, and knows how sure it is that the session still stands."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from kazoo.client import KazooClient, KazooState, KeeperState
from kazoo.exceptions import (
    AuthFailedError,
    BadVersionError,
    ConnectionClosedError,
    InvalidACLError,
    KazooException,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    SessionClosedRequireSaslError,
)
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.retry import KazooRetry

from digits.adapters.zookeeper_access import OPEN, ZooKeeperAccess
from digits.errors import CoordinatorUnavailable
from digits.signals.metrics import zookeeper as measured

logger = logging.getLogger(__name__)

REFUSAL = "ZooKeeper refuses us: look at DIGITS_ZOOKEEPER_SCHEME, _USERNAME and _PASSWORD"
_ANSWER_SECONDS = 5.0
_MAX_RECONNECT_SECONDS = 1.0
# ZooKeeper itself holds back a client that asks for more than 1,000 things at once. Kazoo takes 278 while the
# connection goes; whoever asks for more would wait until it is back.
_MAX_ASKED_AT_ONCE = 200
_AWAY_LOG_SECONDS = 30.0
_OF_THE_TREE = (NoNodeError, NodeExistsError, BadVersionError)
# After a login that failed; nobody asks about a session that we closed.
GIVEN_UP = (KeeperState.AUTH_FAILED, KeeperState.CLOSED)
_REFUSED = (AuthFailedError, NoAuthError, InvalidACLError, SessionClosedRequireSaslError)
_AWAY = (KazooException, KazooTimeoutError, ConnectionClosedError)


def connection_retry() -> KazooRetry:
    """How kazoo tries to connect again: for ever, and every second at least. Its own comes to a minute."""
    return KazooRetry(max_tries=-1, max_delay=_MAX_RECONNECT_SECONDS)


class ZooKeeperSession:
    """A kazoo session that comes up in the background and comes back by itself; `number` counts them."""

    def __init__(self, url: str, session_seconds: float, access: ZooKeeperAccess = OPEN) -> None:
        parts = urlsplit(url)
        self._root, self._hosts = parts.path.rstrip("/"), parts.netloc
        self._session_seconds = session_seconds
        self._heard = self._away_logged = time.monotonic()
        self._when_connected: list[Callable[[], None]] = []
        self.number = 0
        self._refused = False
        self._last_word = _LastWord(logging.WARNING)
        self._client = KazooClient(
            hosts=self._hosts,
            timeout=session_seconds,
            connection_retry=connection_retry(),
            logger=_quiet_logger(self._last_word),
            **access.kazoo(),
        )
        self._client.add_listener(self._changed)

    def start(self, connect_seconds: float) -> None:
        """Connects, and waits for that no longer than the time given."""
        self._client.start_async().wait(connect_seconds)

    def close(self) -> None:
        """Ends the session."""
        with contextlib.suppress(*_AWAY):
            self._client.stop()
            self._client.close()

    def when_connected(self, callback: Callable[[], None]) -> None:
        """Has a function called after each connection, which must not block."""
        self._when_connected.append(callback)

    def connected(self) -> bool:
        """Whether there is a connection at the moment."""
        return bool(self._client.connected)

    def session_id(self) -> int:
        """What ZooKeeper calls this session, as in a node's ephemeralOwner."""
        if (known := self._client.client_id) is None:
            raise CoordinatorUnavailable("ZooKeeper does not answer")
        return int(known[0])

    def surely_stands(self, number: int) -> bool:
        """Whether that session is not over: ZooKeeper keeps one for this long after it heard from it."""
        return number == self.number and time.monotonic() - self._heard < self._session_seconds

    def log_if_away(self) -> None:
        """Says every half minute that ZooKeeper is away."""
        now = time.monotonic()
        if not self.connected() and now - self._away_logged >= _AWAY_LOG_SECONDS:
            self._away_logged = now
            seconds, why = now - self._heard, self._last_word.text
            logger.warning("ZooKeeper at %s has been away for %.0f s (%s)", self._hosts, seconds, why)

    def log_in_again(self) -> None:
        """Starts anew after a failed login, since kazoo does not: perhaps the server just died in it."""
        if self._client.client_state in GIVEN_UP:
            self._client.start_async()

    def full_path(self, path: str) -> str:
        """A path of ours as ZooKeeper knows it."""
        return self._root + path or "/"

    def own_path(self, full_path: str) -> str:
        """The reverse of `full_path`."""
        return full_path.removeprefix(self._root)

    def transaction(self) -> Any:
        """A new transaction of kazoo's; `answer` commits it."""
        return self._client.transaction()

    def make_parent(self, path: str) -> None:
        """Has the folder of a node be there."""
        if parent := self._root + path.rpartition("/")[0]:
            self.answer(self._client.ensure_path_async, parent)

    def ask(self, method: str, path: str, *arguments: object, **options: object) -> Any:
        """Calls one of kazoo's *_async methods below the root; errors of the tree pass as they are."""
        return self.answer(getattr(self._client, method), self.full_path(path), *arguments, **options)

    def ask_many(self, method: str, paths: Sequence[str], **options: object) -> list[Any]:
        """Asks the same of many paths without waiting for one before the next; None for a missing node."""
        answers: list[Any] = []
        for start in range(0, len(paths), _MAX_ASKED_AT_ONCE):
            self._require_connection()
            asked = time.monotonic()
            results = [
                getattr(self._client, method)(self.full_path(path), **options)
                for path in paths[start : start + _MAX_ASKED_AT_ONCE]
            ]
            answers += [self._found(result, asked) for result in results]
        return answers

    def answer(self, call: Callable[..., Any], *arguments: object, **options: object) -> Any:
        """What an asynchronous call of kazoo's comes to; raises CoordinatorUnavailable."""
        self._require_connection()
        asked = time.monotonic()
        return self._wait(call(*arguments, **options), asked)

    def _found(self, result: Any, asked: float) -> Any:
        try:
            return self._wait(result, asked)
        except NoNodeError:
            return None

    def _wait(self, result: Any, asked: float) -> Any:
        try:
            answer = result.get(timeout=_ANSWER_SECONDS)
        except _OF_THE_TREE:
            self._heard = max(self._heard, asked)
            raise
        except _REFUSED as error:
            self._refused = True
            raise CoordinatorUnavailable(f"{REFUSAL} ({type(error).__name__})") from error
        except _AWAY as error:
            raise CoordinatorUnavailable(f"ZooKeeper does not answer ({type(error).__name__})") from error
        self._refused = False
        # Not when the answer came: ZooKeeper counts from when it heard the question.
        self._heard = max(self._heard, asked)
        return answer

    def _require_connection(self) -> None:
        if not self.connected():
            raise CoordinatorUnavailable(REFUSAL if self._refused else "ZooKeeper does not answer")

    def _changed(self, state: str) -> None:
        """Kazoo's own thread calls this, and it must not wait for anything."""
        logger.log(logging.INFO if state == KazooState.CONNECTED else logging.WARNING, "ZooKeeper: %s", state)
        measured.CONNECTED.set(state == KazooState.CONNECTED)
        if state == KazooState.LOST:
            self.number += 1
            measured.SESSIONS_LOST.inc()
            failed = self._client.client_state == KeeperState.AUTH_FAILED
            self._refused = self._refused or failed or isinstance(self._last_word.error, _REFUSED)
        elif state == KazooState.CONNECTED:
            for callback in self._when_connected:
                callback()


class _LastWord(logging.Handler):
    """Keeps what kazoo said last, which is why there is no connection."""

    text = "no answer"
    error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler. What is worse than a connection or a login that failed is logged."""
        self.text, self.error = record.getMessage(), record.exc_info[1] if record.exc_info else None
        if record.levelno > logging.WARNING and not isinstance(self.error, _REFUSED):
            logger.handle(record)


def _quiet_logger(handler: logging.Handler) -> logging.Logger:
    """Kazoo's, without the lines a second that it has for a ZooKeeper that is away."""
    quiet = logging.Logger("kazoo.client", logging.WARNING)
    quiet.addHandler(handler)
    return quiet
