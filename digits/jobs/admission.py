"""Who gets in: decides on a Train request first, and keeps what came with it only for a job that there is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from digits.datasets.dataset import Dataset
from digits.datasets.places import BatchPlaces
from digits.errors import Overloaded, RequestConflict, StaleWrite
from digits.feedback import batch
from digits.feedback.labels import Labels
from digits.jobs import train_request
from digits.jobs.jobs import Jobs, new_job
from digits.jobs.train_request import Upload
from digits.ports import ArtifactStore
from digits.signals.metrics.admission import ACCEPTED
from digits.training import brought_weights
from digits.v1 import digit_service_pb2, models_pb2, training_pb2

_RETRY_AFTER_SECONDS = 10.0


class Admission:
    """Turns requests into jobs."""

    def __init__(
        self,
        jobs: Jobs,
        store: ArtifactStore,
        places: BatchPlaces,
        labels: Labels,
        *,
        find_model: Callable[[str], models_pb2.Model],
        max_dataset_bytes: int,
        max_jobs_per_caller: int,
    ) -> None:
        self._jobs, self._store, self._places, self._labels = jobs, store, places, labels
        self._find_model = find_model
        self._max_dataset_bytes, self._share = max_dataset_bytes, max_jobs_per_caller

    def check_header(self, header: digit_service_pb2.TrainRequest, caller: str) -> None:
        """Before an upload is taken in; raises InvalidInput and Overloaded as `admit` does."""
        train_request.check(header, uploaded=True)
        if not self._jobs.of_request(train_request.spec_of(header, caller)):
            self._check_share(caller)

    def admit(
        self, request: digit_service_pb2.TrainRequest, caller: str, upload: Upload | None = None
    ) -> training_pb2.Job:
        """Records and queues a job; for a request_id that this caller used already, returns that job.

        `upload` is the batch if it did not come in the request itself.

        Raises InvalidInput, NotFound, NotReady; RequestConflict if the request_id came with another body
        before; and Overloaded if the caller has its share of unfinished jobs (two calls at a moment may both
        get in). Whatever is raised, nothing is left, but after Unavailable: then the job may have been
        recorded, which the same request_id finds, and an upload without a job goes with the next sweep.
        """
        train_request.check(request, uploaded=upload is not None)
        upload = upload or Upload.of(request)
        spec = train_request.spec_of(request, caller, upload)
        if known := self._known(spec):
            return known
        if request.base_model_version:
            train_request.spec_from_base(request, spec, self._find_model(request.base_model_version))
        self._check_share(caller)
        content = upload.content if upload else self._labelled(request)
        dataset = self._open(request, content)
        spec.files_sha256 = dataset.files.sha256() if dataset else ""
        job = new_job(spec)
        job.progress.notes.extend(dataset.notes if dataset else [brought_weights.NOT_USED])
        if content is not None:
            job.spec.upload = upload_name(job.job_id)
            self._store.publish(job.spec.upload, content)
        return self._record(job)

    def _labelled(self, request: digit_service_pb2.TrainRequest) -> bytes | None:
        """The pictures labelled until now, if they are asked for."""
        if batch.base_of(request.images_batch_path) is None:
            return None
        return batch.snapshot(self._labels.all())

    def _open(self, request: digit_service_pb2.TrainRequest, upload: bytes | Path | None) -> Dataset | None:
        """The batch, None for a model; raises InvalidInput, NotFound, also for an unfit one."""
        if request.WhichOneof("batch") == "model_bundle":
            brought_weights.read(request.model_bundle)
            return None
        return train_request.open_batch(request, upload, self._places, self._max_dataset_bytes)

    def _record(self, job: training_pb2.Job) -> training_pb2.Job:
        try:
            self._jobs.add(job)
            ACCEPTED.inc()
        except StaleWrite:
            # The same request got in by another call meanwhile.
            if job.spec.upload:
                self._store.delete(job.spec.upload)
            if known := self._known(job.spec):
                return known
            raise
        return job

    def _known(self, spec: training_pb2.TrainSpec) -> training_pb2.Job | None:
        job = self._jobs.of_request(spec)
        if job and job.spec.fingerprint != spec.fingerprint:
            raise RequestConflict("request_id", "was used before, with another request")
        return job

    def _check_share(self, caller: str) -> None:
        if sum(job.spec.caller == caller for job in self._jobs.unfinished()) >= self._share:
            raise Overloaded(
                f"{caller} has {self._share} jobs that are not finished (DIGITS_MAX_JOBS_PER_CALLER): "
                "wait for one to end, or cancel one",
                retry_after_seconds=_RETRY_AFTER_SECONDS,
            )


def upload_name(job_id: str) -> str:
    """The name of a job's upload in the store."""
    return f"uploads/{job_id}.npz"
