"""Where `digits up` has each process show its metrics."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from deploy.native import preflight
from deploy.native.errors import CannotStart
from deploy.native.folder import StateFolder
from deploy.native.plan import own_ports
from deploy.native.process_settings import process_settings
from deploy.native.service import metrics
from deploy.native.service.processes import service_specs
from deploy.native.service.registry_reader import RegistryReader
from deploy.native.stacks.embedded import EmbeddedStack
from digits.settings import Settings
from tests.ports import free_port

EMBEDDED = EmbeddedStack()


def given_ports(tmp_path: Path, settings: Settings) -> tuple[dict[str, str], dict[str, str]]:
    """The variable of each process, and the addresses that Prometheus is told."""
    folder = StateFolder.at(tmp_path / "var")
    folder.make()
    ports = own_ports(EMBEDDED, settings, folder)
    given = process_settings(EMBEDDED, settings, folder, ports)
    metrics.write_targets(folder.metrics_targets, given, ports)
    registry = RegistryReader(given.coordinator_url)
    made = service_specs(given, {}, (), registry, metrics.ports(given, ports))
    variables = {spec.name: spec.environment["DIGITS_METRICS_PORT"] for spec in made}
    groups = json.loads(folder.metrics_targets.read_text())
    return variables, {group["labels"]["part"]: group["targets"][0] for group in groups}


def test_each_process_gets_a_port_of_its_own_and_prometheus_the_addresses(tmp_path: Path) -> None:
    variables, targets = given_ports(tmp_path, Settings(rest_port=5000))
    assert len({*variables.values()}) == 4
    assert variables.pop("bridge") == "0"
    assert targets.pop("bridge") == "127.0.0.1:5000"
    assert targets == {name: f"127.0.0.1:{port}" for name, port in variables.items()}
    assert given_ports(tmp_path, Settings(rest_port=5000))[0] == {**variables, "bridge": "0"}


def test_a_port_that_is_named_is_the_servers_and_the_next_are_the_workers(tmp_path: Path) -> None:
    variables, _ = given_ports(tmp_path, Settings(metrics_port=9464))
    assert variables == {
        "server": "9464",
        "classify-worker": "9465",
        "train-worker": "9466",
        "bridge": "0",
    }


def test_a_taken_port_for_metrics_is_one_sentence_that_names_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        named = taken.getsockname()[1] - 2  # The train worker's is the second after it.
        with pytest.raises(CannotStart, match=r"127\.0\.0\.1:\d+ is in use.*set DIGITS_METRICS_PORT"):
            preflight.check_ports(Settings(metrics_port=named, grpc_port=free_port(), rest_port=free_port()))


def test_traces_without_the_sdk_are_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "find_spec", lambda name: None)
    preflight.check_traces(Settings())
    with pytest.raises(CannotStart, match=r"DIGITS_TRACE_ENDPOINT.*pip install 'digitservice\[traces\]'"):
        preflight.check_traces(Settings(trace_endpoint="http://127.0.0.1:4318/v1/traces"))
