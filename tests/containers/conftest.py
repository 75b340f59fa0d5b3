"""Images as every test here wants them: built from this checkout. Needs root; docs/containers.md says why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from deploy.containers import build
from tests.conftest import ROOT, missing


@pytest.fixture(scope="session")
def images() -> Mapping[str, str]:
    """The name of each image by its stage of the Dockerfile; says how long each build took."""
    if build.missing_tools() or os.geteuid():
        missing(f"root and {', '.join(build.TOOLS)} (apt-get install --no-install-recommends)")
    build.build_all()
    return build.IMAGES


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Kafka, HDFS, ZooKeeper and RabbitMQ on this machine's loopback, as settings name them."""
    command = [sys.executable, "-m", "tests.containers.servers", str(tmp_path_factory.mktemp("real"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            missing("the real servers, which did not start")
        try:
            yield json.loads(line)
        finally:
            process.terminate()
