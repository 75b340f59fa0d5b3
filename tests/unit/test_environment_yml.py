from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def environment() -> list[Any]:
    """What environment.yml asks conda for."""
    asked: list[Any] = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    return asked


def from_pip() -> list[str]:
    """What it asks pip for."""
    section: list[str] = next(entry["pip"] for entry in environment() if isinstance(entry, dict))
    return section


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def test_conda_gets_what_pyproject_pins_and_nothing_else() -> None:
    extras = project()["optional-dependencies"]
    pins = [*project()["dependencies"], *extras["train"], *extras["embedded"]]
    assert sorted(line for line in from_pip() if not line.startswith("--")) == sorted(pins)


def test_conda_gets_the_project_itself_and_the_lock_for_what_is_not_pinned_there() -> None:
    assert [line for line in from_pip() if line.startswith("--")] == [
        "--constraint requirements.lock",
        "--editable .",
    ]


def test_conda_brings_a_java_and_a_python_that_the_project_takes() -> None:
    assert {"python=3.11", "openjdk=17"} <= {entry for entry in environment() if isinstance(entry, str)}
    assert project()["requires-python"].startswith(">=3.11,")
