"""Calls of Classify by h2load (nghttp2), which takes far less of the cores that it shares with the service.

It says how many requests a second were answered; who answered is asked beside it, ten times a second.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass

import grpc

from digits.v1 import digit_service_pb2 as pb
from digits.v1 import digit_service_pb2_grpc

_HEADERS = ("content-type: application/grpc", "te: trailers")
_WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Round:
    """Calls a second, their mean time in milliseconds, and the share that a worker answered."""

    calls_per_second: float
    mean: float
    by_worker: float


def is_there() -> bool:
    """Debian's package is nghttp2-client."""
    return shutil.which("h2load") is not None


def load(address: str, clients: int, seconds: int, picture: bytes) -> Round:
    """Keeps that many calls open on one connection for a while."""
    body = pb.ClassifyRequest(pixels=picture).SerializeToString()
    with tempfile.NamedTemporaryFile() as message:
        # A gRPC message: not compressed, its length, and itself.
        message.write(struct.pack(">?I", False, len(body)) + body)
        message.flush()
        headers = [word for header in _HEADERS for word in ("-H", header)]
        many = ["-t1", "-c1", f"-m{clients}", f"-D{seconds}", f"--warm-up-time={_WARM_UP_SECONDS}"]
        url = f"http://{address}/digits.v1.DigitService/Classify"
        command = ["h2load", *many, "-d", message.name, *headers, url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            by_worker = _by_worker(address, picture, process)
            assert process.stdout
            report = process.stdout.read()
    return Round(_number(r"finished in .*?, ([\d.]+) req/s", report), _mean(report, clients), by_worker)


def _by_worker(address: str, picture: bytes, process: subprocess.Popen[str]) -> float:
    answered: list[bool] = []
    with grpc.insecure_channel(address) as channel:
        stub = digit_service_pb2_grpc.DigitServiceStub(channel)
        while process.poll() is None:
            answered.append(stub.Classify(pb.ClassifyRequest(pixels=picture)).served_by == pb.WORKER)
            time.sleep(0.1)
    return sum(answered) / len(answered)


def _mean(report: str, clients: int) -> float:
    done, failed = _number(r"(\d+) succeeded", report), _number(r"(\d+) failed", report)
    if failed or not done:
        raise RuntimeError(f"h2load, {clients} clients:\n{report}")
    value, unit = re.search(r"time for request: +\S+ +\S+ +([\d.]+)(us|ms|s)", report).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def _number(pattern: str, report: str) -> float:
    found = re.search(pattern, report)
    if not found:
        raise RuntimeError(f"h2load said:\n{report}")
    return float(found[1])
