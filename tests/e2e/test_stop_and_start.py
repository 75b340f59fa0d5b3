"""The real stack as its user stops it and starts it again."""

from __future__ import annotations

import json

from deploy.native.folder import StateFolder
from deploy.native.ports import is_free
from deploy.native.supervision import process_tags
from deploy.native.supervision.lock import holder
from digits import bootstrap
from tests.service import Service

BLOCKS = [b"one", b"two", b"three"]


def taken_ports(folder: StateFolder) -> list[int]:
    """The remembered ports that somebody listens on."""
    ports = json.loads(folder.ports.read_text(encoding="utf-8"))
    return [port for port in ports.values() if not is_free("127.0.0.1", port)]


def test_the_real_stack_is_usable_stops_without_a_trace_and_finds_everything_again(
    real_service: Service,
) -> None:
    report = json.loads(real_service.command("status", "--json").stdout)
    assert {part["name"]: part["health"] for part in report["parts"] if part["health"] != "up"} == {}
    servers = {"namenode", "datanode", "kafka", "spark-master", "spark-worker", "zookeeper"}
    assert servers < {part["name"] for part in report["parts"]}
    assert all(part["version"] and part["pid"] for part in report["parts"])
    settings, folder = real_service.settings(), StateFolder.at(real_service.var_dir)
    bootstrap.store(settings).publish("models/kept.bundle", b"whole")
    log = bootstrap.log(settings)
    log.create("kept", 2)
    log.append("kept", 1, 0, BLOCKS)
    real_service.down()
    try:
        assert process_tags.tagged(folder.root) == []
        assert taken_ports(folder) == []
        assert holder(folder) is None
    finally:
        real_service.up()
    settings = real_service.settings()
    assert bootstrap.store(settings).read("models/kept.bundle") == b"whole"
    assert bootstrap.log(settings).end_offsets("kept") == [0, len(BLOCKS)]
