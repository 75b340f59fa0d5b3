"""Calls that go on while something is broken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2
from tests.plain_pixels import SOME_PIXELS
from tests.service import Service

# Steady, and not all that the machine can do: a training goes on beside it.
PAUSE_SECONDS = 0.02


@contextmanager
def classifying(service: Service) -> Iterator[list[str]]:
    """Classifies all the while; yields what went wrong."""
    problems: list[str] = []
    answers: list[digit_service_pb2.ClassifyResponse] = []
    stop = threading.Event()

    def load() -> None:
        with service.client() as client:
            while not stop.wait(PAUSE_SECONDS):
                try:
                    answers.append(client.classify(pixels=SOME_PIXELS, timeout_seconds=10))
                except RemoteError as error:
                    problems.append(str(error))

    thread = threading.Thread(target=load)
    thread.start()
    try:
        yield problems
    finally:
        stop.set()
        thread.join()
    assert answers
