"""What callers read of the inside: what went wrong, and not where."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import quote

import pytest

from digits import errors, status_codes
from digits.outward import outward
from server.error_mapping import abort
from workers.failure_policy import problem

# As these systems say it, with names and addresses of a network of nobody's.
KAFKA = (
    "Kafka did not take a block: Local: Message timed out (sasl_ssl://kafka-1.inside:9093/1: Connect to "
    "ipv4#10.1.2.3:9093 failed: Connection refused (after 2ms in state CONNECT))"
)
KAFKA_NAME = "the log cannot be read: kafka-1.inside:9092/bootstrap: Failed to resolve 'kafka-1.inside'"
KAFKA_SIX = "ipv6#[fd00::17]:9092 failed: Connection refused (after 0ms in state CONNECT)"
HDFS = (
    "the store cannot take models/v000001.bundle (Permission denied: user=digits, access=WRITE, "
    'inode="/inside/digits/models":hdfs:supergroup:drwxr-xr-x)'
)
HDFS_NAME = "the store cannot read x (java.net.UnknownHostException: datanode-1.inside)"
HDFS_SAFE = "the store cannot take x (Name node is in safe mode. NamenodeHostName:inside)"
DISK = "[Errno 28] No space left on device: '/inside/digits/var/store/.x'"
URL = "cannot ask http://digits:hidden@inside.example:9870/webhdfs/v1/inside?delegation=hidden: timed out"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (KAFKA, ("Message timed out", "Connection refused (after 2ms in state CONNECT)")),
        (KAFKA_NAME, ("the log cannot be read", "Failed to resolve")),
        (KAFKA_SIX, ("Connection refused",)),
        (HDFS, ("the store cannot take models/v000001.bundle", "Permission denied: user=digits")),
        (HDFS_NAME, ("UnknownHostException",)),
        (HDFS_SAFE, ("safe mode",)),
        (DISK, ("No space left on device",)),
        (URL, ("timed out",)),
    ],
)
def test_addresses_and_paths_go_and_the_cause_stays(text: str, kept: tuple[str, ...]) -> None:
    shown = outward(text)
    assert not [word for word in ("inside", "10.1.2.3", "fd00", "hidden", ":90") if word in shown], shown
    assert all(words in shown for words in kept), shown


@pytest.mark.parametrize(
    "text",
    [
        "no model serves yet: train one first",
        "gave up after 3 attempts: ZooKeeper does not answer",
        "v000003 cannot serve: the bundle is damaged; promote another version",
        "12:30:15, 3.9.5 and 4.1.2, 1/2 of 60,000 images/s, images [40, 28, 28] and/or labels",
        "the log holds a message whose key is no offset: b'x'",
    ],
)
def test_other_sentences_stay_as_they_are(text: str) -> None:
    assert outward(text) == text


@pytest.mark.parametrize(
    "kind", [errors.LogUnavailable, errors.StoreFull, errors.Corrupt, errors.NotReady, errors.GaveUp]
)
def test_what_callers_and_jobs_are_told_has_no_place_of_the_inside(kind: type[errors.DigitsError]) -> None:
    error = kind(KAFKA)
    told = (status_codes.status_of(error).message, status_codes.job_error(error).message, problem(error))
    assert all("inside" not in text and "timed out" in text for text in told), told
    assert "inside" not in problem(OSError(28, "No space left on device", "/inside/var/store"))


def test_what_a_caller_named_itself_is_said_back_to_it() -> None:
    for error in (
        errors.NotFound("file", "a/b:9092/c"),
        errors.InvalidInput("image_path", "/a/x is not it"),
    ):
        assert status_codes.status_of(error).message == str(error)


class Ended(Exception):
    """What gRPC raises once a call is aborted."""


class Context:
    """A call that is aborted."""

    async def abort_with_status(self, status: Any) -> None:
        raise Ended(status.details)


def test_the_log_has_what_callers_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(Ended) as ended:
        asyncio.run(abort(Context(), errors.LogUnavailable(KAFKA)))  # type: ignore[arg-type]
    assert "inside" not in str(ended.value)
    assert KAFKA in caplog.text


@pytest.mark.parametrize("letter", ["x", "%", "字", "\U0001f600", "\ud800"])
@pytest.mark.parametrize("length", [100, 4_000, 1_000_000])
def test_a_sentence_and_its_details_fit_into_the_headers_that_clients_take(letter: str, length: int) -> None:
    problem = f"{letter * length}. Right is: this"
    if letter == "\ud800":
        problem = problem.encode(errors="replace").decode()
    status = status_codes.status_of(errors.InvalidInput("f" * 9_000, problem))
    assert len(quote(status.message, " ")) + len(status.SerializeToString()) < 8_192
    assert status.message.startswith("fff") and status.message.endswith("Right is: this")


def test_a_sentence_that_fits_is_as_it_was() -> None:
    problem = "no picture; " * 150
    assert status_codes.status_of(errors.InvalidInput("image", problem)).message == f"image: {problem}"
