"""Programs that deploy/native runs before a server: Java is asked for its version, a format is done once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy.native.errors import CannotStart
from deploy.native.servers.java import find_java
from deploy.native.servers.jvm import once


def test_what_is_done_once_is_not_done_again_and_is_repeated_if_it_failed(tmp_path: Path) -> None:
    marker, log = tmp_path / "formatted", tmp_path / "log"
    add = ("sh", "-c", 'echo "$1" >> "$0"; exit "$2"', str(log))
    for code in ("1", "0", "0"):
        subprocess.run(once(marker, (*add, "a format", code), (*add, "serve", "0")), check=False)
    assert log.read_text(encoding="utf-8").split("\n") == ["a format", "a format", "serve", "serve", ""]


def java(folder: Path, version: str) -> None:
    """A JAVA_HOME whose java says that version."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize("version", ["17.0.15", "21", "25.0.1"])
def test_a_java_that_is_new_enough_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert find_java() == str(tmp_path / "bin" / "java")


@pytest.mark.parametrize(("version", "told"), [("11.0.2", "Java 11"), ("1.8.0_392", "Java 8")])
def test_an_old_java_is_one_sentence_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, told: str
) -> None:
    java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(CannotStart, match=f"is {told}, too old: install a Java 17 or newer"):
        find_java()
