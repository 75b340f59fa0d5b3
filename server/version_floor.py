"""Callers that name the oldest version they take: after a promotion they never see the one before again."""

from __future__ import annotations

import numpy as np

from digits.errors import InvalidInput, NotReady
from digits.models.registry import version_number
from digits.serving.serving_model import ServingModel
from server.batcher import Answer, Batcher
from server.blocking import blocking

_CATCH_UP_SECONDS = 2.0


class VersionFloor:
    """The batcher's answers, none older than its caller takes. After a rollback an older version serves."""

    def __init__(self, batcher: Batcher, serving: ServingModel) -> None:
        self._batcher, self._serving = batcher, serving

    async def predict(
        self, pixels: np.ndarray, version: str, minimum: str, timeout_seconds: float | None
    ) -> Answer:
        """See Batcher.predict; `minimum` is "" for any version.

        Raises InvalidInput, and NotReady where what serves is older.
        """
        if not minimum:
            return await self._batcher.predict(pixels, version, timeout_seconds)
        if version:
            raise InvalidInput("minimum_version", "only where no model_version is asked for")
        number = version_number(minimum)
        if number is None:
            raise InvalidInput("minimum_version", f'a version such as "v3", not {minimum[:40]!r}')
        if _number(self._serves()) < number:
            # From then on no worker with an older model answers this server either.
            await blocking(self._serving.catch_up, _CATCH_UP_SECONDS)
        _check(self._serves(), minimum)
        answer = await self._batcher.predict(pixels, version, timeout_seconds)
        # Somebody may have rolled back meanwhile.
        _check(answer.model_version, minimum)
        return answer

    def _serves(self) -> str:
        model = self._serving.now().model
        return model.version if model else ""


def _check(version: str, minimum: str) -> None:
    if _number(version) < _number(minimum):
        raise NotReady(f"{version or 'no version'} serves, which is older than {minimum}")


def _number(version: str) -> int:
    return version_number(version) or 0
