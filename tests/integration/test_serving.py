"""Who answers, on the embedded service: promotions, rollbacks, damaged versions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from grpc import StatusCode

from benchmarks.versions import copies_of_what_serves
from digits.client.errors import RemoteError
from digits.v1 import models_pb2
from tests.plain_pixels import SOME_PIXELS
from tests.service import Service
from tests.waiting import wait_until

PICTURE = SOME_PIXELS


@pytest.fixture
def serving(trained_service: Service) -> Iterator[str]:
    """The version that serves, again at the end of the test."""
    with trained_service.kept_serving() as version:
        yield version


def bundle_of(service: Service, version: str) -> Path:
    return service.var_dir / "store" / "models" / f"{version}.bundle"


def test_the_first_answer_after_a_promotion_is_the_promoted_versions(
    trained_service: Service, serving: str
) -> None:
    (other,) = copies_of_what_serves(trained_service.settings(), 1)
    with trained_service.client() as client:
        for version in [other, serving] * 15:
            client.promote_model(version)
            assert client.classify(pixels=PICTURE).model_version == version


def test_a_rollback_that_is_repeated_changes_nothing_and_the_history_says_who_did_what(
    trained_service: Service, serving: str
) -> None:
    (other,) = copies_of_what_serves(trained_service.settings(), 1)
    with trained_service.client() as client:
        client.promote_model(other)
        for _ in range(2):
            assert client.rollback_model(other).version == serving
        newest, before = client.list_serving_history(page_size=2).changes
    reasons = models_pb2.ServingChange
    assert (newest.previous_version, newest.version, newest.reason) == (other, serving, reasons.ROLLBACK)
    assert (before.previous_version, before.version, before.reason) == (serving, other, reasons.PROMOTE)
    assert newest.caller == "ipv4:127.0.0.1"
    history = trained_service.command("models", "history")
    assert f"{other}" in history.stdout.splitlines()[1]
    assert "rollback" in history.stdout.splitlines()[1]


def test_a_damaged_version_is_not_promoted(trained_service: Service, serving: str) -> None:
    (other,) = copies_of_what_serves(trained_service.settings(), 1)
    path = bundle_of(trained_service, other)
    path.write_bytes(path.read_bytes()[:-1])
    with trained_service.client() as client:
        with pytest.raises(RemoteError, match=f"{other} cannot serve") as refused:
            client.promote_model(other)
        assert refused.value.code == StatusCode.FAILED_PRECONDITION
        assert client.get_model("serving").version == serving


def test_a_start_with_a_damaged_serving_version_answers_with_the_newest_that_can_be_loaded_and_says_so(
    trained_service: Service, serving: str
) -> None:
    stands_in, damaged = copies_of_what_serves(trained_service.settings(), 2)
    with trained_service.client() as client:
        client.promote_model(stands_in)
        client.promote_model(damaged)
    whole = bundle_of(trained_service, damaged).read_bytes()
    bundle_of(trained_service, damaged).write_bytes(b"damaged")
    start_with_nothing(trained_service)
    try:
        with trained_service.client() as client:
            assert client.classify(pixels=PICTURE).model_version == stands_in
        assert trained_service.health("current-model") == "NOT_SERVING"
        status = trained_service.command("status").stdout
        assert f"{damaged} cannot be loaded" in status
        assert f"{stands_in} stands in for it" in status
    finally:
        bundle_of(trained_service, damaged).write_bytes(whole)
    wait_until(lambda: trained_service.health("current-model") == "SERVING", what="the version of the alias")


def start_with_nothing(service: Service) -> None:
    """Ends what holds a model, and takes its disk away."""
    processes = [service.process(name) for name in ("server", "classify-worker")]
    for process in processes:
        process.suspend()
    wait_until(lambda: all(one.status() == psutil.STATUS_STOPPED for one in processes), what="a standstill")
    shutil.rmtree(service.var_dir / "cache")
    for process in processes:
        process.kill()
    for name, process in zip(("server", "classify-worker"), processes, strict=True):
        wait_until(service.is_up_again(name, process.pid), seconds=60, what=f"another {name}")
    wait_until(lambda: service.health("") == "SERVING", what="a model")


@pytest.mark.parametrize("thread", ["serving-model", "reconciler", "liveness"])
def test_health_shows_that_the_background_threads_live(trained_service: Service, thread: str) -> None:
    assert trained_service.health(thread) == "SERVING"
