"""What is measured of gRPC calls and of HTTP requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from google.rpc import code_pb2, status_pb2
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from digits.client.client import Client
from digits.errors import InvalidInput
from digits.settings import Settings
from rest_bridge.app import create_app
from server.error_mapping import JobFailed
from server.observed import Observed
from tests.measuring import growth
from tests.unit.recorded_service import recorded_service

GRPC = "digits_grpc_request_duration_seconds_count"
HTTP = "digits_http_request_duration_seconds_count"


class Servicer:
    """Answers, or raises what it is asked to."""

    async def Classify(self, request: Exception | None, context: Any) -> str:
        if request:
            raise request
        return "five"

    async def WatchJob(self, request: BaseException | None, context: Any) -> AsyncIterator[str]:
        yield "progress"
        if request:
            raise request


class Context:
    """What is asked of a call's context."""

    def invocation_metadata(self) -> tuple[()]:
        return ()

    def peer(self) -> str:
        return "ipv4:192.0.2.7:4711"


def classify(error: Exception | None = None) -> Any:
    return asyncio.run(Observed(Servicer()).Classify(error, Context()))


async def watched(error: BaseException | None) -> list[str]:
    return [message async for message in Observed(Servicer()).WatchJob(error, Context())]


def test_a_call_counts_by_its_method_and_ok() -> None:
    with growth(GRPC, method="Classify", code="OK") as calls:
        assert classify() == "five"
    assert calls.by == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("pixels", "784 bytes"), "INVALID_ARGUMENT"),
        (RuntimeError("nobody foresaw it"), "INTERNAL"),
    ],
)
def test_a_call_that_goes_wrong_counts_by_its_code(error: Exception, code: str) -> None:
    with growth(GRPC, method="Classify", code=code) as calls, pytest.raises(type(error)):
        classify(error)
    assert calls.by == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, "OK"),
        (asyncio.CancelledError(), "CANCELLED"),
        (JobFailed(status_pb2.Status(code=code_pb2.ABORTED)), "ABORTED"),
    ],
)
def test_a_stream_counts_once_it_is_over(error: BaseException | None, code: str) -> None:
    with growth(GRPC, method="WatchJob", code=code) as calls:
        if error is None:
            assert asyncio.run(watched(None)) == ["progress"]
        else:
            with pytest.raises(type(error)):
                asyncio.run(watched(error))
    assert calls.by == 1


@pytest.fixture(scope="module")
def web() -> Iterator[FlaskClient]:
    with recorded_service() as service, Client(service.address, timeout_seconds=5) as client:
        yield create_app(Settings(), client).test_client()


def test_a_request_counts_by_its_route_and_not_by_what_a_caller_fills_in(web: FlaskClient) -> None:
    with growth(HTTP, method="GET", route="/digits/jobs/<job_id>", code="200") as requests:
        web.get("/digits/jobs/one")
        web.get("/digits/jobs/another")
    assert requests.by == 2


def test_paths_and_methods_that_a_caller_invents_make_no_series(web: FlaskClient) -> None:
    web.get("/warm/up")
    before = series()
    for number in range(20):
        web.get(f"/no/such/{number}")
        web.open("/healthz", method=f"BREW{number}")
        web.get(f"/digits/jobs/{number}")
    # One for the invented methods, one for the jobs, each with its buckets, sum, count and creation.
    assert len(series() - before) <= 3 * 20
    assert not {labels for labels in series() if "BREW" in labels or "such" in labels}


def test_the_bridges_metrics_are_what_prometheus_reads(web: FlaskClient) -> None:
    web.get("/healthz")
    reply = web.get("/metrics")
    assert reply.content_type.startswith("text/plain; version=0.0.4")
    read = {family.name: family for family in text_string_to_metric_families(reply.text)}
    routes = {sample.labels["route"] for sample in read["digits_http_request_duration_seconds"].samples}
    assert "/healthz" in routes


def series() -> set[str]:
    """Every series of this process."""
    return {f"{sample.name} {sample.labels}" for family in REGISTRY.collect() for sample in family.samples}
