"""The line between a client and a ZooKeeper, which a test can cut at the very moment that it is about."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

CREATE, DELETE, READ, SET, COMMIT, LOG_IN = 15, 2, 4, 5, 14, 102
"""ZooKeeper's numbers for requests (ZooDefs.OpCode): create2, delete, getData, setData, multi, sasl."""


class Line:
    """Listens on `port` and passes on to a ZooKeeper, frame by frame."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._zookeeper = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._is_cut = False
        self._closing = threading.Event()
        self._ends: set[socket.socket] = set()
        self._cut_after = self._hold_from = self._watched_xid = 0
        self.was_cut = threading.Event()
        self._flows = threading.Event()
        self._flows.set()
        self._thread = threading.Thread(target=self._accept, daemon=True, name="line")
        self._thread.start()

    def cut(self) -> None:
        """Breaks every connection and takes no other until `mend`."""
        self._is_cut = True
        self.was_cut.set()
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut_after(self, request: int) -> None:
        """Cuts once ZooKeeper has done the next request of a kind, before its answer comes through."""
        self.was_cut.clear()
        self._cut_after = request

    def hold_from(self, request: int) -> None:
        """Keeps what clients ask from the next request of a kind on, without breaking a connection."""
        self._hold_from = request

    def let_go(self) -> None:
        """Passes on what was held, in its order."""
        self._flows.set()

    def mend(self) -> None:
        """Takes connections again."""
        self._is_cut = False

    def close(self) -> None:
        """Ends all of it."""
        self._closing.set()
        self._flows.set()
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                client.close()
            else:
                self._pass_on(client)

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.create_connection(self._zookeeper)
        self._ends |= {client, server}
        for source, target, look in ((client, server, self._asked), (server, client, self._answered)):
            threading.Thread(target=self._copy, args=(source, target, look), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, look: Callable[[bytes], bool]) -> None:
        with contextlib.suppress(OSError, ConnectionError):
            # The first frame of either side is about the session and has no header.
            target.sendall(_frame(source))
            while True:
                frame = _frame(source)
                if not look(frame):
                    self.cut()
                    break
                target.sendall(frame)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
            self._ends.discard(end)

    def _asked(self, frame: bytes) -> bool:
        xid, request = struct.unpack(">ii", frame[4:12])
        if request == self._cut_after:
            self._cut_after, self._watched_xid = 0, xid
        if request == self._hold_from:
            self._hold_from = 0
            self._flows.clear()
        self._flows.wait()
        return True

    def _answered(self, frame: bytes) -> bool:
        (xid,) = struct.unpack(">i", frame[4:8])
        if xid <= 0 or xid != self._watched_xid:
            return True
        # The next connection counts from one again.
        self._watched_xid = 0
        return False


@contextlib.contextmanager
def line_to(address: str) -> Iterator[Line]:
    """A line that is whole at first."""
    line = Line(address)
    try:
        yield line
    finally:
        line.close()


def _frame(source: socket.socket) -> bytes:
    head = _exactly(source, 4)
    return head + _exactly(source, struct.unpack(">i", head)[0])


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (part := source.recv(size - len(data))):
            raise ConnectionError("the other end hung up")
        data += part
    return data
