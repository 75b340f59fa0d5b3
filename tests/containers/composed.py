"""docker-compose.yml brought up and down by podman-compose, as a project of its own and on free ports."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT
from tests.containers.podman import CONTAINERS_CONF, Container

FILE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
PODMAN = Path(__file__).with_name("podman-with-health")
# Measured: 85 s on two quiet cores, 270 s on busy ones.
UP_SECONDS = 600


class Override(yaml.SafeDumper):
    """YAML that puts its lists in the place of the file's, by compose's own tag."""


Override.add_representer(tuple, lambda dumper, ports: dumper.represent_sequence("!override", ports))


@dataclass(frozen=True)
class Composed:
    """A compose project; its folder holds what differs from docker-compose.yml: the two published ports."""

    project: str
    folder: Path
    rest_port: int
    grpc_port: int

    def up(self) -> None:
        """Starts each container when what it waits for is healthy; fails with what compose said."""
        bridge = {"ports": (f"127.0.0.1:{self.rest_port}:5000",)}
        server = {"ports": (f"127.0.0.1:{self.grpc_port}:50051",)}
        override = yaml.dump({"services": {"bridge": bridge, "server": server}}, Dumper=Override)
        (self.folder / "ports.yml").write_text(override, encoding="utf-8")
        (self.folder / "containers.conf").write_text(CONTAINERS_CONF, encoding="utf-8")
        done = self._compose("up", "--detach", "--no-build")
        assert done.returncode == 0, done.stdout[-3000:]

    def down(self) -> str:
        """Removes everything, volumes too; returns what compose said."""
        return self._compose("down", "--volumes").stdout

    def container(self, service: str) -> Container:
        """The container of a service."""
        return Container(f"{self.project}_{service}_1")

    def _compose(self, *words: str) -> subprocess.CompletedProcess[str]:
        files = ("--file", str(FILE), "--file", str(self.folder / "ports.yml"))
        options = ("--podman-path", str(PODMAN), "--project-name", self.project, *files)
        return subprocess.run(
            [sys.executable, "-m", "podman_compose", *options, *words],
            env=os.environ | {"CONTAINERS_CONF": str(self.folder / "containers.conf")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=UP_SECONDS,
        )
