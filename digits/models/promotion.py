"""Moves the serving alias by hand, and only to a version that was read back, verified and loaded first."""

from __future__ import annotations

from digits.errors import Corrupt, InvalidInput, NotFound, NotReady, StaleWrite
from digits.models import bundle
from digits.models.registry import Registry, ServingAlias, version_number
from digits.ports import ArtifactStore, Coordinator
from digits.v1 import models_pb2 as pb


class Promotion:
    """Promotes and rolls back by compare-and-set."""

    def __init__(self, registry: Registry, store: ArtifactStore, coordinator: Coordinator) -> None:
        self._registry, self._store, self._coordinator = registry, store, coordinator

    def promote(self, version: str, caller: str, origin: str = "") -> pb.Model:
        """Makes a version serve, whatever serves now. `origin` is from where the caller asks.

        Raises NotFound, NotReady for a version that cannot be loaded, and StoreUnavailable.
        """
        self._check(self._registry.get(version))
        while (alias := self._registry.alias()).serving.version != version:
            if self._moved(alias, version, pb.ServingChange.PROMOTE, caller, origin):
                break
        return self._registry.get(version)

    def rollback(
        self,
        from_version: str,
        caller: str,
        origin: str = "",
        reason: pb.ServingChange.Reason = pb.ServingChange.ROLLBACK,
    ) -> pb.Model:
        """Makes the version serve that served before; see RollbackModelRequest for `from_version`.

        Raises InvalidInput, NotFound, NotReady if there is none or it cannot be loaded, and StoreUnavailable.
        """
        if from_version and version_number(from_version) is None:
            raise InvalidInput("from_version", f'a version such as "v3", not {from_version[:40]!r}')
        while True:
            alias = self._registry.alias()
            if from_version and alias.serving.version != from_version:
                # It was rolled back before; one that nobody knows was not.
                self._registry.get(from_version)
                return self._registry.get("serving")
            version = alias.version_before()
            if not version:
                raise NotReady("no version served before this one")
            self._check(self._registry.get(version))
            if self._moved(alias, version, reason, caller, origin):
                return self._registry.get(version)

    def _check(self, model: pb.Model) -> None:
        try:
            bundle.load(bundle.fetch(self._store, model), model.version)
        except (Corrupt, NotFound) as error:
            raise NotReady(f"{model.version} cannot serve: {error}; promote another version") from error

    def _moved(
        self, alias: ServingAlias, version: str, reason: pb.ServingChange.Reason, caller: str, origin: str
    ) -> bool:
        try:
            served = self._registry.mark_served(version)
            self._coordinator.commit(alias.moved_to(version, reason, caller, origin), served)
        except StaleWrite:
            return False
        return True
