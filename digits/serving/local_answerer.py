"""Answers by the model in this process."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from digits.errors import NotReady
from digits.serving.answering import Answer
from digits.serving.serving_model import ServingModel, ServingSnapshot
from digits.serving.version_floor import VersionFloor
from digits.signals import traces
from digits.v1 import digit_service_pb2 as pb


class LocalAnswerer:
    """Asks the serving model in memory; catches up with the alias first if it is too old."""

    def __init__(self, serving: ServingModel, floor: VersionFloor) -> None:
        self._serving, self._floor = serving, floor
        # One thread: ONNX Runtime gains nothing from more on few cores.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="local model")

    async def answer(self, pixels: np.ndarray, generation: int) -> Answer:
        """See Answerer."""
        serving = self._serving.now()
        if serving.model is None or serving.generation < generation:
            serving = await self._caught_up(generation)
        model = serving.loaded()
        loop = asyncio.get_running_loop()
        with traces.span("local model", version=model.version):
            prediction = await loop.run_in_executor(self._thread, model.predictor.predict, pixels)
        return Answer(prediction, model.version, pb.CACHED_COPY, serving.generation)

    async def _caught_up(self, generation: int) -> ServingSnapshot:
        await self._floor.catch_up()
        serving = self._serving.now()
        if serving.generation < min(generation, self._floor.generation):
            raise NotReady(serving.error or f"generation {generation} of the serving model is not here yet")
        return serving
