"""A real gRPC server in this process whose answers a test sets and whose requests it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2_grpc
from grpc_status import rpc_status

from digits import status_codes
from digits.v1 import (
    digit_service_pb2,
    digit_service_pb2_grpc,
    feedback_pb2,
    feedback_pb2_grpc,
    models_pb2,
    models_pb2_grpc,
    status_pb2,
    status_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
)

Answer = Message | list[Message | Exception] | Exception | Callable[[Any, grpc.ServicerContext], Any]

DEFAULTS: dict[str, Message] = {
    "Classify": digit_service_pb2.ClassifyResponse(
        digit=5, confidence=0.9, model_version="v1", served_by=1, not_a_digit=0.25, prediction_id="p1"
    ),
    "GetJob": training_pb2.Job(job_id="j1", state="TRAINING"),
    "ListJobs": training_pb2.ListJobsResponse(jobs=[training_pb2.Job(job_id="j1")]),
    "CancelJob": training_pb2.Job(job_id="j1", cancel_requested=True),
    "ListModels": models_pb2.ListModelsResponse(models=[models_pb2.Model(version="v1")]),
    "GetModel": models_pb2.Model(version="v1"),
    "PromoteModel": models_pb2.Model(version="v1", state="SERVING"),
    "RollbackModel": models_pb2.Model(version="v0", state="SERVING"),
    "PruneJobs": training_pb2.PruneJobsResponse(job_ids=["j1"]),
    "PinModel": models_pb2.Model(version="v1", pinned=True),
    "PruneModels": models_pb2.PruneModelsResponse(versions=["v1"]),
    "ExportModel": models_pb2.ExportModelResponse(
        version="v1", data=b"network", file_name="v1.onnx", sha256="0" * 64
    ),
    "CompareModels": models_pb2.CompareModelsResponse(image_count=10, difference_count=1),
    "ListBatches": digit_service_pb2.ListBatchesResponse(
        batches=[digit_service_pb2.Batch(path="tiny.npz", total_bytes=2000)]
    ),
    "ReportLabel": feedback_pb2.ReportLabelResponse(
        model_version="v1",
        digit=5,
        live_accuracy=models_pb2.LiveAccuracy(label_count=4, right_count=3, low=0.3, high=0.95),
    ),
    "GetStatus": status_pb2.GetStatusResponse(
        model_version="v1", parts=[status_pb2.PartStatus(name="store", ok=True, detail="answers")]
    ),
    "ListServingHistory": models_pb2.ListServingHistoryResponse(
        changes=[models_pb2.ServingChange(generation=1, version="v1", reason="GATE", caller="ann")]
    ),
}


@dataclass
class RecordedService:
    """`answers` by method name: a message, a list to stream, an error to raise, or a function."""

    address: str = ""
    health: health.HealthServicer = field(default_factory=health.HealthServicer)
    answers: dict[str, Answer] = field(default_factory=lambda: dict(DEFAULTS))
    requests: list[Any] = field(default_factory=list)

    def unary(self, name: str) -> Callable[[Any, grpc.ServicerContext], Any]:
        def method(request: Any, context: grpc.ServicerContext) -> Any:
            self.requests.append(request)
            answer = self.answers[name]
            return answer(request, context) if callable(answer) else _sent(answer, context)

        return method

    def streaming(self, name: str) -> Callable[[Any, grpc.ServicerContext], Iterator[Any]]:
        def method(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            self.requests.append(request)
            answer = self.answers[name]
            messages = answer(request, context) if callable(answer) else answer
            for message in messages if not isinstance(messages, Exception) else [messages]:
                yield _sent(message, context)

        return method

    def upload(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        """Takes an upload in whole, and answers it as the Train that it stands for."""
        request = next(requests).header
        request.images_batch = b"".join(part.chunk for part in requests)
        return self.streaming("Train")(request, context)


def _sent(answer: Any, context: grpc.ServicerContext) -> Any:
    if isinstance(answer, Exception):
        context.abort_with_status(rpc_status.to_status(status_codes.status_of(answer)))
    return answer


@contextmanager
def recorded_service() -> Iterator[RecordedService]:
    """Serves on a socket in a folder of its own."""
    with TemporaryDirectory() as folder:
        service = RecordedService(f"unix:{Path(folder) / 'grpc'}")
        server = grpc.server(ThreadPoolExecutor(4))
        _register(server, service)
        server.add_insecure_port(service.address)
        server.start()
        yield service
        server.stop(None).wait()


def _register(server: grpc.Server, service: RecordedService) -> None:
    digits = digit_service_pb2_grpc.DigitServiceServicer()
    jobs = training_pb2_grpc.JobServiceServicer()
    models = models_pb2_grpc.ModelServiceServicer()
    feedback = feedback_pb2_grpc.FeedbackServiceServicer()
    status = status_pb2_grpc.StatusServiceServicer()
    for servicer, names in {
        status: ["GetStatus"],
        digits: ["Classify", "ListBatches"],
        feedback: ["ReportLabel"],
        jobs: ["GetJob", "ListJobs", "CancelJob", "PruneJobs"],
        models: [
            "ListModels",
            "GetModel",
            "PromoteModel",
            "RollbackModel",
            "ListServingHistory",
            "CompareModels",
            "ExportModel",
            "PinModel",
            "PruneModels",
        ],
    }.items():
        for name in names:
            setattr(servicer, name, service.unary(name))
    digits.Train = service.streaming("Train")
    digits.TrainUpload = service.upload
    digits.ClassifyStream = service.streaming("ClassifyStream")
    jobs.WatchJob = service.streaming("WatchJob")
    digit_service_pb2_grpc.add_DigitServiceServicer_to_server(digits, server)
    training_pb2_grpc.add_JobServiceServicer_to_server(jobs, server)
    models_pb2_grpc.add_ModelServiceServicer_to_server(models, server)
    feedback_pb2_grpc.add_FeedbackServiceServicer_to_server(feedback, server)
    status_pb2_grpc.add_StatusServiceServicer_to_server(status, server)
    health_pb2_grpc.add_HealthServicer_to_server(service.health, server)
