"""A NameNode that answers and takes nothing, in the middle of a training."""

from __future__ import annotations

import subprocess

from deploy.native.downloads import jars
from deploy.native.servers.java import find_java
from digits.v1 import training_pb2 as pb
from tests.e2e.test_outages import watched_to_the_end
from tests.service import Service
from tests.waiting import wait_until


def test_an_hdfs_in_safe_mode_is_waited_for_and_said_to_be(trained: Service) -> None:
    with trained.client() as client:
        stream = client.train(images_batch_path="tiny.npz", recipe="standard", promotion=pb.NEVER)
        job_id = next(progress.job_id for progress in stream if progress.micro_batch >= 2)
        _safe_mode(trained, "enter")
        try:
            wait_until(
                lambda: "safe mode" in client.get_job(job_id).last_problem, seconds=60, what="the cause"
            )
        finally:
            _safe_mode(trained, "leave")
        last, job = watched_to_the_end(client, job_id), client.get_job(job_id)
    assert (last.state, last.images_trained) == (pb.SUCCEEDED, last.images_total)
    # The one that ended well.
    assert job.attempt_count == 1


def _safe_mode(service: Service, what: str) -> None:
    conf = service.var_dir / "real" / "namenode" / "conf"
    command = [find_java(), "-cp", f"{conf}:{jars.folder('hdfs')}/*", "org.apache.hadoop.hdfs.tools.DFSAdmin"]
    subprocess.run([*command, "-safemode", what], check=True, capture_output=True, timeout=60)
