"""The supervisor over real processes: each test kills or stops something and looks at what is left."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.native import marks
from deploy.native.folder import StateFolder
from deploy.native.lock import holder
from deploy.native.ports import settle
from deploy.native.record import PartRecord, RunRecord
from tests.waiting import wait_until

SOME_PARTS = Path(__file__).with_name("some_parts.py")
LIMIT_SECONDS = 60.0


class Service:
    """A supervisor of a few parts, in its own process."""

    def __init__(self, root: Path, *parts: str) -> None:
        self.folder = StateFolder.at(root)
        self.output = root.parent / f"{root.name}-{uuid.uuid4().hex}.out"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(SOME_PARTS), *parts],
                env={**os.environ, "DIGITS_VAR_DIR": str(root)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self, text: str) -> bool:
        return text in self.output.read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.said("ready\n") or self.process.poll() is not None, LIMIT_SECONDS, "ready")
        assert self.process.poll() is None, self.output.read_text(encoding="utf-8")

    def part(self, name: str) -> PartRecord:
        record = RunRecord.read(self.folder)
        assert record is not None
        return next(part for part in record.parts if part.name == name)

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(LIMIT_SECONDS)

    def living(self) -> list[psutil.Process]:
        return [process for process in marks.marked(self.folder.root) if is_alive(process.pid)]


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def start(root: Path) -> Iterator[Callable[..., Service]]:
    started: list[Service] = []

    def starter(*parts: str, at: Path = root) -> Service:
        started.append(Service(at, *parts))
        return started[-1]

    yield starter
    for service in started:
        service.process.kill()
        service.process.wait()
        marks.end(marks.marked(service.folder.root), leave_seconds=0)


def test_zookeeper_and_valkey_come_up_keep_their_ports_and_leave_nothing_behind(
    start: Callable[..., Service],
) -> None:
    first = start("zookeeper", "valkey")
    first.wait_until_ready()
    addresses = {name: first.part(name).address for name in ("zookeeper", "valkey")}
    pids = [first.part(name).pid for name in addresses]
    assert first.stop() == 0
    assert not [pid for pid in pids if is_alive(pid)]
    assert holder(first.folder) is None

    second = start("zookeeper", "valkey")
    second.wait_until_ready()
    assert {name: second.part(name).address for name in addresses} == addresses
    assert second.stop() == 0


def test_valkey_keeps_what_it_was_told_over_a_kill_of_everything(start: Callable[..., Service]) -> None:
    first = start("valkey")
    first.wait_until_ready()
    assert ask_valkey(first, "SET answer 42") == "+OK"
    first.process.kill()
    first.process.wait()

    second = start("valkey")
    second.wait_until_ready()
    assert ask_valkey(second, "GET answer") == "$2"


def ask_valkey(service: Service, command: str) -> str:
    host, port = service.part("valkey").address.split(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(f"{command}\r\n".encode())
        return connection.recv(64).decode().splitlines()[0]


def test_a_part_that_is_killed_is_started_again_and_one_line_says_so(start: Callable[..., Service]) -> None:
    service = start("plain")
    service.wait_until_ready()
    killed = service.part("plain").pid
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: service.part("plain").pid not in (0, killed), LIMIT_SECONDS, "another process")
    wait_until(lambda: service.part("plain").phase == "up", LIMIT_SECONDS, "up again")
    assert service.said("died  plain was killed by SIGKILL")
    assert service.part("plain").restarts == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_process(start: Callable[..., Service], number: int) -> None:
    service = start("plain", "family")
    service.wait_until_ready()
    assert len(service.living()) == 3
    assert service.stop(number) == 0
    assert service.living() == []


def test_a_grandchild_in_a_session_of_its_own_is_stopped_too(start: Callable[..., Service]) -> None:
    service = start("family")
    service.wait_until_ready()
    grandchild = next(p for p in service.living() if p.pid != service.part("family").pid)
    assert os.getsid(grandchild.pid) != os.getsid(service.part("family").pid)
    service.stop()
    assert not is_alive(grandchild.pid)


def test_a_grandchild_does_not_outlive_a_killed_part(start: Callable[..., Service]) -> None:
    service = start("family")
    service.wait_until_ready()
    orphan = next(p for p in service.living() if p.pid != service.part("family").pid)
    os.kill(service.part("family").pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(orphan.pid), LIMIT_SECONDS, "the orphan's end")


def test_a_part_that_ignores_sigterm_is_killed_after_its_grace(start: Callable[..., Service]) -> None:
    service = start("deaf")
    service.wait_until_ready()
    assert service.stop() == 0
    assert service.living() == []


def test_a_second_ctrl_c_kills_at_once(start: Callable[..., Service]) -> None:
    service = start("very-deaf")
    service.wait_until_ready()
    service.process.send_signal(signal.SIGINT)
    wait_until(lambda: service.said("stopping"), LIMIT_SECONDS, "stopping")
    began = time.monotonic()
    assert service.stop() == 0
    # Its part would have 300 s, and everything else 2 s, to end by itself.
    assert time.monotonic() - began < 3
    assert service.living() == []


def test_parts_stop_in_reverse_order(start: Callable[..., Service], root: Path) -> None:
    service = start("logging-base", "logging-caller")
    service.wait_until_ready()
    service.stop()
    assert (root / "order").read_text(encoding="utf-8").split() == ["logging-caller", "logging-base"]


@pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals are Linux's")
def test_children_die_with_a_killed_supervisor(start: Callable[..., Service]) -> None:
    service = start("plain", "deaf")
    service.wait_until_ready()
    pids = [service.part(name).pid for name in ("plain", "deaf")]
    service.process.kill()
    service.process.wait()
    wait_until(lambda: not any(map(is_alive, pids)), LIMIT_SECONDS, "the children's end")


def test_the_next_start_ends_what_a_killed_supervisor_left_behind(start: Callable[..., Service]) -> None:
    first = start("family")
    first.wait_until_ready()
    left = [process.pid for process in first.living()]
    first.process.kill()
    first.process.wait()
    second = start("family")
    second.wait_until_ready()
    assert not [pid for pid in left if is_alive(pid)]


def test_a_second_start_on_the_same_folder_is_refused_with_the_pid_of_the_first(
    start: Callable[..., Service],
) -> None:
    first = start("plain")
    first.wait_until_ready()
    second = start("plain")
    assert second.process.wait(LIMIT_SECONDS) == 1
    assert second.said(f"already runs on {first.folder.root} (pid {first.process.pid})")
    assert not second.said("Traceback")
    assert first.part("plain").phase == "up"


def test_two_copies_run_side_by_side(start: Callable[..., Service], tmp_path: Path) -> None:
    one, other = start("valkey"), start("valkey", at=tmp_path / "other")
    one.wait_until_ready()
    other.wait_until_ready()
    assert one.part("valkey").address != other.part("valkey").address
    one.stop()
    assert other.part("valkey").phase == "up"


def test_a_part_that_dies_at_the_start_fails_it_with_its_last_log_lines(
    start: Callable[..., Service],
) -> None:
    service = start("plain", "broken")
    assert service.process.wait(LIMIT_SECONDS) == 1
    assert service.said("broken exited with code 3; its log is")
    assert service.said("| no such thing as a teapot")
    assert not service.said("Traceback")
    assert service.living() == []


def test_a_part_that_is_never_ready_fails_the_start_within_the_limit(start: Callable[..., Service]) -> None:
    service = start("silent")
    assert service.process.wait(LIMIT_SECONDS) == 1
    assert service.said("silent was not ready within 1 s")
    assert service.living() == []


def test_a_remembered_port_that_somebody_took_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    remembered = settle(path, ["valkey"])["valkey"]
    with socket.create_server(("127.0.0.1", remembered)):
        replaced = settle(path, ["valkey"])["valkey"]
    assert replaced != remembered
    assert json.loads(path.read_text(encoding="utf-8")) == {"valkey": replaced}
