"""Steady load, trainings and kills for an hour, and what the service holds at the start and at the end.

`make soak SECONDS=3600`, on the embedded stack and a state folder of its own: a classification ten times a
second, a training every two minutes, kill -9 of one part every minute, in turn. Prints the table of
docs/reliability.md.
"""

from __future__ import annotations

import itertools
import socket
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import psutil

from benchmarks.service import running_service
from deploy.native.folder import StateFolder
from deploy.native.supervision.record import RunRecord
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.client.resume import PATIENCE_SECONDS, RETRY_SECONDS, follow
from digits.settings import Settings
from digits.v1.training_pb2 import JobState

_CLASSIFY_SECONDS, _TRAIN_SECONDS, _KILL_SECONDS = 0.1, 120.0, 60.0
_KILLED = ("server", "classify-worker", "bridge", "train-worker")
# What a part takes after its start, and after each kill, is not what it takes in the long run.
_SETTLED_SECONDS = 20.0
_PICTURE = bytes(range(196)) * 4


@dataclass(frozen=True)
class Held:
    """What there is at a moment."""

    memory: dict[str, int]
    threads: int
    descriptors: int
    znodes: int
    logs: int
    files: int

    @classmethod
    def now(cls, settings: Settings) -> Held:
        """Looks at the processes, at ZooKeeper and into the state folder."""
        record = RunRecord.read(StateFolder.at(settings.var_dir))
        assert record
        families = {part.name: _family(part.pid) for part in record.processes if part.pid}
        processes = [process for family in families.values() for process in family]
        store = settings.var_dir / "store"
        return cls(
            {name: sum(process.memory_info().rss for process in family) for name, family in families.items()},
            sum(process.num_threads() for process in processes),
            sum(process.num_fds() for process in processes),
            _znodes(settings.coordinator_url),
            _count(settings.var_dir / "log"),
            _count(store / "checkpoints") + _count(store / "uploads") + _count(settings.var_dir / "incoming"),
        )


def main() -> None:
    """Prints the table, and how the calls and the trainings ended; ends with 1 if one of them failed."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    with tempfile.TemporaryDirectory() as folder:
        _write_batch(Path(folder) / "mnist.npz")
        with running_service(data_dir=Path(folder)) as settings:
            failures = _soak(settings, seconds)
    sys.exit(failures > 0)


def _soak(settings: Settings, seconds: float) -> int:
    ends: Counter[str] = Counter()
    stop = threading.Event()
    with Client(settings.server) as client:
        _train(client, ends)
        stop.wait(_SETTLED_SECONDS)
        before = Held.now(settings)
        parts = itertools.cycle(_KILLED)
        chores = [
            (_CLASSIFY_SECONDS, lambda: _classify(client, ends)),
            (_TRAIN_SECONDS, lambda: _train(client, ends)),
            (_KILL_SECONDS, lambda: _kill(settings, next(parts), ends)),
        ]
        threads = [threading.Thread(target=_repeat, args=(stop, *chore)) for chore in chores]
        for thread in threads:
            thread.start()
        stop.wait(seconds)
        stop.set()
        for thread in threads:
            thread.join()
        time.sleep(_SETTLED_SECONDS)
        _print_table(before, Held.now(settings))
    for end, count in sorted(ends.items()):
        print(f"{count:,} {end}")
    return sum(count for end, count in ends.items() if "failed" in end)


def _repeat(stop: threading.Event, seconds: float, chore: Callable[[], None]) -> None:
    while not stop.wait(seconds):
        chore()


def _classify(client: Client, ends: Counter[str]) -> None:
    ends[f"classifications {_insist(lambda: client.classify(pixels=_PICTURE) and 'answered')}"] += 1


def _train(client: Client, ends: Counter[str]) -> None:
    request_id = uuid.uuid4().hex

    def train() -> str:
        *_, last = follow(client, client.train(images_batch_path="mnist.npz", request_id=request_id))
        return JobState.Name(last.state)

    ends[f"trainings {_insist(train)}"] += 1


def _insist(ask: Callable[[], str]) -> str:
    """How a call ended; one that nobody answers is made again, since the only server may have been killed."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except RemoteError as error:
            if error.code is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > end:
                return f"failed: {error.code.name} {error.message}"
            time.sleep(RETRY_SECONDS)


def _kill(settings: Settings, name: str, ends: Counter[str]) -> None:
    record = RunRecord.read(StateFolder.at(settings.var_dir))
    part = next((part for part in record.processes if part.name == name), None) if record else None
    with suppress(psutil.NoSuchProcess):
        if part and part.pid:
            psutil.Process(part.pid).kill()
            ends[f"kills of {name}"] += 1


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _znodes(url: str) -> int:
    host, _, port = url.removeprefix("zookeeper://").partition("/")[0].rpartition(":")
    with socket.create_connection((host.rpartition("@")[2], int(port)), timeout=5) as connection:
        connection.sendall(b"srvr")
        said = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    return int(said.partition("Node count:")[2].split()[0])


def _count(folder: Path) -> int:
    return sum(1 for path in folder.rglob("*") if path.is_file())


def _write_batch(path: Path) -> None:
    """Two thousand of MNIST's images: a training of some seconds."""
    with np.load(Path("data") / "mnist.npz") as mnist:
        parts = {name: mnist[name][: 2_000 if "train" in name else 1_000] for name in mnist.files}
    np.savez_compressed(path, **parts)


def _print_table(before: Held, after: Held) -> None:
    print("| what | at the start | at the end |\n|---|---|---|")
    for name in before.memory:
        print(f"| memory of {name} | {_mb(before.memory[name])} | {_mb(after.memory.get(name, 0))} |")
    for what in ("threads", "descriptors", "znodes"):
        print(f"| {what} | {getattr(before, what):,} | {getattr(after, what):,} |")
    print(f"| logs of jobs, in files | {before.logs:,} | {after.logs:,} |")
    print(f"| checkpoints and uploads | {before.files:,} | {after.files:,} |", flush=True)


def _mb(count: int) -> str:
    return f"{count / 2**20:,.0f} MB"


if __name__ == "__main__":
    main()
