"""A trainer that is killed, stopped, cut off or told to stop: no image is lost or trained twice."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil
import pytest

from digits.adapters.removal import remove_folder
from digits.client.errors import RemoteError
from digits.v1 import training_pb2 as pb
from tests.faults.long_job import IMAGES_OF_LONG_JOB, start_long_job
from tests.service import Service
from tests.small_disk import small_disk
from tests.waiting import wait_until


def test_a_killed_trainer_resumes_from_its_checkpoint_and_trains_each_image_once(
    breakable_service: Service,
) -> None:
    job_id = start_long_job(breakable_service)
    with breakable_service.client() as client:
        interrupted = client.get_job(job_id)
        before, before_lease_id = interrupted.progress, interrupted.lease_id
        breakable_service.process("train-worker").kill()
        after = [progress for progress in client.watch_job(job_id) if progress.images_trained]
        job = client.get_job(job_id)
    assert min(progress.images_trained for progress in after) >= before.images_trained
    assert job.lease_id > before_lease_id
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1), "it got further, so attempts count anew"
    assert job.progress.images_trained == job.progress.images_total == IMAGES_OF_LONG_JOB
    assert _scratch_folders(breakable_service) == [], "the next worker removes what the killed one left"


def test_a_spark_that_died_while_idle_costs_no_attempt(breakable_service: Service) -> None:
    worker = breakable_service.process("train-worker")
    java = next(child for child in worker.children(recursive=True) if child.name() == "java")
    java.kill()
    with breakable_service.client() as client:
        last = list(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))[-1]
        job = client.get_job(last.job_id)
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1)


def test_a_full_disk_fails_the_job_says_so_and_keeps_nothing_of_it(breakable_service: Service) -> None:
    # Room for one checkpoint and a half.
    disk = small_disk(breakable_service.var_dir / "store" / "checkpoints", 1_000_000)
    with disk as checkpoints, breakable_service.client() as client:
        with pytest.raises(RemoteError, match="No space left"):
            list(client.train(images_batch_path="tiny.npz", recipe="standard"))
        job = client.list_jobs().jobs[0]
        assert (job.state, job.attempt_count) == (pb.FAILED, 1)
        wait_until(
            lambda: not _folders_of(breakable_service, job.job_id), what="the end of what the job wrote"
        )
        assert list(checkpoints.iterdir()) == []
    with breakable_service.client() as client:
        last = list(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))[-1]
    assert last.state == pb.SUCCEEDED


def test_a_trainer_told_to_stop_hands_its_job_over_at_the_next_checkpoint(breakable_service: Service) -> None:
    job_id = start_long_job(breakable_service)
    trainer = breakable_service.process("train-worker")
    with breakable_service.client() as client:
        trainer.terminate()
        trainer.wait(timeout=30)
        handed_over = client.get_job(job_id)
        after = [progress for progress in client.watch_job(job_id) if progress.images_trained]
        job = client.get_job(job_id)
    assert (handed_over.state, handed_over.attempt_count) == (pb.TRAINING, 0)
    assert min(progress.images_trained for progress in after) >= handed_over.progress.images_trained > 0
    assert (job.state, job.attempt_count) == (pb.SUCCEEDED, 1), "being handed over is no attempt"
    assert job.progress.images_trained == job.progress.images_total == IMAGES_OF_LONG_JOB


def test_a_killed_executor_costs_no_image(breakable_service: Service) -> None:
    job_id = start_long_job(breakable_service)
    worker = breakable_service.process("train-worker")
    executors = [child for child in worker.children(recursive=True) if "pyspark.worker" in _command(child)]
    max(executors, key=lambda process: process.memory_info().rss).kill()
    with breakable_service.client() as client:
        job = [client.get_job(job_id) for _ in client.watch_job(job_id)][-1]
    assert job.state == pb.SUCCEEDED
    assert job.progress.images_trained == job.progress.images_total


def test_a_log_that_is_removed_in_a_later_epoch_is_made_again_and_loses_no_image(
    breakable_service: Service,
) -> None:
    job_id = start_long_job(breakable_service)
    # Its blocks still come: a folder that is written to goes by its name at once.
    remove_folder(breakable_service.var_dir / "log" / job_id)
    with breakable_service.client() as client:
        last = list(client.watch_job(job_id))[-1]
    assert (last.state, last.images_trained) == (pb.SUCCEEDED, last.images_total)


def test_a_file_that_changes_in_a_job_fails_it_with_that_sentence(breakable_service: Service) -> None:
    batch = breakable_service.data_dir / "changing.npz"
    shutil.copy(breakable_service.data_dir / "tiny.npz", batch)
    with (
        breakable_service.client() as client,
        pytest.raises(RemoteError, match=r"changing\.npz changed after"),
    ):
        for progress in client.train(images_batch_path="changing.npz", recipe="standard", promotion=pb.NEVER):
            if progress.micro_batch == 2:
                os.utime(batch, (0, 0))


def test_temporary_files_of_a_trainer_are_below_the_state_folder(breakable_service: Service) -> None:
    written = list((breakable_service.var_dir / "spark" / "tmp").glob("*/__autograph_generated_file*"))
    assert written, "TensorFlow writes one for each function that it compiles"


def test_cancel_takes_effect_within_one_micro_batch_and_is_no_failure_to_spark(
    breakable_service: Service,
) -> None:
    job_id = start_long_job(breakable_service)
    log = breakable_service.var_dir / "logs" / "train-worker.log"
    before = log.stat().st_size
    with breakable_service.client() as client:
        asked = client.cancel_job(job_id)
        last = list(client.watch_job(job_id))[-1]
    assert last.state == pb.CANCELLED
    assert last.micro_batch <= asked.progress.micro_batch + 1
    written = log.read_bytes()[before:]
    assert written and b"Exception" not in written


def _scratch_folders(service: Service) -> list[Path]:
    """What Spark's epochs left."""
    return list((service.var_dir / "spark" / "epochs").glob("*"))


def _folders_of(service: Service, job_id: str) -> list[Path]:
    return [path for path in service.var_dir.rglob(f"*{job_id}*") if path.is_dir()]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
