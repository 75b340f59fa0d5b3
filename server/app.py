"""The gRPC server, put together and run until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc

from digits import bootstrap
from digits.inference import inference_pb2_grpc
from digits.jobs.jobs import Jobs
from digits.jobs.reconciler import Reconciler
from digits.models.registry import Registry
from digits.security.tokens import Tokens
from digits.serving.serving_model import ServingModel, ServingSnapshot
from digits.settings import Settings
from digits.v1 import digit_service_pb2_grpc, models_pb2_grpc, training_pb2_grpc
from server import listening, reflection
from server.access import Access, Authorized
from server.batcher import Batcher
from server.classifying import Classifier
from server.digit_servicer import DigitServicer
from server.error_mapping import ErrorMapping
from server.generic_handlers import GenericHandlersOnly
from server.health import ALWAYS, WITH_A_MODEL, Health
from server.inference_servicer import InferenceServicer
from server.job_servicer import JobServicer
from server.model_servicer import ModelServicer
from server.progress_stream import ProgressStreams
from server.version_floor import VersionFloor

logger = logging.getLogger(__name__)


class Application:
    """Everything that one server process holds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._coordinator = bootstrap.coordinator(settings)
        self._store = bootstrap.store(settings)
        self._jobs = Jobs(self._coordinator, bootstrap.train_queue(settings), settings.max_jobs_per_caller)
        self._registry = Registry(self._coordinator)
        self._reconciler = Reconciler(self._jobs, self._coordinator, settings.max_attempts)
        self._health = Health()
        cache = settings.var_dir / "cache" / f"server-{settings.grpc_port}"
        self._serving = ServingModel(self._registry, self._store, self._serving_changed, cache)
        queue = bootstrap.classify_queue(settings)
        classifier = Classifier(queue, self._serving, settings.classify_queue_timeout_seconds)
        self._batcher = Batcher(
            classifier.classify, settings.classify_max_batch, settings.classify_max_waiting
        )
        self._follower = ProgressStreams(self._jobs, self._serving, settings.heartbeat_seconds)
        self._server = self._make_server()
        self._health_server = listening.make_health_server(settings, self._health.servicer)

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, stop.set)
        batching = asyncio.create_task(self._batcher.run())
        await self._health.started()
        await self._server.start()
        if self._health_server:
            await self._health_server.start()
        self._serving.start()
        self._reconciler.start()
        starting = asyncio.create_task(self._announce_startup())
        logger.info("serving on %s:%d", self._settings.grpc_host, self._settings.grpc_port)
        await stop.wait()
        await self._drain()
        batching.cancel()
        starting.cancel()

    async def _drain(self) -> None:
        """Says first that it stops, then answers what it accepted."""
        logger.info("draining")
        await self._health.draining()
        self._follower.stop()
        await asyncio.sleep(self._settings.drain_notice_seconds)
        await self._server.stop(self._settings.drain_seconds)
        if self._health_server:
            await self._health_server.stop(0)
        self._reconciler.stop()
        self._serving.stop()
        self._coordinator.close()

    def _make_server(self) -> grpc.aio.Server:
        settings = self._settings
        server = listening.make_server(settings)
        methods: Any = GenericHandlersOnly(server)
        tokens = Tokens(settings.tokens_file) if settings.tokens_file else None
        access = Access(tokens, settings.max_calls_per_caller)

        def guarded(servicer: object) -> Any:
            return ErrorMapping(Authorized(servicer, access))

        predictions = VersionFloor(self._batcher, self._serving)
        digit = DigitServicer(
            self._jobs, self._store, self._follower, predictions, access=access, settings=settings
        )
        digit_service_pb2_grpc.add_DigitServiceServicer_to_server(guarded(digit), methods)
        job = JobServicer(self._jobs, self._follower)
        training_pb2_grpc.add_JobServiceServicer_to_server(guarded(job), methods)
        models_pb2_grpc.add_ModelServiceServicer_to_server(guarded(ModelServicer(self._registry)), methods)
        inference = InferenceServicer(self._batcher, self._serving, self._registry)
        inference_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(guarded(inference), methods)
        health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, methods)
        names = ["grpc.health.v1.Health", *ALWAYS, *filter(None, WITH_A_MODEL)]
        reflection.enable(server, names, guarded)
        return server

    async def _announce_startup(self) -> None:
        await self._loop.run_in_executor(None, self._serving.await_word)
        await self._health.knows_what_serves()

    def _serving_changed(self, serving: ServingSnapshot) -> None:
        change = self._health.set_serving(serving.model is not None)
        asyncio.run_coroutine_threadsafe(change, self._loop)


async def serve(settings: Settings) -> None:
    """Runs one server."""
    await Application(settings).run()
