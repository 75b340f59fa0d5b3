"""The classify task: one batch of pictures in, probabilities out."""

from __future__ import annotations

import logging

import numpy as np
from celery import Celery
from opentelemetry.trace import SpanKind

from digits import bootstrap, status_codes
from digits.adapters.celery_queue import CLASSIFY, register_classify_task
from digits.adapters.reply_queue import ReplyPublisher
from digits.errors import DigitsError, NotReady
from digits.jobs.membership import Membership
from digits.models.registry import Registry
from digits.pixels import PIXELS_PER_IMAGE
from digits.serving.deadline_store import DeadlineStore
from digits.serving.model_loader import ModelLoader
from digits.serving.serving_model import ServingModel, ServingSnapshot
from digits.settings import Settings
from digits.signals import context as log_context
from digits.signals import traces
from digits.signals.metrics.model import BATCH_PICTURES
from digits.v1 import queue_pb2

logger = logging.getLogger(__name__)

# A worker that lags behind the alias has this long to catch up before it says so.
_CATCH_UP_SECONDS = 0.5


class ClassifyWorker:
    """Holds the serving model and answers for it. Nothing that it does for a caller waits for the store."""

    def __init__(self, settings: Settings) -> None:
        self._coordinator = bootstrap.coordinator(settings)
        self._presence = Membership(self._coordinator, "classify")
        registry = Registry(self._coordinator)
        self._serving = ServingModel(
            registry,
            ModelLoader(registry, DeadlineStore(bootstrap.store(settings))),
            changed=self._announce,
            cache_folder=settings.var_dir / "cache" / "classify",
        )

    def start(self, app: Celery) -> None:
        """Follows the serving alias and registers the task."""
        self._serving.start()
        self._presence.start()
        register_classify_task(app, ReplyPublisher(app), self._reply_to)

    def shut_down(self) -> None:
        """Hears that the process was asked to stop; what is answered last is over in milliseconds."""

    def stop(self) -> None:
        """Leaves."""
        self._presence.stop()
        self._serving.stop()
        self._coordinator.close()

    def answer(self, batch: queue_pb2.ClassifyBatch) -> queue_pb2.ClassifyBatchResult:
        """Classifies a batch; raises NotReady."""
        serving = self._serving.at_least(batch.minimum_generation, _CATCH_UP_SECONDS)
        model = serving.loaded()
        if batch.model_version not in ("", model.version):
            # A server of an earlier release asks for it, and answers by itself then as newer ones do at once.
            raise NotReady(f"{batch.model_version} is not in this worker's memory")
        pixels = np.frombuffer(batch.pixels, np.uint8).reshape(-1, PIXELS_PER_IMAGE)
        with traces.span("predict", pictures=len(pixels), version=model.version):
            prediction = model.predictor.predict(pixels)
        BATCH_PICTURES.observe(len(pixels))
        return queue_pb2.ClassifyBatchResult(
            probabilities=prediction.probabilities.tobytes(),
            not_a_digit=prediction.not_a_digit.tobytes(),
            model_version=model.version,
            generation=serving.generation,
        )

    def _reply_to(self, body: bytes) -> bytes:
        batch = queue_pb2.ClassifyBatch.FromString(body)
        with log_context.of(batch.request_id):
            return self._result(batch).SerializeToString()

    def _result(self, batch: queue_pb2.ClassifyBatch) -> queue_pb2.ClassifyBatchResult:
        parent = traces.parent({traces.TRACEPARENT: batch.traceparent})
        try:
            with traces.span(CLASSIFY, kind=SpanKind.CONSUMER, parent=parent):
                return self.answer(batch)
        except DigitsError as error:
            logger.warning("a batch is left to its server: %s", error)
            return queue_pb2.ClassifyBatchResult(error=str(error), error_code=status_codes.code_of(error))

    def _announce(self, serving: ServingSnapshot) -> None:
        version = serving.model.version if serving.model else ""
        self._presence.update(version, serving.generation, serving.error)
