"""A NameNode that answers and takes nothing, in the middle of a training."""

from __future__ import annotations

import subprocess
import time

import pytest

from deploy.native.downloads import jars
from deploy.native.servers.java import find_java
from digits.client.client import Client
from digits.v1 import training_pb2 as pb
from tests.e2e.test_outages import watched_to_the_end
from tests.processes import suspended
from tests.service import Service
from tests.waiting import wait_until

# How long nothing is written: a minute is what a restart takes, six what a large one does.
LONG_SECONDS = 360.0
LATE_SECONDS = 40.0


def test_an_hdfs_in_safe_mode_is_waited_for_and_said_to_be(trained: Service) -> None:
    _trains_through_safe_mode(trained, 0.0)


@pytest.mark.long
def test_six_minutes_of_safe_mode_cost_no_attempt(trained: Service) -> None:
    _trains_through_safe_mode(trained, LONG_SECONDS)


def _trains_through_safe_mode(trained: Service, seconds: float) -> None:
    with trained.client() as client:
        job_id = _begun(client)
        _safe_mode(trained, "enter")
        try:
            wait_until(
                lambda: "safe mode" in client.get_job(job_id).last_problem, seconds=60, what="the cause"
            )
            # The fault itself: nothing is waited for.
            time.sleep(seconds)
        finally:
            _safe_mode(trained, "leave")
        _ends_well(client, job_id)


@pytest.mark.long
def test_a_name_node_that_is_back_before_its_data_node_costs_no_attempt(trained: Service) -> None:
    with trained.client() as client:
        job_id = _begun(client)
        killed = trained.process("namenode")
        with suspended(trained.process("datanode")):
            killed.kill()
            wait_until(trained.is_up_again("namenode", killed.pid), seconds=90, what="a new NameNode")
            time.sleep(LATE_SECONDS)
        _ends_well(client, job_id)


def _begun(client: Client) -> str:
    """The id of a training of which two micro-batches are committed."""
    stream = client.train(images_batch_path="tiny.npz", recipe="standard", promotion=pb.NEVER)
    return next(progress.job_id for progress in stream if progress.micro_batch >= 2)


def _ends_well(client: Client, job_id: str) -> None:
    last, job = watched_to_the_end(client, job_id), client.get_job(job_id)
    assert (last.state, last.images_trained) == (pb.SUCCEEDED, last.images_total)
    # The one that ended well.
    assert job.attempt_count == 1


def _safe_mode(service: Service, what: str) -> None:
    conf = service.var_dir / "real" / "namenode" / "conf"
    command = [find_java(), "-cp", f"{conf}:{jars.folder('hdfs')}/*", "org.apache.hadoop.hdfs.tools.DFSAdmin"]
    subprocess.run([*command, "-safemode", what], check=True, capture_output=True, timeout=60)
