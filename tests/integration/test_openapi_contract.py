"""The bridge keeps to its own description, however it is called.

OPENAPI_CASES=100 makes 2,000 calls in ten seconds; without it, a quarter of that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from digits.client.client import Client
from digits.settings import Settings
from digits.v1.training_pb2 import TrainProgress
from rest_bridge.app import create_app
from rest_bridge.openapi import document
from tests.unit.recorded_service import recorded_service

CASES_OF_EACH_CALL = int(os.environ.get("OPENAPI_CASES", "25"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def description() -> Iterator[OpenApiSchema]:
    with recorded_service() as service, Client(service.address, timeout_seconds=5) as client:
        ended = TrainProgress(job_id="j1", state="SUCCEEDED")
        service.answers |= {"Train": [ended], "WatchJob": [ended]}
        yield schemathesis.openapi.from_wsgi("/openapi.json", create_app(Settings(), client))


def calls() -> list[tuple[str, str]]:
    """Path and method of each call that the description names."""
    with Client("unix:nobody") as client:
        paths = document(create_app(Settings(), client))["paths"]
    return [(path, method) for path, methods in paths.items() for method in methods]


@pytest.mark.parametrize(("path", "method"), calls())
def test_no_call_is_answered_otherwise_than_described(
    description: OpenApiSchema, path: str, method: str
) -> None:
    @given(case=description[path][method].as_strategy())
    @settings(
        max_examples=CASES_OF_EACH_CALL,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def every(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    every()
