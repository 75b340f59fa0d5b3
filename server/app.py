"""The gRPC server, put together and run until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc

from digits import bootstrap
from digits.feedback.labels import Labels
from digits.feedback.predictions import Predictions
from digits.inference import inference_pb2_grpc
from digits.jobs.admission import Admission
from digits.jobs.cleanup import Cleanup
from digits.jobs.housekeeping import Housekeeping
from digits.jobs.jobs import Jobs
from digits.jobs.reconciler import Reconciler
from digits.jobs.retention import JobRetention, Limits
from digits.jobs.sweep import Sweep
from digits.models.comparison import Comparison
from digits.models.export import Export
from digits.models.live_labels import LiveLabels
from digits.models.promotion import Promotion
from digits.models.reference import ReferenceFile
from digits.models.registry import Registry
from digits.models.retention import ModelRetention
from digits.security.tokens import Tokens
from digits.serving.breaker import Breaker
from digits.serving.classifier import Classifier
from digits.serving.deadline_store import DeadlineStore
from digits.serving.failover import Failover
from digits.serving.local_answerer import LocalAnswerer
from digits.serving.model_loader import ModelLoader
from digits.serving.named_versions import NamedVersions
from digits.serving.queue_answerer import QueueAnswerer
from digits.serving.serving_model import ServingModel, ServingSnapshot
from digits.serving.version_floor import VersionFloor
from digits.settings import Settings
from digits.signals import audit, exposition
from digits.signals.certificates import CertificateExpiry
from digits.signals.metrics.elected import STORE_BYTES
from digits.v1 import (
    digit_service_pb2_grpc,
    feedback_pb2_grpc,
    models_pb2_grpc,
    status_pb2_grpc,
    training_pb2_grpc,
)
from server import gauges, listening, reflection
from server.access import Access, Authorized
from server.audited import Audited
from server.digit_servicer import DigitServicer
from server.error_mapping import ErrorMapping
from server.feedback_servicer import FeedbackServicer
from server.generic_handlers import GenericHandlersOnly
from server.health import ALWAYS, WITH_A_MODEL, Health
from server.inference_servicer import InferenceServicer
from server.job_servicer import JobServicer
from server.model_servicer import ModelServicer
from server.observed import Observed
from server.pictures.pictures import Pictures
from server.progress_stream import ProgressStreams
from server.status_servicer import Queue, StatusServicer
from server.unknown_calls import UnknownCalls

logger = logging.getLogger(__name__)

_WATCH_SECONDS = 2.0
# What is left to do after the calls is over in a fraction of it. A supervisor kills after five.
_STOP_SECONDS = 4.0
_DAY_SECONDS = 24 * 3600.0


class Application:
    """Everything that one server process holds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._coordinator = bootstrap.coordinator(settings)
        self._store = DeadlineStore(bootstrap.store(settings))
        self._jobs = Jobs(self._coordinator, bootstrap.train_queue(settings))
        self._registry = Registry(self._coordinator)
        self._labels = Labels(self._store, settings.max_labels_per_caller)
        self._log = bootstrap.log(settings)
        cleanup = Cleanup(self._jobs, self._store, self._log)
        self._reconciler = Reconciler(
            self._jobs, self._coordinator, settings.max_attempts, settings.max_job_hours
        )
        self._job_retention = JobRetention(self._jobs, self._coordinator)
        self._model_retention = ModelRetention(self._registry, self._jobs, self._store, self._coordinator)
        self._housekeeping = self._make_housekeeping(cleanup, Sweep(self._jobs, self._store, self._log))
        loader = ModelLoader(self._registry, self._store)
        cache = settings.var_dir / "cache" / f"server-{settings.grpc_port}"
        self._serving = ServingModel(self._registry, loader, self._serving_changed, cache)
        self._named = NamedVersions(self._serving, loader, settings.classify_max_waiting)
        self._floor = VersionFloor(self._serving)
        self._breaker = Breaker()
        self._pictures = Pictures(settings)
        self._classifier = self._make_classifier(self._breaker)
        gauges.follow(self._classifier.batcher, self._breaker, self._reconciler)
        self._health = Health(
            {
                "serving-model": self._serving.is_alive,
                "reconciler": self._reconciler.loop.is_alive,
                # Its chores come every ten minutes and may be long.
                "housekeeping": lambda _: self._housekeeping.loop.is_alive(3600.0),
            }
        )
        self._progress_streams = ProgressStreams(self._jobs, self._floor, settings.heartbeat_seconds)
        self._server = self._make_server()
        self._health_server = listening.make_health_server(settings, self._health.servicer)

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, stop.set)
        batching = asyncio.create_task(self._classifier.run())
        # Without batches a server is of no use: its supervisor starts another.
        batching.add_done_callback(lambda _: stop.set())
        self._health.started()
        await self._server.start()
        if self._health_server:
            await self._health_server.start()
        self._serving.start()
        self._reconciler.start()
        self._housekeeping.start()
        starting = asyncio.create_task(self._announce_startup())
        watching = asyncio.create_task(self._watch_threads())
        logger.info("serving on %s:%d", self._settings.grpc_host, self._settings.grpc_port)
        await stop.wait()
        self._end_in_any_case()
        await self._drain()
        batching.cancel()
        starting.cancel()
        watching.cancel()

    def _end_in_any_case(self) -> None:
        """A stop has an end, whatever hangs."""
        seconds = self._settings.drain_notice_seconds + self._settings.drain_seconds + _STOP_SECONDS
        ending = threading.Timer(seconds, os._exit, [1])
        ending.daemon = True
        ending.start()

    async def _drain(self) -> None:
        """Says first that it stops, then answers what it accepted."""
        logger.info("draining")
        self._health.draining()
        self._progress_streams.stop()
        await asyncio.sleep(self._settings.drain_notice_seconds)
        await self._server.stop(self._settings.drain_seconds)
        if self._health_server:
            await self._health_server.stop(0)
        self._housekeeping.stop()
        self._reconciler.stop()
        self._serving.stop()
        self._coordinator.close()
        await self._pictures.end()

    def _make_housekeeping(self, cleanup: Cleanup, sweep: Sweep) -> Housekeeping:
        return Housekeeping(
            self._reconciler.leads,
            cleanup.end_all,
            [
                self._jobs.mend_index,
                sweep.run,
                self._labels.merge,
                self._model_retention.sweep,
                self._prune,
                lambda: STORE_BYTES.set(self._store.total_bytes()),
            ],
        )

    def _prune(self) -> None:
        jobs = self._job_retention.prune(_job_limits(self._settings))
        audit.by_the_service("prune", [f"job {job_id}" for job_id in jobs])
        audit.by_the_service("prune", self._model_retention.prune(_model_limits(self._settings)))

    def _make_classifier(self, breaker: Breaker) -> Classifier:
        settings = self._settings
        queue = QueueAnswerer(bootstrap.classify_queue(settings), settings.classify_queue_timeout_seconds)
        return Classifier(
            Failover(queue, LocalAnswerer(self._serving, self._floor), breaker),
            self._named,
            self._serving,
            self._floor,
            max_in_batch=settings.classify_max_batch,
            max_waiting=settings.classify_max_waiting,
            coming=self._pictures.take_coming,
        )

    def _make_server(self) -> grpc.aio.Server:
        settings = self._settings
        tokens = Tokens(settings.tokens_file) if settings.tokens_file else None
        access = Access(tokens, settings.max_calls_per_caller)
        server = listening.make_server(settings)
        methods: Any = GenericHandlersOnly(server, access)

        def guarded(servicer: object) -> Any:
            audited = Audited(servicer, access)
            return ErrorMapping(Observed(Authorized(audited, access), settings.access_log))

        predictions = Predictions()
        promotion = Promotion(self._registry, self._store, self._coordinator)
        live_labels = LiveLabels(
            self._labels, self._registry, promotion, rollback=settings.rollback_on_live_labels
        )
        digit = self._make_digit_servicer(predictions, access)
        digit_service_pb2_grpc.add_DigitServiceServicer_to_server(guarded(digit), methods)
        job = JobServicer(
            self._jobs,
            self._progress_streams,
            access,
            retention=self._job_retention,
            limits=_job_limits(settings),
        )
        training_pb2_grpc.add_JobServiceServicer_to_server(guarded(job), methods)
        model = self._make_model_servicer(promotion, live_labels, access)
        models_pb2_grpc.add_ModelServiceServicer_to_server(guarded(model), methods)
        feedback = FeedbackServicer(predictions, self._classifier, live_labels, access)
        feedback_pb2_grpc.add_FeedbackServiceServicer_to_server(guarded(feedback), methods)
        inference = InferenceServicer(self._classifier, self._named, self._serving, self._registry)
        inference_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(guarded(inference), methods)
        status_pb2_grpc.add_StatusServiceServicer_to_server(guarded(self._make_status(access)), methods)
        server.add_generic_rpc_handlers((UnknownCalls(),))
        health: Any = ErrorMapping(self._health.servicer)
        health_pb2_grpc.add_HealthServicer_to_server(health, methods)
        names = ["grpc.health.v1.Health", *ALWAYS, *filter(None, WITH_A_MODEL)]
        reflection.enable(methods, names, guarded)
        return server

    def _make_digit_servicer(self, predictions: Predictions, access: Access) -> DigitServicer:
        settings = self._settings
        admission = Admission(
            self._jobs,
            self._store,
            bootstrap.batches(settings),
            self._labels,
            find_model=self._registry.get,
            max_dataset_bytes=settings.max_dataset_bytes,
            max_jobs_per_caller=settings.max_jobs_per_caller,
        )
        return DigitServicer(
            admission,
            self._progress_streams,
            self._classifier,
            self._pictures,
            predictions,
            access=access,
            settings=settings,
        )

    def _make_model_servicer(
        self, promotion: Promotion, live_labels: LiveLabels, access: Access
    ) -> ModelServicer:
        return ModelServicer(
            self._registry,
            promotion,
            comparison=Comparison(self._registry, self._store, ReferenceFile(self._settings)),
            export=Export(self._registry, self._store),
            live_labels=live_labels,
            floor=self._floor,
            access=access,
            retention=self._model_retention,
            limits=_model_limits(self._settings),
        )

    def _make_status(self, access: Access) -> StatusServicer:
        return StatusServicer(
            self._coordinator,
            self._jobs,
            self._store,
            self._log,
            queue=Queue(self._classifier.batcher.waiting_pictures, self._breaker.is_open),
            access=access,
            serving=self._serving.now,
        )

    async def _announce_startup(self) -> None:
        await self._loop.run_in_executor(None, self._serving.await_word)
        self._health.knows_what_serves()

    async def _watch_threads(self) -> None:
        while True:
            self._health.look_at_threads()
            await asyncio.sleep(_WATCH_SECONDS)

    def _serving_changed(self, serving: ServingSnapshot) -> None:
        is_serving = serving.model is not None
        self._loop.call_soon_threadsafe(self._health.set_serving, is_serving, not serving.error)


def _job_limits(settings: Settings) -> Limits:
    return Limits(settings.keep_jobs_days * _DAY_SECONDS, settings.keep_jobs)


def _model_limits(settings: Settings) -> Limits:
    return Limits(settings.keep_models_days * _DAY_SECONDS, settings.keep_models)


async def serve(settings: Settings) -> None:
    """Runs one server."""
    exposition.serve(settings, CertificateExpiry(settings))
    await Application(settings).run()
