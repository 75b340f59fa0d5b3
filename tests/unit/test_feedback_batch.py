"""Labelled pictures as a batch to train on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from digits.datasets.places import BatchPlaces
from digits.errors import InvalidInput, NotFound
from digits.feedback import batch
from digits.feedback.labels import Labels
from digits.jobs import train_request
from digits.jobs.admission import Admission
from digits.models.registry import Registry
from digits.v1 import digit_service_pb2 as pb
from tests.unit.feedback_bench import labelled
from tests.unit.job_bench import Bench

MAX_BYTES = 1 << 20


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("feedback", ""),
        ("mnist.npz+feedback", "mnist.npz"),
        ("a+b.npz+feedback", "a+b.npz"),
        ("mnist.npz", None),
        ("+feedback", None),
        ("feedback.npz", None),
        ("feedback+mnist.npz", None),
    ],
)
def test_a_path_says_whether_labelled_pictures_are_asked_for(path: str, base: str | None) -> None:
    assert batch.base_of(path) == base


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def labels(bench: Bench) -> Labels:
    return Labels(bench.store, 1000)


@pytest.fixture
def admission(bench: Bench, labels: Labels, tmp_path: Path) -> Admission:
    pixels = np.random.default_rng(0).integers(0, 256, (44, 28, 28), np.uint8)
    np.savez(tmp_path / "base.npz", x_train=pixels, y_train=np.arange(44, dtype=np.uint8) % 10)
    return Admission(
        bench.jobs,
        bench.store,
        BatchPlaces(tmp_path),
        labels,
        find_model=Registry(bench.coordinator).get,
        max_dataset_bytes=MAX_BYTES,
        max_jobs_per_caller=9,
    )


def train(path: str) -> pb.TrainRequest:
    return pb.TrainRequest(images_batch_path=path)


def label_some(labels: Labels, count: int) -> None:
    for number in range(count):
        labels.add(labelled(f"picture {number}", number % 10, caller="ann" if number else "bob"))


def test_a_job_learns_from_the_pictures_as_they_were_when_it_was_accepted(
    bench: Bench, labels: Labels, admission: Admission, tmp_path: Path
) -> None:
    label_some(labels, 22)
    job = admission.admit(train("feedback"), "ann")
    labels.add(labelled("later", 1))
    kept = bench.store.read(job.spec.upload)
    dataset = train_request.open_batch(job.spec, kept, BatchPlaces(tmp_path), MAX_BYTES)
    assert (dataset.train_count, dataset.held_out_count) == (20, 2)
    (images,) = dataset.train(seed=0)
    assert {bytes(picture).rstrip(b"\0").decode() for picture in images.pixels} <= {
        f"picture {number}" for number in range(22)
    }


def test_whoever_trains_sees_whose_pictures_they_are(labels: Labels, admission: Admission) -> None:
    label_some(labels, 22)
    job = admission.admit(train("base.npz+feedback"), "carol")
    assert list(job.progress.notes) == ["feedback: 22 pictures that people labelled (ann 21, bob 1)"]


def test_a_batch_and_the_labelled_pictures_are_trained_and_held_out_together(
    bench: Bench, labels: Labels, admission: Admission, tmp_path: Path
) -> None:
    label_some(labels, 22)
    job = admission.admit(train("base.npz+feedback"), "ann")
    kept = bench.store.read(job.spec.upload)
    dataset = train_request.open_batch(job.spec, kept, BatchPlaces(tmp_path), MAX_BYTES)
    assert (dataset.train_count, dataset.held_out_count) == (40 + 20, 4 + 2)
    assert len(dataset.sha256()) == 64


def test_nothing_that_was_labelled_is_refused_and_leaves_nothing(bench: Bench, admission: Admission) -> None:
    for path in ("feedback", "base.npz+feedback"):
        with pytest.raises(InvalidInput, match="nobody has labelled a picture"):
            admission.admit(train(path), "ann")
    assert (bench.store.names("uploads"), bench.open_jobs()) == ([], [])


def test_pictures_of_one_digit_are_too_little_alone_and_enough_beside_others(
    labels: Labels, admission: Admission
) -> None:
    labels.add(labelled("a", 3))
    labels.add(labelled("b", 3))
    with pytest.raises(InvalidInput, match="at least two digits"):
        admission.admit(train("feedback"), "ann")
    admission.admit(train("base.npz+feedback"), "ann")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("feedback+feedback", "feedback"),
        ("feedback+mnist.npz", "mnist.npz+feedback"),
        ("mnist.npz+feedback+feedback", "mnist.npz+feedback"),
        ("mnist.npz + feedback", "mnist.npz+feedback"),
        ("mnist.npz,feedback", "mnist.npz+feedback"),
        ("mnist.npz+Feedback", "mnist.npz+feedback"),
        ("+feedback", "feedback"),
        ("Feedback", "feedback"),
    ],
)
def test_labelled_pictures_that_are_asked_for_wrongly_are_refused_with_the_form_that_works(
    admission: Admission, labels: Labels, path: str, meant: str
) -> None:
    labels.add(labelled("p1", label=3))
    with pytest.raises(InvalidInput, match=re.escape(f'is "{meant}" meant?')) as refused:
        admission.admit(pb.TrainRequest(images_batch_path=path), "ann")
    assert refused.value.field == "images_batch_path"


@pytest.mark.parametrize("path", ["mnist.npz", "nosuch.npz+feedback", "feed+back"])
def test_a_file_that_is_not_there_is_not_found_if_nothing_else_is_wrong(
    admission: Admission, labels: Labels, path: str
) -> None:
    labels.add(labelled("p1", label=3))
    with pytest.raises(NotFound):
        admission.admit(pb.TrainRequest(images_batch_path=path), "ann")
