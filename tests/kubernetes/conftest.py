"""The overlays as the real kustomize builds them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, missing

OVERLAYS = ("single", "production")
Manifest = dict[str, Any]


def build(overlay: str) -> list[Manifest]:
    """Every object of an overlay."""
    places = os.pathsep.join([str(ROOT / ".venv-tools" / "bin"), os.environ["PATH"]])
    kustomize = shutil.which("kustomize", path=places)
    if not kustomize:
        missing("kustomize: go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1")
    folder = Path(ROOT, "deploy", "kubernetes", overlay)
    done = subprocess.run([kustomize, "build", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="session", params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> list[Manifest]:
    """Each overlay's objects."""
    return build(str(request.param))


@pytest.fixture(scope="session")
def production() -> list[Manifest]:
    """The production overlay's objects."""
    return build("production")


@pytest.fixture(scope="session")
def executors() -> list[Manifest]:
    """The namespace of the production overlay's executors."""
    return build("executors")


@pytest.fixture(scope="session")
def single() -> list[Manifest]:
    """The objects of the overlay for one of each."""
    return build("single")
