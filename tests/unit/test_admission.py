"""Who gets in, and what stays of those who do not."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digits.datasets.dataset import Dataset
from digits.datasets.places import BatchPlaces
from digits.errors import CoordinatorUnavailable, InvalidInput, NotFound, Overloaded, RequestConflict
from digits.feedback.labels import Labels
from digits.jobs import train_request
from digits.jobs.admission import Admission
from digits.jobs.train_request import Upload
from digits.models.registry import Registry
from digits.ports import Create
from digits.v1 import digit_service_pb2, models_pb2, training_pb2
from tests.unit.job_bench import Bench
from tests.unit.test_brought_weights import SEALED

SHARE = 3


def images() -> bytes:
    """A small batch as it is uploaded."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8)
    labels = np.arange(40, dtype=np.uint8) % 10
    file = io.BytesIO()
    np.savez(file, x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    return file.getvalue()


IMAGES = images()


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def admission(bench: Bench, tmp_path: Path) -> Admission:
    labels = Labels(bench.store, max_per_caller=100)
    return Admission(
        bench.jobs,
        bench.store,
        BatchPlaces(tmp_path),
        labels,
        find_model=Registry(bench.coordinator).get,
        max_dataset_bytes=1 << 20,
        max_jobs_per_caller=SHARE,
    )


def upload(request_id: str = "", seed: int = 0) -> digit_service_pb2.TrainRequest:
    return digit_service_pb2.TrainRequest(images_batch=IMAGES, request_id=request_id, seed=seed)


def test_an_upload_is_kept_under_the_name_of_its_job(bench: Bench, admission: Admission) -> None:
    job = admission.admit(upload(), "alice")
    assert bench.store.read(f"uploads/{job.job_id}.npz") == IMAGES
    assert bench.jobs.get(job.job_id).spec.upload == f"uploads/{job.job_id}.npz"
    assert (bench.queue.job_ids, bench.open_jobs()) == ([job.job_id], [job.job_id])


def test_an_upload_in_a_file_is_the_same_job_as_one_in_its_request(
    bench: Bench, admission: Admission, tmp_path: Path
) -> None:
    first = admission.admit(upload("r"), "alice")
    (tmp_path / "incoming").write_bytes(IMAGES)
    as_file = Upload(tmp_path / "incoming", hashlib.sha256(IMAGES).hexdigest())
    header = digit_service_pb2.TrainRequest(request_id="r")
    assert admission.admit(header, "alice", as_file).job_id == first.job_id
    other = admission.admit(digit_service_pb2.TrainRequest(), "alice", as_file)
    assert bench.store.read(other.spec.upload) == IMAGES
    assert [note.partition(":")[0] for note in other.progress.notes] == ["x_test of the upload"]


def test_a_header_is_refused_before_its_upload_comes(bench: Bench, admission: Admission) -> None:
    header = digit_service_pb2.TrainRequest(request_id="r")
    admission.check_header(header, "alice")
    admission.admit(upload("r"), "alice")
    for _ in range(SHARE - 1):
        admission.admit(upload(), "alice")
    # A repeated call is the job that there is.
    admission.check_header(header, "alice")
    with pytest.raises(Overloaded, match="DIGITS_MAX_JOBS_PER_CALLER"):
        admission.check_header(digit_service_pb2.TrainRequest(), "alice")
    with pytest.raises(InvalidInput, match="recipe"):
        admission.check_header(digit_service_pb2.TrainRequest(recipe="none"), "alice")
    with pytest.raises(InvalidInput, match="names a batch itself"):
        admission.check_header(digit_service_pb2.TrainRequest(images_batch_path="a.npz"), "alice")


def test_what_was_accepted_of_the_batch_is_in_the_job(bench: Bench, admission: Admission) -> None:
    job = admission.admit(upload(), "alice")
    assert bench.jobs.get(job.job_id).progress.notes == [
        "x_test of the upload: not used: the same images as x_train of the upload"
    ]


def test_the_orientation_is_in_the_job_and_an_unknown_one_is_refused(
    bench: Bench, admission: Admission
) -> None:
    request = upload()
    request.orientation = training_pb2.TRANSPOSED
    job = admission.admit(request, "alice")
    assert bench.jobs.get(job.job_id).spec.orientation == training_pb2.TRANSPOSED
    assert "x_train of the upload: rows and columns swapped back" in job.progress.notes[0]
    request.orientation = 9  # type: ignore[assignment]
    with pytest.raises(InvalidInput, match="one of ORIENTATION_UNSPECIFIED, AS_IS, TRANSPOSED"):
        admission.admit(request, "alice")


def test_the_same_request_id_twice_is_one_job_with_one_upload(bench: Bench, admission: Admission) -> None:
    jobs = [admission.admit(upload("r"), "alice") for _ in range(SHARE + 1)]
    assert {job.job_id for job in jobs} == {jobs[0].job_id}
    assert bench.queue.job_ids == [jobs[0].job_id]
    assert bench.store.names("uploads") == [jobs[0].spec.upload]


def test_the_same_request_id_with_another_body_is_refused_and_leaves_nothing(
    bench: Bench, admission: Admission
) -> None:
    first = admission.admit(upload("r"), "alice")
    with pytest.raises(RequestConflict) as refused:
        admission.admit(upload("r", seed=1), "alice")
    assert refused.value.field == "request_id"
    assert bench.store.names("uploads") == [first.spec.upload]


def test_a_request_id_belongs_to_its_caller(admission: Admission) -> None:
    assert admission.admit(upload("r"), "alice").job_id != admission.admit(upload("r", seed=1), "bob").job_id


def test_a_caller_has_a_share_of_unfinished_jobs_and_what_is_refused_leaves_nothing(
    bench: Bench, admission: Admission
) -> None:
    mine = [admission.admit(upload(), "alice") for _ in range(SHARE)]
    with pytest.raises(Overloaded, match="alice") as refused:
        admission.admit(upload(), "alice")
    assert refused.value.retry_after_seconds > 0
    assert len(bench.store.names("uploads")) == SHARE
    admission.admit(upload(), "bob")
    bench.jobs.cancel(mine[0].job_id)
    admission.admit(upload(), "alice")


def test_of_two_calls_with_one_request_id_at_a_moment_one_is_the_job_of_both(
    bench: Bench, admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[training_pb2.Job] = []

    open_batch = train_request.open_batch

    def other_call_first(*arguments: Any) -> Dataset:
        monkeypatch.undo()
        jobs.append(admission.admit(upload("r"), "alice"))
        return open_batch(*arguments)

    monkeypatch.setattr("digits.jobs.admission.train_request.open_batch", other_call_first)
    jobs.append(admission.admit(upload("r"), "alice"))
    assert jobs[0].job_id == jobs[1].job_id
    assert bench.store.names("uploads") == [jobs[0].spec.upload]


def test_a_retry_finds_the_job_whose_commit_was_answered_by_nobody(
    bench: Bench, admission: Admission, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = bench.coordinator.commit

    def answer_lost(*operations: object) -> None:
        commit(*operations)  # type: ignore[arg-type]
        monkeypatch.undo()
        raise CoordinatorUnavailable("no answer")

    monkeypatch.setattr(bench.coordinator, "commit", answer_lost)
    with pytest.raises(CoordinatorUnavailable):
        admission.admit(upload("r"), "alice")
    job = admission.admit(upload("r"), "alice")
    assert bench.store.names("uploads") == [job.spec.upload]
    assert bench.open_jobs() == [job.job_id]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (digit_service_pb2.TrainRequest(images_batch=b"no batch"), "images_batch"),
        (digit_service_pb2.TrainRequest(), "batch"),
        (digit_service_pb2.TrainRequest(images_batch=IMAGES, recipe="none"), "recipe"),
        (digit_service_pb2.TrainRequest(images_batch=IMAGES, request_id="x" * 129), "request_id"),
        (digit_service_pb2.TrainRequest(images_batch=IMAGES, promotion=9), "promotion"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_request_is_refused_and_leaves_nothing(
    bench: Bench, admission: Admission, wrong: digit_service_pb2.TrainRequest, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        admission.admit(wrong, "alice")
    assert refused.value.field == field
    assert (bench.store.names("uploads"), bench.jobs.names()) == ([], [])


@pytest.mark.parametrize("request_id", ["", "r"])
def test_a_train_reads_as_much_with_ten_finished_jobs_as_with_a_thousand(
    bench: Bench, admission: Admission, request_id: str
) -> None:
    def reads() -> int:
        read = bench.count_reads()
        admission.admit(upload(request_id and f"{request_id}{len(bench.jobs.names())}"), "alice")
        counted = read()
        finish_all(bench)
        return counted

    add_finished(bench, 10)
    few = reads()
    add_finished(bench, 1000)
    assert reads() == few


def add_finished(bench: Bench, count: int) -> None:
    for _ in range(count):
        bench.submit(caller="alice")
    finish_all(bench)


def finish_all(bench: Bench) -> None:
    for job in bench.jobs.open():
        bench.jobs.cancel(job.job_id)
        bench.cleanup.end(job.job_id)


def test_a_model_is_kept_for_a_job_that_publishes_it_and_an_unfit_one_leaves_nothing(
    bench: Bench, admission: Admission
) -> None:
    request = digit_service_pb2.TrainRequest(model_bundle=SEALED, promotion=training_pb2.NEVER)
    job = admission.admit(request, "alice")
    assert (job.spec.is_model, job.spec.recipe) == (True, "")
    assert bench.store.read(job.spec.upload) == SEALED
    assert ["fresh ones" in note for note in job.progress.notes] == [True]
    with pytest.raises(InvalidInput, match=r"^model_bundle: not a digits\.v1\.ModelBundle; give a file"):
        admission.admit(digit_service_pb2.TrainRequest(model_bundle=b"PK"), "alice")
    assert bench.open_jobs() == [job.job_id]
    assert bench.store.names("uploads") == [job.spec.upload]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"recipe": "fast"}, "recipe"),
        ({"seed": 3}, "seed"),
        ({"base_model_version": "v3"}, "base_model_version"),
    ],
)
def test_what_does_not_apply_to_a_model_is_refused(
    admission: Admission, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: is the bundle's own: leave it out"):
        admission.admit(digit_service_pb2.TrainRequest(model_bundle=SEALED, **given), "alice")


def test_a_job_that_goes_on_from_a_version_has_its_recipe(bench: Bench, admission: Admission) -> None:
    provenance = models_pb2.Provenance(recipe="standard")
    model = models_pb2.Model(version="v3", provenance=provenance)
    bench.coordinator.commit(Create("/models/v3", model.SerializeToString()))
    spec = admission.admit(
        digit_service_pb2.TrainRequest(images_batch=IMAGES, base_model_version="v3"), "a"
    ).spec
    assert (spec.recipe, spec.base_model_version) == ("standard", "v3")
    other = digit_service_pb2.TrainRequest(images_batch=IMAGES, base_model_version="v3", recipe="fast")
    with pytest.raises(InvalidInput, match="v3 was trained by 'standard'"):
        admission.admit(other, "a")
    missing = digit_service_pb2.TrainRequest(images_batch=IMAGES, base_model_version="v9")
    with pytest.raises(NotFound, match="v9"):
        admission.admit(missing, "a")
    assert len(bench.store.names("uploads")) == 1
