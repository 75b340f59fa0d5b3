"""The process that reads Parquet files: strangers' files take its memory and its time, and nobody else's."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from digits.datasets.parquet_files import limits, reader
from digits.errors import BatchUnavailable, InvalidInput
from tests import batches_of_people as people
from tests import hostile_parquet, parquet_batches
from tests.opened import opened
from tests.waiting import wait_until

LIMIT = 1 << 30
MAX_RISE = 50 << 20
AS_NPZ = opened(people.npz(**people.PARTS), LIMIT)

# Reads a batch, says which process does, and is killed.
_KILLED = """
import os, signal
from digits.datasets.parquet_files.reader import ReaderProcess

reading = ReaderProcess()
print(reading._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
_HEAD = "import socket, struct; line = socket.socket(fileno=0); line.recv(13); send = line.sendall; "
_TABLE = (
    'text = b\'{"row_count": 2, "columns": "a", "no_labels": "", "faults": [], "unused": [], "found": []}\'; '
    "send(struct.pack('>cI', b'T', len(text)) + text); line.recv(5); "
)
# In the place of the process, what answers wrongly.
RUBBISH = {
    "a gigabyte": _HEAD + "send(struct.pack('>cI', b'T', 1 << 30)); line.recv(1)",
    "no description": _HEAD + "send(struct.pack('>cI', b'T', 2) + b'[]'); line.recv(1)",
    "another description": _HEAD + "send(struct.pack('>cI', b'T', 8) + b'{\"a\": 1}'); line.recv(1)",
    "an answer to nothing": _HEAD + "send(struct.pack('>cI', b'E', 0)); line.recv(1)",
    "a read before the file": _HEAD + "send(struct.pack('>cIqI', b'?', 12, -5, 9)); line.recv(1)",
    "a label of eleven": _HEAD
    + _TABLE
    + "send(struct.pack('>cI8s2B', b'R', 10, b'|u1     ', 1, 11)); line.recv(1)",
    "too many labels": _HEAD
    + _TABLE
    + "send(struct.pack('>cI8s3B', b'R', 11, b'|u1     ', 1, 1, 1)); line.recv(9)",
    "too few labels": _HEAD + _TABLE + "send(struct.pack('>cI', b'E', 0)); line.recv(1)",
    "objects": _HEAD
    + _TABLE
    + "send(struct.pack('>cI8s8B', b'R', 16, b'|O      ', *range(8))); line.recv(1)",
}


def processes() -> list[int]:
    return [child.pid for child in psutil.Process().children()]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = processes()
    yield
    gc.collect()
    wait_until(lambda: processes() == before, seconds=5, what="the processes to end")


def is_zombie(process: psutil.Process) -> bool:
    """With all of its threads: nobody can wait for one of which some are still ending."""
    return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1


def refusal(data: bytes | Path) -> str:
    with pytest.raises(InvalidInput) as caught:
        opened(data, LIMIT)
    return caught.value.problem


@pytest.mark.parametrize("name", hostile_parquet.FILES)
def test_a_file_that_is_made_to_take_all_is_refused_within_seconds(name: str, tmp_path: Path) -> None:
    made, says = hostile_parquet.FILES[name]
    path = tmp_path / "made.parquet"
    path.write_bytes(made())
    before, began = psutil.Process().memory_info().rss, time.monotonic()
    problem = refusal(path)
    assert "made.parquet cannot be read: " in problem
    assert says in problem
    assert time.monotonic() - began < 30
    assert psutil.Process().memory_info().rss < before + MAX_RISE


def test_the_kernel_bounds_the_process_before_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    process = reader.ReaderProcess()
    bounds = Path(f"/proc/{process._process.pid}/limits")
    wait_until(lambda: f"{limits.MAX_MEMORY_BYTES}" in bounds.read_text(), what="the bounds")
    found = {line[:26].strip(): line[26:].split()[0] for line in bounds.read_text().splitlines()}
    assert found["Max address space"] == str(limits.MAX_MEMORY_BYTES)
    assert (found["Max file size"], found["Max core file size"]) == ("0", "0")
    wait_until(lambda: "Max cpu time              5" in bounds.read_text(), what="the bound of time")
    process.end()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_process_that_ends_while_it_reads_is_its_files_fault(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _has_it_end_by(number, monkeypatch)
    for name in ("a", "b"):
        (tmp_path / f"{name}.parquet").write_bytes(parquet_batches.TRAIN)
    problem = refusal(tmp_path)
    assert "a.parquet cannot be read: it is damaged, or needs more than 640 MB of memory" in problem
    assert "b.parquet" not in problem


def test_a_process_that_somebody_killed_is_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    _has_it_end_by(signal.SIGKILL, monkeypatch)
    with pytest.raises(BatchUnavailable, match="was killed"):
        opened(parquet_batches.TRAIN, LIMIT)


def _has_it_end_by(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(line: object) -> subprocess.Popen[bytes]:
        code = f"{_HEAD}import os; send(struct.pack('>cIqI', b'?', 12, 0, 4)); os.kill(os.getpid(), {number})"
        return subprocess.Popen([sys.executable, "-c", code], stdin=line.fileno())  # type: ignore[attr-defined]

    monkeypatch.setattr(reader, "started", started)


def test_a_service_without_a_descriptor_left_loses_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    room = reader._room.qsize()
    with monkeypatch.context() as patch:
        patch.setattr(reader.socket, "socketpair", none_left)
        for _ in range(3):
            with pytest.raises(BatchUnavailable, match="Too many open files"):
                reader.ReaderProcess()
    assert reader._room.qsize() == room


def test_nothing_of_the_current_folder_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyarrow.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    assert opened(parquet_batches.TRAIN, LIMIT).train_count


def test_it_knows_nothing_of_the_services_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_ZOOKEEPER_PASSWORD", "secret")
    process = reader.ReaderProcess()
    assert "DIGITS_ZOOKEEPER_PASSWORD" not in psutil.Process(process._process.pid).environ()
    process.end()


@pytest.mark.parametrize("name", RUBBISH)
def test_what_a_process_answers_is_not_believed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "COMMAND", (sys.executable, "-c", RUBBISH[name]))
    assert "the upload" in refusal(parquet_batches.TRAIN)


def test_a_process_that_does_not_start_is_nobodys_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (("/no/such/program",), (sys.executable, "-c", "raise SystemExit(3)")):
        monkeypatch.setattr(reader, "COMMAND", command)
        with pytest.raises(BatchUnavailable, match="Parquet"):
            opened(parquet_batches.TRAIN, LIMIT)


def test_a_process_that_does_not_answer_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    monkeypatch.setattr(reader, "_ANSWER_SECONDS", 0.2)
    with pytest.raises(BatchUnavailable, match="does not answer"):
        opened(parquet_batches.TRAIN, LIMIT)


def test_it_ends_with_whoever_started_it() -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: not psutil.pid_exists(int(done.stdout)), what="the process to end")


def test_nothing_runs_once_a_batch_is_opened_nor_a_second_after_it_was_read() -> None:
    before = processes()
    batch = opened(parquet_batches.TRAIN, LIMIT)
    assert processes() == before
    assert batch.sha256() == AS_NPZ.sha256()
    (pid,) = set(processes()) - set(before)
    wait_until(lambda: not psutil.pid_exists(pid), seconds=5, what="the idle process to end")
    assert batch.held_out().sha256() == AS_NPZ.held_out().sha256()


def test_an_idle_process_that_was_killed_is_no_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_IDLE_SECONDS", 60.0)
    before, batch = processes(), opened(parquet_batches.TRAIN, LIMIT)
    for _ in range(2):
        assert batch.held_out().sha256() == AS_NPZ.held_out().sha256()
        (idle,) = (psutil.Process(pid) for pid in processes() if pid not in before)
        idle.kill()
        wait_until(partial(is_zombie, idle), what="its end")


def test_reading_that_is_broken_off_leaves_nothing() -> None:
    batch = opened(parquet_batches.TRAIN, LIMIT)
    reading = batch.train(seed=1)
    next(reading)
    reading.close()
