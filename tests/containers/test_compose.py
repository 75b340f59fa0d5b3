"""docker-compose.yml as it is but for its two published ports: our images, and stand-ins for the systems'."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import psutil
import pytest

from digits.client.client import Client
from digits.v1 import digit_service_pb2
from tests.conftest import missing
from tests.containers.composed import SERVICES, Composed
from tests.containers.curl import curl
from tests.containers.podman import listed
from tests.containers.stand_ins.build import ensure
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(2400)]

OURS = [name for name, service in SERVICES.items() if "build" in service]
# Those of the service itself; the others are Spark's.
PROCESSES = ("bridge", "server", "classify-worker", "train-worker")
# By one of these, as podman's network is CNI's or netavark, containers find each other by their names.
NAME_SERVERS = (
    "/usr/lib/cni/dnsname",
    "/usr/lib/podman/aardvark-dns",
    "/usr/libexec/podman/aardvark-dns",
)


@pytest.fixture(scope="module")
def composed(images: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """All eleven containers, healthy."""
    if not any(map(os.path.exists, NAME_SERVERS)):
        missing(
            "names in podman's networks (apt-get install golang-github-containernetworking-plugin-dnsname)"
        )
    for image in sorted({service["image"] for service in SERVICES.values()} - set(images.values())):
        began = time.monotonic()
        print(f"{image} {ensure(image)}: {time.monotonic() - began:.0f} s", flush=True)
    folder = tmp_path_factory.mktemp("compose")
    started = Composed(f"digits-test-{uuid.uuid4().hex[:8]}", folder, free_port(), free_port())
    try:
        began = time.monotonic()
        started.up()
        print(f"all started after {time.monotonic() - began:.0f} s", flush=True)
        bridge = started.container("bridge")
        bridge.wait_until(bridge.is_healthy, 120)
        yield started
    finally:
        started.down()


def test_each_service_started_when_what_it_waits_for_was_healthy(composed: Composed) -> None:
    for name, service in SERVICES.items():
        for awaited in service.get("depends_on", {}):
            assert first_healthy(state(composed, awaited)) <= moment(state(composed, name)["StartedAt"]), name


def state(composed: Composed, service: str) -> dict[str, Any]:
    """What podman remembers of a container's run."""
    found: dict[str, Any] = json.loads(composed.container(service).inspect("{{json .State}}"))
    return found


def first_healthy(state: Mapping[str, Any]) -> datetime:
    """When a health check passed for the first time; in the far future if none did."""
    passed = (moment(check["End"]) for check in state["Health"]["Log"] or [] if check["ExitCode"] == 0)
    return min(passed, default=datetime.max.replace(tzinfo=UTC))


def moment(text: str) -> datetime:
    """A time as podman writes it."""
    return datetime.fromisoformat(text)


def test_the_documented_calls_give_the_documented_answers(composed: Composed) -> None:
    assert curl(composed.rest_port, "/digits/train", {"images_batch_path": "mnist.npz"}).strip() == "True"
    assert curl(composed.rest_port, "/digits/classify", {"image_path": "test/data/n5.png"}).strip() == "[5]"


def test_the_model_is_in_hdfs_and_a_worker_answers_with_it(composed: Composed) -> None:
    wait_until(lambda: answer(composed).served_by == digit_service_pb2.WORKER, what="the worker's answer")
    url = "http://localhost:9870/webhdfs/v1/digits/models?op=LISTSTATUS"
    files = json.loads(composed.container("namenode").output("curl", "-fsS", url))["FileStatuses"][
        "FileStatus"
    ]
    assert [file["pathSuffix"] for file in files] == [f"{answer(composed).model_version}.bundle"]


def answer(composed: Composed) -> digit_service_pb2.ClassifyResponse:
    """The server's answer, past the bridge."""
    with Client(f"127.0.0.1:{composed.grpc_port}") as client:
        return client.classify(image_path="test/data/n5.png", timeout_seconds=10)


@pytest.mark.parametrize("name", OURS)
def test_a_container_of_our_own_may_write_to_its_volume_alone_and_has_no_rights(
    composed: Composed, name: str
) -> None:
    container = composed.container(name)
    form = "{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{json .EffectiveCaps}}"
    assert container.inspect(form) in ("true digits null", "true digits []")
    writable = "for path in / /* /srv/digits/*; do test -w $path && echo $path; done; true"
    written = set(container.output("sh", "-c", writable).split())
    assert written <= {"/dev", "/proc", "/run", "/tmp", "/srv/digits/var"}  # noqa: S108


@pytest.mark.parametrize("name", ["classify-worker", "server", "bridge"])
def test_a_service_that_is_killed_comes_back_and_all_is_answered_as_before(
    composed: Composed, name: str
) -> None:
    container = composed.container(name)
    killed = container.inspect("{{.State.Pid}}")
    os.kill(int(killed), signal.SIGKILL)
    wait_until(lambda: container.inspect("{{.State.Pid}}") not in (killed, "0"), what=f"a new {name}")
    container.wait_until(container.is_healthy, 60)
    assert curl(composed.rest_port, "/digits/classify", {"image_path": "test/data/n5.png"}).strip() == "[5]"
    wait_until(lambda: answer(composed).served_by == digit_service_pb2.WORKER, what="the worker's answer")


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_ends_by_itself_when_its_container_is_stopped(composed: Composed, name: str) -> None:
    assert composed.container(name).stop() == 0


def test_down_leaves_no_container_network_volume_or_process(composed: Composed) -> None:
    containers = [composed.container(name) for name in SERVICES]
    mounts = {
        name for one in containers for name in one.inspect("{{range .Mounts}}{{.Name}} {{end}}").split()
    }
    pids = {int(one.inspect("{{.State.Pid}}")) for one in containers} - {0}
    assert mounts <= listed("volume", "ls", "--quiet")
    assert pids <= set(psutil.pids())
    said = composed.down()
    assert not {one.name for one in containers} & listed("ps", "--all", "--format={{.Names}}"), said
    assert f"{composed.project}_default" not in listed("network", "ls", "--format={{.Name}}"), said
    assert not mounts & listed("volume", "ls", "--quiet"), said
    wait_until(
        lambda: not pids & set(psutil.pids()) and not named(composed.project), what="every process's end"
    )


def named(project: str) -> list[str]:
    """The command lines of processes that name a project: podman's monitors, the network's name server."""
    commands = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [" ".join(words) for words in commands if project in " ".join(words)]
