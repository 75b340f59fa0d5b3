"""The native start-up, apart from processes: settings, messages, files."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pytest

from deploy.native import preflight
from deploy.native.display import ready_block
from deploy.native.downloads import mnist, mnist_sources
from deploy.native.errors import CannotFetch, CannotStart
from deploy.native.folder import StateFolder
from deploy.native.plan import own_ports, specs
from deploy.native.ports import allocate_ports, free_port, is_free
from deploy.native.process_settings import process_settings, variables
from deploy.native.servers.java import find_java
from deploy.native.servers.server import OPEN
from deploy.native.service.registry_reader import RegistryReader
from deploy.native.stacks.embedded import EmbeddedStack
from deploy.native.supervision import lock
from deploy.native.supervision.log_rotation import MAX_LOG_BYTES, rotate
from deploy.native.supervision.record import ProcessRecord, RunRecord
from deploy.native.supervision.supervisor import describe
from digits.settings import Settings
from tests.web_folder import web_folder

EMBEDDED = EmbeddedStack()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DIGITS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    made = StateFolder.at(tmp_path / "var")
    made.make()
    return made


def test_the_processes_get_absolute_folders_and_our_servers_addresses(folder: StateFolder) -> None:
    ports = own_ports(EMBEDDED, Settings(), folder)
    given = variables(process_settings(EMBEDDED, Settings(), folder, ports))
    assert given["DIGITS_COORDINATOR_URL"] == f"zookeeper://127.0.0.1:{ports['zookeeper']}/digits"
    assert given["DIGITS_BROKER_URL"] == f"redis://127.0.0.1:{ports['valkey']}/0"
    assert given["DIGITS_SERVER_ADDRESS"] == "127.0.0.1:50051"
    assert given["DIGITS_VAR_DIR"] == str(folder.root)
    assert Path(given["DIGITS_DATA_DIR"]).is_absolute()


def test_a_server_that_the_environment_names_is_used_and_not_started(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_COORDINATOR_URL", "zookeeper://zk1:2181/digits")
    settings = Settings()
    ports = own_ports(EMBEDDED, settings, folder)
    assert "valkey" in ports
    assert "zookeeper" not in ports
    assert (
        process_settings(EMBEDDED, settings, folder, ports).coordinator_url == "zookeeper://zk1:2181/digits"
    )


def test_port_0_means_a_free_port(folder: StateFolder) -> None:
    given = process_settings(EMBEDDED, Settings(grpc_port=0, rest_port=0), folder, {})
    assert given.grpc_port != given.rest_port
    assert is_free("127.0.0.1", given.grpc_port)


def test_every_process_waits_for_the_servers_and_stops_before_them(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.native.servers.java.find_java", lambda: "java")
    ports = own_ports(EMBEDDED, Settings(), folder)
    given = process_settings(EMBEDDED, Settings(), folder, ports)
    registry = RegistryReader(given.coordinator_url)
    own = {spec.name: spec for spec in specs(EMBEDDED, given, folder, ports, OPEN, registry=registry)}
    servers = own.pop("zookeeper"), own.pop("valkey")
    assert {spec.needs for spec in own.values()} == {("zookeeper", "valkey")}
    assert max(spec.stop_rank for spec in own.values()) < min(spec.stop_rank for spec in servers)
    assert own["bridge"].stop_rank < own["server"].stop_rank < own["train-worker"].stop_rank


def test_the_ready_block_names_addresses_logs_and_what_to_try(folder: StateFolder) -> None:
    given = process_settings(EMBEDDED, Settings(grpc_port=50151, rest_port=5051), folder, {})
    block = ready_block(given, folder, 12.34)
    for text in (
        "ready[/] after 12.3 s",
        str(folder.logs),
        "digits train mnist.npz",
        """-d '{"images_batch_path": "mnist.npz"}' http://127.0.0.1:5051/digits/train""",
        """-d '{"image_path": "test/data/n5.png"}' http://127.0.0.1:5051/digits/classify""",
        "127.0.0.1:50151 digits.v1.DigitService/Train",
        "digits down",
    ):
        assert text in block


def test_a_taken_port_is_one_sentence_that_names_the_setting() -> None:
    with socket.create_server(("127.0.0.1", free_port([]))) as server:
        settings = Settings(grpc_port=server.getsockname()[1], rest_port=free_port([]))
        with pytest.raises(CannotStart, match=r"in use .* set DIGITS_GRPC_PORT to a free port"):
            preflight.check_ports(settings)


def test_ports_are_remembered_and_differ(tmp_path: Path) -> None:
    first = allocate_ports(tmp_path / "ports.json", ["zookeeper", "valkey"])
    assert first["zookeeper"] != first["valkey"]
    assert allocate_ports(tmp_path / "ports.json", ["zookeeper", "valkey"]) == first


def test_a_damaged_memory_of_ports_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text("{", encoding="utf-8")
    assert allocate_ports(path, ["valkey"])["valkey"] > 0


def test_no_java_is_one_sentence_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match="no Java on PATH: install a Java 17"):
        find_java()


def test_a_missing_extra_is_named_with_its_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "NEEDED", {"no_such_package": "train"})
    with pytest.raises(CannotStart, match=r"not installed: no_such_package; .*digitservice\[train\]"):
        preflight.check_installed()


def test_a_state_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"cannot write the state folder .* set DIGITS_VAR_DIR"):
        StateFolder.at(tmp_path / "file").make()


def test_a_large_log_is_put_aside(folder: StateFolder) -> None:
    log = folder.log_of("server")
    log.write_bytes(b"early" + b"x" * MAX_LOG_BYTES)
    rotate(log)
    assert log.read_bytes() == b""
    assert log.with_suffix(".log.1").read_bytes() == b"x" * MAX_LOG_BYTES


def test_the_tail_of_a_log_is_its_last_lines(folder: StateFolder) -> None:
    folder.log_of("server").write_text("".join(f"line {n}\n" for n in range(2000)), encoding="utf-8")
    assert folder.tail("server", lines=2) == "line 1998\nline 1999"
    assert folder.tail("nothing") == ""


def test_the_record_survives_a_round_trip_and_damage_reads_as_none(folder: StateFolder) -> None:
    process = ProcessRecord("valkey", "127.0.0.1:1", "log", "up", 12, 3.5, 0)
    record = RunRecord(1, True, {"grpc_port": 1}, {"valkey": 1}, (process,))
    record.write(folder)
    assert RunRecord.read(folder) == record
    # A broker's address may hold a password.
    assert (folder.run / "record.json").stat().st_mode & 0o077 == 0
    (folder.run / "record.json").write_text("{}", encoding="utf-8")
    assert RunRecord.read(folder) is None


def test_the_lock_tells_who_holds_it_and_is_free_afterwards(folder: StateFolder) -> None:
    assert lock.holder(folder) is None
    with lock.locked(folder):
        assert lock.holder(folder) == os.getpid()
    assert lock.holder(folder) is None


def test_how_a_process_ended_is_told_in_words() -> None:
    assert describe(-9) == "was killed by SIGKILL"
    assert describe(3) == "exited with code 3"


def test_a_file_that_is_not_mnist_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=np.zeros((1, 28, 28), np.uint8))
    before = path.read_bytes()
    with pytest.raises(CannotFetch, match="damaged or not MNIST"):
        mnist.ensure(path)
    assert path.read_bytes() == before


def test_without_any_source_the_fetch_is_one_sentence_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mnist_sources, "KERAS_URL", f"http://127.0.0.1:{free_port([])}/away.npz")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotFetch, match=r"cannot fetch MNIST .* connect to a network, or put"):
        mnist.ensure(tmp_path / "data" / "mnist.npz")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_download_with_a_wrong_checksum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong.npz").write_bytes(b"not MNIST")
    monkeypatch.setenv("PATH", str(tmp_path))
    with web_folder(tmp_path) as url, pytest.raises(CannotFetch, match="its checksum is wrong"):
        monkeypatch.setattr(mnist_sources, "KERAS_URL", f"{url}/wrong.npz")
        mnist.ensure(tmp_path / "data" / "mnist.npz")
