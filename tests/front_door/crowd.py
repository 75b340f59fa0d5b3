"""Many connections at once from one machine, open until a test is done with them."""

from __future__ import annotations

import resource
import selectors
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psutil

from tests.conftest import missing
from tests.front_door.conftest import FrontDoor

# Not the address that the honest callers of the tests have.
SOURCE = "127.0.0.2"


class Crowd:
    """The connections of one attack."""

    def __init__(self, lines: list[socket.socket]) -> None:
        self._selector = selectors.DefaultSelector()
        self._next_drip = 0.0
        self.open: set[socket.socket] = set(lines)
        for line in lines:
            line.setblocking(False)
            self._selector.register(line, selectors.EVENT_READ)

    def drip(self, data: bytes = b"x") -> None:
        """Says a little more on each line that is still open, but not more often than once a second."""
        if time.monotonic() < self._next_drip:
            return
        self._next_drip = time.monotonic() + 1
        for line in list(self.open):
            try:
                line.send(data)
            except OSError:
                self._gone(line)

    def is_over(self) -> bool:
        """Whether the other side has closed every line."""
        for key, _ in self._selector.select(timeout=0):
            line = key.fileobj
            assert isinstance(line, socket.socket)
            try:
                while line.recv(1 << 16):
                    pass
                self._gone(line)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue
            except OSError:
                self._gone(line)
        return not self.open

    def close(self) -> None:
        """Gives up."""
        self._selector.close()

    def _gone(self, line: socket.socket) -> None:
        self._selector.unregister(line)
        self.open.discard(line)


@contextmanager
def crowd(
    port: int,
    count: int,
    tls: ssl.SSLContext | None = None,
    source: str = SOURCE,
    beginning: bytes = b"",
) -> Iterator[Crowd]:
    """Opens that many connections to a port of this machine, and says the beginning of something on each."""
    _allow_files(count + 1_000)
    with ExitStack() as stack:
        lines = []
        for _ in range(count):
            line = socket.create_connection(("127.0.0.1", port), 30, (source, 0))
            if tls:
                line = tls.wrap_socket(line, server_hostname="localhost")
            lines.append(stack.enter_context(line))
            line.sendall(beginning)
        made = Crowd(lines)
        stack.callback(made.close)
        yield made


def tls_context(front_door: FrontDoor, *protocols: str) -> ssl.SSLContext:
    """A client's side of TLS to the front door."""
    context = ssl.create_default_context(cafile=front_door.nginx.ca_file)
    context.set_alpn_protocols(list(protocols) or ["http/1.1"])
    return context


def megabytes(front_door: FrontDoor) -> dict[str, float]:
    """Resident memory of everything that a stranger can reach."""
    families = {"nginx": front_door.nginx.processes()}
    for replica in (*front_door.servers, *front_door.bridges):
        families[replica.name] = [replica.process(), *replica.process().children(recursive=True)]
    return {name: _resident(family) / 1e6 for name, family in families.items()}


def _resident(family: list[psutil.Process]) -> int:
    return sum(process.memory_info().rss for process in family)


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        missing(f"{count} open files; the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
