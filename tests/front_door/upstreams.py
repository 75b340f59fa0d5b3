"""Servers that misbehave, for what the front door does then."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# More than gRPC's preface and header frames, and less than what the tests send behind them.
SENT = 400


class Upstream:
    """Takes connections and keeps them without a word, or hangs up on each once a request has come."""

    def __init__(self, hangs_up: bool) -> None:
        self._hangs_up = hangs_up
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._kept: list[socket.socket] = []
        self.requests = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Ends it."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        for connection in self._kept:
            connection.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._kept.append(connection)
                self.requests += 1
                if self._hangs_up:
                    self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        received = 0
        with connection, suppress(OSError):
            while received < SENT and (part := connection.recv(1 << 16)):
                received += len(part)


@contextmanager
def upstream(hangs_up: bool = False) -> Iterator[Upstream]:
    """One of them."""
    made = Upstream(hangs_up)
    try:
        yield made
    finally:
        made.close()
