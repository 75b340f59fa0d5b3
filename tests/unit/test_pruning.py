from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from digits.errors import InvalidInput
from digits.jobs.retention import Limits
from digits.v1 import training_pb2 as pb
from server.pruning import limits_of

OURS = Limits(max_age_seconds=60, max_count=7)


def test_a_request_without_limits_means_the_services_own() -> None:
    assert limits_of(pb.PruneJobsRequest(), OURS) == OURS


def test_a_request_with_one_limit_has_no_other() -> None:
    by_age = limits_of(pb.PruneJobsRequest(max_age=Duration(seconds=5)), OURS)
    assert by_age.max_age_seconds == 5
    assert by_age.max_count > 1 << 60
    assert limits_of(pb.PruneJobsRequest(max_count=0), OURS) == Limits(float("inf"), 0)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.PruneJobsRequest(max_age=Duration(seconds=-1)), "max_age"),
        (pb.PruneJobsRequest(max_count=-1), "max_count"),
    ],
)
def test_a_negative_limit_is_refused(request_: pb.PruneJobsRequest, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        limits_of(request_, OURS)
    assert refused.value.field == field
