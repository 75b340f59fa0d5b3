"""What `digits status` and the supervisor read of a real ZooKeeper."""

from __future__ import annotations

import os
from contextlib import closing

from deploy.native.service.registry_reader import RegistryReader
from digits.adapters.zookeeper import ZooKeeperCoordinator
from digits.ports import Create
from digits.v1 import training_pb2 as pb

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
