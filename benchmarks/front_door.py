"""Classify of one picture straight to a server and through nginx: what the front door costs.

python -m benchmarks.front_door --rounds 5
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
import numpy as np
import trustme

from benchmarks.service import running_service
from benchmarks.training import train
from deploy.native.ports import free_port
from digits.client.client import Client
from digits.settings import Settings
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import digit_service_pb2_grpc
from tests.front_door import nginx as front
from tests.own_processes import server

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


@contextmanager
def doors(service: Settings) -> Iterator[dict[str, Classify]]:
    """The ways to the service: to a server with and without TLS, and through nginx with and without."""
    authority = trustme.CA()
    with ExitStack() as running, tempfile.TemporaryDirectory() as folder:
        plain, secure = (
            running.enter_context(front.configured(authority, [service.server] * 2)) for _ in range(2)
        )
        plain.replace("grpc.conf", " ssl http2 ", " http2 ")
        plain.start()
        secure.start()
        tls = service.model_copy(
            update={
                "grpc_port": free_port([]),
                "health_port": free_port([]),
                "tls_certificate_file": secure.folder / "tls" / "certificate.pem",
                "tls_key_file": secure.folder / "tls" / "key.pem",
            }
        )
        running.enter_context(server(tls, Path(folder) / "log"))
        credentials = grpc.ssl_channel_credentials(secure.ca_file.read_bytes())
        channels = {
            "direct, plain": grpc.insecure_channel(service.server),
            "nginx, plain": grpc.insecure_channel(plain.grpc_address),
            "direct, TLS": grpc.secure_channel(f"localhost:{tls.grpc_port}", credentials),
            "nginx, TLS": grpc.secure_channel(secure.grpc_address, credentials),
        }
        yield {name: running.enter_context(caller(channel)) for name, channel in channels.items()}


def main() -> None:
    """Prints the median of the rounds, and their spread, and what nginx adds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=1000)
    options = parser.parse_args()
    with np.load("data/mnist.npz") as data:
        pictures = [image.tobytes() for image in data["x_test"][:1000]]
    with running_service() as service:
        with Client(service.server) as client:
            train(client, "fast", seed=0)
        with doors(service) as arms:
            one_round(arms, options.calls, pictures)
            rounds = [one_round(arms, options.calls, pictures) for _ in range(options.rounds)]
    for name in arms:
        _print(name, [one[name] for one in rounds])
    for kind in ("plain", "TLS"):
        _print(f"nginx adds, {kind}", [one[f"nginx, {kind}"] - one[f"direct, {kind}"] for one in rounds])


def _print(what: str, p50s: list[float]) -> None:
    print(f"{what:17}: p50 {statistics.median(p50s):.3f} ms ({min(p50s):.3f} to {max(p50s):.3f})", flush=True)


if __name__ == "__main__":
    main()
