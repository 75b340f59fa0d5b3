"""Versions that somebody asked for by name: loaded and run beside what serves, never in its way."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from digits.errors import NotFound, Overloaded
from digits.models.bundle import LoadedModel
from digits.models.registry import version_number
from digits.serving.answering import Answer
from digits.serving.model_loader import ModelLoader
from digits.serving.serving_model import ServingModel
from digits.v1 import digit_service_pb2 as pb

_MAX_LOADED = 4
# More versions than that at once are refused: each takes its share of the processor.
_MAX_LOADING = 8


class NamedVersions:
    """Holds the versions used last. They answer here, so that no classify worker ever waits for the store."""

    def __init__(self, serving: ServingModel, loader: ModelLoader, max_pictures: int) -> None:
        self._serving, self._loader, self._max_pictures = serving, loader, max_pictures
        self._loaded: OrderedDict[str, LoadedModel] = OrderedDict()
        self._loading: dict[str, asyncio.Task[LoadedModel]] = {}
        self._pictures = 0
        # One to load while another waits for the store; loading takes the processor, answering more so.
        self._load_threads = ThreadPoolExecutor(2, thread_name_prefix="loading")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="named versions")

    async def answer(self, pixels: np.ndarray, version: str) -> Answer:
        """Classifies pictures, uint8 (N, 784); raises NotFound, Corrupt, Unavailable, Overloaded."""
        if self._pictures + len(pixels) > self._max_pictures:
            raise Overloaded("too many pictures wait for versions by name", retry_after_seconds=1.0)
        self._pictures += len(pixels)
        try:
            model = await self.load(version)
            loop = asyncio.get_running_loop()
            prediction = await loop.run_in_executor(self._thread, model.predictor.predict, pixels)
        finally:
            self._pictures -= len(pixels)
        return Answer(prediction, model.version, pb.CACHED_COPY)

    async def load(self, version: str) -> LoadedModel:
        """The version in memory; callers of one that is being loaded share the load. Raises as `answer`."""
        current = self._serving.now().model
        if current and current.version == version:
            return current
        if version in self._loaded:
            self._loaded.move_to_end(version)
            return self._loaded[version]
        if version not in self._loading:
            self._loading[version] = self._start_loading(version)
        # Who leaves does not take the others' load along.
        return await asyncio.shield(self._loading[version])

    def _start_loading(self, version: str) -> asyncio.Task[LoadedModel]:
        if version_number(version) is None:
            raise NotFound("model version", version)
        if len(self._loading) >= _MAX_LOADING:
            raise Overloaded(f"{_MAX_LOADING} other versions are being loaded", retry_after_seconds=1.0)
        loading = asyncio.create_task(self._load(version))
        loading.add_done_callback(_seen)
        return loading

    async def _load(self, version: str) -> LoadedModel:
        loop = asyncio.get_running_loop()
        try:
            loaded = await loop.run_in_executor(self._load_threads, self._loader.load, version)
        finally:
            del self._loading[version]
        self._loaded[version] = loaded.model
        if len(self._loaded) > _MAX_LOADED:
            self._loaded.popitem(last=False)
        return loaded.model


def _seen(loading: asyncio.Task[LoadedModel]) -> None:
    """All who waited may have left before it failed."""
    if not loading.cancelled():
        loading.exception()
