"""A client with the answers of a small service, and no connection: what the command is tested with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2, models_pb2
from digits.v1 import training_pb2 as pb


class Scripted(Client):
    """A client with the answers of a small service, and no connection."""

    asked: list[dict[str, Any]] = []  # noqa: RUF012
    outcome = pb.SUCCEEDED
    notes: tuple[str, ...] = ()
    job_count = 1

    def train(self, **request: Any) -> Iterator[pb.TrainProgress]:  # type: ignore[override]
        self.asked.append(request)
        return self._progress()

    def _progress(self) -> Iterator[pb.TrainProgress]:
        base = {"job_id": "j1", "images_total": 60, "micro_batch": 1, "loss": 0.5, "accuracy": 0.9}
        base["notes"] = self.notes
        yield pb.TrainProgress(**base, state=pb.TRAINING, images_trained=30, images_per_second=100)
        yield pb.TrainProgress(**base, state=pb.TRAINING, images_trained=30, images_per_second=100)
        error = pb.JobError(code=3, message="no images")
        yield pb.TrainProgress(
            **base,
            state=self.outcome,
            images_trained=60,
            model_version="v7",
            promoted=True,
            error=error,
            metrics=models_pb2.Metrics(held_out_image_count=4),
        )

    def classify(
        self, *, image: bytes, preview: bool = False, **_: Any
    ) -> digit_service_pb2.ClassifyResponse:  # type: ignore[override]
        if not image.startswith(b"\x89PNG"):
            raise RemoteError(grpc.StatusCode.INVALID_ARGUMENT, "image: is not a picture", "image")
        doubt = 0.968 if image.endswith(b"letter") else 0.25
        answer = digit_service_pb2.ClassifyResponse(
            digit=5, confidence=0.75, not_a_digit=doubt, model_version="v7"
        )
        if preview:
            answer.preview.pixels = bytes([0] * 28 + [255] * 28) * 14
        return answer

    def list_jobs(self, page_size: int = 0, page_token: str = "") -> pb.ListJobsResponse:
        self.asked.append({"page_size": page_size, "page_token": page_token})
        spec = pb.TrainSpec(images_batch_path="mnist.npz", recipe="fast")
        newest = int(page_token[1:]) - 1 if page_token else self.job_count
        numbers = range(newest, max(newest - page_size, 0), -1)
        jobs = [pb.Job(job_id=f"j{number}", state=pb.QUEUED, spec=spec) for number in numbers]
        token = jobs[-1].job_id if len(jobs) == page_size else ""
        return pb.ListJobsResponse(jobs=jobs, next_page_token=token)

    def get_job(self, job_id: str) -> pb.Job:
        if job_id != "j1":
            raise RemoteError(grpc.StatusCode.NOT_FOUND, f"no job '{job_id}'")
        return pb.Job(
            job_id="j1",
            state=pb.FAILED,
            spec=pb.TrainSpec(images_batch_path="mnist.npz", recipe="fast", caller="ann", promotion=pb.NEVER),
            progress=pb.TrainProgress(
                images_trained=30,
                images_total=60,
                error=pb.JobError(code=3, message="no images"),
                notes=["white paper inverted"],
            ),
            log_partition_count=2,
            partition_decision=pb.PartitionDecision(partition_count=2, reason="limited to 2 by 2 cores"),
            create_time=Timestamp(seconds=1_790_000_000),
        )

    def get_model(self, version: str) -> models_pb2.Model:
        return models_pb2.Model(
            version="v7",
            state=models_pb2.Model.SERVING,
            metrics=models_pb2.Metrics(accuracy=0.99, held_out_image_count=10_000),
            promotion_reason="nothing else serves",
        )

    def cancel_job(self, job_id: str) -> pb.Job:
        raise RemoteError(grpc.StatusCode.NOT_FOUND, f"no job '{job_id}'")

    def list_models(self, *_: Any, **__: Any) -> models_pb2.ListModelsResponse:
        serving = models_pb2.Model(version="v7", state=models_pb2.Model.SERVING)
        older = models_pb2.Model(version="v6", state=models_pb2.Model.AVAILABLE)
        return models_pb2.ListModelsResponse(models=[serving, older])

    def promote_model(self, version: str) -> models_pb2.Model:
        return models_pb2.Model(version=version, metrics=models_pb2.Metrics(accuracy=0.99))

    def prune_jobs(self, *limits: Any) -> list[str]:
        self.asked.append({"limits": limits})
        return ["j1", "j2"]

    def pin_model(self, version: str, pinned: bool = True) -> models_pb2.Model:
        return models_pb2.Model(version=version, pinned=pinned)

    def prune_models(self, *limits: Any) -> list[str]:
        self.asked.append({"limits": limits})
        return ["v1"]

    def rollback_model(self, from_version: str = "") -> models_pb2.Model:
        self.asked.append({"from_version": from_version})
        return models_pb2.Model(version="v6", metrics=models_pb2.Metrics(accuracy=0.98))

    def list_serving_history(
        self, page_size: int = 0, page_token: str = ""
    ) -> models_pb2.ListServingHistoryResponse:
        moved = Timestamp(seconds=1_790_000_000)
        changes = models_pb2.ServingChange
        back = changes(
            version="v6",
            previous_version="v7",
            reason="ROLLBACK",
            caller="ann",
            origin="ipv4:10.0.0.5:4711",
            change_time=moved,
        )
        first = changes(version="v1", reason="GATE", caller="bob", change_time=moved)
        return models_pb2.ListServingHistoryResponse(changes=[back, first])

    def compare_models(self, first_version: str, second_version: str) -> models_pb2.CompareModelsResponse:
        counts = [0] * 100
        counts[7 * 10 + 1] = 3
        reading, difference = models_pb2.Reading, models_pb2.Difference
        return models_pb2.CompareModelsResponse(
            image_count=1000,
            first=reading(version=first_version, accuracy=0.99, confusion_counts=counts),
            second=reading(version=second_version, accuracy=0.98, confusion_counts=[0] * 100),
            first_only_count=12,
            second_only_count=2,
            differences=[
                difference(
                    pixels=bytes(784),
                    label=7,
                    first_digit=1,
                    first_confidence=0.9,
                    second_digit=7,
                    second_confidence=0.5,
                )
            ],
            difference_count=14,
        )
