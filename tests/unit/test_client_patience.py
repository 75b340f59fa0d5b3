"""A client that knows its server asks it again while it starts; one that never met it does not."""

from __future__ import annotations

import pytest
from grpc import StatusCode

from digits.client.errors import RemoteError
from digits.client.patience import Patience


class Server:
    """Gives its replies one after the other; an error is raised, and what follows comes next."""

    def __init__(self, *replies: str | RemoteError) -> None:
        self._replies = list(replies)

    def ask(self) -> str:
        reply = self._replies.pop(0)
        if isinstance(reply, RemoteError):
            raise reply
        return reply


GONE = RemoteError(StatusCode.UNAVAILABLE, "failed to connect to all addresses")
AWAY = RemoteError(StatusCode.UNAVAILABLE, "ZooKeeper does not answer", retry_after_seconds=1.0)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digits.client.patience._RETRY_SECONDS", 0.001)


def test_a_server_that_starts_again_is_asked_until_it_answers() -> None:
    server, patience = Server("first", GONE, GONE, "second"), Patience(60.0)
    assert [patience.ask(server.ask), patience.ask(server.ask)] == ["first", "second"]


def test_an_address_that_never_answered_is_refused_at_once() -> None:
    with pytest.raises(RemoteError, match="failed to connect"):
        Patience(60.0).ask(Server(GONE, "too late").ask)


def test_what_a_server_says_is_final() -> None:
    server, patience = Server("first", AWAY), Patience(60.0)
    patience.ask(server.ask)
    with pytest.raises(RemoteError, match="ZooKeeper"):
        patience.ask(server.ask)


def test_patience_has_an_end() -> None:
    server, patience = Server("first", GONE, "too late"), Patience(0.0)
    patience.ask(server.ask)
    with pytest.raises(RemoteError, match="failed to connect"):
        patience.ask(server.ask)
