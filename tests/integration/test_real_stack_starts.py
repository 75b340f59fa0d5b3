"""The real stack as its user starts and stops it: one start, and one restart."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.native.folder import StateFolder
from deploy.native.ports import is_free
from deploy.native.supervision import process_tags
from deploy.native.supervision.lock import holder
from digits import bootstrap
from tests.conftest import free_port
from tests.service import Service

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

BLOCKS = [b"one", b"two", b"three"]


def status(service: Service) -> dict[str, Any]:
    """What `digits status` says."""
    answer: dict[str, Any] = json.loads(service.command("status", "--json").stdout)
    return answer


def taken_ports(folder: StateFolder) -> list[int]:
    """The remembered ports that somebody listens on."""
    ports = json.loads(folder.ports.read_text(encoding="utf-8"))
    return [port for port in ports.values() if not is_free("127.0.0.1", port)]


def test_the_real_stack_starts_usable_stops_without_a_trace_and_finds_everything_again(
    tmp_path: Path,
) -> None:
    service = Service(tmp_path / "var", tmp_path / "data", free_port(), free_port(), stack="real")
    service.data_dir.mkdir()
    folder = StateFolder.at(service.var_dir)
    began = time.monotonic()
    try:
        service.up()
        print(f"real stack usable after {time.monotonic() - began:.1f} s")
        report = status(service)
        assert {part["name"]: part["health"] for part in report["parts"] if part["health"] != "up"} == {}
        servers = {"namenode", "datanode", "kafka", "spark-master", "spark-worker", "zookeeper"}
        assert servers < {part["name"] for part in report["parts"]}
        assert all(part["version"] and part["pid"] for part in report["parts"])
        settings = service.settings()
        bootstrap.store(settings).publish("models/kept.bundle", b"whole")
        log = bootstrap.log(settings)
        log.create("kept", 2)
        log.append("kept", 1, 0, BLOCKS)
    finally:
        service.down()
    assert process_tags.tagged(folder.root) == []
    assert taken_ports(folder) == []
    assert holder(folder) is None

    try:
        service.up()
        settings = service.settings()
        assert bootstrap.store(settings).read("models/kept.bundle") == b"whole"
        assert bootstrap.log(settings).end_offsets("kept") == [0, len(BLOCKS)]
    finally:
        service.down()
    assert process_tags.tagged(folder.root) == []
