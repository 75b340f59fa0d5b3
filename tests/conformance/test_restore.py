"""A real ZooKeeper that is put back to what it was: the alias is followed, down too."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from digits.adapters.memory import MemoryStore
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.models.registry import Registry
from digits.serving.model_loader import ModelLoader
from digits.serving.serving_model import ServingModel, ServingSnapshot
from tests.ports import free_port
from tests.servers import zookeeper_server
from tests.unit.serving_bench import move, published
from tests.waiting import wait_until


class ZooKeeperFolder:
    """A ZooKeeper on a folder that is copied and put back while it is down."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._backup = folder / "zookeeper", folder / "backup"
        self._folder.mkdir()
        self._port = free_port()

    @contextlib.contextmanager
    def session(self) -> Iterator[ZooKeeperCoordinator]:
        """A session on it while it runs."""
        with zookeeper_server(self._folder, self._port):
            coordinator = ZooKeeperCoordinator(f"zookeeper://127.0.0.1:{self._port}/digits", 4)
            try:
                wait_until(coordinator.connected, what="a session")
                yield coordinator
            finally:
                coordinator.close()

    def back_up(self) -> None:
        """Keeps what is there."""
        shutil.copytree(self._folder, self._backup)

    def restore(self) -> None:
        """Puts it back."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._backup, self._folder)


@pytest.fixture
def zookeeper_folder(tmp_path: Path) -> ZooKeeperFolder:
    return ZooKeeperFolder(tmp_path)


@contextlib.contextmanager
def following(
    coordinator: ZooKeeperCoordinator, store: MemoryStore, cache: Path
) -> Iterator[list[tuple[str, int]]]:
    """A process that follows the alias; yields the versions and generations that it served."""
    registry, served = Registry(coordinator), list[tuple[str, int]]()

    def changed(now: ServingSnapshot) -> None:
        served.append((now.loaded().version, now.generation))

    serving = ServingModel(registry, ModelLoader(registry, store), changed, cache)
    serving.start()
    try:
        yield served
    finally:
        serving.stop()


def test_a_restored_alias_is_followed_and_the_copy_on_disk_from_before_is_put_away(
    zookeeper_folder: ZooKeeperFolder, tmp_path: Path
) -> None:
    store, cache = MemoryStore(), tmp_path / "cache"
    with zookeeper_folder.session() as coordinator:
        move(coordinator, published(coordinator, store))
    zookeeper_folder.back_up()
    with zookeeper_folder.session() as coordinator, following(coordinator, store, cache) as served:
        move(coordinator, published(coordinator, store))
        wait_until(lambda: served[-1:] == [("v2", 2)], what="the newer version")
    zookeeper_folder.restore()
    with zookeeper_folder.session() as coordinator:
        with following(coordinator, store, cache) as served:
            wait_until(lambda: served[-1:] == [("v1", 1)], what="the restored version")
        assert served == [("v2", 2), ("v1", 1)], "the copy on disk, until the coordinator was heard"
        with following(coordinator, store, cache) as served:
            wait_until(lambda: bool(served))
        assert served == [("v1", 1)], "the copy on disk is the restored one"
