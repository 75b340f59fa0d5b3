"""Where each process of one start shows its metrics, and how Prometheus hears of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from deploy.native.service.addresses import reachable, rest_address
from digits.settings import Settings

# In the order of their ports; the bridge shows its metrics beside its other paths.
_PROCESSES = ("server", "classify-worker", "train-worker")


def port_names(settings: Settings) -> list[str]:
    """A name for each port that has to be found; none if the settings name the first of them."""
    return [] if settings.metrics_port else [_name(process) for process in _PROCESSES]


def ports(settings: Settings, found: Mapping[str, int]) -> dict[str, int]:
    """The port of each process, by its name; `found` are those of `port_names`."""
    if settings.metrics_port:
        return {process: settings.metrics_port + place for place, process in enumerate(_PROCESSES)}
    return {process: found[_name(process)] for process in _PROCESSES if _name(process) in found}


def write_targets(path: Path, settings: Settings, found: Mapping[str, int]) -> None:
    """Writes them in the format of Prometheus' file_sd_configs."""
    host = reachable(settings.metrics_host)
    own = {process: f"{host}:{port}" for process, port in ports(settings, found).items()}
    scheme = "https" if settings.tls_certificate_file else "http"
    groups = [
        *(_group(process, address, "http") for process, address in own.items()),
        _group("bridge", rest_address(settings), scheme),
    ]
    path.write_text(json.dumps(groups, indent=2) + "\n", encoding="utf-8")


def _group(part: str, address: str, scheme: str) -> dict[str, object]:
    return {"targets": [address], "labels": {"part": part, "__scheme__": scheme}}


def _name(process: str) -> str:
    return f"{process} metrics"
