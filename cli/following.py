"""Follows a job over lost connections."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digits.client import Client
    from digits.v1.training_pb2 import TrainProgress

# A server that restarts is back in a few seconds; after this long it is the caller's turn.
PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 0.5


def is_final(progress: TrainProgress) -> bool:
    """Whether the job has ended."""
    from digits.v1 import training_pb2 as pb

    return progress.state in (pb.SUCCEEDED, pb.FAILED, pb.CANCELLED)


def follow(
    client: Client, first: Iterator[TrainProgress], patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[TrainProgress]:
    """Yields `first`, and goes on with WatchJob where the line drops, until the job is final.

    The refusal that follows a FAILED message is dropped: the message has said it. Raises RemoteError
    where the first answer is a refusal, or the server stays away.
    """
    last, stream = None, first
    lost_at = 0.0
    while True:
        try:
            for last in stream:
                lost_at = 0.0
                yield last
        except _remote_error() as error:
            lost_at = lost_at or time.monotonic()
            if last is None or not (is_final(last) or _may_return(error, lost_at, patience_seconds)):
                raise
        if last is None or is_final(last):
            return
        time.sleep(RETRY_SECONDS)
        stream = client.watch_job(last.job_id)


def _may_return(error: Exception, lost_at: float, patience_seconds: float) -> bool:
    from grpc import StatusCode

    away = getattr(error, "code", None) in (StatusCode.UNAVAILABLE, StatusCode.CANCELLED, StatusCode.UNKNOWN)
    return away and time.monotonic() - lost_at < patience_seconds


def _remote_error() -> type[Exception]:
    from digits.client import RemoteError

    return RemoteError
