"""From a trained state to a registered version: bundle, store, registry and alias in this order."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from digits import clock, envelope
from digits.errors import AlreadyPublished, Corrupt, NotFound, StaleWrite
from digits.feedback import batch
from digits.jobs.leases import Lease
from digits.jobs.states import advance
from digits.models import bundle, gate
from digits.models.evaluation import Judges
from digits.models.gate import Decision, Limits
from digits.models.registry import Registry, version_number
from digits.ports import ArtifactStore, Coordinator, Create, Replace
from digits.signals import audit
from digits.v1 import artifacts_pb2, models_pb2, training_pb2

logger = logging.getLogger(__name__)


class _Overtaken(Exception):
    """A version that was named later began to serve first."""


class Publisher:
    """Publishes candidates of one job, fenced by its lease."""

    def __init__(
        self,
        store: ArtifactStore,
        registry: Registry,
        coordinator: Coordinator,
        lease: Lease,
        limits: Limits,
    ) -> None:
        self._store, self._registry, self._coordinator = store, registry, coordinator
        self._lease, self._limits = lease, limits

    def publish(
        self, candidate: artifacts_pb2.ModelBundle, promotion: training_pb2.Promotion, judges: Judges
    ) -> None:
        """Publishes a bundle and ends its job; `judges` are the images that its metrics are of.

        The version, the serving alias and the job change in one commit, so each takes effect once or not at
        all; a bundle that was written before a crash is only a file that nobody reads.
        """
        model = self._write(candidate)
        while True:
            try:
                return self._register(model, promotion, judges)
            except StaleWrite:
                logger.info("%s: the alias or the job moved meanwhile; deciding again", model.version)
            except _Overtaken:
                logger.info("%s: a newer version serves meanwhile; taking a newer name", model.version)
                model = self._write(candidate)

    def _write(self, candidate: artifacts_pb2.ModelBundle) -> models_pb2.Model:
        while True:
            candidate.version = self._registry.new_version()
            path, data = f"models/{candidate.version}.bundle", envelope.seal(candidate)
            try:
                self._store.publish(path, data)
                break
            except AlreadyPublished:
                # The coordinator came back from a backup, and the store is ahead of it.
                logger.warning("%s is in the store already; taking the next name", candidate.version)
        model = models_pb2.Model(
            version=candidate.version,
            metrics=candidate.metrics,
            provenance=candidate.provenance,
            store_path=path,
            bundle_bytes=len(data),
            bundle_sha256=hashlib.sha256(data).hexdigest(),
            create_time=clock.now(),
        )
        bundle.load(bundle.fetch(self._store, model), model.version)
        return model

    def _register(self, model: models_pb2.Model, promotion: training_pb2.Promotion, judges: Judges) -> None:
        alias = self._registry.alias()
        serving = self._measured(alias.serving.version, judges)
        way_out = batch.way_out(model.provenance.data_name)
        decision = gate.decide(
            promotion,
            model.metrics,
            serving,
            self._limits,
            judges.remark,
            best=self._best_of(serving, alias.chosen_by_the_gate()) if serving else None,
            way_out=way_out,
        )
        # Versions never go backwards, but by hand.
        if decision.promoted and _number(alias.serving.version) > _number(model.version):
            raise _Overtaken
        model.promotion_reason = decision.reason
        job = self._lease.replacement(_success(model, decision))
        caller, origin = training_pb2.Job.FromString(job.value).spec.caller, f"job {self._lease.job_id}"
        operations: list[Create | Replace] = [self._registry.registration(model, decision.promoted), job]
        if decision.promoted:
            always = promotion == training_pb2.ALWAYS
            reason = models_pb2.ServingChange.ALWAYS if always else models_pb2.ServingChange.GATE
            operations.append(alias.moved_to(model.version, reason, caller, origin))
        self._coordinator.commit(*operations)
        if decision.promoted:
            audit.record("promote", f"{model.version} by the gate", who=caller, origin=origin)

    def _best_of(self, serving: models_pb2.Model, versions: Sequence[str]) -> models_pb2.Model:
        """Which reads the reference set best: what serves, or another that was measured on the same."""
        found = [serving]
        for version in versions:
            # It may have been pruned.
            with suppress(NotFound, Corrupt):
                found.append(self._registry.get(version))
        judged = [m for m in found if m.metrics.reference_sha256 == serving.metrics.reference_sha256]
        return max(judged, key=lambda model: model.metrics.reference_accuracy)

    def _measured(self, serving: str, judges: Judges) -> models_pb2.Model | None:
        """The serving version with its metrics on these images; measured again only if they are others."""
        if not serving:
            return None
        try:
            model = self._registry.get(serving)
            if judges.measured(model.metrics):
                return model
            loaded = bundle.load(bundle.fetch(self._store, model), serving)
        except (Corrupt, NotFound) as error:
            logger.warning("the serving model cannot be compared with: %s", error)
            return None
        model.metrics.CopyFrom(judges.measure(loaded.predictor))
        return model


def _number(version: str) -> int:
    return version_number(version) or 0


def _success(model: models_pb2.Model, decision: Decision) -> Callable[[training_pb2.Job], None]:
    def succeed(job: training_pb2.Job) -> None:
        advance(job, training_pb2.SUCCEEDED)
        job.progress.model_version = model.version
        job.progress.promoted = decision.promoted
        job.progress.promotion_reason = decision.reason
        job.progress.metrics.CopyFrom(model.metrics)
        job.progress.accuracy = model.metrics.accuracy
        job.progress.loss = model.metrics.loss

    return succeed
