"""What is known of the serving alias: its moves come by several threads, and by late ones too."""

from __future__ import annotations

import logging
import threading

from digits.models.registry import Registry
from digits.v1 import models_pb2

logger = logging.getLogger(__name__)


class AliasNews:
    """The newest alias that was heard. It goes back only on the word of a read after a sync.

    An alias that went back was read late, by a thread that was overtaken, or it was restored from a backup:
    what a read after a sync says is no older than what anybody saw. docs/decisions/who-answers.md
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._newest = models_pb2.Serving()
        self._doubted = False
        self.heard = False
        """Whether the coordinator has said anything yet."""

    def hear(self, alias: models_pb2.Serving, held_generation: int) -> None:
        """Takes news in; `held_generation` is that of the model in memory."""
        with self._lock:
            self.heard = True
            if alias.generation < max(self._newest.generation, held_generation):
                self._doubted = True
            else:
                self._newest = alias

    def newest(self) -> models_pb2.Serving:
        """The alias, read again if in doubt; raises CoordinatorUnavailable."""
        if self._doubted:
            before = self._newest
            alias = self._registry.alias(synced=True).serving
            with self._lock:
                self._doubted = False
                # Else there was newer news meanwhile.
                if self._newest is before:
                    self._newest = alias
            logger.warning("the alias went back, and is at generation %d", self._newest.generation)
        return self._newest

    def says(self, *generations: int) -> bool:
        """Whether it is known for sure to be at one of these generations."""
        return not self._doubted and self._newest.generation in generations
