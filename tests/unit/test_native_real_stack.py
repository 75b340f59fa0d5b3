"""Which servers a stack starts, and what the service is told of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.native.folder import StateFolder
from deploy.native.plan import own_ports
from deploy.native.process_settings import process_settings, recordable, variables
from deploy.native.servers.server import Server
from deploy.native.stacks import chosen
from deploy.native.stacks.embedded import EmbeddedStack
from deploy.native.stacks.real import RealStack
from deploy.native.status import service_status
from digits.settings import Settings

REAL = RealStack()
SERVERS = {server.name for server in REAL.servers}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DIGITS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_jars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.native.downloads.jars.folder", lambda name: Path("/jars", name))


@pytest.fixture
def rabbitmq(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that has RabbitMQ."""
    monkeypatch.setattr("deploy.native.servers.rabbitmq.rabbitmq_binary", lambda: Path("rabbitmq-server"))
    yield


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    made = StateFolder.at(tmp_path / "var")
    made.make()
    return made


@pytest.mark.usefixtures("rabbitmq")
def test_the_service_is_told_of_every_real_server_by_settings_alone(folder: StateFolder) -> None:
    ports = own_ports(REAL, Settings(), folder)
    given = variables(process_settings(REAL, Settings(), folder, ports))
    assert given["DIGITS_STORE_URL"] == f"webhdfs://127.0.0.1:{ports['namenode']}/digits"
    assert given["DIGITS_LOG_URL"] == f"kafka://127.0.0.1:{ports['kafka']}"
    assert given["DIGITS_BROKER_URL"] == f"amqp://guest:guest@127.0.0.1:{ports['rabbitmq']}//"
    assert given["DIGITS_COORDINATOR_URL"] == f"zookeeper://127.0.0.1:{ports['zookeeper']}/digits"
    assert given["DIGITS_SPARK_MASTER"] == f"spark://127.0.0.1:{ports['spark-master']}"
    assert given["DIGITS_SPARK_JARS_DIR"] == "/jars/spark-kafka"
    assert given["DIGITS_SPARK_CORES"] == str(os.cpu_count())


@pytest.mark.usefixtures("rabbitmq")
def test_real_servers_that_the_environment_names_are_used_and_not_started(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_LOG_URL", "kafka://broker:9092")
    monkeypatch.setenv("DIGITS_STORE_URL", "webhdfs://name:9870/digits")
    settings = Settings()
    ports = own_ports(REAL, settings, folder)
    assert set(ports) & SERVERS == {"rabbitmq", "spark-master", "spark-worker", "zookeeper"}
    given = process_settings(REAL, settings, folder, ports)
    assert (given.log_url, given.store_url) == ("kafka://broker:9092", "webhdfs://name:9870/digits")


def test_without_rabbitmq_valkey_takes_its_place_and_that_is_said(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.native.servers.rabbitmq.rabbitmq_binary", lambda: None)
    ports = own_ports(REAL, Settings(), folder)
    assert (
        process_settings(REAL, Settings(), folder, ports).broker_url
        == f"redis://127.0.0.1:{ports['valkey']}/0"
    )
    assert REAL.notes(ports) == [
        "RabbitMQ is not installed (apt-get install rabbitmq-server): Valkey takes its place"
    ]


def test_the_stacks_keep_nothing_in_common(folder: StateFolder) -> None:
    """The server's copy of a model and ZooKeeper's registry belong together."""
    assert REAL.data(folder).is_relative_to(folder.root)
    assert REAL.data(folder) != EmbeddedStack().data(folder)
    assert process_settings(REAL, Settings(), folder, {}).var_dir == REAL.data(folder)


def test_a_folder_that_is_started_with_another_stack_says_so_once(folder: StateFolder) -> None:
    assert chosen.choose("embedded", folder)[1] == []
    stack, notes = chosen.choose("real", folder)
    assert (stack.name, len(notes)) == ("real", 1)
    assert "last started with --stack embedded" in notes[0]
    assert chosen.choose("real", folder)[1] == []


@pytest.mark.usefixtures("rabbitmq")
def test_what_does_not_run_is_listed_by_the_stack_that_ran_last(folder: StateFolder) -> None:
    settings = Settings(var_dir=folder.root)
    before = {part.name for part in service_status(settings).parts}
    chosen.choose("real", folder)
    after = {part.name for part in service_status(settings).parts}
    processes = {"train-worker", "classify-worker", "server", "bridge"}
    assert before == processes | {"zookeeper", "valkey"}
    assert after == processes | (SERVERS - {"valkey"})


def test_secrets_stay_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As stars they would replace the real ones in the children."""
    monkeypatch.setenv("DIGITS_KAFKA_SASL_PASSWORD", "hush")
    monkeypatch.setenv("DIGITS_WEBHDFS_TOKEN", "hush")
    monkeypatch.setenv("DIGITS_KAFKA_SASL_USERNAME", "digits")
    settings = Settings()
    assert variables(settings) == {"DIGITS_KAFKA_SASL_USERNAME": "digits"}
    assert json.loads(json.dumps(recordable(settings))) == {"kafka_sasl_username": "digits"}


@pytest.mark.parametrize("server", [server for server in REAL.servers if server.name != "rabbitmq"])
def test_every_server_tells_its_version(server: Server) -> None:
    assert len(server.version().split(".")) >= 3


@pytest.mark.parametrize("server", REAL.servers, ids=lambda server: server.name)
def test_the_first_port_of_every_server_is_its_address_and_bears_its_name(server: Server) -> None:
    assert server.ports[0] == server.name
