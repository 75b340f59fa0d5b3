"""A job that is watched over a line that may be lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import grpc
import pytest

from digits.client import resume
from digits.client.errors import RemoteError
from digits.v1 import training_pb2 as pb
from tests.unit.scripted_client import Scripted

Run = Callable[..., int]
Printed = pytest.CaptureFixture[str]
Messages = Iterator[pb.TrainProgress]

LOST = "the line to 127.0.0.1:50051 is lost: trying again for 60 s, and the job goes on"
ON = ("--server", "127.0.0.1:50051")
ENDED = pb.TrainProgress(job_id="j1", state=pb.SUCCEEDED, model_version="v7", promoted=True)


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the server is back, from the first time that a job is watched again on; else it is away."""
    answers: list[bool] = []

    def gone() -> Messages:
        yield pb.TrainProgress(job_id="j1", state=pb.TRAINING, images_total=60)
        raise RemoteError(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    def again(*_: object) -> Messages:
        if answers.pop(0):
            yield ENDED
        else:
            raise RemoteError(grpc.StatusCode.UNAVAILABLE, "Connection refused")

    monkeypatch.setattr(resume, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(Scripted, "_progress", lambda _: gone())
    monkeypatch.setattr(Scripted, "watch_job", again)
    return answers


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_lost_line_is_said_once_and_that_it_is_back(
    run: Run, capsys: Printed, ends: list[bool], form: tuple[str, ...]
) -> None:
    ends += [False, False, True]
    assert run("train", "mnist.npz", *ON, *form) == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [f"digits: {LOST}", "digits: 127.0.0.1:50051 answers again"]
    assert form == () or [json.loads(line)["state"] for line in printed.out.splitlines()] == [
        "TRAINING",
        "SUCCEEDED",
    ]


def test_a_lost_line_is_said_before_the_server_is_asked_again(
    run: Run, capsys: Printed, ends: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def again(*_: object) -> Messages:
        said.append(capsys.readouterr().err)
        yield ENDED

    monkeypatch.setattr(Scripted, "watch_job", again)
    assert run("train", "mnist.npz", *ON) == 0
    assert said == [f"digits: {LOST}\n"]


def test_a_server_that_stays_away_is_given_up_with_how_to_watch_the_job_later(
    run: Run, capsys: Printed, ends: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends += [False, False]
    clock = iter([0.0, 59.0, 61.0])
    time = SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None)
    monkeypatch.setattr(resume, "time", time)
    assert run("train", "mnist.npz", *ON) == 1
    lost, how, why = capsys.readouterr().err.splitlines()
    assert lost == f"digits: {LOST}"
    assert how == "digits: the job goes on; watch it with: digits jobs watch j1"
    assert why.startswith("digits: no server at 127.0.0.1:50051: start one with `digits up`")
