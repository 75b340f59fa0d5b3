"""The supervisor over real processes: each test kills or stops something and looks at what is left."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.native.ports import allocate_ports
from deploy.native.supervision.lock import holder
from deploy.native.supervision.log_rotation import MAX_LOG_BYTES
from tests.integration.supervised import LIMIT_SECONDS, Service, eventually, is_alive, starting
from tests.small_disk import fill, small_disk


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "var"


@pytest.fixture
def start(root: Path, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    with starting(root, tmp_path) as starter:
        yield starter


def test_zookeeper_and_valkey_come_up_keep_their_ports_and_leave_nothing_behind(
    start: Callable[..., Service],
) -> None:
    first = start("zookeeper", "valkey")
    first.wait_until_ready()
    addresses = {name: first.record(name).address for name in ("zookeeper", "valkey")}
    pids = [first.record(name).pid for name in addresses]
    assert first.stop() == 0
    assert not [pid for pid in pids if is_alive(pid)]
    assert holder(first.folder) is None

    second = start("zookeeper", "valkey")
    second.wait_until_ready()
    assert {name: second.record(name).address for name in addresses} == addresses
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


def test_valkey_starts_again_after_a_full_disk_cut_a_write_short_that_came_after_a_rewrite(
    root: Path, start: Callable[..., Service]
) -> None:
    with small_disk(root / "valkey", 1 << 20) as disk:
        first = start("valkey")
        first.wait_until_ready()
        assert ask_valkey(first, "SET before 1") == "+OK"
        assert ask_valkey(first, "BGREWRITEAOF").startswith("+Background")
        eventually(lambda: ask_valkey(first, "INFO persistence", "aof_rewrites:") == "1", "a rewrite")
        filler = fill(disk)
        with filler.open("r+b") as file:
            file.truncate(filler.stat().st_size - 4096)
        while ask_valkey(first, f"SET meanwhile {'x' * 3000}") == "+OK":
            pass
        filler.unlink()
        eventually(lambda: ask_valkey(first, "SET after 2") == "+OK", "room for a write")
        os.kill(first.record("valkey").pid, signal.SIGKILL)
        eventually(lambda: first.said("valkey was killed by SIGKILL"), "the end")
        eventually(lambda: ask_valkey(first, "GET after") == "$1", "what was written after there was room")
        assert ask_valkey(first, "GET before") == "$1"


def ask_valkey(service: Service, command: str, line: str = "") -> str:
    """The first line of its answer, or what comes after a line's beginning; "" if it does not answer."""
    host, port = service.record("valkey").address.split(":")
    try:
        with socket.create_connection((host, int(port)), 5) as connection:
            connection.sendall(f"{command}\r\n".encode())
            lines = connection.recv(8192).decode().splitlines()
    except OSError:
        return ""
    return next((each.removeprefix(line) for each in lines if each.startswith(line)), "")


def test_what_ended_comes_back_though_what_it_needed_at_first_stays_away(
    start: Callable[..., Service], root: Path
) -> None:
    service = start("comes-once", "caller")
    service.wait_until_ready()
    before = service.record("caller").pid
    os.kill(service.record("comes-once").pid, signal.SIGKILL)
    eventually(lambda: service.said("comes-once exited with code 1"), "one that does not come back")
    (root / "caller.on").unlink()
    os.kill(before, signal.SIGKILL)
    eventually((root / "caller.on").exists, "the other one")
    assert service.record("caller").pid != before


def test_a_process_that_is_killed_is_started_again_and_one_line_says_so(
    start: Callable[..., Service],
) -> None:
    service = start("plain")
    service.wait_until_ready()
    killed = service.record("plain").pid
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: service.record("plain").pid not in (0, killed), "another process")
    eventually(lambda: service.record("plain").phase == "up", "up again")
    assert service.said("died  plain was killed by SIGKILL")
    assert service.record("plain").restarts == 1


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
    grandchild = next(p for p in service.living() if p.pid != service.record("family").pid)
    assert os.getsid(grandchild.pid) != os.getsid(service.record("family").pid)
    service.stop()
    assert not is_alive(grandchild.pid)


def test_a_grandchild_does_not_outlive_a_killed_process(start: Callable[..., Service]) -> None:
    service = start("family")
    service.wait_until_ready()
    orphan = next(p for p in service.living() if p.pid != service.record("family").pid)
    os.kill(service.record("family").pid, signal.SIGKILL)
    eventually(lambda: not is_alive(orphan.pid), "the orphan's end")


def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(start: Callable[..., Service]) -> None:
    service = start("deaf")
    service.wait_until_ready()
    assert service.stop() == 0
    assert service.living() == []


def test_a_second_ctrl_c_kills_at_once(start: Callable[..., Service]) -> None:
    service = start("very-deaf")
    service.wait_until_ready()
    service.process.send_signal(signal.SIGINT)
    eventually(lambda: service.said("stopping"), "stopping")
    began = time.monotonic()
    assert service.stop() == 0
    # Its part would have 300 s, and everything else 2 s, to end by itself.
    assert time.monotonic() - began < 3
    assert service.living() == []


def test_processes_stop_in_reverse_order(start: Callable[..., Service], root: Path) -> None:
    service = start("logging-base", "logging-caller")
    service.wait_until_ready()
    service.stop()
    assert (root / "order").read_text(encoding="utf-8").split() == ["logging-caller", "logging-base"]


@pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals are Linux's")
def test_processes_die_with_a_killed_supervisor(start: Callable[..., Service]) -> None:
    service = start("plain", "deaf")
    service.wait_until_ready()
    pids = [service.record(name).pid for name in ("plain", "deaf")]
    service.process.kill()
    service.process.wait()
    eventually(lambda: not any(map(is_alive, pids)), "the processes' end")


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
    assert first.record("plain").phase == "up"


def test_two_copies_run_side_by_side(start: Callable[..., Service], tmp_path: Path) -> None:
    one, other = start("valkey"), start("valkey", at=tmp_path / "other")
    one.wait_until_ready()
    other.wait_until_ready()
    assert one.record("valkey").address != other.record("valkey").address
    one.stop()
    assert other.record("valkey").phase == "up"


def test_a_process_that_dies_at_the_start_fails_it_with_its_last_log_lines(
    start: Callable[..., Service],
) -> None:
    service = start("plain", "broken")
    assert service.process.wait(LIMIT_SECONDS) == 1
    assert service.said("broken exited with code 3; its log is")
    assert service.said("| no such thing as a teapot")
    assert not service.said("Traceback")
    assert service.living() == []


def test_a_process_that_is_never_ready_fails_the_start_within_the_limit(
    start: Callable[..., Service],
) -> None:
    service = start("silent")
    assert service.process.wait(LIMIT_SECONDS) == 1
    assert service.said("silent was not ready within 1 s")
    assert service.living() == []


def test_a_probe_that_breaks_ends_nothing(start: Callable[..., Service]) -> None:
    service = start("badly-probed", "plain")
    service.wait_until_ready()
    assert service.said("the probe of badly-probed broke")
    assert service.stop() == 0


def test_a_remembered_port_that_somebody_took_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    remembered = allocate_ports(path, ["valkey"])["valkey"]
    with socket.create_server(("127.0.0.1", remembered)):
        replaced = allocate_ports(path, ["valkey"])["valkey"]
    assert replaced != remembered
    assert json.loads(path.read_text(encoding="utf-8")) == {"valkey": replaced}


def test_a_log_is_put_aside_while_its_process_writes_on(start: Callable[..., Service]) -> None:
    service = start("talkative")
    service.wait_until_ready()
    writer, log = service.record("talkative").pid, service.folder.log_of("talkative")
    older = log.with_suffix(".log.1")
    eventually(lambda: older.exists() and 0 < log.stat().st_size < MAX_LOG_BYTES, "an emptied log")
    last_before, first_after = line_numbers(older)[-1], line_numbers(log)[0]
    eventually(lambda: line_numbers(log)[-1] > first_after, "more lines")
    assert service.record("talkative").pid == writer
    assert older.stat().st_size == MAX_LOG_BYTES
    # Of what was written while it was copied, a few lines may be lost.
    assert last_before < first_after < last_before + 1000


def line_numbers(log: Path) -> list[int]:
    """The numbers of the whole lines; the zeros that a writer at its old place would leave are no line."""
    return [int(line[:9]) for line in log.read_bytes().splitlines() if len(line) == 1000]
