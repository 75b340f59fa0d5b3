"""How long versions that never served are kept, and the end of bundles that never became a version."""

from __future__ import annotations

import logging

from digits import clock, envelope
from digits.errors import Corrupt, NotFound, StaleWrite
from digits.jobs.jobs import Jobs
from digits.jobs.retention import Limits
from digits.jobs.states import is_final
from digits.models.registry import Registry, ServingAlias, model_path
from digits.ports import ArtifactStore, Coordinator, Delete, Operation
from digits.v1 import artifacts_pb2
from digits.v1 import models_pb2 as pb

logger = logging.getLogger(__name__)

_FOLDER = "models"


class ModelRetention:
    """Removes versions with their bundles. What serves, served before or is pinned stays."""

    def __init__(
        self, registry: Registry, jobs: Jobs, store: ArtifactStore, coordinator: Coordinator
    ) -> None:
        self._registry, self._jobs = registry, jobs
        self._store, self._coordinator = store, coordinator

    def prune(self, limits: Limits, dry_run: bool = False) -> list[str]:
        """Returns the versions that the limits exclude, oldest first, removed unless it is a dry run."""
        alias = self._registry.alias()
        unpromoted = [model for model in self._registry.oldest_first() if not _is_kept(model, alias)]
        surplus = len(unpromoted) - limits.max_count
        excluded = [
            model
            for place, model in enumerate(unpromoted)
            if place < surplus or clock.seconds_since(model.create_time) > limits.max_age_seconds
        ]
        return [model.version for model in excluded if dry_run or self._remove(model, alias)]

    def sweep(self) -> None:
        """Removes bundles that are no version's and whose job is over: their publication failed."""
        for name in self._store.names(_FOLDER):
            version = name.removeprefix(f"{_FOLDER}/").removesuffix(".bundle")
            if not self._registry.is_registered(version) and self._publication_failed(name, version):
                logger.info("removed %s, whose publication failed", name)
                self._store.delete(name)

    def _remove(self, model: pb.Model, alias: ServingAlias) -> bool:
        path = model_path(model.version)
        stored = self._coordinator.get(path)
        if stored is None:
            return False
        operations: list[Operation] = [Delete(path, stored.version)]
        if alias.stored:
            operations.append(alias.unmoved())
        try:
            self._coordinator.commit(*operations)
        except StaleWrite:
            logger.info("%s stays for now: the alias or the version changed meanwhile", model.version)
            return False
        self._store.delete(model.store_path)
        return True

    def _publication_failed(self, name: str, version: str) -> bool:
        """Whether nobody will register the bundle: a job becomes final in the commit that registers.

        A bundle whose job nobody knows stays: the coordinator may be the wrong one, or an old copy of it.
        """
        try:
            made = envelope.unseal(self._store.read(name), artifacts_pb2.ModelBundle)
            job = self._jobs.get(made.provenance.job_id)
        except (Corrupt, NotFound):
            return False
        return is_final(job) and not self._registry.is_registered(version)


def _is_kept(model: pb.Model, alias: ServingAlias) -> bool:
    """Unless it is known that the version never served, it may have."""
    never_served = model.HasField("served") and not model.served
    return model.pinned or not never_served or model.version in alias.served_versions()
