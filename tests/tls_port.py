"""A port that speaks TLS for a server that does not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

from tests.certificates import Certificate


@contextlib.contextmanager
def tls_port(server_port: int, certificate: Certificate) -> Iterator[int]:
    """The port on loopback; each connection there is one to the server's port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_join, args=(client, context, server_port), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _join(client: socket.socket, context: ssl.SSLContext, server_port: int) -> None:
    with (
        client,
        contextlib.suppress(OSError),
        context.wrap_socket(client, server_side=True) as secure,
        socket.create_connection(("127.0.0.1", server_port)) as server,
    ):
        back = threading.Thread(target=_copy, args=(server, secure), daemon=True)
        back.start()
        _copy(secure, server)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
