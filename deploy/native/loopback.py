"""Asks servers on this machine, never through a proxy, whatever the environment says of one."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

PROBE_SECONDS = 1.0
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """What keeps a process's libraries from asking a proxy for this machine; nothing if no proxy is set.

    What an environment exempts already stays exempted.
    """
    if not any(environment.get(name) or environment.get(name.upper()) for name in PROXIES):
        return {}
    given = f"{environment.get('no_proxy', '')},{environment.get('NO_PROXY', '')}".split(",")
    exempt = ",".join(dict.fromkeys([*filter(None, given), *LOOPBACK]))
    return {"no_proxy": exempt, "NO_PROXY": exempt}


def listens(address: str) -> bool:
    """Whether something takes connections at HOST:PORT."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def ask(port: int, question: bytes) -> bytes:
    """The first bytes of the answer on a loopback port; none if there is no answer in time."""
    try:
        with socket.create_connection(("127.0.0.1", port), PROBE_SECONDS) as connection:
            connection.sendall(question)
            return connection.recv(4096)
    except OSError:
        return b""


def get(url: str, tls: ssl.SSLContext | None = None) -> bytes | None:
    """The body at an HTTP or HTTPS address; None if there is none, or no answer in time."""
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls)
    )
    try:
        with direct.open(url, timeout=PROBE_SECONDS) as response:
            body: bytes = response.read()
            return body if response.status == 200 else None
    except (OSError, ValueError, HTTPException):
        return None


def get_json(url: str) -> Any:
    """The JSON document there; None if there is none, or no answer in time."""
    try:
        return json.loads(get(url) or b"null")
    except ValueError:
        return None
