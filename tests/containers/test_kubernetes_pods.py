"""The pods of the overlay `single` that are ours, run by podman from the manifests that kustomize builds."""

from __future__ import annotations

import base64
import copy
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from deploy.native.service.grpc_server import server_answers
from digits.client.client import Client
from digits.v1 import digit_service_pb2
from tests.conftest import missing
from tests.containers.curl import curl
from tests.containers.podman import CONTAINERS_CONF, Container
from tests.kubernetes.conftest import Manifest, build
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]

OURS = ("server", "bridge", "classify-worker", "train-worker")


@dataclass(frozen=True)
class Pods:
    """The started pods, and where they answer."""

    grpc_port: int
    rest_port: int
    health_port: int

    def container(self, name: str) -> Container:
        """The one container of a Deployment's pod."""
        return Container(f"{name}-pod-0-{name}")


@pytest.fixture(scope="module")
def single() -> list[Manifest]:
    """The overlay's objects."""
    return build("single")


@pytest.fixture(scope="module")
def pods(
    images: Mapping[str, str],
    servers: Mapping[str, str],
    single: list[Manifest],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pods]:
    """All four, on this machine's network and on free ports; everything else is as in the manifests."""
    if not shutil.which("catatonit"):
        missing("catatonit, which holds a pod's namespaces (apt-get install catatonit)")
    folder = tmp_path_factory.mktemp("pods")
    started = Pods(free_port(), free_port(), free_port())
    config, manifests = folder / "containers.conf", folder / "single.yaml"
    config.write_text(CONTAINERS_CONF)
    manifests.write_text(yaml.safe_dump_all(playable(single, started, servers)))
    # This podman reads a Secret as the JSON of its data, but does not make it so itself.
    secret, broker = (
        next(found["metadata"]["name"] for found in single if found["kind"] == "Secret"),
        folder / "broker",
    )
    broker.write_text(
        json.dumps({"DIGITS_BROKER_URL": base64.b64encode(servers["broker_url"].encode()).decode()})
    )
    try:
        _podman(config, "secret", "create", secret, str(broker))
        done = _podman(config, "kube", "play", str(manifests))
        assert done.returncode == 0, done.stdout + done.stderr
        yield started
    finally:
        _podman(config, "pod", "rm", "--force", "--time=10", *(f"{name}-pod-0" for name in OURS))
        _podman(config, "secret", "rm", secret)


def playable(objects: list[Manifest], started: Pods, servers: Mapping[str, str]) -> Iterator[Manifest]:
    """What podman knows of the objects, with other addresses."""
    addresses = {
        **{
            f"DIGITS_{name.upper()}": url.replace("/digits", "/pods")
            for name, url in servers.items()
            if name != "broker_url"
        },
        "DIGITS_GRPC_HOST": "127.0.0.1",
        "DIGITS_REST_HOST": "127.0.0.1",
        "DIGITS_GRPC_PORT": str(started.grpc_port),
        "DIGITS_REST_PORT": str(started.rest_port),
        "DIGITS_HEALTH_PORT": str(started.health_port),
        # All pods share this network, and so one port for the metrics of each.
        "DIGITS_METRICS_PORT": "0",
    }
    for found in copy.deepcopy(objects):
        name = found["metadata"]["name"]
        if found["kind"] == "ConfigMap":
            found["data"] |= addresses
            yield found
        elif found["kind"] == "Deployment" and name in OURS:
            pod = found["spec"]["template"]["spec"]
            pod["hostNetwork"] = True
            (container,) = pod["containers"]
            # podman maps ports, which makes no sense on the host's own network.
            container.pop("ports", None)
            for variable in container.get("env", []):
                if variable["name"] == "DIGITS_SERVER_ADDRESS":
                    variable["value"] = f"dns:///localhost:{started.grpc_port}"
            yield found


def _podman(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["podman", "--log-level=error", *words]
    return subprocess.run(
        command,
        env=os.environ | {"CONTAINERS_CONF": str(config)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_pods_of_single_train_and_classify(pods: Pods, single: list[Manifest]) -> None:
    address = f"127.0.0.1:{pods.health_port}"
    wait_until(lambda: server_answers(address), seconds=120, what="the server's health port")
    for name in ("train-worker", "classify-worker"):
        pods.container(name).wait_until(registered(pods, single, name), 240)
    assert curl(pods.rest_port, "/digits/train", {"images_batch_path": "mnist.npz"}).strip() == "True"
    assert curl(pods.rest_port, "/digits/classify", {"image_path": "test/data/n5.png"}).strip() == "[5]"
    with Client(f"127.0.0.1:{pods.grpc_port}") as client:
        answer = client.classify(image_path="test/data/n5.png", timeout_seconds=10)
    assert answer.served_by == digit_service_pb2.WORKER


def registered(pods: Pods, single: list[Manifest], name: str) -> Callable[[], bool]:
    """Whether the worker's own startup probe succeeds."""
    (deployment,) = [one for one in single if one["kind"] == "Deployment" and one["metadata"]["name"] == name]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    command = container["startupProbe"]["exec"]["command"]
    return lambda: pods.container(name).succeeds(*command)


@pytest.mark.parametrize("name", OURS)
def test_a_pods_container_has_the_rights_of_its_manifest(pods: Pods, name: str) -> None:
    form = "{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{json .EffectiveCaps}}"
    read_only, user, capabilities = pods.container(name).inspect(form).split(" ", 2)
    assert (read_only, user.split(":")[0]) == ("true", "10001")
    assert not json.loads(capabilities)


@pytest.mark.parametrize("name", ["bridge", "server", "classify-worker", "train-worker"])
def test_a_pods_process_ends_by_itself_within_its_grace(pods: Pods, name: str) -> None:
    began = time.monotonic()
    assert pods.container(name).stop() == 0
    assert time.monotonic() - began < 30
