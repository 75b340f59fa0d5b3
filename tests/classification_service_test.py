"""Asks a running service, as a client would, which digit data/test/data/n5.png shows.

    python -m tests.classification_service_test

asks the service at DIGITS_SERVER_ADDRESS (127.0.0.1:50051 unless set) and its REST bridge, prints what
each says, and exits with 1 where one of them does not see a five. pytest runs the same against a service
that it starts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.imaging.candidates import candidates
from digits.settings import Settings
from tests.service import Service

FIVE = "test/data/n5.png"
MAX_BYTES = 1 << 20

Question = Callable[[], int]


def questions(client: Client, rest_url: str, data_dir: Path) -> dict[str, Question]:
    """Every way to ask for the five: name → function that returns the digit."""
    picture = (data_dir / FIVE).read_bytes()
    pixels = candidates(picture, MAX_BYTES, "image")[0].pixels.tobytes()
    return {
        "gRPC, by path": lambda: client.classify(image_path=FIVE).digit,
        "gRPC, by bytes": lambda: client.classify(image=picture).digit,
        "gRPC, by pixels": lambda: client.classify(pixels=pixels).digit,
        "REST, by path": lambda: _over_rest(rest_url, json={"image_path": FIVE}),
        "REST, by bytes": lambda: _over_rest(rest_url, files={"image": picture}),
    }


def _over_rest(rest_url: str, **request: Any) -> int:
    reply = requests.post(f"{rest_url}/digits/classify", timeout=30, **request)
    reply.raise_for_status()
    (digit,) = reply.json()
    return int(digit)


@pytest.mark.parametrize("way", ["path", "bytes", "pixels"])
def test_the_service_sees_a_five_over_grpc(trained_service: Service, way: str) -> None:
    with Client(trained_service.grpc_address) as client:
        ways = questions(client, trained_service.rest_url, trained_service.data_dir)
        assert ways[f"gRPC, by {way}"]() == 5


@pytest.mark.parametrize("way", ["path", "bytes"])
def test_the_service_sees_a_five_over_rest(trained_service: Service, way: str) -> None:
    with Client(trained_service.grpc_address) as client:
        ways = questions(client, trained_service.rest_url, trained_service.data_dir)
        assert ways[f"REST, by {way}"]() == 5


def main(settings: Settings) -> int:
    """Asks in every way, prints the answers, and returns the process's exit status."""
    wrong = 0
    rest_url = f"http://{settings.rest_host}:{settings.rest_port}"
    with Client(settings.server) as client:
        for name, ask in questions(client, rest_url, settings.data_dir).items():
            try:
                digit = ask()
            except (RemoteError, requests.RequestException) as error:
                print(f"{name}: {error}")
                wrong += 1
                continue
            print(f"{name}: {digit}")
            wrong += digit != 5
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Settings()))
