"""Versions, the serving alias and the gate, over a coordinator in memory."""

from __future__ import annotations

import numpy as np
import pytest

from digits import clock, envelope
from digits.adapters.memory import MemoryCoordinator, MemoryStore, MemoryTrainQueue, MemoryTree
from digits.datasets.shards import Images
from digits.errors import Cancelled, Corrupt, InvalidInput, LeaseLost, NotFound, NotReady
from digits.jobs.jobs import Jobs, new_job
from digits.jobs.leases import Lease
from digits.models import bundle, evaluation, onnx_graph
from digits.models.evaluation import Judges
from digits.models.gate import Limits
from digits.models.predictor import Predictor
from digits.models.promotion import Promotion
from digits.models.publishing import Publisher
from digits.models.registry import Registry
from digits.ports import Replace
from digits.training import architecture, recipes
from digits.v1 import artifacts_pb2, models_pb2
from digits.v1 import training_pb2 as pb

RECIPE = recipes.find("")


class Bench:
    """A store, a registry, and a trainer with a job."""

    def __init__(self) -> None:
        self.tree = MemoryTree()
        self.coordinator = MemoryCoordinator(self.tree)
        self.store = MemoryStore()
        self.registry = Registry(self.coordinator)
        self.promotion = Promotion(self.registry, self.store, self.coordinator)
        self.jobs = Jobs(self.coordinator, MemoryTrainQueue())
        self._start_job()

    def publish(self, accuracy: float, promotion: pb.Promotion = pb.IF_BETTER, seed: int = 0) -> pb.Job:
        """Publishes a network in a job of its own."""
        return self.publish_bundle(bundle_of(seed, accuracy), JUDGES, promotion)

    def publish_bundle(
        self, candidate: artifacts_pb2.ModelBundle, judges: Judges, promotion: pb.Promotion = pb.IF_BETTER
    ) -> pb.Job:
        """Publishes a bundle in a job of its own."""
        self._start_job()
        self.publisher().publish(candidate, promotion, judges)
        return self.jobs.get(self.job.job_id)

    def publisher(self) -> Publisher:
        """The trainer's."""
        return Publisher(self.store, self.registry, self.coordinator, self.lease, LIMITS)

    def _start_job(self) -> None:
        self.job = new_job(pb.TrainSpec(caller="trainer"))
        self.jobs.add(self.job)
        lease = Lease.take(self.jobs, MemoryCoordinator(self.tree), self.job.job_id, 3)
        assert lease
        self.lease = lease


HELD_OUT = Images(
    np.random.default_rng(0).integers(0, 256, (50, 784), np.uint8), np.arange(50, dtype=np.uint8) % 10
)
REFERENCE = Images(
    np.random.default_rng(1).integers(0, 256, (40, 784), np.uint8), np.arange(40, dtype=np.uint8) % 10
)

JUDGES = Judges(HELD_OUT)
LIMITS = Limits(max_reference_loss_points=0.5, min_reference_accuracy=0.8)


def onnx(seed: int) -> bytes:
    return onnx_graph.to_onnx(RECIPE, architecture.initial_state(RECIPE, seed))


def bundle_of(seed: int, accuracy: float) -> artifacts_pb2.ModelBundle:
    metrics = models_pb2.Metrics(accuracy=accuracy, held_out_sha256=HELD_OUT.sha256())
    return artifacts_pb2.ModelBundle(onnx=onnx(seed), metrics=metrics)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_first_model_serves(bench: Bench) -> None:
    job = bench.publish(0.5)
    assert (job.state, job.progress.model_version, job.progress.promoted) == (pb.SUCCEEDED, "v1", True)
    model = bench.registry.get("serving")
    assert (model.version, model.state) == ("v1", models_pb2.Model.SERVING)


def test_a_better_or_equal_model_takes_over(bench: Bench) -> None:
    bench.publish(0.5)
    assert bench.publish(0.5).progress.promoted
    assert bench.publish(0.6).progress.promoted
    assert bench.registry.alias().serving.version == "v3"


def test_a_worse_model_is_registered_and_does_not_serve(bench: Bench) -> None:
    bench.publish(0.5)
    job = bench.publish(0.4)
    assert (job.state, job.progress.promoted) == (pb.SUCCEEDED, False)
    assert [model.state for model in bench.registry.newest(9)] == [
        models_pb2.Model.AVAILABLE,
        models_pb2.Model.SERVING,
    ]


@pytest.mark.parametrize(
    ("data_name", "accuracy", "advised"),
    [("feedback", 0.5, True), ("feedback", 0.95, False), ("mnist.npz+feedback", 0.5, False)],
)
def test_what_learned_from_feedback_alone_and_does_not_serve_is_told_what_to_train_on(
    bench: Bench, data_name: str, accuracy: float, advised: bool
) -> None:
    bench.publish(0.9)
    candidate = bundle_of(1, accuracy)
    candidate.provenance.data_name = data_name
    job = bench.publish_bundle(candidate, JUDGES)
    assert ('train on "mnist.npz+feedback"' in job.progress.promotion_reason) is advised


def test_the_caller_may_overrule_the_gate(bench: Bench) -> None:
    bench.publish(0.5)
    assert bench.publish(0.1, pb.ALWAYS).progress.promoted
    assert not bench.publish(0.9, pb.NEVER).progress.promoted


def test_a_serving_model_measured_on_other_images_is_measured_again_on_these(bench: Bench) -> None:
    other = bundle_of(seed=1, accuracy=0.999)
    other.metrics.held_out_sha256 = "other"
    bench.publisher().publish(other, pb.ALWAYS, JUDGES)
    truth = evaluation.evaluate(Predictor(onnx(1)), HELD_OUT).accuracy
    assert truth < 0.5
    assert bench.publish(0.5).progress.promoted


def test_a_model_that_is_worse_on_the_reference_set_does_not_serve_and_its_job_says_why(bench: Bench) -> None:
    for accuracy, reference in ((0.5, 0.9), (0.6, 0.7)):
        candidate = bundle_of(0, accuracy)
        candidate.metrics.reference_accuracy = reference
        candidate.metrics.reference_sha256 = REFERENCE.sha256()
        bench.publish_bundle(candidate, Judges(HELD_OUT, REFERENCE))
    progress = bench.jobs.get(bench.job.job_id).progress
    assert (progress.model_version, progress.promoted) == ("v2", False)
    assert progress.promotion_reason.startswith("20.00 points worse than v1 on the reference set")
    model = bench.registry.get("v2")
    assert (progress.metrics, progress.promotion_reason) == (model.metrics, model.promotion_reason)
    assert bench.registry.alias().serving.version == "v1"


def test_small_losses_on_the_reference_set_do_not_add_up_until_somebody_chooses_by_hand(bench: Bench) -> None:
    def publish(reference: float, promotion: pb.Promotion = pb.IF_BETTER) -> str:
        candidate = bundle_of(0, 0.9)
        candidate.metrics.reference_accuracy = reference
        candidate.metrics.reference_sha256 = REFERENCE.sha256()
        progress = bench.publish_bundle(candidate, Judges(HELD_OUT, REFERENCE), promotion).progress
        return f"{progress.model_version} {progress.promoted} {progress.promotion_reason}"

    worse = "points worse on the reference set"
    assert publish(0.990) == "v1 True nothing else serves"
    assert publish(0.986) == f"v2 True at least as good as v1 on the held-out images, 0.40 {worse}"
    refused = "points worse than v1 on the reference set, where 0.5 are allowed"
    assert publish(0.982) == f"v3 False 0.80 {refused}"
    bench.promotion.promote("v3", "ann")
    assert publish(0.978) == f"v4 True at least as good as v3 on the held-out images, 0.40 {worse}"
    assert publish(0.7, pb.ALWAYS) == "v5 True the caller said ALWAYS"
    assert bench.registry.serving_history(1)[0].reason == models_pb2.ServingChange.ALWAYS
    assert publish(0.697).startswith("v6 True")
    assert publish(0.694).startswith("v7 False 0.60 points worse than v5")


def test_a_serving_model_that_never_met_the_reference_set_is_measured_on_it(bench: Bench) -> None:
    bench.publish(0.9)
    serving = Judges(HELD_OUT, REFERENCE).measure(Predictor(onnx(0)))
    worse = bundle_of(0, serving.accuracy)
    worse.metrics.reference_sha256 = REFERENCE.sha256()
    worse.metrics.reference_accuracy = serving.reference_accuracy - 0.05
    job = bench.publish_bundle(worse, Judges(HELD_OUT, REFERENCE))
    assert job.progress.promotion_reason.startswith("5.00 points worse than v1")


def test_a_damaged_serving_model_does_not_keep_a_good_one_from_serving(bench: Bench) -> None:
    other = bundle_of(seed=1, accuracy=0.999)
    other.metrics.held_out_sha256 = "other"
    bench.publisher().publish(other, pb.ALWAYS, JUDGES)
    bench.store.delete(bench.registry.get("serving").store_path)
    assert bench.publish(0.1).progress.promoted


def test_a_cancelled_job_publishes_nothing(bench: Bench) -> None:
    bench.lease.edit(lambda job: setattr(job, "state", pb.TRAINING))
    bench.jobs.cancel(bench.job.job_id)
    publisher = bench.publisher()
    with pytest.raises(Cancelled):
        publisher.publish(bundle_of(0, 0.9), pb.ALWAYS, JUDGES)
    assert bench.registry.newest(9) == []
    with pytest.raises(NotReady):
        bench.registry.get("serving")


def test_a_trainer_without_its_lease_publishes_nothing(bench: Bench) -> None:
    publisher = bench.publisher()
    bench.lease.release()
    with pytest.raises(LeaseLost):
        publisher.publish(bundle_of(0, 0.9), pb.ALWAYS, JUDGES)
    assert bench.registry.newest(9) == []


def test_a_version_is_never_given_twice(bench: Bench) -> None:
    assert [bench.registry.new_version() for _ in range(3)] == ["v1", "v2", "v3"]


def test_each_rollback_goes_one_version_further_back(bench: Bench) -> None:
    for accuracy in (0.5, 0.6, 0.7):
        bench.publish(accuracy)
    assert bench.promotion.rollback("", "ann").version == "v2"
    assert bench.promotion.rollback("", "ann").version == "v1"
    with pytest.raises(NotReady, match="no version served before"):
        bench.promotion.rollback("", "ann")
    bench.promotion.promote("v3", "ann")
    assert bench.promotion.rollback("", "ann").version == "v1", "the version that served before v3"


def test_a_repeated_rollback_from_a_named_version_changes_nothing(bench: Bench) -> None:
    for accuracy in (0.5, 0.6, 0.7):
        bench.publish(accuracy)
    for _ in range(3):
        assert bench.promotion.rollback("v3", "ann").version == "v2"
    assert bench.registry.alias().serving.generation == 4


@pytest.mark.parametrize("version", ["3", "serving", "v"])
def test_a_rollback_from_what_is_no_version_is_refused(bench: Bench, version: str) -> None:
    bench.publish(0.5)
    with pytest.raises(InvalidInput, match="from_version"):
        bench.promotion.rollback(version, "ann")


def test_a_rollback_from_a_version_that_nobody_knows_is_refused(bench: Bench) -> None:
    bench.publish(0.5)
    with pytest.raises(NotFound, match="v9"):
        bench.promotion.rollback("v9", "ann")


def test_there_is_nothing_to_roll_back_to_at_first(bench: Bench) -> None:
    with pytest.raises(NotReady):
        bench.promotion.rollback("", "ann")
    bench.publish(0.5)
    with pytest.raises(NotReady):
        bench.promotion.rollback("", "ann")


def test_an_alias_from_before_there_was_a_history_is_rolled_back_once(bench: Bench) -> None:
    bench.publish(0.5)
    bench.publish(0.6)
    alias = bench.registry.alias()
    assert alias.stored
    old = models_pb2.Serving(version="v2", generation=2, previous_version="v1")
    bench.coordinator.commit(Replace("/serving", old.SerializeToString(), alias.stored.version))
    assert bench.promotion.rollback("", "ann").version == "v1"
    assert [change.version for change in bench.registry.serving_history(9)] == ["v1"]


def test_the_alias_keeps_who_moved_it_when_from_what_to_what_and_why(bench: Bench) -> None:
    bench.publish(0.5)
    bench.publish(0.6)
    bench.promotion.promote("v1", "ann")
    bench.promotion.rollback("v1", "bob")
    reasons = models_pb2.ServingChange
    moves = bench.registry.serving_history(9)
    assert [(c.previous_version, c.version, c.reason, c.caller) for c in moves] == [
        ("v1", "v2", reasons.ROLLBACK, "bob"),
        ("v2", "v1", reasons.PROMOTE, "ann"),
        ("v1", "v2", reasons.GATE, "trainer"),
        ("", "v1", reasons.GATE, "trainer"),
    ]
    assert all(0 <= clock.seconds_since(change.change_time) < 60 for change in moves)
    assert [change.generation for change in bench.registry.serving_history(2, "4")] == [3, 2]
    with pytest.raises(InvalidInput, match="page_token"):
        bench.registry.serving_history(2, "v4")


def test_a_version_that_a_newer_one_overtook_serves_under_a_newer_name(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, write = bench.publisher(), bench.store.publish

    def written_slowly(path: str, data: bytes) -> None:
        write(path, data)
        monkeypatch.setattr(bench.store, "publish", write)
        bench.publish(0.5)

    monkeypatch.setattr(bench.store, "publish", written_slowly)
    slow.publish(bundle_of(1, 0.6), pb.IF_BETTER, JUDGES)
    moves = bench.registry.serving_history(9)
    assert [(move.previous_version, move.version) for move in moves] == [("v2", "v3"), ("", "v2")]
    assert [model.version for model in bench.registry.newest(9)] == ["v3", "v2"]


def test_a_list_of_versions_goes_on_from_a_version_only(bench: Bench) -> None:
    bench.publish(0.5)
    with pytest.raises(InvalidInput, match="page_token"):
        bench.registry.newest(2, "wat")


def test_the_history_does_not_grow_for_ever(bench: Bench) -> None:
    bench.publish(0.5)
    bench.publish(0.6)
    for number in range(150):
        bench.promotion.promote(f"v{number % 2 + 1}", "ann")
    moves = bench.registry.serving_history(1000)
    assert len(moves) == 100
    assert moves[0].generation == bench.registry.alias().serving.generation


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_version_that_cannot_be_loaded_is_neither_promoted_nor_rolled_back_to(
    bench: Bench, damage: str
) -> None:
    bench.publish(0.5)
    bench.publish(0.6)
    path = bench.registry.get("v1").store_path
    data = bench.store.read(path)
    bench.store.delete(path)
    if damage == "cut":
        bench.store.publish(path, data[:-1])
    for move in (
        lambda: bench.promotion.promote("v1", "ann"),
        lambda: bench.promotion.rollback("v2", "ann"),
    ):
        with pytest.raises(NotReady, match="v1 cannot serve"):
            move()
    assert bench.registry.alias().serving.generation == 2


def test_a_version_counter_that_is_older_than_the_store_takes_the_next_free_name(bench: Bench) -> None:
    for _ in range(3):
        bench.publish(0.5)
    older = MemoryCoordinator()
    jobs = Jobs(older, MemoryTrainQueue())
    job = new_job(pb.TrainSpec())
    jobs.add(job)
    lease = Lease.take(jobs, older, job.job_id, 3)
    assert lease
    registry = Registry(older)
    Publisher(bench.store, registry, older, lease, LIMITS).publish(bundle_of(1, 0.5), pb.IF_BETTER, JUDGES)
    assert registry.get("serving").version == "v4"
    assert bundle.load(bundle.fetch(bench.store, registry.get("v4")), "v4").version == "v4"


@pytest.mark.parametrize("version", ["v9", "", "v", "vv1", "../jobs", "v\u0661"])
def test_an_unknown_version_is_not_found(bench: Bench, version: str) -> None:
    bench.publish(0.5)
    with pytest.raises(NotFound):
        bench.promotion.promote(version, "ann")
    assert bench.registry.get("serving").version == "v1"


def mutations() -> list[bytes]:
    """A hundred damaged bundles: cut, flipped, and whole ones around networks that must not serve."""
    good = envelope.seal(bundle_of(0, 0.9))
    random = np.random.default_rng(7)
    cut = [good[:length] for length in random.integers(0, len(good), 40)]
    flipped = []
    for place in random.integers(0, len(good), 50):
        damaged = bytearray(good)
        damaged[place] ^= 1 << int(random.integers(8))
        flipped.append(bytes(damaged))
    return [b"", *cut, *flipped, *map(envelope.seal, _wrong_bundles())]


def _wrong_bundles() -> list[artifacts_pb2.ModelBundle | artifacts_pb2.Checkpoint]:
    state = architecture.initial_state(RECIPE, 0)
    nan = {name: np.full_like(tensor, np.nan) for name, tensor in state.items()}
    wrong = [b"", b"not onnx", onnx(0)[:-100], onnx_graph.to_onnx(RECIPE, nan)]
    renamed = artifacts_pb2.ModelBundle(version="v2", onnx=onnx(0))
    return [
        *(artifacts_pb2.ModelBundle(version="v1", onnx=onnx) for onnx in wrong),
        renamed,
        artifacts_pb2.Checkpoint(job_id="v1"),
    ]


def test_no_damaged_bundle_is_ever_loaded() -> None:
    good = bundle_of(0, 0.9)
    good.version = "v1"
    assert bundle.load(envelope.seal(good), "v1").version == "v1"
    for damaged in mutations():
        with pytest.raises(Corrupt):
            bundle.load(damaged, "v1")
