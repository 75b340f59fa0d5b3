from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import requests

from tests.containers.curl import curl
from tests.containers.podman import Container, container
from tests.ports import free_port

pytestmark = [pytest.mark.containers, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def everything(images: Mapping[str, str], port: int) -> Iterator[Container]:
    """The default image, run as documented but for the port."""
    with container(images["embedded"], f"--publish=127.0.0.1:{port}:5000") as started:
        started.wait_until(started.is_healthy, 240)
        yield started


def test_the_documented_calls_give_the_documented_answers(everything: Container, port: int) -> None:
    assert curl(port, "/digits/train", {"images_batch_path": "mnist.npz"}).strip() == "True"
    assert curl(port, "/digits/classify", {"image_path": "test/data/n5.png"}).strip() == "[5]"


def test_it_ends_in_time_when_it_is_stopped_and_has_its_model_when_it_starts_again(
    everything: Container, port: int
) -> None:
    assert everything.stop() == 0
    everything.start()
    everything.wait_until(lambda: ready(port), 240)
    assert curl(port, "/digits/classify", {"image_path": "test/data/n5.png"}).strip() == "[5]"


def ready(port: int) -> bool:
    """Whether the bridge says that a classification would be answered."""
    try:
        return requests.get(f"http://localhost:{port}/readyz", timeout=5).ok
    except requests.RequestException:
        return False
