"""What ten times as many images take: time, and no more memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import shards
from benchmarks.held_memory import Held, looking
from benchmarks.service import running_service
from digits.client.client import Client
from digits.settings import Settings
from digits.v1 import training_pb2 as pb

FEW, MANY = 60_000, 600_000
# More than the parts' memory varies with the moment, and half of what the images beyond the few take.
ROOM = (MANY - FEW) * 785 // 2
# Java grows into its heap before it looks for garbage: 213 MB were seen, and this is 318.
ROOM_OF_JAVA = (MANY - FEW) * 785 * 3 // 4


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    data = tmp_path_factory.mktemp("many")
    shards.write(data / "few", FEW)
    shards.write(data / "many", MANY)
    with running_service(data_dir=data) as settings:
        held_by(settings, "few")
        yield settings


# Three minutes, and longer beside other tests on a slow machine.
@pytest.mark.timeout(600)
def test_ten_times_the_images_take_no_more_memory_in_any_process(settings: Settings) -> None:
    few, many = held_by(settings, "few"), held_by(settings, "many")
    assert {"server", "bridge", "classify-worker", "train-worker", "train-worker: java"} <= many.keys()
    more = {name: max(many[name]) - max(few.get(name, [0])) for name in many}
    rooms = {name: ROOM_OF_JAVA if "java" in name else ROOM for name in more}
    assert {name: rise for name, rise in more.items() if rise > rooms[name]} == {}


def held_by(settings: Settings, batch: str) -> Held:
    """What each process held while that was trained on."""
    with looking(settings) as held, Client(settings.server) as client:
        *_, last = client.train(images_batch_path=batch, promotion="NEVER")
    assert last.state == pb.SUCCEEDED, last.error.message
    return held
