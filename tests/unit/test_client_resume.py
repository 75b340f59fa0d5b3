"""Following a job: a lost line is taken up again, an answer is never lost, and nothing hangs."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from digits.client import resume
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import training_pb2 as pb

AWAY = RemoteError(grpc.StatusCode.UNAVAILABLE, "gone")


def message(state: int, trained: int = 0) -> pb.TrainProgress:
    return pb.TrainProgress(job_id="j1", state=state, images_trained=trained)


def stream(*items: pb.TrainProgress | RemoteError) -> Iterator[pb.TrainProgress]:
    for item in items:
        if isinstance(item, RemoteError):
            raise item
        yield item


class Watched(Client):
    """A client whose WatchJob answers are scripted; anything else would need a server."""

    def __init__(self, *scripts: tuple[pb.TrainProgress | RemoteError, ...]) -> None:
        super().__init__("unused")
        self._scripts = list(scripts)

    def watch_job(self, job_id: str, timeout_seconds: float | None = None) -> Iterator[pb.TrainProgress]:
        assert job_id == "j1"
        return stream(*self._scripts.pop(0))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "RETRY_SECONDS", 0.0)


def states(client: Client, first: Iterator[pb.TrainProgress]) -> list[int]:
    return [progress.state for progress in resume.follow(client, first)]


def test_a_lost_line_is_taken_up_again_with_watch_job() -> None:
    client = Watched((AWAY,), (message(pb.TRAINING, 5), message(pb.SUCCEEDED)))
    assert states(client, stream(message(pb.QUEUED), AWAY)) == [pb.QUEUED, pb.TRAINING, pb.SUCCEEDED]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "CANCELLED", "INTERNAL"])
def test_whatever_a_lost_line_is_called_it_is_taken_up_again(code: str) -> None:
    """nginx says INTERNAL where a server dies behind it."""
    lost = RemoteError(grpc.StatusCode[code], "gone")
    assert states(Watched((message(pb.SUCCEEDED),)), stream(message(pb.QUEUED), lost))[-1] == pb.SUCCEEDED


def test_a_stream_that_ends_early_is_taken_up_again() -> None:
    client = Watched((message(pb.SUCCEEDED),))
    assert states(client, stream(message(pb.QUEUED))) == [pb.QUEUED, pb.SUCCEEDED]


def test_the_refusal_behind_a_failed_message_is_raised_and_not_followed() -> None:
    failed = RemoteError(grpc.StatusCode.UNAVAILABLE, "no images")
    with pytest.raises(RemoteError, match="no images"):
        states(Watched(), stream(message(pb.FAILED), failed))


def test_a_refusal_before_the_first_message_is_raised() -> None:
    refusal = RemoteError(grpc.StatusCode.NOT_FOUND, "no file")
    with pytest.raises(RemoteError, match="no file"):
        states(Watched(), stream(refusal))


def test_a_refusal_that_a_retry_cannot_heal_is_raised() -> None:
    with pytest.raises(RemoteError, match="forgotten"):
        states(Watched(), stream(message(pb.QUEUED), RemoteError(grpc.StatusCode.NOT_FOUND, "forgotten")))


def test_a_server_that_stays_away_is_given_up() -> None:
    with pytest.raises(RemoteError, match="gone"):
        list(resume.follow(Watched(), stream(message(pb.QUEUED), AWAY), patience_seconds=0.0))
