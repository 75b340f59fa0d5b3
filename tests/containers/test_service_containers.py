from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import yaml
from hdfs import InsecureClient

from digits.client.client import Client
from digits.v1 import digit_service_pb2
from tests.conftest import ROOT
from tests.containers.curl import curl
from tests.containers.podman import Container, container
from tests.ports import free_port

pytestmark = [pytest.mark.containers, pytest.mark.timeout(2400)]

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))[
    "services"
]
# Our own services, each behind those that it waits for, and the ports that they listen on there.
OURS = ("spark-master", "spark-worker", "train-worker", "classify-worker", "server", "bridge")
PORTS = ("7077", "8080", "8081", "50051", "5000")


@dataclass(frozen=True)
class Composed:
    """The service's own containers, by their names in docker-compose.yml."""

    containers: Mapping[str, Container]
    servers: Mapping[str, str]
    grpc_port: int
    rest_port: int


@pytest.fixture(scope="module")
def composed(images: Mapping[str, str], servers: Mapping[str, str]) -> Iterator[Composed]:
    """Our services as docker-compose.yml has them, but on the host's network and on free ports."""
    ports = {port: str(free_port()) for port in PORTS}
    started: dict[str, Container] = {}
    began = time.monotonic()

    def await_health(name: str) -> None:
        started[name].wait_until(partial(is_healthy, started[name], COMPOSE[name], ports), 240)
        print(f"{name} healthy after {time.monotonic() - began:.0f} s", flush=True)

    with ExitStack() as stack:
        for name in OURS:
            for awaited in set(COMPOSE[name].get("depends_on", ())) & set(started):
                await_health(awaited)
            started[name] = stack.enter_context(as_composed(COMPOSE[name], ports, servers))
        await_health("bridge")
        yield Composed(started, servers, int(ports["50051"]), int(ports["5000"]))


def as_composed(
    service: Mapping[str, Any], ports: Mapping[str, str], servers: Mapping[str, str]
) -> AbstractContextManager[Container]:
    """A container that differs from compose's in addresses alone."""
    named = {f"DIGITS_{name.upper()}": url for name, url in servers.items()}
    environment = {
        name: named.get(name) or moved([str(value)], ports)[0]
        for name, value in service["environment"].items()
    }
    here = {
        "DIGITS_GRPC_HOST": "127.0.0.1",
        "DIGITS_GRPC_PORT": ports["50051"],
        "DIGITS_REST_PORT": ports["5000"],
    }
    rights = ["--cap-drop=all", "--security-opt=no-new-privileges"]
    hosts = [f"--add-host={name}:127.0.0.1" for name in COMPOSE]
    return container(
        service["image"],
        "--network=host",
        *rights,
        *hosts,
        command=moved(service.get("command", []), ports),
        environment=environment | here,
    )


def is_healthy(started: Container, service: Mapping[str, Any], ports: Mapping[str, str]) -> bool:
    """Whether compose's health check passes, or the image's where compose has none of its own."""
    check = service["healthcheck"].get("test")
    return started.succeeds(*moved(check[1:], ports)) if check else started.is_healthy()


def moved(words: Sequence[str], ports: Mapping[str, str]) -> list[str]:
    """The words with other ports, and on loopback alone."""
    found = re.compile(rf"\b({'|'.join(PORTS)})\b")
    return [found.sub(lambda port: ports[port[0]], word).replace("0.0.0.0:", "127.0.0.1:") for word in words]


def test_the_documented_calls_go_through_the_containers_and_the_real_servers(composed: Composed) -> None:
    assert curl(composed.rest_port, "/digits/train", {"images_batch_path": "mnist.npz"}).strip() == "True"
    assert curl(composed.rest_port, "/digits/classify", {"image_path": "test/data/n5.png"}).strip() == "[5]"


def test_the_model_is_in_hdfs_and_a_worker_answers_with_it(composed: Composed) -> None:
    with Client(f"127.0.0.1:{composed.grpc_port}") as client:
        answer = client.classify(image_path="test/data/n5.png", timeout_seconds=10)
    assert answer.served_by == digit_service_pb2.WORKER
    store = composed.servers["store_url"].removeprefix("webhdfs://").removesuffix("/digits")
    names = InsecureClient(f"http://{store}", "anyone").list("/digits/models")
    assert names == [f"{answer.model_version}.bundle"]


@pytest.mark.parametrize("name", ["bridge", "server", "classify-worker", "train-worker"])
def test_a_process_ends_by_itself_when_its_container_is_stopped(composed: Composed, name: str) -> None:
    assert composed.containers[name].stop() == 0
