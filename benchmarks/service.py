"""A service for a benchmark: started on a state folder of its own, warm, and stopped after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.native.folder import StateFolder
from deploy.native.ports import free_port
from deploy.native.process_settings import variables
from deploy.native.supervision.record import RunRecord
from digits.settings import Settings

DIGITS = str(Path(sys.executable).with_name("digits"))


@contextmanager
def running_service(stack: str = "embedded", data_dir: Path = Path("data")) -> Iterator[Settings]:
    """Yields the settings of a ready service that reads a data folder, as its processes see them."""
    with tempfile.TemporaryDirectory() as folder:
        grpc_port = free_port([])
        settings = Settings(
            var_dir=Path(folder), grpc_port=grpc_port, rest_port=free_port([grpc_port]), data_dir=data_dir
        )
        environment = environment_of(settings)
        up = [DIGITS, "up", "--detach", "--stack", stack]
        subprocess.run(up, env=environment, check=True, stdout=subprocess.DEVNULL)
        try:
            record = RunRecord.read(StateFolder.at(settings.var_dir))
            assert record
            yield Settings(**record.settings)
        finally:
            subprocess.run([DIGITS, "down"], env=environment, check=True, stdout=subprocess.DEVNULL)


def environment_of(settings: Settings) -> dict[str, str]:
    """What `digits` reads to reach, start or stop that service."""
    return {**os.environ, **variables(settings)}


def status(settings: Settings) -> dict[str, Any]:
    """What `digits status --json` says, by the names of the parts."""
    done = subprocess.run(
        [DIGITS, "status", "--json"], env=environment_of(settings), capture_output=True, check=False
    )
    return {part["name"]: part for part in json.loads(done.stdout)["parts"]}
