"""Batches that are right about themselves and wrong about digits, at the gate with real networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from digits.datasets.shards import Images
from digits.errors import InvalidInput, NotLearned
from digits.models.bundle import LoadedModel
from digits.models.evaluation import Judges
from digits.models.gate import Limits, decide
from digits.models.orientation import check_not_transposed
from digits.models.predictor import Predictor
from digits.models.robustness import transposed
from digits.settings import Settings
from digits.training import architecture, blocks
from digits.training.local_sgd import PartitionResult
from digits.training.recipes import FAST
from digits.v1 import artifacts_pb2, models_pb2
from digits.v1 import training_pb2 as pb
from spark_jobs import candidate
from spark_jobs.partition_trainer import COLUMNS, MicroBatch, train_partitions
from spark_jobs.plan import Plan
from spark_jobs.training_state import TrainingState

Mnist = dict[str, np.ndarray]
Change = Callable[[Images], Images]
LIMITS = Limits.of(Settings())


def images(mnist: Mnist, part: str, start: int, end: int) -> Images:
    return Images(mnist[f"x_{part}"][start:end].reshape(-1, 784), mnist[f"y_{part}"][start:end])


def trained(batch: Images, judges: Judges) -> artifacts_pb2.ModelBundle:
    """What `fast` makes of a batch, evaluated as a job's candidate is."""
    plan = Plan(FAST, len(batch), 1)
    work = MicroBatch(FAST, architecture.initial_state(FAST, 0), 0, 0, plan.total_images, 1, plan.passes)
    rows = [(0, offset, block) for offset, block in enumerate(blocks.blocks([batch]))]
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    (row,) = train_partitions(work)(iter([pa.RecordBatch.from_pydict(columns)]))
    report = artifacts_pb2.PartitionReport.FromString(row["report"][0].as_py())
    state = TrainingState(PartitionResult.from_proto(report).state)
    return candidate.evaluated(plan, state, "{}", judges).bundle


@pytest.fixture(scope="module")
def reference(mnist: Mnist) -> Images:
    return images(mnist, "test", 5_000, 7_000)


@pytest.fixture(scope="module")
def good(mnist: Mnist, reference: Images) -> artifacts_pb2.ModelBundle:
    """A model of a thousand images as they should be."""
    return trained(images(mnist, "train", 0, 1_000), Judges(images(mnist, "train", 1_000, 1_500), reference))


def white(batch: Images) -> Images:
    return Images(255 - batch.pixels, batch.labels)


def turned(batch: Images) -> Images:
    return Images(transposed(batch.pixels), batch.labels)


def zero_one(batch: Images) -> Images:
    return Images((batch.pixels > 127).astype(np.uint8), batch.labels)


def two_digits(batch: Images) -> Images:
    chosen = batch.labels < 2
    return Images(batch.pixels[chosen], batch.labels[chosen])


def all_zeros(batch: Images) -> Images:
    return Images(np.zeros_like(batch.pixels), batch.labels)


def shuffled(batch: Images) -> Images:
    return Images(batch.pixels, np.random.default_rng(0).permutation(batch.labels))


def test_a_right_batch_serves_first_and_reads_most_redrawn_pictures(
    good: artifacts_pb2.ModelBundle, reference: Images
) -> None:
    metrics = good.metrics
    assert metrics.suspicion == ""
    assert (metrics.reference_image_count, metrics.reference_sha256) == (2_000, reference.sha256())
    assert metrics.reference_accuracy > 0.92, "a thousand images are enough"
    assert metrics.robustness > 0.5
    assert decide(pb.IF_BETTER, metrics, None, LIMITS).promoted


@pytest.mark.parametrize(
    ("change", "suspicion"),
    [
        (white, "looks like white background"),
        (turned, "looks transposed (send orientation: transposed)"),
        (two_digits, ""),
    ],
)
def test_a_wrong_batch_is_right_about_itself_and_does_not_serve(
    mnist: Mnist,
    reference: Images,
    good: artifacts_pb2.ModelBundle,
    change: Change,
    suspicion: str,
) -> None:
    judges = Judges(change(images(mnist, "train", 1_000, 1_500)), reference)
    metrics = trained(change(images(mnist, "train", 0, 1_000)), judges).metrics
    assert metrics.accuracy > 0.9
    assert metrics.suspicion == suspicion
    serving = models_pb2.Model(version="v1", metrics=judges.measure(Predictor(good.onnx)))
    for before in (None, serving):
        decision = decide(pb.IF_BETTER, metrics, before, LIMITS)
        assert not decision.promoted
        assert decision.reason.startswith(suspicion)


def test_pixels_of_0_and_1_make_no_model_that_serves(mnist: Mnist, reference: Images) -> None:
    judges = Judges(zero_one(images(mnist, "train", 1_000, 1_500)), reference)
    try:
        metrics = trained(zero_one(images(mnist, "train", 0, 1_000)), judges).metrics
    except NotLearned:
        # What a recipe does to its pictures may leave nothing of so little ink.
        return
    assert not decide(pb.IF_BETTER, metrics, None, LIMITS).promoted


def test_transposed_pictures_are_refused_by_what_serves_before_they_are_trained_on(
    mnist: Mnist, good: artifacts_pb2.ModelBundle
) -> None:
    serving = LoadedModel("v1", Predictor(good.onnx))
    held_out = images(mnist, "train", 1_000, 2_000)
    with pytest.raises(InvalidInput, match="send orientation: transposed") as refused:
        check_not_transposed(turned(held_out), serving, "images_batch")
    assert refused.value.field == "images_batch"
    for other in (held_out, white(held_out), zero_one(held_out), all_zeros(held_out), shuffled(held_out)):
        check_not_transposed(other, serving, "images_batch")


@pytest.mark.parametrize("change", [all_zeros, shuffled])
def test_a_batch_that_teaches_nothing_makes_no_model(mnist: Mnist, reference: Images, change: Change) -> None:
    judges = Judges(change(images(mnist, "train", 1_000, 1_500)), reference)
    with pytest.raises(NotLearned, match="nothing was learned"):
        trained(change(images(mnist, "train", 0, 1_000)), judges)


@pytest.mark.parametrize(("count", "share"), [(500, 0.85), (1_000, 0.92), (5_000, 0.97)])
def test_few_images_teach_enough(mnist: Mnist, count: int, share: float) -> None:
    judges = Judges(images(mnist, "test", 0, 10_000))
    assert trained(images(mnist, "train", 0, count), judges).metrics.accuracy >= share
