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
# Before each gRPC message: whether it is compressed, and its length.
_PREFIX = struct.Struct(">?I")


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
        message.write(_PREFIX.pack(False, len(body)) + body)
        message.flush()
        headers = [word for header in _HEADERS for word in ("-H", header)]
        many = ["-t1", "-c1", f"-m{clients}", f"-D{seconds}"]
        url = f"http://{address}/digits.v1.DigitService/Classify"
        command = ["h2load", *many, "-d", message.name, *headers, url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            sample = _sample(address, picture, process)
            assert process.stdout
            report = process.stdout.read()
    # h2load counts every HTTP answer. One that carries an error of gRPC has no message in it.
    answers = _number(r"\((\d+)\) data", report) / (_PREFIX.size + sample[0].ByteSize())
    done = _number(r"(\d+) succeeded", report)
    if not 0 < done <= answers or _number(r"(\d+) failed", report):
        raise RuntimeError(f"not every call was answered:\n{report}")
    rate = _number(r"finished in .*?, ([\d.]+) req/s", report)
    # Its own mean has a unit that changes; by Little's law it is the callers over their rate.
    return Round(rate, clients / rate * 1000, sum(it.served_by == pb.WORKER for it in sample) / len(sample))


def _sample(address: str, picture: bytes, process: subprocess.Popen[str]) -> list[pb.ClassifyResponse]:
    with grpc.insecure_channel(address) as channel:
        classify = digit_service_pb2_grpc.DigitServiceStub(channel).Classify
        answers = []
        while process.poll() is None:
            answers.append(classify(pb.ClassifyRequest(pixels=picture)))
            time.sleep(0.1)
    return answers


def _number(pattern: str, report: str) -> float:
    found = re.search(pattern, report)
    if not found:
        raise RuntimeError(f"h2load said:\n{report}")
    return float(found[1])
