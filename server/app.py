"""The gRPC server, put together and run until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal

import grpc
from grpc_health.v1 import health_pb2_grpc

from digits import bootstrap
from digits.inference import inference_pb2_grpc
from digits.jobs import Jobs
from digits.reconciler import Reconciler
from digits.registry import Registry
from digits.serving import Serving, ServingModel
from digits.settings import Settings
from digits.v1 import digit_service_pb2_grpc, models_pb2_grpc, training_pb2_grpc
from server import reflection
from server.batcher import Batcher
from server.classifying import Classifier
from server.digit_servicer import DigitServicer
from server.errors import Translated
from server.health import ALWAYS, WITH_A_MODEL, Health
from server.inference_servicer import InferenceServicer
from server.job_servicer import JobServicer
from server.model_servicer import ModelServicer

logger = logging.getLogger(__name__)

# Accepted calls have this long to end once the server was told to stop.
DRAIN_SECONDS = 10.0


class Application:
    """Everything that one server process holds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._coordinator = bootstrap.coordinator(settings)
        self._store = bootstrap.store(settings)
        self._jobs = Jobs(self._coordinator, bootstrap.train_queue(settings))
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
        self._server = self._make_server()

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, stop.set)
        batching = asyncio.create_task(self._batcher.run())
        await self._health.started()
        await self._server.start()
        self._serving.start()
        self._reconciler.start()
        logger.info("serving on %s:%d", self._settings.grpc_host, self._settings.grpc_port)
        await stop.wait()
        await self._drain()
        batching.cancel()

    async def _drain(self) -> None:
        logger.info("draining")
        await self._health.draining()
        await self._server.stop(DRAIN_SECONDS)
        self._reconciler.stop()
        self._serving.stop()
        self._coordinator.close()

    def _make_server(self) -> grpc.aio.Server:
        most = self._settings.max_request_bytes
        options = [("grpc.max_receive_message_length", most), ("grpc.so_reuseport", 0)]
        server = grpc.aio.server(options=options)
        digit = DigitServicer(self._jobs, self._store, self._serving, self._batcher, self._settings)
        digit_service_pb2_grpc.add_DigitServiceServicer_to_server(Translated(digit), server)
        job = JobServicer(self._jobs, self._serving, self._settings.heartbeat_seconds)
        training_pb2_grpc.add_JobServiceServicer_to_server(Translated(job), server)
        models_pb2_grpc.add_ModelServiceServicer_to_server(Translated(ModelServicer(self._registry)), server)
        inference = InferenceServicer(self._batcher, self._serving, self._registry)
        inference_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Translated(inference), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, server)
        reflection.enable(server, ["grpc.health.v1.Health", *ALWAYS, *filter(None, WITH_A_MODEL)])
        server.add_insecure_port(f"{self._settings.grpc_host}:{self._settings.grpc_port}")
        return server

    def _serving_changed(self, serving: Serving) -> None:
        change = self._health.set_serving(serving.model is not None)
        asyncio.run_coroutine_threadsafe(change, self._loop)


async def serve(settings: Settings) -> None:
    """Runs one server."""
    await Application(settings).run()
