"""One job that publishes what another service trained: judged as any candidate is, and not trained."""

from __future__ import annotations

from digits.errors import InvalidInput
from digits.jobs.leases import Lease
from digits.models.evaluation import Judges
from digits.models.gate import Limits
from digits.models.publishing import Publisher
from digits.training import brought_weights
from digits.v1 import training_pb2 as pb
from spark_jobs import candidate, session
from spark_jobs.progress import ProgressReport
from spark_jobs.training_context import TrainingContext


class ImportRun:
    """Runs a leased job; `data` is the bundle that came with it."""

    def __init__(self, context: TrainingContext, lease: Lease, job: pb.Job, data: bytes) -> None:
        self._context, self._lease, self._job = context, lease, job
        self._brought = brought_weights.read(data)
        self._report = ProgressReport(lease)

    def run(self) -> None:
        """Measures the network on the reference set and publishes it; raises InvalidInput without one."""
        self._report.enter(pb.EVALUATING)
        context, brought = self._context, self._brought
        reference = context.reference.load()
        if reference.images is None:
            raise InvalidInput(
                brought_weights.FIELD,
                f"there is nothing to judge it by: {reference.missing or 'DIGITS_REFERENCE_BATCH is empty'}",
            )
        judges = Judges(reference.images, reference.images)
        keras_config = session.warm(context.spark, brought.recipe)
        found = candidate.measured(brought.recipe, brought.state, keras_config, judges)
        self._report.judged(found.reading)
        bundle = found.bundle
        bundle.provenance.CopyFrom(brought.origin)
        bundle.provenance.job_id = self._job.job_id
        self._report.enter(pb.PUBLISHING)
        limits = Limits.of(context.settings)
        publisher = Publisher(context.store, context.registry, context.coordinator, self._lease, limits)
        publisher.publish(bundle, self._job.spec.promotion, judges)
