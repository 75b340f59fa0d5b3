"""What a request to prune says is kept."""

from __future__ import annotations

from digits.errors import InvalidInput
from digits.jobs.retention import Limits
from digits.v1 import models_pb2, training_pb2


def limits_of(
    request: training_pb2.PruneJobsRequest | models_pb2.PruneModelsRequest, default: Limits
) -> Limits:
    """The request's limits, and the service's own for what it leaves out.

    If it names only one, the other is none: what to keep is then what the caller says. Raises InvalidInput.
    """
    age, count = request.max_age, request.max_count
    if age.ToNanoseconds() < 0:
        raise InvalidInput("max_age", "a duration of 0 or more")
    if count < 0:
        raise InvalidInput("max_count", "0 or more")
    named = request.HasField("max_age"), request.HasField("max_count")
    if not any(named):
        return default
    return Limits(
        max_age_seconds=age.ToNanoseconds() / 1e9 if named[0] else float("inf"),
        max_count=count if named[1] else 2**62,
    )
