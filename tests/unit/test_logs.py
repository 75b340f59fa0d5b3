"""Logs: one line an event, and what it belongs to."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
import warnings
from collections.abc import Iterator

import grpc
import pytest

from digits.client.client import Client
from digits.errors import InvalidInput
from digits.settings import Settings
from digits.signals import context, logs
from digits.signals.context import JOB_ID, REQUEST_ID
from digits.signals.logs import FIELDS
from digits.v1 import digit_service_pb2 as pb
from rest_bridge.app import create_app
from server.blocking import Pool
from server.observed import Observed
from tests.unit.recorded_service import recorded_service
from tests.unit.serving_bench import Bench
from tests.unit.test_metrics_of_calls import Context, Servicer


@pytest.fixture(autouse=True)
def _logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leaves logging as pytest has it: configuring it closes all handlers, and pytest has some."""
    monkeypatch.setattr(logging, "shutdown", lambda _: None)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(False)
    sys.excepthook = sys.__excepthook__


def logged(capfd: pytest.CaptureFixture[str], log_format: str, *event: object, **options: object) -> str:
    """What stderr has of one event."""
    logs.configure(Settings(log_format=log_format))
    logging.getLogger("tests.logs").warning(*event, **options)
    return capfd.readouterr().err


def test_an_event_is_one_line_whatever_its_message_holds(capfd: pytest.CaptureFixture[str]) -> None:
    line = logged(capfd, "text", "no %s", "file\n2026-01-01 INFO forged\x1b[2J\u2028")
    assert re.fullmatch(
        r"2\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ WARNING tests\.logs: "
        r"no file\\n2026-01-01 INFO forged\\x1b\[2J\\u2028\n",
        line,
    )


def test_what_was_raised_is_on_the_line_with_where(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        int("five\nsix")
    except ValueError as error:
        line = logged(capfd, "text", "it failed", exc_info=error)
    assert line.count("\n") == 1
    assert "it failed [ValueError: invalid literal" in line
    assert "test_logs.py:" in line


def test_json_has_an_object_a_line_with_fields_and_the_whole_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    try:
        int("five")
    except ValueError as error:
        line = logged(capfd, "json", "it\nfailed", exc_info=error, extra={FIELDS: {"code": 7}})
    event = json.loads(line)
    assert (event["level"], event["logger"], event["message"]) == ("WARNING", "tests.logs", "it\nfailed")
    assert event["code"] == 7
    assert event["exception"].startswith("Traceback (most recent call last):\n")
    assert line.count("\n") == 1


@pytest.mark.parametrize(("log_format", "shown"), [("text", "job_id=j1"), ("json", '"job_id": "j1"')])
def test_an_event_names_the_call_and_the_job_that_it_belongs_to(
    capfd: pytest.CaptureFixture[str], log_format: str, shown: str
) -> None:
    with context.of("r1", "j1"):
        line = logged(capfd, log_format, "trained")
    assert shown in line
    assert "r1" in line
    assert "j1" not in logged(capfd, log_format, "something else")


def test_a_calls_name_is_its_callers_if_it_is_fit_to_be_logged() -> None:
    def begun(given: str) -> str:
        return context.begin(given)

    assert begun("order-7:a") == "order-7:a"
    made = [begun(given) for given in ("", "two words", "a\nb", "x" * 65, "é")]
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in made)
    assert len(set(made)) == 5


def test_a_batch_is_named_by_its_first_calls() -> None:
    assert context.joined(["a"]) == "a"
    assert context.joined([]) == ""
    assert context.joined(["a", "b", "c", "d", "e", "f"]) == "a,b,c,d,+2"


def test_a_thread_that_works_for_a_call_knows_its_name() -> None:
    async def scenario() -> tuple[str, str]:
        context.begin("r7", "j7")
        return await Pool("a test", 1, 1).run(lambda: (REQUEST_ID.get(), JOB_ID.get()))

    assert asyncio.run(scenario()) == ("r7", "j7")


def access_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The access log's lines."""
    return [record.getMessage() for record in caplog.records if record.name == "digits.access"]


def test_calls_by_grpc_are_logged_if_the_settings_say_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    servicer, quiet = Observed(Servicer(), access_log=True), Observed(Servicer())
    asyncio.run(servicer.Classify(None, Context()))
    asyncio.run(quiet.Classify(None, Context()))
    with pytest.raises(InvalidInput):
        asyncio.run(servicer.Classify(InvalidInput("pixels", "784 bytes"), Context()))
    answered, refused = access_lines(caplog)
    assert re.fullmatch(r"Classify OK in [\d.]+ ms, from ipv4:192\.0\.2\.7:4711", answered)
    assert refused.startswith("Classify INVALID_ARGUMENT in ")


def test_requests_by_rest_are_logged_if_the_settings_say_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    create_app(Settings(access_log=True)).test_client().get("/healthz?token=secret")
    create_app(Settings()).test_client().get("/healthz")
    (line,) = access_lines(caplog)
    assert re.fullmatch(r"GET /healthz 200 in [\d.]+ ms, from 127\.0\.0\.1", line)


def test_a_rest_requests_name_is_told_to_the_server_and_to_the_caller() -> None:
    names: list[object] = []

    def answer(request: object, context: grpc.ServicerContext) -> pb.ClassifyResponse:
        names.extend(value for key, value in context.invocation_metadata() if key == "x-request-id")
        return pb.ClassifyResponse(digit=5)

    with recorded_service() as service, Client(service.address, timeout_seconds=5) as client:
        service.answers["Classify"] = answer
        web = create_app(Settings(), client).test_client()
        body = {"image_path": "five.png"}
        named = web.post("/digits/classify", json=body, headers={"X-Request-ID": "order-7"})
        unnamed = web.post("/digits/classify", json=body)
    assert names == ["order-7", unnamed.headers["X-Request-ID"]]
    assert named.headers["X-Request-ID"] == "order-7"
    # The thread has other requests after it.
    assert REQUEST_ID.get() == ""


def test_a_batchs_name_goes_along_to_the_worker() -> None:
    bench = Bench()

    async def named() -> None:
        # Here, and not around: the batcher has a context of its own.
        with context.of("order-7"):
            await bench.classify()

    try:
        bench.queue.answer(bench.publish(), 1)
        bench.serving.start()
        bench.serving.await_word()
        bench.run(named)
        assert [batch.request_id for batch in bench.queue.asked] == ["order-7"]
    finally:
        bench.close()


def test_a_warning_and_an_end_by_an_error_are_a_line_each(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure(Settings())
    warnings.showwarning("old\nand grey", DeprecationWarning, "file.py", 7)
    try:
        int("five")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    warned, ended = capfd.readouterr().err.splitlines()
    assert "py.warnings: file.py:7: DeprecationWarning: old\\nand grey" in warned
    assert "CRITICAL" in ended
    assert "[ValueError: invalid literal" in ended
