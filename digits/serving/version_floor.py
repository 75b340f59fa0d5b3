"""No caller gets an older model than one that was seen: neither than an earlier answer, nor than it names.

The one exception is a rollback. docs/decisions/who-answers.md
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from digits.errors import InvalidInput, NotReady
from digits.models.registry import version_number
from digits.serving.answering import Answer
from digits.serving.serving_model import ServingModel

logger = logging.getLogger(__name__)

_CATCH_UP_SECONDS = 2.0
_REACH_TURNS = 5


class VersionFloor:
    """The lowest generation of the serving alias that may answer; rises with what is seen.

    It comes down only if the coordinator says that the alias is below it: restored from a backup.
    """

    def __init__(self, serving: ServingModel) -> None:
        self._serving = serving
        self._seen = 0
        # Of its own: it waits for ZooKeeper, and for a model that may be late.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="catching up")
        self._one_at_a_time = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None

    @property
    def generation(self) -> int:
        """The lowest generation that may answer now."""
        return max(self._seen, self._serving.now().generation)

    def saw(self, answer: Answer) -> None:
        """Nothing older than this answer from now on."""
        self._seen = max(self._seen, answer.generation)

    async def require(self, minimum_version: str) -> None:
        """Has what serves here be no older than a version; raises InvalidInput, and NotReady if it is."""
        number = version_number(minimum_version)
        if number is None:
            raise InvalidInput("minimum_version", f'a version such as "v3", not {minimum_version[:40]!r}')
        if _number(self._serves()) < number:
            # From then on no worker with an older model answers this server either.
            await self.catch_up()
        check(self._serves(), minimum_version)

    async def catch_up(self) -> None:
        """Follows the alias as it is from now on; callers that come before the next read begins share it."""
        if self._next is None:
            self._next = asyncio.create_task(self._catch_up())
        await asyncio.shield(self._next)

    async def reach(self, version: str) -> None:
        """Catches up until a version serves here, for ten seconds at most: it was loaded a moment ago."""
        for _ in range(_REACH_TURNS):
            await self.catch_up()
            if self._serves() == version:
                return

    async def _catch_up(self) -> None:
        async with self._one_at_a_time:
            self._next = None
            loop = asyncio.get_running_loop()
            generation = await loop.run_in_executor(self._thread, self._serving.catch_up, _CATCH_UP_SECONDS)
        if generation is not None and generation < self._seen:
            logger.warning("the alias is back from generation %d at %d", self._seen, generation)
            self._seen = generation

    def _serves(self) -> str:
        model = self._serving.now().model
        return model.version if model else ""


def check(version: str, minimum_version: str) -> None:
    """Raises NotReady if a version is older than the minimum."""
    if _number(version) < _number(minimum_version):
        raise NotReady(f"{version or 'no version'} serves, which is older than {minimum_version}")


def _number(version: str) -> int:
    return version_number(version) or 0
