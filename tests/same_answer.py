"""A server on loopback that says the same to all."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Its HOST:PORT."""

    class Same(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Same) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def webhdfs_refusal(exception: str) -> bytes:
    """What a NameNode says beside the status."""
    return json.dumps(
        {"RemoteException": {"exception": exception, "message": f"{exception}: so it is"}}
    ).encode()
