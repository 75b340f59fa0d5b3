"""The bridge in this process, with the page, before a gRPC server whose answers a test sets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from werkzeug.serving import WSGIRequestHandler, make_server

from digits.client.client import Client
from digits.settings import Settings
from rest_bridge.app import create_app
from tests.unit.recorded_service import RecordedService, recorded_service


@dataclass(frozen=True)
class Bridge:
    """Where the page is, and who answers its calls."""

    url: str
    service: RecordedService


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object, **__: object) -> None:
        """Says nothing."""


@contextmanager
def running_bridge(settings: Settings) -> Iterator[Bridge]:
    """Runs the bridge until the block ends."""
    with recorded_service() as service, Client(service.address, timeout_seconds=5) as client:
        server = make_server(
            "127.0.0.1", 0, create_app(settings, client), threaded=True, request_handler=_Quiet
        )
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Bridge(f"http://127.0.0.1:{server.port}", service)
        server.shutdown()
        thread.join()
        server.server_close()
