"""Logs: one line an event, and what it belongs to."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator

import pytest

from digits.settings import Settings
from digits.signals import context, logs
from digits.signals.context import JOB_ID, REQUEST_ID
from digits.signals.logs import FIELDS
from server.blocking import Pool


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """Leaves logging as pytest has it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level


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
