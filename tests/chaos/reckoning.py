"""Once nothing goes wrong any more: whether every accepted job succeeded once, and nothing is left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from digits import bootstrap
from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.final_states import FINAL
from digits.jobs.states import job_path
from digits.v1 import models_pb2
from digits.v1 import training_pb2 as pb
from tests.chaos.ledger import Batch, Ledger
from tests.chaos.load import found_no_room, is_success
from tests.service import Service
from tests.waiting import wait_until


def reckon(service: Service, ledger: Ledger, seconds: float) -> None:
    """Waits for every accepted job, and adds to the ledger's violations what is not as was promised."""
    with Client(service.grpc_address, patience_seconds=60) as client:
        # The last fault may have been the server's end.
        wait_until(lambda: _answers(client), seconds=seconds, what="the server")
        for request_id, (job_id, batch) in ledger.accepted.items():
            with _violating(ledger, f"{job_id} does not end"):
                wait_until(lambda job_id=job_id: client.get_job(job_id).state in FINAL, seconds=seconds)
                job = client.get_job(job_id)
                if request_id in ledger.excused and found_no_room(job):
                    ledger.note("trainings that a full disk failed, and said so")
                else:
                    _check_job(client, ledger, job, batch)
        _check_once(client, ledger)
    with _violating(ledger, "something is left"):
        wait_until(lambda: not left(service), seconds=60)
    for name in left(service):
        ledger.violate(f"left: {name}")


def _answers(client: Client) -> bool:
    try:
        client.list_jobs(page_size=1)
    except RemoteError:
        return False
    return True


def left(service: Service) -> list[str]:
    """What belongs to jobs that are over: files, logs, and nodes.

    An upload whose job was never recorded, since its server ended in between, is the sweep's in a day.
    """
    folders = ("store/uploads", "store/checkpoints", "log", "spark/epochs")
    files = [path for folder in folders for path in (service.var_dir / folder).rglob("*") if path.is_file()]
    coordinator = bootstrap.coordinator(service.settings())
    try:
        owned = [
            path for path in files if path.parent.name != "uploads" or coordinator.get(job_path(path.stem))
        ]
        return [*map(str, owned), *coordinator.children("/open")]
    finally:
        coordinator.close()


def _check_job(client: Client, ledger: Ledger, job: pb.Job, batch: Batch) -> None:
    if not is_success(job):
        ledger.violate(f"{job.job_id} {pb.JobState.Name(job.state)}: {job.progress.error.message}")
        return
    made = client.get_model(job.progress.model_version).provenance
    if made.job_id != job.job_id or made.data_sha256 != batch.sha256():
        ledger.violate(f"{job.job_id} was trained on something else than was sent")


def _check_once(client: Client, ledger: Ledger) -> None:
    models: list[models_pb2.Model] = []
    token = ""
    while True:
        page = client.list_models(page_token=token)
        models += page.models
        if not (token := page.next_page_token):
            break
    made = [model.provenance.job_id for model in models]
    for job_id in {job_id for job_id in made if made.count(job_id) > 1}:
        ledger.violate(f"two versions of {job_id}")


@contextlib.contextmanager
def _violating(ledger: Ledger, what: str) -> Iterator[None]:
    try:
        yield
    except (AssertionError, TimeoutError) as error:
        ledger.violate(f"{what}: {error}")
