"""From the registry and the store to a verified, warm model in memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from digits.errors import Corrupt, NotFound
from digits.models import bundle
from digits.models.bundle import LoadedModel
from digits.models.registry import Registry
from digits.ports import ArtifactStore
from digits.v1 import models_pb2

logger = logging.getLogger(__name__)

_MAX_CANDIDATES = 1000


@dataclass(frozen=True)
class Loaded:
    """A model in memory, and the bundle that it came from."""

    model: LoadedModel
    data: bytes


class ModelLoader:
    """Loads versions; blocks for as long as the coordinator and the store take."""

    def __init__(self, registry: Registry, store: ArtifactStore) -> None:
        self._registry, self._store = registry, store

    def load(self, version: str) -> Loaded:
        """Reads, verifies and warms a version; raises NotFound, Corrupt, Unavailable."""
        return self._load(self._registry.get(version))

    def newest_loadable(self, but: str) -> Loaded | None:
        """The newest version other than `but` that can be loaded; None if there is none.

        Versions that served before come first: the gate, or a caller, did not have the others serve.
        Raises Unavailable: what is away now need not be damaged.
        """
        models = [model for model in self._registry.newest(_MAX_CANDIDATES) if model.version != but]
        for model in sorted(models, key=lambda model: not model.served):
            try:
                return self._load(model)
            except (Corrupt, NotFound) as error:
                logger.warning("%s cannot serve either: %s", model.version, error)
        return None

    def registered_sha256(self, version: str) -> str:
        """SHA-256 of the version's bundle by the registry's word; raises NotFound, Unavailable."""
        return self._registry.get(version).bundle_sha256

    def _load(self, model: models_pb2.Model) -> Loaded:
        data = bundle.fetch(self._store, model)
        return Loaded(bundle.load(data, model.version), data)
