"""The audit: who did what, when and from where."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from digits.adapters.memory import MemoryCoordinator
from digits.errors import NotFound, Unauthenticated
from digits.models.promotion import Promotion
from digits.models.registry import Registry
from digits.security import tokens
from digits.security.tokens import Principal, Role, Tokens, new_token
from digits.settings import Settings
from digits.v1 import models_pb2, training_pb2
from rest_bridge.app import create_app
from server.access import Access, Authorized
from server.audited import Audited
from server.error_mapping import ErrorMapping
from tests.measuring import growth, value
from tests.unit.serving_bench import HeldStore, move, published


class Context:
    """A call's, from an address, for somebody whom a bridge names."""

    def __init__(self, forwarded: str = "") -> None:
        self._forwarded = forwarded
        self.aborted: object = None

    def peer(self) -> str:
        return "ipv4:10.0.0.5:4711"

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("x-forwarded-for", self._forwarded),) if self._forwarded else ()

    async def abort_with_status(self, status: object) -> None:
        self.aborted = status


class Servicer:
    """Changes something, or says that it cannot."""

    error: Exception | None = None

    async def PromoteModel(self, request: Any, context: Any) -> models_pb2.Model:
        if self.error:
            raise self.error
        return models_pb2.Model(version=request.version)

    async def CancelJob(self, request: Any, context: Any) -> training_pb2.Job:
        return training_pb2.Job(job_id=request.job_id)

    async def PruneJobs(self, request: Any, context: Any) -> training_pb2.PruneJobsResponse:
        return training_pb2.PruneJobsResponse(job_ids=["j1", "j2"])

    async def GetJob(self, request: Any, context: Any) -> training_pb2.Job:
        return training_pb2.Job()


def call(method: str, request: Any, context: Context | None = None, servicer: Any = None) -> None:
    """Calls a method as an audited one."""
    audited = Audited(servicer or Servicer(), Access(None, 10))
    asyncio.run(getattr(audited, method)(request, context or Context()))


def audit_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The audit's lines."""
    return [record.getMessage() for record in caplog.records if record.name == "digits.audit"]


@pytest.mark.parametrize(
    ("method", "request_", "what"),
    [
        ("PromoteModel", models_pb2.PromoteModelRequest(version="v3"), "promote v3"),
        ("CancelJob", training_pb2.CancelJobRequest(job_id="j7"), "cancel job j7"),
        ("PruneJobs", training_pb2.PruneJobsRequest(), "prune 2 jobs: j1, j2"),
    ],
)
def test_a_change_is_written_down_with_who_and_from_where(
    caplog: pytest.LogCaptureFixture, method: str, request_: Any, what: str
) -> None:
    caplog.set_level("INFO")
    call(method, request_, Context("192.0.2.7"))
    assert audit_of(caplog) == [f"{what}, by ipv4:10.0.0.5 from ipv4:10.0.0.5:4711 for 192.0.2.7"]


def test_what_changes_nothing_is_not_written_down(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    call("GetJob", training_pb2.GetJobRequest(job_id="j7"))
    call("PruneJobs", training_pb2.PruneJobsRequest(dry_run=True))
    assert audit_of(caplog) == []


def test_a_change_that_fails_is_written_down_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    servicer = Servicer()
    servicer.error = NotFound("model version", "v9")
    with pytest.raises(NotFound):
        call("PromoteModel", models_pb2.PromoteModelRequest(version="v9"), servicer=servicer)
    (line,) = audit_of(caplog)
    assert line.startswith("promote refused: no model version 'v9', by ipv4:10.0.0.5 from")


def test_the_aliass_history_says_from_where() -> None:
    coordinator, store = MemoryCoordinator(), HeldStore()
    first, second = (published(coordinator, store) for _ in range(2))
    move(coordinator, first)
    promotion = Promotion(Registry(coordinator), store, coordinator)
    promotion.promote(second, "alice", "ipv4:10.0.0.5:4711")
    promotion.rollback(second, "bob", "ipv4:10.0.0.6:4711 for 192.0.2.7")
    newest, before, *_ = Registry(coordinator).serving_history(10)
    assert (newest.version, newest.caller, newest.origin) == (
        first,
        "bob",
        "ipv4:10.0.0.6:4711 for 192.0.2.7",
    )
    assert (before.version, before.caller, before.origin) == (second, "alice", "ipv4:10.0.0.5:4711")
    assert before.change_time.seconds > 0


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(tokens.line(Principal("alice", frozenset({Role.CLASSIFY})), new_token()) + "\n")
    return path


def test_a_refused_token_is_written_down_at_the_server(
    caplog: pytest.LogCaptureFixture, tokens_file: Path
) -> None:
    caplog.set_level("INFO")
    guarded = ErrorMapping(Authorized(Servicer(), Access(Tokens(tokens_file), 10)))
    with (
        growth("digits_refused_calls_total", code="unauthenticated") as refused,
        pytest.raises(Unauthenticated),
    ):
        asyncio.run(guarded.GetJob(training_pb2.GetJobRequest(), Context()))
    (line,) = audit_of(caplog)
    assert line.startswith("refuse a token: a token is needed")
    assert line.endswith("by a stranger from ipv4:10.0.0.5:4711")
    assert refused.by == 1


def test_a_refused_token_is_written_down_at_the_bridge(
    caplog: pytest.LogCaptureFixture, tokens_file: Path
) -> None:
    caplog.set_level("INFO")
    web = create_app(Settings(tokens_file=tokens_file)).test_client()
    reply = web.get("/digits/jobs", headers={"Authorization": "Bearer guessed"})
    assert reply.status_code == 401
    assert audit_of(caplog) == ["refuse a token: this token is not known here, by a stranger from 127.0.0.1"]


def test_a_changed_tokens_file_is_written_down_by_whose_tokens_came_and_went(
    caplog: pytest.LogCaptureFixture, tokens_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(tokens, "_LOOK_SECONDS", 0.0)
    known, token = Tokens(tokens_file), new_token()
    tokens_file.write_text(tokens.line(Principal("bob", frozenset({Role.TRAIN})), token) + "\n")
    assert known.holder(f"Bearer {token}").name == "bob"
    (line,) = audit_of(caplog)
    assert line.startswith("change the tokens: new: bob (train); gone: alice (classify), by the file's owner")
    assert line.endswith(f"from {tokens_file}")
    assert value("digits_tokens_file_invalid") == 0


def test_a_tokens_file_that_will_not_do_is_written_down_and_counted(
    caplog: pytest.LogCaptureFixture, tokens_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(tokens, "_LOOK_SECONDS", 0.0)
    known = Tokens(tokens_file)
    tokens_file.unlink()
    with growth("digits_tokens_file_errors_total") as errors, pytest.raises(Unauthenticated):
        known.holder("Bearer guessed")
    assert (errors.by, value("digits_tokens_file_invalid")) == (1, 1)
    assert audit_of(caplog)[0].startswith("change the tokens, which fails: DIGITS_TOKENS_FILE: cannot read")
