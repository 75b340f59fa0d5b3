"""The one door to an answer: for single pictures, bulk streams and the open inference protocol."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from digits.errors import InvalidInput, NotReady
from digits.serving import version_floor
from digits.serving.answering import Answer, Answerer
from digits.serving.batcher import Batcher
from digits.serving.named_versions import NamedVersions
from digits.serving.serving_model import ServingModel
from digits.serving.version_floor import VersionFloor
from digits.signals.metrics.answers import BY_NAME, AnsweredPictures


class Classifier:
    """What serves answers in batches; a version that is asked for by name answers beside them."""

    def __init__(
        self,
        answerer: Answerer,
        named: NamedVersions,
        serving: ServingModel,
        floor: VersionFloor,
        *,
        max_in_batch: int,
        max_waiting: int,
        coming: Callable[[], int] = lambda: 0,
    ) -> None:
        self._answerer, self._named, self._serving, self._floor = answerer, named, serving, floor
        self.batcher = Batcher(self._answer_batch, max_in_batch, max_waiting, coming)
        self._answered = AnsweredPictures()

    async def run(self) -> None:
        """Sends batches for as long as the server runs."""
        await self.batcher.run()

    async def classify(
        self,
        pixels: np.ndarray,
        version: str,
        minimum_version: str,
        timeout_seconds: float | None,
        *,
        bulk: bool = False,
    ) -> Answer:
        """Classifies pictures, uint8 (N, 784).

        `version` is "" for the one that serves, `minimum_version` is "" for any. After a rollback an older
        version serves. What is in `bulk` waits for room and is not refused. Raises InvalidInput, NotFound,
        NotReady if what serves is older or if nothing does, Corrupt, Unavailable, Overloaded and
        DeadlinePassed.
        """
        if version:
            if minimum_version:
                raise InvalidInput("minimum_version", "only if no model_version is asked for")
            answer = await self._named.answer(pixels, version)
            self._answered.count(BY_NAME, answer.served_by, len(pixels))
            return answer
        if minimum_version:
            await self._floor.require(minimum_version)
        answer = await self.batcher.predict(pixels, timeout_seconds, bulk=bulk)
        if minimum_version:
            # Somebody may have rolled back meanwhile.
            version_floor.check(answer.model_version, minimum_version)
        return answer

    async def _answer_batch(self, pixels: np.ndarray) -> Answer:
        if self._serving.nothing_serves():
            await self._floor.catch_up()
        if self._serving.nothing_serves():
            raise NotReady("no model serves yet: train one first")
        answer = await self._answerer.answer(pixels, self._floor.generation)
        self._floor.saw(answer)
        self._answered.count(answer.model_version, answer.served_by, len(pixels))
        return answer
