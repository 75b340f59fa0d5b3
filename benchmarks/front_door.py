"""Classify of one picture straight to a server and through nginx with TLS: what the front door costs.

python -m benchmarks.front_door --rounds 5
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import grpc
import numpy as np
import trustme

from benchmarks.service import running_service
from benchmarks.training import train
from digits.client import Client
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import digit_service_pb2_grpc
from tests.front_door import nginx as front

Classify = Callable[[bytes], pb.ClassifyResponse]


@contextmanager
def caller(channel: grpc.Channel) -> Iterator[Classify]:
    """One client."""
    with channel:
        stub = digit_service_pb2_grpc.DigitServiceStub(channel)
        yield lambda pixels: stub.Classify(pb.ClassifyRequest(pixels=pixels))


def one_round(arms: dict[str, Classify], calls: int, pictures: list[bytes]) -> dict[str, float]:
    """The median of each arm in milliseconds; they take turns, so that both have the same weather."""
    latencies: dict[str, list[float]] = {name: [] for name in arms}
    for number in range(calls):
        for name, classify in arms.items():
            started = time.perf_counter()
            answer = classify(pictures[number % len(pictures)])
            latencies[name].append((time.perf_counter() - started) * 1000)
            assert answer.served_by == pb.WORKER, "the worker did not answer"
    return {name: statistics.median(taken) for name, taken in latencies.items()}


def main() -> None:
    """Prints the median of the rounds, and their spread, and what nginx adds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1000)
    options = parser.parse_args()
    with np.load("data/mnist.npz") as data:
        pictures = [image.tobytes() for image in data["x_test"][:1000]]
    with ExitStack() as running:
        service = running.enter_context(running_service())
        with Client(service.server) as client:
            train(client, "fast", seed=0)
        nginx = running.enter_context(front.running(trustme.CA(), [service.server] * 2))
        credentials = grpc.ssl_channel_credentials(nginx.ca_file.read_bytes())
        channels = {
            "direct": grpc.insecure_channel(service.server),
            "through nginx": grpc.secure_channel(nginx.grpc_address, credentials),
        }
        arms = {name: running.enter_context(caller(channel)) for name, channel in channels.items()}
        one_round(arms, options.calls, pictures)
        rounds = [one_round(arms, options.calls, pictures) for _ in range(options.rounds)]
    for name in arms:
        _print(name, [one[name] for one in rounds])
    _print("difference", [one["through nginx"] - one["direct"] for one in rounds])


def _print(what: str, p50s: list[float]) -> None:
    print(f"{what:13}: p50 {statistics.median(p50s):.3f} ms ({min(p50s):.3f} to {max(p50s):.3f})", flush=True)


if __name__ == "__main__":
    main()
