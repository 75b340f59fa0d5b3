"""The model in memory: follows the serving alias, and swaps only to what was verified and warmed.

What becomes of an alias that cannot be followed, or that goes back: docs/decisions/who-answers.md
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from digits.background import BackgroundLoop
from digits.errors import Corrupt, DigitsError, NotReady, Unavailable
from digits.models import bundle
from digits.models.bundle import LoadedModel
from digits.models.registry import Registry, version_number
from digits.serving.alias_news import AliasNews
from digits.serving.disk_cache import DiskCache
from digits.serving.model_loader import ModelLoader
from digits.signals.metrics import model as measured
from digits.v1 import models_pb2

logger = logging.getLogger(__name__)

# A version that could not be loaded is tried again after so long.
_TURN_SECONDS = 2.0


@dataclass(frozen=True)
class ServingSnapshot:
    """What a process answers with, and why that is not what the alias names, if it is not.

    `generation` is the alias's when it named this model; 0 for a model that stands in for another.
    """

    model: LoadedModel | None = None
    generation: int = 0
    error: str = ""

    def loaded(self) -> LoadedModel:
        """The model; raises NotReady if there is none."""
        if self.model is None:
            raise NotReady(self.error or "no model serves yet: train one first")
        return self.model


class ServingModel:
    """Holds the serving version. One that cannot be loaded leaves the one before in place.

    If there is none before, the newest version that can be loaded stands in until the alias's can.
    """

    def __init__(
        self,
        registry: Registry,
        loader: ModelLoader,
        changed: Callable[[ServingSnapshot], None] = lambda serving: None,
        cache_folder: Path | None = None,
    ) -> None:
        self._registry, self._loader, self._changed = registry, loader, changed
        self._cache = DiskCache(cache_folder) if cache_folder else None
        self._cached_sha256 = ""
        self._now = ServingSnapshot()
        self._alias = AliasNews(registry)
        self._failed_generation = 0
        self._stopped = False
        self._changes = threading.Condition()
        self._loop = BackgroundLoop("serving model", self._follow, _TURN_SECONDS)
        self._end_watch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Takes up the cached copy, then follows the alias on a thread of its own."""
        if self._cache and (cached := self._cache.read()):
            try:
                model = bundle.load(cached.data, cached.version)
                self._cached_sha256 = hashlib.sha256(cached.data).hexdigest()
                self._swap(ServingSnapshot(model, cached.generation))
            except Corrupt as error:
                logger.warning("the cached copy does not serve: %s", error)
        self._end_watch = self._registry.watch_alias(self._hear)
        self._loop.start()

    def stop(self) -> None:
        """Stops following."""
        self._end_watch()
        with self._changes:
            self._stopped = True
            self._changes.notify_all()
        # Not for as long as the store may take: nobody needs what would come.
        self._loop.stop(timeout_seconds=1.0)

    def is_alive(self, max_silence_seconds: float) -> bool:
        """Whether the alias is followed: see BackgroundLoop."""
        return self._loop.is_alive(max_silence_seconds)

    def await_word(self) -> None:
        """Returns once the coordinator was heard, the cached copy is held, or this was stopped."""
        with self._changes:
            self._changes.wait_for(lambda: self._alias.heard or self._now.model is not None or self._stopped)

    def nothing_serves(self) -> bool:
        """Whether the coordinator said that no version ever served."""
        return self._alias.heard and self._alias.says(0) and self._now.model is None

    def now(self) -> ServingSnapshot:
        """What serves at the moment."""
        return self._now

    def at_least(self, generation: int, timeout_seconds: float) -> ServingSnapshot:
        """What serves, no older than a generation; raises NotReady if that is late."""
        with self._changes:
            self._changes.wait_for(
                lambda: self._now.model is not None and self._now.generation >= generation, timeout_seconds
            )
        if self._now.model and self._now.generation < generation:
            raise NotReady(f"generation {generation} of the serving model is not here yet")
        return self._now

    def catch_up(self, timeout_seconds: float) -> int | None:
        """Reads the alias now, and waits for what it names, or until that failed or is late.

        Who saw a version being promoted expects it to answer from then on, whenever the watch comes.
        Returns the alias's generation, None if the coordinator does not say.
        """
        try:
            alias = self._registry.alias(synced=True).serving
        except DigitsError as error:
            logger.warning("the serving model is not known to be the newest: %s", error)
            return None
        self._hear(alias)
        with self._changes:
            self._changes.wait_for(
                lambda: self._alias.says(self._now.generation, self._failed_generation), timeout_seconds
            )
        return alias.generation

    def _hear(self, alias: models_pb2.Serving) -> None:
        self._alias.hear(alias, self._now.generation)
        self._notify()
        self._loop.wake()

    def _notify(self) -> None:
        with self._changes:
            self._changes.notify_all()

    def _follow(self) -> None:
        wanted = self._alias.newest()
        self._notify()
        try:
            if not self._is_current(wanted):
                self._take_up(wanted)
            elif self._now.error:
                self._swap(replace(self._now, error=""))
        except Exception as error:
            is_news = self._failed_generation != wanted.generation
            self._report(wanted, error)
            # What is away may be back with the next turn; what is damaged stays so.
            if self._now.model is None and not (is_news and isinstance(error, Unavailable)):
                self._stand_in(wanted)
            if not isinstance(error, DigitsError):
                raise

    def _is_current(self, wanted: models_pb2.Serving) -> bool:
        if wanted.generation == 0:
            return True
        if wanted.generation != self._now.generation:
            return False
        if self._cached_sha256:
            # Before the coordinator came back from a backup, another version may have had the same name.
            if self._loader.registered_sha256(wanted.version) != self._cached_sha256:
                return False
            self._cached_sha256 = ""
        return True

    def _take_up(self, wanted: models_pb2.Serving) -> None:
        with measured.LOAD_SECONDS.time():
            loaded = self._loader.load(wanted.version)
        self._cached_sha256 = ""
        self._swap(ServingSnapshot(loaded.model, wanted.generation))
        if self._cache:
            self._cache.write(wanted.version, wanted.generation, loaded.data)

    def _stand_in(self, wanted: models_pb2.Serving) -> None:
        if loaded := self._loader.newest_loadable(but=wanted.version):
            error = f"{self._now.error}; {loaded.model.version} stands in for it"
            logger.warning("%s", error)
            self._swap(ServingSnapshot(loaded.model, 0, error))

    def _swap(self, serving: ServingSnapshot) -> None:
        _measure(self._now, serving)
        self._now = serving
        self._notify()
        self._changed(serving)

    def _report(self, wanted: models_pb2.Serving, error: Exception) -> None:
        measured.LOAD_FAILURES.inc()
        text = f"{wanted.version} cannot be loaded: {error}"
        if not self._now.error.startswith(text):
            logger.warning("%s", text)
            self._swap(replace(self._now, error=text))
        # Last: whoever waits for it finds all of the above.
        self._failed_generation = wanted.generation
        self._notify()


def _measure(before: ServingSnapshot, now: ServingSnapshot) -> None:
    if now.model is not before.model:
        measured.SWAPS.inc()
    version = now.model.version if now.model else ""
    measured.SERVING_VERSION.set(version_number(version) or 0)
    measured.SERVING_GENERATION.set(now.generation)
    measured.SERVING_CURRENT.set(bool(now.model and not now.error))
