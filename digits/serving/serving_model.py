"""The model in memory: follows the serving alias, and swaps only to what was verified and warmed."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from digits.errors import Corrupt, DigitsError, NotReady
from digits.models import bundle
from digits.models.bundle import LoadedModel
from digits.models.registry import Registry
from digits.ports import ArtifactStore
from digits.serving.disk_cache import DiskCache
from digits.v1 import models_pb2

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 2.0
_OTHER_VERSIONS = 4


@dataclass(frozen=True)
class ServingSnapshot:
    """What a holder answers with, and what it could not take up."""

    model: LoadedModel | None = None
    generation: int = 0
    error: str = ""

    def loaded(self) -> LoadedModel:
        """The model; raises NotReady where there is none."""
        if self.model is None:
            raise NotReady("no model serves yet: train one first")
        return self.model


class ServingModel:
    """Holds the serving version; a version that cannot be loaded leaves the one before in place."""

    def __init__(
        self,
        registry: Registry,
        store: ArtifactStore,
        changed: Callable[[ServingSnapshot], None] = lambda serving: None,
        cache_folder: Path | None = None,
        threads: int = 1,
    ) -> None:
        self._registry, self._store, self._changed, self._threads = registry, store, changed, threads
        self._cache = DiskCache(cache_folder) if cache_folder else None
        self._now = ServingSnapshot()
        self._wanted = models_pb2.Serving()
        self._wake = threading.Condition()
        self._stopped = False
        self._heard = False
        self.version = functools.lru_cache(_OTHER_VERSIONS)(self._load)

    def start(self) -> None:
        """Takes up the cached copy, then follows the alias on a thread of its own."""
        if self._cache and (cached := self._cache.read()):
            try:
                self._swap(
                    ServingSnapshot(
                        bundle.load(cached.data, cached.version, self._threads), cached.generation
                    )
                )
            except Corrupt as error:
                logger.warning("the cached copy does not serve: %s", error)
        self._end_watch = self._registry.watch_alias(self._want)
        threading.Thread(target=self._follow, daemon=True, name="serving model").start()

    def stop(self) -> None:
        """Stops following."""
        self._end_watch()
        with self._wake:
            self._stopped = True
            self._wake.notify_all()

    def await_word(self) -> None:
        """Returns once the coordinator was heard, the cached copy is held, or this was stopped."""
        with self._wake:
            self._wake.wait_for(lambda: self._heard or self._now.model is not None or self._stopped)

    def nothing_serves(self) -> bool:
        """Whether the coordinator said that no version ever served."""
        return self._heard and self._wanted.generation == 0 and self._now.model is None

    def now(self) -> ServingSnapshot:
        """What serves at the moment."""
        return self._now

    def at_least(self, generation: int, timeout_seconds: float) -> ServingSnapshot:
        """What serves, no older than a generation; raises NotReady where that is late."""
        with self._wake:
            self._wake.wait_for(
                lambda: self._now.model is not None and self._now.generation >= generation, timeout_seconds
            )
        if self._now.model and self._now.generation < generation:
            raise NotReady(f"generation {generation} of the serving model is not here yet")
        return self._now

    def catch_up(self, timeout_seconds: float) -> None:
        """Reads the alias now, and waits for what it names or until that is late.

        Who saw a version being promoted expects it to answer from then on, whenever the watch comes.
        """
        try:
            alias = self._registry.alias().serving
            self._want(alias)
            self.at_least(alias.generation, timeout_seconds)
        except DigitsError as error:
            logger.warning("the serving model is not known to be the newest: %s", error)

    def _want(self, alias: models_pb2.Serving) -> None:
        with self._wake:
            if alias.generation >= self._wanted.generation:
                self._wanted = alias
            self._heard = True
            self._wake.notify_all()

    def _behind(self) -> bool:
        return self._stopped or self._wanted.generation > self._now.generation

    def _follow(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(self._behind)
                wanted = self._wanted
                if self._stopped:
                    return
            try:
                self._take_up(wanted)
            except DigitsError as error:
                logger.warning("%s does not serve here: %s", wanted.version, error)
                self._report(f"{wanted.version}: {error}")
                self._wait_for_another(wanted)

    def _wait_for_another(self, failed: models_pb2.Serving) -> None:
        with self._wake:
            self._wake.wait_for(
                lambda: self._stopped or self._wanted.generation != failed.generation, _RETRY_SECONDS
            )

    def _take_up(self, wanted: models_pb2.Serving) -> None:
        model = self._registry.get(wanted.version)
        data = bundle.fetch(self._store, model)
        loaded = bundle.load(data, wanted.version, self._threads)
        self._swap(ServingSnapshot(loaded, wanted.generation))
        if self._cache:
            self._cache.write(wanted.version, wanted.generation, data)

    def _swap(self, serving: ServingSnapshot) -> None:
        with self._wake:
            self._now = serving
            self._wake.notify_all()
        self._changed(serving)

    def _report(self, error: str) -> None:
        with self._wake:
            self._now = ServingSnapshot(self._now.model, self._now.generation, error)
        self._changed(self._now)

    def _load(self, version: str) -> LoadedModel:
        """A version that somebody asked for by name; raises NotFound, Corrupt."""
        current = self._now.model
        if current and current.version == version:
            return current
        model = self._registry.get(version)
        return bundle.load(bundle.fetch(self._store, model), version, self._threads)
