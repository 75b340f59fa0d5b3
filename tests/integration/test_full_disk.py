"""The supervisor on a disk that is full for a while."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NodeExistsError
from kazoo.handlers.threading import KazooTimeoutError

from deploy.native.supervision.log_rotation import MAX_LOG_BYTES
from tests.conftest import missing
from tests.integration.supervised import Service, eventually, starting

BLOCK = bytes(1 << 16)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        missing("a small disk: the right to mount a tmpfs, which root has")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


@pytest.fixture
def start(disk: Path, tmp_path: Path) -> Iterator[Callable[..., Service]]:
    with starting(disk / "var", tmp_path) as starter:
        yield starter


def fill(disk: Path) -> Path:
    """Takes all the room; returns the file that holds it."""
    path = disk / "full"
    with path.open("wb", buffering=0) as file:
        for size in (len(BLOCK), 1):
            try:
                while True:
                    file.write(BLOCK[:size])
            except OSError:
                continue
    return path


def test_the_supervisor_outlives_a_full_disk_and_starts_everything_again_once_there_is_room(
    disk: Path, start: Callable[..., Service]
) -> None:
    service = start("zookeeper", "plain")
    service.wait_until_ready()
    before = service.record("zookeeper").pid
    with client(service.record("zookeeper").address) as zookeeper:
        full = fill(disk)
        # More than the megabyte that its log takes ahead.
        for number in range(8):
            zookeeper.create_async(f"/no-room-{number}", bytes(500_000))
        eventually(lambda: service.said("died  zookeeper exited with code"), "a ZooKeeper that needs room")
        eventually(lambda: service.said("cannot record what runs (No space left"), "a word about it")
        full.unlink()
        eventually(lambda: service.record("zookeeper").pid not in (0, before), "another one in the record")
        eventually(lambda: service.record("zookeeper").phase == "up", "a ZooKeeper that is up")
        eventually(lambda: takes(zookeeper, "/room"), "a ZooKeeper that takes what it is told")
    assert service.process.poll() is None
    assert service.stop() == 0
    assert service.living() == []


@contextmanager
def client(address: str) -> Iterator[KazooClient]:
    """A client that connects again as often as it must."""
    made = KazooClient(address)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        made.close()


def takes(zookeeper: KazooClient, path: str) -> bool:
    try:
        zookeeper.create_async(path).get(timeout=1)
    except NodeExistsError:
        return True
    except (KazooException, KazooTimeoutError):
        return False
    return True


def test_a_log_without_room_for_its_copy_is_put_aside_once_there_is_room(
    disk: Path, start: Callable[..., Service]
) -> None:
    service = start("plain")
    service.wait_until_ready()
    log, draft = service.folder.log_of("large"), disk / "draft"
    draft.write_bytes(bytes(MAX_LOG_BYTES + 1))
    full = fill(disk)
    draft.rename(log)
    os.kill(service.record("plain").pid, signal.SIGKILL)
    eventually(lambda: service.said("died  plain"), "a look at everything")
    assert log.stat().st_size == MAX_LOG_BYTES + 1
    full.unlink()
    eventually(lambda: log.stat().st_size == 0, "an emptied log")
    assert log.with_suffix(".log.1").stat().st_size == MAX_LOG_BYTES
    assert service.process.poll() is None


def test_a_start_on_a_full_disk_is_one_sentence(disk: Path, start: Callable[..., Service]) -> None:
    fill(disk)
    service = start("plain")
    assert service.process.wait(30) == 1
    assert service.said("cannot write the state folder")
    assert service.said("No space left on device")
    assert not service.said("Traceback")
