"""Where the server listens: its port, with TLS if there is a certificate, and the plain one for probes."""

from __future__ import annotations

import logging
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2_grpc

from digits.errors import Misconfigured
from digits.settings import Settings
from server.health_servicer import HealthServicer

logger = logging.getLogger(__name__)

# Clients ask now and then whether a silent connection lives, some every ten seconds. gRPC's own server takes
# that for an attack unless five minutes lie between, and ended a Health.Watch at 30 s.
_PINGS = (
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
)
# A connection that says nothing is given up: gRPC would hold it for two minutes.
_HANDSHAKE_MILLISECONDS = 10_000
# A probe names a service. It has no token, so nothing large is taken from it.
_MAX_PROBE_BYTES = 1024


def make_server(settings: Settings) -> grpc.aio.Server:
    """A server without services that will listen on the settings' address; raises Misconfigured."""
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", settings.max_request_bytes),
            ("grpc.so_reuseport", 0),
            ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MILLISECONDS),
            # A bridge's connection is several callers'. What is over it waits at its sender.
            ("grpc.max_concurrent_streams", 2 * settings.max_calls_per_caller),
            *_PINGS,
        ]
    )
    address = f"{settings.grpc_host}:{settings.grpc_port}"
    if settings.tls_certificate_file:
        server.add_secure_port(address, Certificates(settings).credentials())
    else:
        server.add_insecure_port(address)
    return server


def make_health_server(settings: Settings, servicer: HealthServicer) -> grpc.aio.Server | None:
    """A server of health checks alone, in plain text; None if none is wanted."""
    if not settings.health_port:
        return None
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", _MAX_PROBE_BYTES),
            ("grpc.so_reuseport", 0),
            ("grpc.max_concurrent_streams", 2 * settings.max_calls_per_caller),
            *_PINGS,
        ]
    )
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(f"{settings.grpc_host}:{settings.health_port}")
    return server


class Certificates:
    """The certificate, its key and who vouches for callers, as new connections find them."""

    def __init__(self, settings: Settings) -> None:
        given = (settings.tls_key_file, settings.tls_certificate_file, settings.tls_client_ca_file)
        self._files = [path for path in given if path]
        self._stamp = self._stamp_now()

    def credentials(self) -> grpc.ServerCredentials:
        """What a server listens with; raises Misconfigured."""
        try:
            now = self._read()
        except OSError as error:
            raise Misconfigured(f"DIGITS_TLS_…: {error}") from error
        # `_changed` may answer None, which the types of grpc leave out.
        return grpc.dynamic_ssl_server_credentials(now, self._changed, len(self._files) > 2)  # type: ignore[arg-type]

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Called for every new connection: None if nothing changed."""
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return None
        try:
            found = self._read()
        except OSError as error:
            logger.warning("the certificate in use stays: %s", error)
            return None
        self._stamp = stamp
        logger.info("a new certificate is in use")
        return found

    def _read(self) -> grpc.ServerCertificateConfiguration:
        key, chain, *authorities = [path.read_bytes() for path in self._files]
        return grpc.ssl_server_certificate_configuration(
            [(key, chain)], authorities[0] if authorities else None
        )

    def _stamp_now(self) -> list[int]:
        return [_modified(path) for path in self._files]


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
