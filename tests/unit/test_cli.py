"""The `digits` command: what it prints, on which stream, and its exit code."""

from __future__ import annotations

import json
import re
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cli import main as command
from deploy.native.status import ServiceStatus
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2, models_pb2
from digits.v1 import training_pb2 as pb


class Scripted(Client):
    """A client with the answers of a small service, and no connection."""

    asked: list[dict[str, Any]] = []  # noqa: RUF012
    outcome = pb.SUCCEEDED
    notes: tuple[str, ...] = ()

    def train(self, **request: Any) -> Iterator[pb.TrainProgress]:  # type: ignore[override]
        self.asked.append(request)
        return self._progress()

    def _progress(self) -> Iterator[pb.TrainProgress]:
        base = {"job_id": "j1", "images_total": 60, "micro_batch": 1, "loss": 0.5, "accuracy": 0.9}
        base["notes"] = self.notes
        yield pb.TrainProgress(**base, state=pb.TRAINING, images_trained=30, images_per_second=100)
        yield pb.TrainProgress(**base, state=pb.TRAINING, images_trained=30, images_per_second=100)
        error = pb.JobError(code=3, message="no images")
        yield pb.TrainProgress(
            **base, state=self.outcome, images_trained=60, model_version="v7", promoted=True, error=error
        )

    def classify(self, *, image: bytes, **_: Any) -> digit_service_pb2.ClassifyResponse:  # type: ignore[override]
        if not image.startswith(b"\x89PNG"):
            raise RemoteError(grpc.StatusCode.INVALID_ARGUMENT, "image: is not a picture", "image")
        doubt = 0.968 if image.endswith(b"letter") else 0.25
        return digit_service_pb2.ClassifyResponse(
            digit=5, confidence=0.75, not_a_digit=doubt, model_version="v7"
        )

    def list_jobs(self, *_: Any, **__: Any) -> pb.ListJobsResponse:
        spec = pb.TrainSpec(images_batch_path="mnist.npz", recipe="fast")
        return pb.ListJobsResponse(jobs=[pb.Job(job_id="j1", state=pb.QUEUED, spec=spec)])

    def cancel_job(self, job_id: str) -> pb.Job:
        raise RemoteError(grpc.StatusCode.NOT_FOUND, f"no job '{job_id}'")

    def list_models(self, *_: Any, **__: Any) -> models_pb2.ListModelsResponse:
        serving = models_pb2.Model(version="v7", state=models_pb2.Model.SERVING)
        older = models_pb2.Model(version="v6", state=models_pb2.Model.AVAILABLE)
        return models_pb2.ListModelsResponse(models=[serving, older])

    def promote_model(self, version: str) -> models_pb2.Model:
        return models_pb2.Model(version=version, metrics=models_pb2.Metrics(accuracy=0.99))

    def prune_jobs(self, *limits: Any) -> list[str]:
        self.asked.append({"limits": limits})
        return ["j1", "j2"]

    def pin_model(self, version: str, pinned: bool = True) -> models_pb2.Model:
        return models_pb2.Model(version=version, pinned=pinned)

    def prune_models(self, *limits: Any) -> list[str]:
        self.asked.append({"limits": limits})
        return ["v1"]

    def rollback_model(self, from_version: str = "") -> models_pb2.Model:
        self.asked.append({"from_version": from_version})
        return models_pb2.Model(version="v6", metrics=models_pb2.Metrics(accuracy=0.98))

    def list_serving_history(
        self, page_size: int = 0, page_token: str = ""
    ) -> models_pb2.ListServingHistoryResponse:
        moved = Timestamp(seconds=1_790_000_000)
        changes = models_pb2.ServingChange
        back = changes(
            version="v6", previous_version="v7", reason="ROLLBACK", caller="ann", change_time=moved
        )
        first = changes(version="v1", reason="GATE", caller="bob", change_time=moved)
        return models_pb2.ListServingHistoryResponse(changes=[back, first])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command with arguments; returns its exit code."""
    monkeypatch.setattr("digits.client.connect.Client", Scripted)
    monkeypatch.setattr(Scripted, "asked", [])

    def runner(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["digits", *arguments])
        try:
            command.main()
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 0
        return 0

    return runner


Printed = pytest.CaptureFixture[str]


def test_train_prints_a_line_for_each_change_and_succeeds(run: Any, capsys: Printed) -> None:
    assert run("train", "mnist.npz") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "job j1"
    assert re.sub(" +", " ", lines[1]) == "TRAINING 30/60 images 100 img/s loss 0.5000 accuracy 90.00%"
    assert len(lines) == 4
    assert lines[3] == "v7: 90.0 % of its own held-out images: it serves now"


def test_a_training_that_does_not_serve_says_how_it_did_on_both_sets_and_why(
    run: Any, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = pb.TrainProgress(
        job_id="j1",
        state=pb.SUCCEEDED,
        accuracy=0.979,
        model_version="v7",
        promotion_reason="looks like white background: 75.0 points worse than v6",
        metrics=models_pb2.Metrics(reference_accuracy=0.241, reference_image_count=10_000),
    )
    monkeypatch.setattr(Scripted, "_progress", lambda _: iter([last]))
    assert run("train", "white.npz") == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "v7: 97.9 % of its own held-out images, 24.1 % of the reference set: it does not serve "
        "(looks like white background: 75.0 points worse than v6)"
    )


def test_train_says_once_what_was_accepted_of_the_batch(
    run: Any, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scripted, "notes", ("X of a.npz: taken as x_train", "white paper inverted"))
    run("train", "a.npz")
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:4] == ["note: X of a.npz: taken as x_train", "note: white paper inverted"]
    assert len(lines) == 6


def test_train_names_its_request_so_that_it_can_be_repeated(run: Any) -> None:
    run("train", "mnist.npz", "--promotion", "never", "--seed", "3", "--recipe", "standard")
    (request,) = Scripted.asked
    assert request["images_batch_path"] == "mnist.npz"
    assert (request["promotion"], request["seed"], request["recipe"]) == ("NEVER", 3, "standard")
    assert request["orientation"] == "AS_IS"
    assert request["request_id"]


def test_train_says_that_the_pictures_are_transposed(run: Any) -> None:
    run("train", "emnist", "--orientation", "transposed")
    assert Scripted.asked[0]["orientation"] == "TRANSPOSED"


def test_train_sends_the_bytes_of_an_upload(run: Any, tmp_path: Path) -> None:
    batch = tmp_path / "mine.npz"
    batch.write_bytes(b"npz")
    assert run("train", "--upload", str(batch)) == 0
    assert Scripted.asked[0]["images_batch"] == b"npz"
    assert Scripted.asked[0]["images_batch_path"] is None


@pytest.mark.parametrize(
    ("outcome", "said"), [(pb.FAILED, "job j1 failed: no images"), (pb.CANCELLED, "job j1 was cancelled")]
)
def test_a_training_that_does_not_succeed_says_why_and_exits_1(
    run: Any, capsys: Printed, monkeypatch: pytest.MonkeyPatch, outcome: int, said: str
) -> None:
    monkeypatch.setattr(Scripted, "outcome", outcome)
    assert run("train", "mnist.npz") == 1
    assert capsys.readouterr().err == f"digits: {said}\n"


def test_train_as_json_is_one_document_a_message(run: Any, capsys: Printed) -> None:
    assert run("train", "mnist.npz", "--json") == 0
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [document["state"] for document in documents] == ["TRAINING", "TRAINING", "SUCCEEDED"]


@pytest.mark.parametrize(
    "arguments", [[], ["a.npz", "--upload", __file__], ["a.npz", "--promotion", "maybe"]]
)
def test_a_wrong_call_of_train_is_a_usage_error(run: Any, arguments: list[str]) -> None:
    assert run("train", *arguments) == 2
    assert Scripted.asked == []


def test_classify_goes_on_after_a_file_that_will_not_do(run: Any, capsys: Printed, tmp_path: Path) -> None:
    picture, text = tmp_path / "n5.png", tmp_path / "text.png"
    picture.write_bytes(b"\x89PNG")
    text.write_bytes(b"text")
    missing = tmp_path / "missing.png"
    assert run("classify", str(text), str(missing), str(picture)) == 1
    printed = capsys.readouterr()
    assert printed.out == f"{picture}  5  75.0%\n"
    assert printed.err.splitlines() == [
        f"digits: {text}: image: is not a picture",
        f"digits: {missing}: No such file or directory",
    ]


def test_classify_says_if_a_picture_is_likelier_no_digit(run: Any, capsys: Printed, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG letter")
    assert run("classify", str(picture)) == 0
    assert capsys.readouterr().out == f"{picture}  5  75.0%  (not a digit: 97%)\n"


def test_classify_as_json_names_the_file(run: Any, capsys: Printed, tmp_path: Path) -> None:
    picture = tmp_path / "n5.png"
    picture.write_bytes(b"\x89PNG")
    assert run("classify", "--json", str(picture)) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["file"], answer["digit"], answer["confidence"]) == (str(picture), 5, 0.75)


def test_jobs_lists_them(run: Any, capsys: Printed) -> None:
    assert run("jobs") == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert row.split()[:4] == ["j1", "QUEUED", "mnist.npz", "fast"]


def test_jobs_as_json_is_one_document(run: Any, capsys: Printed) -> None:
    assert run("jobs", "--json") == 0
    assert [job["job_id"] for job in json.loads(capsys.readouterr().out)] == ["j1"]


def test_a_refusal_is_one_line_on_stderr_and_exit_code_1(run: Any, capsys: Printed) -> None:
    assert run("jobs", "cancel", "nope") == 1
    assert capsys.readouterr().err == "digits: no job 'nope'\n"


@pytest.fixture
def free_address() -> Iterator[str]:
    """HOST:PORT that refuses connections: bound, so that nobody else takes it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


def test_a_server_that_is_not_there_is_said_at_once_with_how_to_start_one(
    free_address: str, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["digits", "jobs", "--server", free_address])
    started = time.monotonic()
    with pytest.raises(SystemExit, match="1"):
        command.main()
    assert time.monotonic() - started < 2
    start = "start one with `digits up`, or name another with --server"
    assert capsys.readouterr().err == f"digits: no server at {free_address}: {start}\n"


def test_a_connection_that_fails_otherwise_is_said_with_its_cause(
    run: Any, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    cause = "connections to all backends failing; last error: UNKNOWN: ipv4:192.0.2.1:1: Ssl handshake failed"

    def fail(*_: Any) -> pb.Job:
        raise RemoteError(grpc.StatusCode.UNAVAILABLE, cause)

    monkeypatch.setattr(Scripted, "cancel_job", fail)
    assert run("jobs", "cancel", "j1", "--server", "192.0.2.1:1") == 1
    said = "no server answers at 192.0.2.1:1: UNKNOWN: ipv4:192.0.2.1:1: Ssl handshake failed"
    assert capsys.readouterr().err == f"digits: {said}\n"


def test_models_marks_the_one_that_serves(run: Any, capsys: Printed) -> None:
    assert run("models") == 0
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [["*", "v7"], ["v6", "0.00%"]]


def test_promote_says_what_serves(run: Any, capsys: Printed) -> None:
    assert run("models", "promote", "v6") == 0
    assert capsys.readouterr().out == "v6 serves now (99.00%)\n"


def test_rollback_may_name_the_version_that_it_rolls_back_from(run: Any, capsys: Printed) -> None:
    assert run("models", "rollback", "--from", "v7") == 0
    assert run("models", "rollback") == 0
    assert capsys.readouterr().out == "v6 serves now (98.00%)\n" * 2
    assert Scripted.asked == [{"from_version": "v7"}, {"from_version": ""}]


def test_status_says_why_something_else_answers_than_what_serves(
    run: Any, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = "v5 cannot be loaded: the store is empty; v4 stands in for it"
    report = ServiceStatus(True, 7, "v5", "/state", (), problem)
    monkeypatch.setattr("deploy.native.status.service_status", lambda settings: report)
    assert run("status") == 0
    assert f"serving v5 ({problem})" in capsys.readouterr().out
    assert run("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["serving_problem"] == problem


def test_history_says_who_made_which_version_serve_when_and_why(run: Any, capsys: Printed) -> None:
    assert run("models", "history") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["WHEN", "FROM", "TO", "WHY", "WHO"],
        ["2026-09-21", "14:13:20", "v7", "v6", "rollback", "ann"],
        ["2026-09-21", "14:13:20", "-", "v1", "gate", "bob"],
    ]
    assert run("models", "history", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["reason"] == "ROLLBACK"


def test_a_setting_that_will_not_do_is_one_line(
    run: Any, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITS_GRPC_PORT", "many")
    assert run("jobs") == 1
    error = capsys.readouterr().err
    assert error.startswith("digits: DIGITS_GRPC_PORT: ")
    assert error.count("\n") == 1


def test_pruning_names_what_goes_and_how_many(run: Any, capsys: Printed) -> None:
    assert run("jobs", "prune", "--older-than", "12h", "--keep", "5") == 0
    assert capsys.readouterr().out == "j1\nj2\n2 jobs were removed\n"
    assert run("models", "prune", "--dry-run") == 0
    assert capsys.readouterr().out == "v1\n1 versions would be removed\n"
    assert Scripted.asked == [{"limits": (12 * 3600.0, 5, False)}, {"limits": (None, None, True)}]


def test_pruning_prints_json(run: Any, capsys: Printed) -> None:
    assert run("jobs", "prune", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"pruned": ["j1", "j2"], "dry_run": False}


@pytest.mark.parametrize("age", ["12", "h", "1.5h", "-1d", "soon"])
def test_an_age_that_is_none_is_refused_with_an_example(run: Any, capsys: Printed, age: str) -> None:
    assert run("jobs", "prune", "--older-than", age) == 1
    assert "such as 30d" in capsys.readouterr().err
    assert Scripted.asked == []


def test_a_version_is_pinned_and_let_go(run: Any, capsys: Printed) -> None:
    assert run("models", "pin", "v3") == 0
    assert run("models", "pin", "v3", "--unpin") == 0
    assert capsys.readouterr().out == "v3 is kept whatever its age\nv3 is no longer kept whatever its age\n"
