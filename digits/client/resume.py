"""Follows a job over lost connections, for whoever called Train or WatchJob."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Protocol

import grpc

from digits.client.errors import RemoteError
from digits.final_states import FINAL
from digits.v1 import training_pb2 as pb

# A server that restarts is back in a few seconds; after this long it is the caller's turn.
PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 0.5

# What a call ends with whose server is gone, as it may be back.
AWAY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNKNOWN,
        # What nginx makes of a stream whose server dies.
        grpc.StatusCode.INTERNAL,
    }
)


class Watches(Protocol):
    """What is needed of a client."""

    def watch_job(self, job_id: str) -> Iterator[pb.TrainProgress]:
        """Streams a job's progress from where it is now."""


def follow(
    client: Watches,
    first: Iterator[pb.TrainProgress],
    patience_seconds: float = PATIENCE_SECONDS,
    on_line: Callable[[bool], None] = lambda up: None,
) -> Iterator[pb.TrainProgress]:
    """Yields `first`, and goes on with WatchJob when the connection drops, until the job is final.

    `on_line` is told False as soon as the connection drops, and True once there is one again.
    Raises RemoteError if the first answer is a refusal, if the server stays away, and after FAILED.
    """
    last, stream = None, first
    lost_at: float | None = None
    while True:
        try:
            for last in stream:
                if lost_at is not None:
                    on_line(True)
                lost_at = None
                yield last
        except RemoteError as error:
            gone_seconds = 0.0 if lost_at is None else time.monotonic() - lost_at
            away = error.code in AWAY and gone_seconds < patience_seconds
            if last is None or last.state in FINAL or not away:
                raise
        if last is None or last.state in FINAL:
            return
        if lost_at is None:
            lost_at = time.monotonic()
            on_line(False)
        time.sleep(RETRY_SECONDS)
        stream = client.watch_job(last.job_id)
