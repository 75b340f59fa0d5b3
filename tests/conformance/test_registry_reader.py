"""What `digits status` and the supervisor read of a real ZooKeeper."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

from deploy.native.service.registry_reader import RegistryReader
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.ports import Create
from digits.v1 import training_pb2 as pb
from tests.ports import free_port
from tests.servers import zookeeper_server
from tests.waiting import wait_until

JUNK = b"\xff\x00junk"


def test_junk_in_zookeeper_costs_neither_status_nor_the_supervisor_a_word(zookeeper: str) -> None:
    url = f"zookeeper://{zookeeper}/junk"
    with closing(ZooKeeperCoordinator(url, 6.0)) as coordinator, closing(RegistryReader(url)) as reader:
        worker = pb.WorkerStatus(role="train", process_id=os.getpid())
        for role in ("train", "classify"):
            coordinator.commit(Create(f"/workers/{role}/junk", JUNK))
        coordinator.commit(Create("/serving", JUNK))
        coordinator.commit(Create("/workers/train/good", worker.SerializeToString()))
        assert reader.worker_registered("train", os.getpid())
        assert not reader.worker_registered("classify", os.getpid())
        assert (reader.serving_version(), reader.serving_problem()) == ("", "")


def test_whoever_starts_zookeeper_again_never_waits_for_it_and_soon_sees_that_it_is_back(
    tmp_path: Path,
) -> None:
    port = free_port()
    url = f"zookeeper://127.0.0.1:{port}/away"
    me = pb.WorkerStatus(role="train", process_id=os.getpid()).SerializeToString()
    with closing(RegistryReader(url)) as reader:
        with zookeeper_server(tmp_path, port), closing(ZooKeeperCoordinator(url, 6.0)) as coordinator:
            coordinator.commit(Create("/workers/train/me", me))
            assert reader.worker_registered("train", os.getpid())
        until = time.monotonic() + 10
        for _ in range(400):
            assert not reader.worker_registered("train", os.getpid())
            assert time.monotonic() < until
        with zookeeper_server(tmp_path, port):
            wait_until(lambda: reader.worker_registered("train", os.getpid()), 5)
