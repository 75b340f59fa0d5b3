"""What a job leaves in the store, the log and ZooKeeper once it is over, on the running service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from grpc import StatusCode

from digits import bootstrap
from digits.client.errors import RemoteError
from digits.ports import Coordinator, Create, Delete
from digits.v1 import training_pb2 as pb
from tests.faults.long_job import start_long_job
from tests.service import Service
from tests.waiting import wait_until


@contextmanager
def busy_trainer(service: Service) -> Iterator[None]:
    """Has the train worker work at a job meanwhile, so that all others wait."""
    job_id = start_long_job(service)
    try:
        yield
    finally:
        with service.client() as client:
            client.cancel_job(job_id)
            list(client.watch_job(job_id))


@contextmanager
def zookeeper_of(service: Service) -> Iterator[Coordinator]:
    """A session of our own with the service's ZooKeeper."""
    coordinator = bootstrap.coordinator(service.settings())
    try:
        yield coordinator
    finally:
        coordinator.close()


def left(service: Service) -> set[str]:
    """Every file below uploads/, checkpoints/ and the log."""
    folders = (service.var_dir / "store" / "uploads", service.var_dir / "store" / "checkpoints")
    return {
        str(path)
        for folder in (*folders, service.var_dir / "log")
        for path in folder.rglob("*")
        if path.is_file()
    }


def upload(service: Service, request_id: str = "", seed: int = 0) -> pb.TrainProgress:
    """Sends the small batch's bytes and returns the job's first progress."""
    batch = (service.data_dir / "tiny.npz").read_bytes()
    with service.client() as client:
        return next(client.train(images_batch=batch, request_id=request_id, seed=seed, promotion=pb.NEVER))


def test_a_job_cancelled_while_it_waits_leaves_nothing(breakable_service: Service) -> None:
    with busy_trainer(breakable_service), zookeeper_of(breakable_service) as coordinator:
        before = left(breakable_service)
        waiting = upload(breakable_service)
        assert any(waiting.job_id in name for name in left(breakable_service) - before)
        with breakable_service.client() as client:
            assert client.cancel_job(waiting.job_id).state == pb.CANCELLED
        wait_until(
            lambda: not any(waiting.job_id in name for name in left(breakable_service)), what="an empty store"
        )
        wait_until(lambda: waiting.job_id not in coordinator.children("/open"), what="the end of the job")


def test_a_refused_upload_and_a_repeated_one_leave_nothing(breakable_service: Service) -> None:
    with busy_trainer(breakable_service):
        first = upload(breakable_service, request_id="kept once")
        uploads = breakable_service.var_dir / "store" / "uploads"
        assert upload(breakable_service, request_id="kept once").job_id == first.job_id
        with pytest.raises(RemoteError) as conflict:
            upload(breakable_service, request_id="kept once", seed=1)
        assert conflict.value.code == StatusCode.ALREADY_EXISTS
        assert [path.name for path in uploads.iterdir()] == [f"{first.job_id}.npz"]
        with breakable_service.client() as client:
            client.cancel_job(first.job_id)


def test_a_record_of_junk_costs_itself_and_nobody_else(breakable_service: Service) -> None:
    junk = "99999999-235959999-junk"
    with zookeeper_of(breakable_service) as coordinator, breakable_service.client() as client:
        coordinator.commit(Create(f"/jobs/{junk}", b"\xff junk"), Create(f"/open/{junk}", b""))
        try:
            with pytest.raises(RemoteError) as damaged:
                client.get_job(junk)
            assert damaged.value.code == StatusCode.DATA_LOSS
            assert "holds no record of that job" in damaged.value.message
            done = list(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))[-1]
            assert done.state == pb.SUCCEEDED
            assert client.list_jobs(page_size=1).jobs[0].job_id == done.job_id
            wait_until(lambda: coordinator.children("/open") == [junk], what="a reconciler that works")
        finally:
            coordinator.commit(Delete(f"/jobs/{junk}", 0), Delete(f"/open/{junk}", 0))


def test_finished_jobs_are_pruned_by_hand_and_their_request_ids_are_free_again(
    breakable_service: Service,
) -> None:
    with breakable_service.client() as client:

        def train(seed: int) -> str:
            asked = client.train(
                images_batch_path="tiny.npz", promotion=pb.NEVER, request_id="pruned", seed=seed
            )
            return list(asked)[-1].job_id

        first = train(seed=0)
        wait_until(lambda: first in client.prune_jobs(max_count=0, dry_run=True), what="a job to prune")
        assert first in client.prune_jobs(max_count=0)
        with pytest.raises(RemoteError) as gone:
            client.get_job(first)
        assert gone.value.code == StatusCode.NOT_FOUND
        assert train(seed=1) != first


def test_versions_that_never_served_are_pruned_unless_they_are_pinned(breakable_service: Service) -> None:
    with breakable_service.client() as client:
        made = [
            list(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER))[-1].model_version
            for _ in range(2)
        ]
        serving = client.get_model("serving").version
        client.pin_model(made[0])
        pruned = client.prune_models(max_count=0)
        left_over = {model.version for model in client.list_models().models}
    assert made[1] in pruned
    assert {made[0], serving} <= left_over
    assert made[1] not in left_over
    assert not (breakable_service.var_dir / "store" / "models" / f"{made[1]}.bundle").exists()
