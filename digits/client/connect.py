"""A client of the server that the settings name, by TLS if they say so."""

from __future__ import annotations

from pathlib import Path

import grpc

from digits.client.client import Client
from digits.errors import Misconfigured
from digits.settings import Settings


def connect(settings: Settings, token: str = "") -> Client:
    """The client, not connected yet; raises Misconfigured for a file that cannot be read."""
    return Client(settings.server, token=token, credentials=_credentials(settings))


def _credentials(settings: Settings) -> grpc.ChannelCredentials | None:
    if not (settings.server_tls or settings.server_ca_file):
        return None
    return grpc.ssl_channel_credentials(
        root_certificates=_read("server_ca_file", settings.server_ca_file),
        private_key=_read("client_key_file", settings.client_key_file),
        certificate_chain=_read("client_certificate_file", settings.client_certificate_file),
    )


def _read(setting: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"DIGITS_{setting.upper()}: {error}") from error
