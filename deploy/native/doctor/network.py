"""Ports that the service listens on, and proxies that its calls would go through."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

import psutil

from deploy.native.doctor.finding import Finding, doubtful, fine, wrong
from deploy.native.folder import StateFolder
from deploy.native.loopback import LOOPBACK, PROXIES
from deploy.native.ports import is_free
from deploy.native.supervision.lock import holder
from digits.settings import Settings

# macOS listens there for AirPlay, and answers every HTTP request with 403.
AIRPLAY_PORTS = (5000, 7000)


def ports(settings: Settings) -> list[Finding]:
    """Whether the gRPC and the REST port are free, or ours."""
    ours = bool(holder(StateFolder.at(settings.var_dir)))
    listeners = (
        ("gRPC port", settings.grpc_host, settings.grpc_port, "DIGITS_GRPC_PORT"),
        ("REST port", settings.rest_host, settings.rest_port, "DIGITS_REST_PORT"),
    )
    return [_port(*listener, ours=ours) for listener in listeners]


def _port(subject: str, host: str, port: int, variable: str, *, ours: bool) -> Finding:
    if not port or is_free(host, port):
        return fine(subject, f"{host}:{port or 'any'} is free")
    if ours:
        return fine(subject, f"{host}:{port} is taken, and the service runs")
    other = f"{variable}={port + 1000} digits up"
    if sys.platform == "darwin" and port in AIRPLAY_PORTS:
        mend = f"turn off AirPlay Receiver (System Settings, General, AirDrop & Handoff), or: {other}"
        return wrong(subject, f"{host}:{port} is taken, by AirPlay as a rule", mend)
    return wrong(subject, f"{host}:{port} is taken{_by_whom(port)}", f"stop what listens there, or: {other}")


def _by_whom(port: int) -> str:
    """Who listens, if that may be seen."""
    try:
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port and each.pid:
                return f" by {psutil.Process(each.pid).name()} ({each.pid})"
    except psutil.Error:
        return ""
    return ""


def proxies(environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether a proxy is set: our own calls pass it by on loopback, other programs' may not."""
    given = [name for each in PROXIES for name in (each, each.upper()) if environment.get(name)]
    if not given:
        return fine("proxies", "none is set")
    exempt = {*environment.get("no_proxy", "").split(","), *environment.get("NO_PROXY", "").split(",")}
    if {"127.0.0.1", "localhost"} <= exempt:
        return fine("proxies", f"{', '.join(given)}, and not for this machine")
    found = f"{', '.join(given)}: digits passes it by on loopback, curl and others do not"
    return doubtful("proxies", found, f"export no_proxy={','.join(LOOPBACK)}")
