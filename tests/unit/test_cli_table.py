"""Tables on a terminal that is narrow, and elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from digits.v1 import training_pb2 as pb
from tests.unit.scripted_client import Scripted

Run = Callable[..., int]
Printed = pytest.CaptureFixture[str]

LONG = pb.Job(
    job_id="20261126-122733123-0a1b2c",
    state=pb.SUCCEEDED,
    spec=pb.TrainSpec(images_batch_path="mnist.npz+feedback", recipe="standard"),
    progress=pb.TrainProgress(
        images_trained=480_000, images_total=480_000, accuracy=0.99, model_version="v12"
    ),
)


@pytest.fixture
def long_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripted, "list_jobs", lambda *_: pb.ListJobsResponse(jobs=[LONG]))


def narrow(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))


@pytest.mark.usefixtures("long_jobs")
def test_a_list_of_jobs_on_a_narrow_terminal_keeps_what_is_worth_most(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, 60)
    assert run("jobs") == 0
    headings, job = capsys.readouterr().out.splitlines()
    assert headings.split() == ["JOB", "STATE", "ACCURACY", "MODEL"]
    assert job.split() == [LONG.job_id, "SUCCEEDED", "99.00%", "v12"]
    assert max(len(headings), len(job)) <= 60


@pytest.mark.usefixtures("long_jobs")
def test_a_line_that_cannot_fit_is_cut(run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow(monkeypatch, 40)
    assert run("jobs") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [(len(line), line[-1]) for line in lines] == [(40, "…")] * 2


@pytest.mark.usefixtures("long_jobs")
def test_what_goes_to_a_file_has_every_column(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert run("jobs") == 0
    assert capsys.readouterr().out.splitlines()[1].split()[2] == "mnist.npz+feedback"


def test_versions_and_moves_of_the_alias_fit_sixty_columns(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, 60)
    assert run("models") == 0
    assert run("models", "history") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 60
    assert "…" not in "".join(lines)
