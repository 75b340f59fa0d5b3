"""A batch of two hundred files, whose trainers are killed again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest

from digits.v1 import training_pb2 as pb
from tests.opened import opened
from tests.simulation import invariants, spark
from tests.simulation.trainer import GOOD
from tests.simulation.world import SERVERS, TRAINERS, World

SHARDS, IMAGES_OF_SHARD = 200, 5
IMAGES = SHARDS * IMAGES_OF_SHARD
KILLS = 30


@pytest.fixture(params=["by the trainer", "by tasks"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for shard in range(SHARDS):
        images = spark.numbered(shard * IMAGES_OF_SHARD, (shard + 1) * IMAGES_OF_SHARD)
        others = spark.numbered(IMAGES, IMAGES + 2)
        arrays = {"x_train": images.pixels, "y_train": images.labels}
        held_out = {"x_test": others.pixels, "y_test": others.labels}
        np.savez(tmp_path / f"part-{shard:04}.npz", **arrays, **held_out)
    if request.param == "by tasks":
        spark.read_by_tasks(monkeypatch)
    monkeypatch.setattr(spark, "IMAGES", IMAGES)
    monkeypatch.setattr(spark, "dataset", lambda: opened(tmp_path, 10_000_000))
    made = World()
    yield made
    made.close()


def test_each_image_of_two_hundred_files_is_trained_once_an_epoch_whoever_is_killed(
    world: World, request: pytest.FixtureRequest
) -> None:
    random, kills = Random(5), 0  # noqa: S311
    world.submit(SERVERS[0], GOOD, "request")
    world.go(SERVERS[0], 10)
    for _ in range(2_000):
        trainer = random.choice(TRAINERS)
        world.tick(trainer)
        world.deliver(trainer, 0)
        world.go(trainer, random.randint(1, 300))
        if (busy := world.trainer(trainer)) and busy.job_id:
            world.kill(trainer)
            world.start(trainer)
            kills += 1
        if not world.open_jobs():
            break
        world.end_sessions()
        world.clock.seconds += 130
        world.tick(SERVERS[0])
        world.go(SERVERS[0], 20)
    world.settle()
    invariants.check_at_rest(world)
    (job,) = world.jobs()
    assert kills > 5
    assert (job.state, job.blocks_by_shard) == (pb.SUCCEEDED, "by tasks" in request.node.name)
    assert [len(seen) for seen in world.seen.values()] == [IMAGES]
