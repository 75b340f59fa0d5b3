"""Lists of the command: how much they show, how to see the rest, and one of them in full."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.scripted_client import Scripted

Run = Callable[..., int]
Printed = pytest.CaptureFixture[str]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripted, "job_count", 2050)


@pytest.mark.usefixtures("many")
def test_a_list_shows_fifty_and_says_how_to_see_more(run: Run, capsys: Printed) -> None:
    assert run("jobs") == 0
    printed = capsys.readouterr()
    assert [line.split()[0] for line in printed.out.splitlines()[1:]] == [
        f"j{n}" for n in range(2050, 2000, -1)
    ]
    assert printed.err == "there is more: digits jobs --before j2001, or --limit 0 for all\n"


@pytest.mark.usefixtures("many")
def test_a_list_goes_on_where_it_ended(run: Run, capsys: Printed) -> None:
    assert run("jobs", "--before", "j2001", "--limit", "3", "--json") == 0
    assert [job["job_id"] for job in json.loads(capsys.readouterr().out)] == ["j2000", "j1999", "j1998"]


@pytest.mark.usefixtures("many")
def test_a_list_can_be_had_whole_in_pages_that_the_service_answers(run: Run, capsys: Printed) -> None:
    assert run("jobs", "--limit", "0", "--json") == 0
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)) == 2050
    assert [asked["page_size"] for asked in Scripted.asked] == [1000, 1000, 1000]
    assert printed.err == ""


def test_a_list_that_ends_with_its_page_is_not_said_to_go_on(
    run: Run, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scripted, "job_count", 50)
    assert run("jobs") == 0
    assert capsys.readouterr().err == ""


def test_a_job_is_shown_in_full(run: Run, capsys: Printed) -> None:
    assert run("jobs", "show", "j1") == 0
    shown = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines() if "  " in line)
    assert shown["state"].strip() == "FAILED"
    assert shown["promotion"].strip() == "NEVER"
    assert shown["progress"].strip() == "30/60 images"
    assert shown["partitions"].strip() == "2: limited to 2 by 2 cores"
    assert shown["created"].strip() == "2026-09-21 14:13:20"
    assert shown["result"].strip() == "job j1 failed: no images"


def test_a_job_that_is_not_there_is_an_error_with_its_code(run: Run, capsys: Printed) -> None:
    assert run("jobs", "show", "j9", "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"error": {"code": "NOT_FOUND", "message": "no job 'j9'"}}


def test_a_version_is_shown_in_full(run: Run, capsys: Printed) -> None:
    assert run("models", "show", "v7") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert (
        "version v7 serves now the gate said nothing else serves held out 99.00% of 10,000 images" in printed
    )


def test_two_versions_are_compared(run: Run, capsys: Printed) -> None:
    assert run("models", "compare", "v6", "v7") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "v6 99.00%, 12 right that v7 misreads" in lines
    assert "v7 98.00%, 2 right that v6 misreads" in lines
    assert "7 . 3 . . . . . . . ." in lines
    assert lines[-1] == "7 1 90.0% 7 50.0%"
    assert run("models", "compare", "v6", "v7", "--show") == 0
    assert "┌" + "─" * 28 + "┐" in capsys.readouterr().out
    assert run("models", "compare", "v6", "v7", "--json") == 0
    assert json.loads(capsys.readouterr().out)["second_only_count"] == "2"


def test_a_jobs_report_is_written_to_a_file_of_its_name_or_of_ones_own(
    run: Run, capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("jobs", "report", "j1") == 0
    assert run("jobs", "report", "j1", "--output", "mine.html", "--json") == 0
    name, document = capsys.readouterr().out.splitlines()
    assert (name, json.loads(document)) == ("digits-j1.html", {"job_id": "j1", "file": "mine.html"})
    assert Path(name).read_text("utf-8") == Path("mine.html").read_text("utf-8")
    assert "white paper inverted" in Path(name).read_text("utf-8")


def test_a_report_goes_to_standard_output_for_a_dash(run: Run, capsys: Printed) -> None:
    assert run("jobs", "report", "j1", "--output", "-") == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")


def test_a_report_that_cannot_be_written_says_why(run: Run, capsys: Printed, tmp_path: Path) -> None:
    assert run("jobs", "report", "j1", "-o", str(tmp_path / "no" / "file.html")) == 1
    assert "file.html: No such file or directory" in capsys.readouterr().err
