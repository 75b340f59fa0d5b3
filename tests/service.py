"""The service as a test holds it: started, stopped and broken through its own commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.native.folder import StateFolder
from deploy.native.supervision.managed_process import Phase
from deploy.native.supervision.record import ProcessRecord, RunRecord
from digits.client.client import Client
from digits.settings import Settings
from digits.v1 import digit_service_pb2
from tests.plain_pixels import SOME_PIXELS
from tests.waiting import wait_until

DIGITS = str(Path(sys.executable).with_name("digits"))


@dataclass(frozen=True)
class Service:
    """One state folder, one data folder, two ports."""

    var_dir: Path
    data_dir: Path
    grpc_port: int
    rest_port: int
    stack: str = "embedded"
    more: Mapping[str, str] = field(default_factory=dict)
    """Further variables."""
    spark_master: str | None = None

    @property
    def grpc_address(self) -> str:
        """Where gRPC is."""
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def rest_url(self) -> str:
        """Where REST is."""
        return f"http://127.0.0.1:{self.rest_port}"

    def client(self) -> Client:
        """A new client."""
        return Client(self.grpc_address)

    def environment(self) -> dict[str, str]:
        """What the service's commands read."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DIGITS_")}
        return clean | {
            "DIGITS_VAR_DIR": str(self.var_dir),
            "DIGITS_DATA_DIR": str(self.data_dir),
            "DIGITS_GRPC_PORT": str(self.grpc_port),
            "DIGITS_REST_PORT": str(self.rest_port),
            "DIGITS_REFERENCE_BATCH": "reference.npz",
            **self.more,
            **({"DIGITS_SPARK_MASTER": self.spark_master} if self.spark_master else {}),
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `digits` against this service."""
        return subprocess.run(
            [DIGITS, *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )

    def up(self) -> None:
        """Starts it and waits until it is ready."""
        done = self.command("up", "--detach", "--stack", self.stack)
        assert done.returncode == 0, done.stdout + done.stderr

    def down(self) -> None:
        """Stops it and waits until it is gone."""
        done = self.command("down")
        assert done.returncode == 0, done.stdout + done.stderr

    def part(self, name: str) -> ProcessRecord:
        """A part as its supervisor wrote it down last; `digits status` would ask each part, for a second."""
        record = RunRecord.read(StateFolder.at(self.var_dir))
        assert record, "the service does not run"
        return next(part for part in record.processes if part.name == name)

    def process(self, name: str) -> psutil.Process:
        """A part's process."""
        return psutil.Process(self.part(name).pid)

    def is_up_again(self, name: str, before: int) -> Callable[[], bool]:
        """A condition: another process than the one before is up."""

        def again() -> bool:
            part = self.part(name)
            return part.phase == Phase.UP and part.pid not in (0, before)

        return again

    def settings(self) -> Settings:
        """What its processes were given."""
        record = RunRecord.read(StateFolder.at(self.var_dir))
        assert record, "the service does not run"
        return Settings(**record.settings)

    def worker_serves(self, version: str) -> Callable[[], bool]:
        """A condition: a classify worker answers with that version."""

        def serves() -> bool:
            with self.client() as client:
                answer = client.classify(pixels=SOME_PIXELS, timeout_seconds=10)
            return (answer.model_version, answer.served_by) == (version, digit_service_pb2.WORKER)

        return serves

    def health(self, name: str) -> str:
        """What gRPC's health service says of a part, or why it does not answer."""
        try:
            with grpc.insecure_channel(self.grpc_address) as channel:
                request = health_pb2.HealthCheckRequest(service=name)
                answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=2)
        except grpc.RpcError as error:
            return str(error)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))

    @contextmanager
    def kept_serving(self) -> Iterator[str]:
        """The version that serves, again at the end."""
        with self.client() as client:
            version = client.get_model("serving").version
        yield version
        # Of a server that was restarted meanwhile, an older client may not have heard yet.
        with self.client() as client:
            client.promote_model(version)
        wait_until(self.worker_serves(version), what=f"{version} in the worker")
