"""How Celery's broker is reached: its address with our password, and whom we take for it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from digits.settings import Settings


def address(settings: Settings) -> str:
    """The broker's URL, with the password if it has a setting of its own."""
    parts = urlsplit(settings.broker_url)
    password = settings.broker_password.get_secret_value()
    if not password or parts.password:
        return settings.broker_url
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()


def tls(settings: Settings) -> Mapping[str, Any] | None:
    """Celery's broker_use_ssl: the broker's certificate is for its host's name. None for plain text.

    Without it, kombu would take any certificate for rediss:// and amqps://.
    """
    parts = urlsplit(settings.broker_url)
    files = {
        "ca_certs": settings.broker_ca_file,
        "certfile": settings.broker_certificate_file,
        "keyfile": settings.broker_key_file,
    }
    given = {name: str(path) for name, path in files.items() if isinstance(path, Path)}
    if parts.scheme == "amqps":
        # Its client checks a name only if it is told which; by itself it would ask localhost for 127.0.0.1's.
        return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": parts.hostname, **given}
    if parts.scheme == "rediss":
        checks = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
        return {**checks, **{f"ssl_{name}": path for name, path in given.items()}}
    return None
