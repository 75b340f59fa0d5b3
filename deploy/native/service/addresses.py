"""Where this machine reaches the service's own listeners."""

from __future__ import annotations

from digits.settings import Settings


def reachable(host: str) -> str:
    """The address by which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104


def rest_address(settings: Settings) -> str:
    """HOST:PORT of the REST bridge."""
    return f"{reachable(settings.rest_host)}:{settings.rest_port}"


def rest_url(settings: Settings) -> str:
    """The REST bridge."""
    return f"{'https' if settings.tls_certificate_file else 'http'}://{rest_address(settings)}"


def health_address(settings: Settings) -> str:
    """HOST:PORT where the server answers health checks in plain text."""
    return f"{reachable(settings.grpc_host)}:{settings.health_port or settings.grpc_port}"
