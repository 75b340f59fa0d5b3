"""Many of everything: 10,000 jobs and 1,000 versions in ZooKeeper, and 1,000 watchers of one job.

`python -m benchmarks.many`; with a ZooKeeper, a Valkey and a server of its own.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import grpc
import psutil

from digits import bootstrap
from digits.adapters.memory import MemoryTrainQueue
from digits.client.client import Client
from digits.jobs.jobs import Jobs, new_job
from digits.jobs.states import advance, job_path
from digits.ports import Coordinator, Create
from digits.settings import Settings
from digits.v1 import models_pb2, training_pb2, training_pb2_grpc
from tests.own_processes import server
from tests.ports import free_port
from tests.servers import valkey_server, zookeeper_server

_JOBS, _VERSIONS, _WATCHERS = 10_000, 1_000, 1_000
_IN_A_COMMIT = 200
_ASKED = 20


def main() -> None:
    """Prints a line for each figure."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        zookeeper, valkey = free_port(), free_port()
        stack.enter_context(zookeeper_server(folder / "zookeeper", zookeeper))
        stack.enter_context(valkey_server(folder / "valkey", valkey))
        settings = Settings(
            var_dir=folder / "var",
            data_dir=folder,
            grpc_port=free_port(),
            health_port=free_port(),
            coordinator_url=f"zookeeper://127.0.0.1:{zookeeper}/many",
            broker_url=f"redis://127.0.0.1:{valkey}/0",
            max_calls_per_caller=2 * _WATCHERS,
            keep_jobs=_JOBS,
            keep_models=_VERSIONS,
        )
        settings.var_dir.mkdir()
        coordinator = bootstrap.coordinator(settings)
        stack.callback(coordinator.close)
        _fill(coordinator)
        process = psutil.Process(stack.enter_context(server(settings, folder / "server.log")).pid)
        with Client(settings.server) as client:
            _lists(client)
        asyncio.run(_watchers(Jobs(coordinator, MemoryTrainQueue()), settings.server, process))


def _fill(coordinator: Coordinator) -> None:
    jobs = [_final_job() for _ in range(_JOBS)]
    models = [models_pb2.Model(version=f"v{number}") for number in range(1, _VERSIONS + 1)]
    nodes = [Create(job_path(job.job_id), job.SerializeToString()) for job in jobs]
    nodes += [Create(f"/models/{model.version}", model.SerializeToString()) for model in models]
    for first in range(0, len(nodes), _IN_A_COMMIT):
        coordinator.commit(*nodes[first : first + _IN_A_COMMIT])


def _final_job() -> training_pb2.Job:
    job = new_job(training_pb2.TrainSpec(images_batch_path="mnist.npz", recipe="fast", caller="somebody"))
    advance(job, training_pb2.SUCCEEDED)
    return job


def _lists(client: Client) -> None:
    some = client.list_jobs().jobs[-1].job_id
    asks: dict[str, Callable[[], object]] = {
        f"a page of {_JOBS:,} jobs": client.list_jobs,
        f"one of {_JOBS:,} jobs": lambda: client.get_job(some),
        f"a page of {_VERSIONS:,} versions": client.list_models,
    }
    for what, ask in asks.items():
        seconds = sorted(_seconds(ask) for _ in range(_ASKED))
        print(
            f"{what}: {1000 * seconds[_ASKED // 2]:.1f} ms, at most {1000 * seconds[-1]:.1f} ms", flush=True
        )


def _seconds(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return time.perf_counter() - start


async def _watchers(jobs: Jobs, address: str, process: psutil.Process) -> None:
    job = new_job(training_pb2.TrainSpec(images_batch_path="mnist.npz", recipe="fast", caller="somebody"))
    jobs.add(job)
    before, start = _held(process), time.perf_counter()
    async with grpc.aio.insecure_channel(address) as channel:
        stub = training_pb2_grpc.JobServiceStub(channel)
        request = training_pb2.WatchJobRequest(job_id=job.job_id)
        calls = [stub.WatchJob(request) for _ in range(_WATCHERS)]
        await asyncio.gather(*(call.read() for call in calls))
        print(f"{_WATCHERS:,} watchers: {time.perf_counter() - start:.2f} s until each has heard", flush=True)
        _print_held(before, _held(process))
        start = time.perf_counter()
        jobs.cancel(job.job_id)
        await asyncio.gather(*(_end(call) for call in calls))
        print(f"each heard of the end within {time.perf_counter() - start:.2f} s", flush=True)


async def _end(call: grpc.aio.UnaryStreamCall) -> None:
    # A cancelled job's stream ends with that status.
    with suppress(grpc.aio.AioRpcError):
        while await call.read() is not grpc.aio.EOF:
            continue


def _held(process: psutil.Process) -> Sequence[int]:
    return process.memory_info().rss, process.num_threads(), process.num_fds()


def _print_held(before: Sequence[int], after: Sequence[int]) -> None:
    memory, threads, descriptors = (now - then for then, now in zip(before, after, strict=True))
    print(
        f"the server holds {memory / 2**20:.0f} MB, {threads} threads and {descriptors} descriptors more",
        flush=True,
    )


if __name__ == "__main__":
    main()
