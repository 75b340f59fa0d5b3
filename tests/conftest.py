"""What every test may ask for. A server that is missing skips on a laptop and fails in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from xdist.remote import Producer

from deploy.native.errors import CannotStart
from deploy.native.folder import StateFolder
from deploy.native.servers import java
from deploy.native.servers.rabbitmq import rabbitmq_binary
from deploy.native.supervision import process_tags
from digits.client.errors import RemoteError
from digits.v1 import training_pb2
from tests.brokers import Broker, broker_of
from tests.collector import Collector
from tests.collector import collector as collecting
from tests.plain_pixels import SOME_PIXELS
from tests.ports import free_port
from tests.servers import valkey_server, zookeeper_server
from tests.service import Service
from tests.sharing import ByServers
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByServers:
    """Tests that use the same servers run in one process. What the command line names first begins first."""
    config.option.loadscopereorder = False
    return ByServers(config, log)


def missing(what: str) -> NoReturn:
    """Skips, or fails where everything has to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"CI needs {what}")
    pytest.skip(f"needs {what}")


def require_java() -> None:
    """Skips if no ZooKeeper can run here, or fails if everything has to be there."""
    try:
        java.find_java()
        java.spark_jars()
    except CannotStart as error:
        missing(str(error))


def require_rabbitmq() -> None:
    """Skips if RabbitMQ is not installed, or fails if everything has to be there."""
    if rabbitmq_binary() is None:
        missing("RabbitMQ: apt-get install rabbitmq-server")


@pytest.fixture(scope="session")
def zookeeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real ZooKeeper."""
    require_java()
    port = free_port()
    with zookeeper_server(tmp_path_factory.mktemp("zookeeper"), port):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real Valkey."""
    port = free_port()
    with valkey_server(tmp_path_factory.mktemp("valkey"), port):
        yield f"redis://127.0.0.1:{port}"


@pytest.fixture(params=["valkey", "rabbitmq"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    """A broker of the test's own, to be started and stopped."""
    if request.param == "rabbitmq":
        require_rabbitmq()
    return broker_of(request.param, tmp_path)


@pytest.fixture(scope="session")
def mnist() -> dict[str, np.ndarray]:
    """The real images and labels."""
    path = ROOT / "data" / "mnist.npz"
    if not path.exists():
        missing("data/mnist.npz: make test fetches it")
    with np.load(path) as arrays:
        return {name: arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")}


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where the service's spans are."""
    with collecting() as made:
        yield made


@pytest.fixture(scope="session")
def service(
    tmp_path_factory: pytest.TempPathFactory, mnist: dict[str, np.ndarray], collector: Collector
) -> Iterator[Service]:
    """The embedded service as processes, traced, on a state folder and a data folder of its own."""
    folder = tmp_path_factory.mktemp("service")
    # The SDK's own variable: spans come soon, and not every five seconds.
    traced = {"DIGITS_TRACE_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    data = data_folder(folder, mnist)
    yield from started(Service(folder / "var", data, free_port(), free_port(), more=traced))


def started(service: Service) -> Iterator[Service]:
    """Starts a service, and stops it after the tests; nothing of it is left."""
    service.up()
    try:
        yield service
    finally:
        service.down()
    assert process_tags.tagged(StateFolder.at(service.var_dir).root) == []


def data_folder(folder: Path, mnist: dict[str, np.ndarray]) -> Path:
    """A data folder with the documented picture, two slices of MNIST, and a reference set beside them."""
    data = folder / "data"
    (data / "test" / "data").mkdir(parents=True)
    (data / "test" / "data" / "n5.png").write_bytes((ROOT / "data/test/data/n5.png").read_bytes())
    _slice(mnist, 2_048, 512, data / "tiny.npz")
    _slice(mnist, 12_000, 2_000, data / "slice.npz")
    part = {name: array[-1_000:] for name, array in mnist.items()}
    np.savez_compressed(data / "reference.npz", **part)
    return data


@dataclass(frozen=True)
class BeforeTraining:
    """What a fresh service said."""

    serving: bool
    error: RemoteError


@pytest.fixture(scope="session")
def before_training(service: Service) -> BeforeTraining:
    """What the service says before its first model."""
    with service.client() as client, pytest.raises(RemoteError) as refused:
        serving = client.serving()
        client.classify(pixels=SOME_PIXELS)
    return BeforeTraining(serving, refused.value)


@pytest.fixture(scope="session")
def trained_service(service: Service, before_training: BeforeTraining) -> Service:
    """The same, with a model that serves."""
    train(service)
    return service


def train(service: Service) -> None:
    """Gives a service a model that serves."""
    with service.client() as client:
        progress = list(client.train(images_batch_path="slice.npz", promotion=training_pb2.ALWAYS, seed=1))
    assert progress[-1].state == training_pb2.SUCCEEDED
    wait_until(service.worker_serves(progress[-1].model_version), what="the new model in the worker")


def _slice(mnist: dict[str, np.ndarray], train: int, test: int, path: Path) -> None:
    np.savez_compressed(
        path,
        x_train=mnist["x_train"][:train],
        y_train=mnist["y_train"][:train],
        x_test=mnist["x_test"][:test],
        y_test=mnist["y_test"][:test],
    )
