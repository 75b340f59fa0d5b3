"""A folder over HTTP, for what downloads."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# How long a server that is told to end may take to hear of it; half a second by default.
POLL_SECONDS = 0.02


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Nothing to stderr."""


@contextlib.contextmanager
def web_folder(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server on loopback that serves the files below `folder`; by HTTPS with `tls`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
