"""Paths that are empty: an error that says so, and not one of the folder that the command runs in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.scripted_client import Scripted

Run = Callable[..., int]
Printed = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("classify", ""), "'FILE...': is empty; name a file"),
        (("train", ""), "BATCH is empty: name a batch"),
        (("train", "", "--upload", __file__), "BATCH is empty: name a batch"),
        (("train", "--upload", ""), "'--upload': is empty; name a file"),
        (("models", "import", ""), "'FILE': is empty; name a file"),
        (("models", "export", "v3", ""), "'FILE': is empty; name a file"),
        (("jobs", "report", "j1", "--output", ""), "is empty; name a file"),
        (("token", "ann", "train", "--file", ""), "'--file': is empty; name a file"),
    ],
)
def test_an_empty_path_is_said_by_its_name(
    run: Run, capsys: Printed, arguments: tuple[str, ...], said: str
) -> None:
    assert run(*arguments) == 2
    assert said in capsys.readouterr().err
    assert Scripted.asked == []
