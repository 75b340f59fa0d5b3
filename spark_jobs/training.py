"""One training job from its batch to a published model, resumable from its newest checkpoint."""

from __future__ import annotations

from contextlib import suppress

from digits.datasets.dataset import Dataset
from digits.errors import BatchUnavailable, HandedOver, InvalidInput
from digits.jobs.leases import Lease
from digits.models.evaluation import Judges
from digits.models.gate import Limits
from digits.models.publishing import Publisher
from digits.serving.model_loader import ModelLoader
from digits.signals import traces
from digits.signals.metrics import training as measured
from digits.training import architecture, blocks, recipes
from digits.training.checkpoints import Checkpoints
from digits.training.ingest import BlockFilling, Filling
from digits.training.recipes import Recipe
from digits.training.tensors import State
from digits.v1 import training_pb2 as pb
from spark_jobs import candidate, log_cut, session
from spark_jobs.base_model import base_state
from spark_jobs.epoch import EpochQuery
from spark_jobs.feed import Feed
from spark_jobs.inspection import check_orientation, without_reference
from spark_jobs.log_cut import Cut
from spark_jobs.micro_batches import MicroBatches
from spark_jobs.plan import Plan
from spark_jobs.progress import ProgressReport
from spark_jobs.scratch import scratch_folder
from spark_jobs.shard_filling import ShardFilling
from spark_jobs.training_context import TrainingContext
from spark_jobs.training_state import TrainingState

_CHECK_SECONDS = 0.25


class TrainingRun:
    """Runs a leased job. `run` raises what ends it early; the newest checkpoint stays to go on from."""

    def __init__(self, context: TrainingContext, lease: Lease, job: pb.Job, dataset: Dataset) -> None:
        self._context, self._lease, self._job = context, lease, job
        self._reference = context.reference.load()
        self._dataset, self._remark = without_reference(dataset, self._reference)
        self._report = ProgressReport(lease)
        recipe, seed = recipes.find(job.spec.recipe), job.spec.seed
        self._cut = log_cut.decided(context, lease, recipe, seed, self._dataset)
        target_seconds = context.settings.target_batch_seconds
        self._plan = _plan(recipe, job, self._dataset, self._cut, target_seconds)
        checkpoints = Checkpoints(context.store, lease.job_id)
        state = _resume(checkpoints) or TrainingState(self._first_tensors())
        self._feed = Feed(context.log, lease.job_id, self._plan, target_seconds, self._report)
        self._micro_batches = MicroBatches(
            plan=self._plan,
            seed=job.spec.seed,
            max_seconds=context.settings.straggler_factor * target_seconds,
            checkpoint_every=context.settings.checkpoint_micro_batches,
            state=state,
            lease=lease,
            checkpoints=checkpoints,
            feed=self._feed,
            report=self._report,
        )

    def _first_tensors(self) -> State:
        spec, recipe = self._job.spec, self._plan.recipe
        if not spec.base_model_version:
            return architecture.initial_state(recipe, spec.seed)
        return base_state(self._context.registry, self._context.store, spec.base_model_version, recipe)

    def run(self) -> None:
        """Ingests, trains every epoch, evaluates and publishes."""
        try:
            self._run()
        except HandedOver:
            self._micro_batches.commit()
            raise
        except InvalidInput:
            # What is wrong with a file that somebody is changing is that.
            self._dataset.files.check()
            raise

    def _run(self) -> None:
        if self._job.spec.promotion not in (pb.ALWAYS, pb.NEVER):
            check_orientation(self._dataset, ModelLoader(self._context.registry, self._context.store))
        state = self._micro_batches.state
        self._report.begin(
            [*self._dataset.notes, *filter(None, [self._plan.remark])],
            images_total=self._plan.total_images,
            epochs=self._plan.epochs,
            epoch=state.epoch,
            images_trained=state.images_trained,
            micro_batch=state.micro_batch,
            training_seconds=state.seconds,
        )
        # A recipe that is new to the workers is compiled outside the first micro-batch, whose time would
        # mislead the sizer: while the first images are read, if that leaves them their cores.
        keras_config = self._warm() if self._cut.lanes else ""
        with self._feed.open(state, self._filling()):
            keras_config = keras_config or self._warm()
            self._train_epochs()
        self._publish(keras_config)

    def _warm(self) -> str:
        return session.warm(self._context.spark, self._plan.recipe)

    def _filling(self) -> Filling:
        log, job_id, seed = self._context.log, self._lease.job_id, self._job.spec.seed
        size = self._plan.images_per_block
        if self._cut.lanes:
            return ShardFilling(
                spark=self._context.spark,
                log=log,
                job_id=job_id,
                dataset=self._dataset,
                lanes=self._cut.lanes,
                images_per_block=size,
                seed=seed,
            )
        return BlockFilling(log, job_id, blocks.blocks(self._dataset.train(seed), size))

    def _train_epochs(self) -> None:
        self._feed.wait_for_first(self._check)
        self._check()
        self._report.enter(pb.TRAINING)
        self._micro_batches.start()
        self._train_epoch()
        while self._micro_batches.next_epoch():
            self._train_epoch()

    def _train_epoch(self) -> None:
        # It is asked again before the model is published; until then an epoch needs the log alone.
        with suppress(BatchUnavailable):
            self._dataset.files.check()
        while not self._micro_batches.epoch_is_over():
            self._run_query()

    def _run_query(self) -> None:
        """Trains what the log has and was not trained yet, as long as no partition leaves some of it."""
        source = self._feed.source(self._micro_batches.state.trained)
        query = EpochQuery(self._context.spark, source, self._micro_batches.train)

        def check() -> None:
            self._check()
            self._report.catch_up()
            self._feed.require_shown(query.idle_seconds())

        with scratch_folder(self._context.settings.var_dir) as folder:
            query.run(folder, check, _CHECK_SECONDS)

    def _check(self) -> None:
        self._lease.check()
        self._feed.check()
        if self._context.stopping.is_set():
            raise HandedOver(self._lease.job_id)

    def _publish(self, keras_config: str) -> None:
        self._report.enter(pb.EVALUATING)
        state = self._micro_batches.state
        judges = Judges(self._dataset.held_out(), self._reference.images, self._remark)
        with traces.span("evaluate"):
            found = candidate.evaluated(self._plan, state, keras_config, judges)
        self._report.judged(found.reading)
        bundle = found.bundle
        bundle.provenance.CopyFrom(candidate.provenance(self._job, self._dataset, self._plan, state))
        self._dataset.files.check()
        self._report.enter(pb.PUBLISHING)
        context = self._context
        limits = Limits.of(context.settings)
        publisher = Publisher(context.store, context.registry, context.coordinator, self._lease, limits)
        with traces.span("publish"):
            publisher.publish(bundle, self._job.spec.promotion, judges)


def _plan(recipe: Recipe, job: pb.Job, dataset: Dataset, cut: Cut, target_seconds: float) -> Plan:
    return Plan(
        recipe,
        dataset.train_count,
        cut.partitions,
        continued=bool(job.spec.base_model_version),
        images_per_block=cut.images_per_block,
        blocks_of_shards=sum(cut.lanes.block_counts) if cut.lanes else 0,
        target_seconds=target_seconds,
    )


def _resume(checkpoints: Checkpoints) -> TrainingState | None:
    checkpoint = checkpoints.newest()
    if checkpoint is None:
        return None
    measured.RESUMED.inc()
    return TrainingState.from_proto(checkpoint)
