"""Classify of one picture through gRPC, Celery and a worker: latency and calls a second.

python -m benchmarks.classify --rounds 3
python -m benchmarks.classify --pictures

Its clients share the two cores with the service. Those in Python take a third of what it takes itself;
h2load takes next to nothing, and is asked too if it is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
import numpy as np
import psutil
import uvloop

from benchmarks import h2load, picture_speed
from benchmarks.service import running_service, status
from benchmarks.training import train
from deploy.native.ports import free_port
from digits.client.client import Client
from digits.v1 import digit_service_pb2 as pb


@dataclass(frozen=True)
class Load:
    """One round: calls a second, latencies in milliseconds, and the share that a worker answered."""

    calls_per_second: float
    p50: float
    p99: float
    by_worker: float


async def load(address: str, clients: int, seconds: float, requests: list[bytes]) -> Load:
    """Keeps that many calls open for a while, from one process beside the service.

    It shares the service's cores, so it is no slower than it must be: requests are serialized already.
    """
    latencies: list[float] = []
    by_worker = 0
    async with grpc.aio.insecure_channel(address) as channel:
        classify = channel.unary_unary(
            "/digits.v1.DigitService/Classify", response_deserializer=pb.ClassifyResponse.FromString
        )
        end = time.perf_counter() + seconds

        async def caller(first: int) -> None:
            nonlocal by_worker
            number = first
            while (started := time.perf_counter()) < end:
                answer = await classify(requests[number % len(requests)])
                latencies.append(time.perf_counter() - started)
                by_worker += answer.served_by == pb.WORKER
                number += clients

        started = time.perf_counter()
        await asyncio.gather(*(caller(first) for first in range(clients)))
        took = time.perf_counter() - started
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
    return Load(len(latencies) / took, float(p50), float(p99), by_worker / len(latencies))


@contextmanager
def echo() -> Iterator[str]:
    """The address of a server that answers with a constant, for the machine's own share."""
    port = free_port([])
    with subprocess.Popen([sys.executable, "-m", "benchmarks.echo", str(port)]) as process:
        try:
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def main() -> None:
    """Prints the median of the rounds, and their spread, for each number of clients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--pictures", action="store_true", help="picture files: to candidates, and by gRPC")
    options = parser.parse_args()
    if options.pictures:
        picture_speed.print_candidates()
    with np.load("data/mnist.npz") as data:
        pictures = [image.tobytes() for image in data["x_test"][:1000]]
    by_pixels = [pb.ClassifyRequest(pixels=pixels).SerializeToString() for pixels in pictures]
    by_image = [pb.ClassifyRequest(image=png).SerializeToString() for png in picture_speed.drawings()]
    with running_service() as service, echo() as echo_address:
        with Client(service.server) as client:
            train(client, "fast", seed=0)
        uvloop.run(load(service.server, 16, 2.0, by_pixels))
        if options.pictures:
            for arm, requests in {"pixels": by_pixels, "280 x 280": by_image}.items():
                rounds = range(options.rounds)
                _print(
                    arm, 16, [uvloop.run(load(service.server, 16, options.seconds, requests)) for _ in rounds]
                )
            return
        for clients in (1, 16, 64):
            arms: dict[str, list[Load]] = {"Classify": [], "bare echo": []}
            for _ in range(options.rounds):
                for arm, address in zip(arms, (service.server, echo_address), strict=True):
                    arms[arm].append(uvloop.run(load(address, clients, options.seconds, by_pixels)))
            for arm, rounds in arms.items():
                _print(arm, clients, rounds)
        if h2load.is_there():
            _by_h2load(options, {"Classify": service.server, "bare echo": echo_address}, pictures[0])
        process = psutil.Process(status(service)["server"]["pid"])
        libraries = {entry.path for entry in process.memory_maps()}
        print(
            f"server: {process.memory_info().rss / 1e6:.0f} MB, "
            f"TensorFlow in it: {any('tensorflow' in path for path in libraries)}"
        )


def _by_h2load(options: argparse.Namespace, addresses: dict[str, str], picture: bytes) -> None:
    rounds: dict[str, list[h2load.Round]] = {arm: [] for arm in addresses}
    for _ in range(options.rounds):
        for arm, address in addresses.items():
            rounds[arm].append(h2load.load(address, 64, max(1, round(options.seconds)), picture))
    for arm, loads in rounds.items():
        print(
            f"{arm:9}  64 clients by h2load: {_rate([load.calls_per_second for load in loads])}, "
            f"mean {statistics.median(load.mean for load in loads):.1f} ms, "
            f"{min(load.by_worker for load in loads):.1%} of a sample by the worker",
            flush=True,
        )


def _print(arm: str, clients: int, rounds: list[Load]) -> None:
    p50s = [load.p50 for load in rounds]
    print(
        f"{arm:9} {clients:3} clients: {_rate([load.calls_per_second for load in rounds])}, "
        f"p50 {statistics.median(p50s):.2f} ms ({min(p50s):.2f} to {max(p50s):.2f}), "
        f"p99 {statistics.median(load.p99 for load in rounds):.1f} ms, "
        f"{min(load.by_worker for load in rounds):.1%} by the worker",
        flush=True,
    )


def _rate(rates: list[float]) -> str:
    return f"{statistics.median(rates):,.0f} calls/s ({min(rates):,.0f} to {max(rates):,.0f})"


if __name__ == "__main__":
    main()
