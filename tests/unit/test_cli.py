"""The `digits` command: what it prints, on which stream, and its exit code."""

from __future__ import annotations

import io
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

import grpc
import pytest

from cli import main as command
from deploy.native.status import ServiceStatus
from digits.client.errors import RemoteError
from digits.v1 import models_pb2
from digits.v1 import training_pb2 as pb
from tests.unit.scripted_client import Scripted

Printed = pytest.CaptureFixture[str]


def test_train_prints_a_line_for_each_change_and_succeeds(run: Any, capsys: Printed) -> None:
    assert run("train", "mnist.npz") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "job j1"
    assert re.sub(" +", " ", lines[1]) == "TRAINING 30/60 images 100 img/s accuracy 90.00% loss 0.5000"
    assert len(lines) == 4
    assert lines[3] == "v7: 90.0 % of its own 4 held-out images: it took over"


def test_a_training_that_does_not_serve_says_how_it_did_on_both_sets_and_why(
    run: Any, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = pb.TrainProgress(
        job_id="j1",
        state=pb.SUCCEEDED,
        accuracy=0.979,
        model_version="v7",
        promotion_reason="looks like white background: 75.0 points worse than v6",
        metrics=models_pb2.Metrics(
            held_out_image_count=1, reference_accuracy=0.241, reference_image_count=10_000
        ),
    )
    monkeypatch.setattr(Scripted, "_progress", lambda _: iter([last]))
    assert run("train", "white.npz") == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "v7: 97.9 % of its own 1 held-out image, 24.1 % of the reference set: it does not serve "
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
    assert run("train", "mnist.npz", "--seed", str(2**63)) == 2
    run("train", "mnist.npz", "--promotion", "never", "--seed", "3", "--recipe", "standard")
    (request,) = Scripted.asked
    assert request["images_batch_path"] == "mnist.npz"
    assert (request["promotion"], request["seed"], request["recipe"]) == ("NEVER", 3, "standard")
    assert request["orientation"] == "AS_IS"
    assert request["request_id"]


def test_train_says_that_the_pictures_are_transposed(run: Any) -> None:
    run("train", "emnist", "--orientation", "transposed")
    assert Scripted.asked[0]["orientation"] == "TRANSPOSED"


def test_train_goes_on_from_a_version_that_is_named(run: Any) -> None:
    run("train", "mnist.npz+feedback", "--base", "v3")
    assert Scripted.asked[0]["base_model_version"] == "v3"


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


def test_what_a_terminal_cannot_show_is_a_question_mark(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture, shown = tmp_path / "f\u00fcnf.png", io.BytesIO()
    picture.write_bytes(b"\x89PNG")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii", write_through=True))
    assert run("classify", str(picture)) == 0
    assert b"f?nf.png" in shown.getvalue()


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


def test_history_says_who_made_which_version_serve_when_why_and_from_where(run: Any, capsys: Printed) -> None:
    assert run("models", "history") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["WHEN", "FROM", "TO", "WHY", "WHO", "WHERE"],
        ["2026-09-21", "14:13:20", "v7", "v6", "rollback", "ann", "ipv4:10.0.0.5:4711"],
        ["2026-09-21", "14:13:20", "-", "v1", "gate", "bob", "-"],
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


def test_a_picture_may_come_from_standard_input(
    run: Any, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\x89PNG")))
    assert run("classify", "-") == 0
    assert capsys.readouterr().out == "-  5  75.0%\n"


def test_classify_shows_the_pixels_that_were_judged(run: Any, capsys: Printed, tmp_path: Path) -> None:
    picture = tmp_path / "n5.png"
    picture.write_bytes(b"\x89PNG")
    assert run("classify", "--show", str(picture)) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines == ["┌" + "─" * 28 + "┐", *["│" + "▄" * 28 + "│"] * 14, "└" + "─" * 28 + "┘"]


def test_a_picture_that_will_not_do_is_json_if_that_is_asked_for(
    run: Any, capsys: Printed, tmp_path: Path
) -> None:
    text = tmp_path / "text.png"
    text.write_bytes(b"text")
    assert run("classify", "--json", str(text)) == 1
    assert json.loads(capsys.readouterr().out) == {
        "file": str(text),
        "error": {
            "code": "INVALID_ARGUMENT",
            "message": f"{text}: image: is not a picture",
            "field": "image",
        },
    }


def test_a_path_that_is_not_here_is_answered_with_one_that_is(
    run: Any, capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "test").mkdir(parents=True)
    (tmp_path / "data" / "test" / "n5.png").write_bytes(b"")
    (tmp_path / "batch.npz").write_bytes(b"")
    monkeypatch.setenv("DIGITS_DATA_DIR", "data")
    monkeypatch.chdir(tmp_path)
    assert run("classify", "test/n5.png") == 1
    assert (
        "test/n5.png: No such file or directory; did you mean 'data/test/n5.png'?" in capsys.readouterr().err
    )
    assert run("train", "--upload", "bach.npz") == 1
    assert "bach.npz: No such file or directory; did you mean 'batch.npz'?" in capsys.readouterr().err


def test_a_batch_of_this_machine_that_the_service_lacks_is_said_to_be_sent_by_upload(
    run: Any, capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise RemoteError(grpc.StatusCode.NOT_FOUND, "no file 'mine.npz'")

    (tmp_path / "mine.npz").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Scripted, "train", fail)
    assert run("train", "mine.npz") == 1
    advice = "send the one here with: digits train --upload mine.npz"
    said = f"digits: no file 'mine.npz' in the service's data folder; {advice}\n"
    assert capsys.readouterr().err == said


def test_the_port_of_the_rest_bridge_is_recognised(capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as bridge:
        serving = threading.Thread(target=bridge.serve_forever, args=(0.01,))
        serving.start()
        address = f"127.0.0.1:{bridge.server_port}"
        monkeypatch.setattr(sys, "argv", ["digits", "jobs", "--server", f"http://{address}"])
        with pytest.raises(SystemExit, match="1"):
            command.main()
        bridge.shutdown()
        serving.join()
    assert f"{address} speaks HTTP/1, as the REST bridge does: name the gRPC port" in capsys.readouterr().err
