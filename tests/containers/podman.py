"""A container as a test holds it."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

# Without a systemd podman runs no health checks by itself, and says so as an error each time.
PODMAN = ("podman", "--log-level=fatal")
# podman would raise these limits above what a machine that is a container itself may have.
RUN = ("run", "--runtime=runc", "--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096")
# The same for what runs podman itself.
CONTAINERS_CONF = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
"""
STOP_SECONDS = 60
# A look into a container costs most of a second of processor time.
CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class Container:
    """A started container."""

    name: str

    def runs(self) -> bool:
        """Whether its process lives."""
        return self.inspect("{{.State.Running}}") == "true"

    def inspect(self, form: str) -> str:
        """What podman says of it, by a Go template."""
        return _podman("inspect", f"--format={form}", self.name).stdout.strip()

    def logs(self) -> str:
        """What it printed."""
        done = _podman("logs", self.name)
        return done.stdout + done.stderr

    def succeeds(self, *command: str) -> bool:
        """Whether a command inside it ends with 0; fails where the container has ended."""
        assert self.runs(), f"{self.name} ended:\n{self.logs()[-3000:]}"
        return _podman("exec", self.name, *command).returncode == 0

    def output(self, *command: str) -> str:
        """What a command inside it prints; fails with what it says."""
        done = _podman("exec", self.name, *command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def is_healthy(self) -> bool:
        """Whether its image's health check passes."""
        assert self.runs(), f"{self.name} ended:\n{self.logs()[-3000:]}"
        return _podman("healthcheck", "run", self.name).returncode == 0

    def wait_until(self, healthy: Callable[[], bool], seconds: float) -> None:
        """Waits for a health check, which may start a process in the container each time."""
        end = time.monotonic() + seconds
        while not healthy():
            assert time.monotonic() < end, f"{self.name} is not healthy:\n{self.logs()[-3000:]}"
            time.sleep(CHECK_SECONDS)

    def stop(self) -> int:
        """Asks it to end, and returns its exit code."""
        _podman("stop", f"--time={STOP_SECONDS}", self.name)
        return int(self.inspect("{{.State.ExitCode}}"))

    def start(self) -> None:
        """Starts it again."""
        assert _podman("start", self.name).returncode == 0


@contextmanager
def container(
    image: str, *options: str, command: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[Container]:
    """Runs an image, and removes the container and its volumes behind the test."""
    name = f"digits-test-{uuid.uuid4().hex[:8]}"
    variables = [f"--env={key}={value}" for key, value in (environment or {}).items()]
    try:
        done = _podman(*RUN, "--detach", f"--name={name}", *variables, *options, image, *command)
        assert done.returncode == 0, done.stderr
        yield Container(name)
    finally:
        _podman("rm", "--force", "--volumes", "--time=10", name)


def output(image: str, *command: str) -> str:
    """What a command prints in a container of its own that is gone behind it."""
    done = _podman(*RUN, "--rm", "--entrypoint=", image, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def inspect(image: str, form: str) -> str:
    """What an image says of itself, by a Go template."""
    return _podman("image", "inspect", f"--format={form}", image).stdout.strip()


def listed(*words: str) -> set[str]:
    """The lines that a podman command prints."""
    return set(_podman(*words).stdout.splitlines())


def _podman(*words: str) -> subprocess.CompletedProcess[str]:
    command = [*PODMAN, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)
