"""Prometheus' own tool on our configuration, our alerts and their tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import missing

FOLDER = Path(__file__).parents[2] / "deploy" / "observability"


@pytest.mark.parametrize(
    "command", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts.test.yml")], ids=" ".join
)
def test_promtool_finds_no_fault(command: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool") or missing("promtool: apt-get install prometheus")
    done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
