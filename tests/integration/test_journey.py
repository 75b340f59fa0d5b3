"""What a newcomer does, over gRPC, grpcurl and the command line, on the embedded service."""

from __future__ import annotations

import io
import itertools
import json
import queue
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image

from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2, models_pb2
from digits.v1 import training_pb2 as pb
from tests import parquet_batches
from tests.conftest import ROOT, BeforeTraining, missing
from tests.plain_pixels import SOME_PIXELS
from tests.service import Service
from tests.waiting import wait_until

FIVE = "test/data/n5.png"


def test_before_the_first_model_health_is_not_serving_and_classify_says_to_train(
    before_training: BeforeTraining,
) -> None:
    assert not before_training.serving
    assert before_training.error.code == StatusCode.FAILED_PRECONDITION
    assert "train one first" in before_training.error.message


def test_train_streams_moving_numbers_and_ends_with_a_version_and_its_accuracy(
    trained_service: Service,
) -> None:
    with trained_service.client() as client:
        seen = list(client.train(images_batch_path="slice.npz", promotion=pb.NEVER, seed=2))
        kept = client.get_job(seen[0].job_id)
    beats = [progress.heartbeat_time.ToNanoseconds() / 1e9 for progress in seen]
    assert max(later - earlier for earlier, later in itertools.pairwise(beats)) < 5
    assert [p.images_trained for p in seen] == sorted(p.images_trained for p in seen)
    assert len({p.images_trained for p in seen}) > 2
    states = list(dict.fromkeys(progress.state for progress in seen))
    assert states == sorted(states)
    assert {pb.TRAINING, pb.SUCCEEDED} <= set(states)
    last = seen[-1]
    assert (last.state, last.images_trained, last.images_total) == (pb.SUCCEEDED, 12_000, 12_000)
    assert last.model_version.startswith("v")
    assert last.accuracy > 0.9
    assert last.metrics.reference_image_count == 1_000
    assert last.metrics.robustness > 0.5
    assert last.promotion_reason == "the caller said NEVER"
    _record_tells_the_course(kept)


def test_a_folder_of_hugging_face_is_trained_on(
    trained_service: Service, mnist: dict[str, np.ndarray]
) -> None:
    folder = trained_service.data_dir / "mnist-of-hugging-face"
    folder.mkdir()
    for part, count in (("train", 3_000), ("test", 500)):
        images = parquet_batches.pictures(mnist[f"x_{part}"][:count])
        data = parquet_batches.of(images, mnist[f"y_{part}"][:count].astype(np.int64))
        (folder / f"{part}-00000-of-00001.parquet").write_bytes(data)
    with trained_service.client() as client:
        seen = list(client.train(images_batch_path=folder.name, promotion=pb.NEVER))
        kept = client.get_job(seen[0].job_id)
    assert "train-00000-of-00001.parquet: 3,000 rows of label and image" in kept.progress.notes
    assert (kept.progress.state, kept.progress.metrics.held_out_image_count) == (pb.SUCCEEDED, 500)
    assert kept.progress.accuracy > 0.8


def _record_tells_the_course(job: pb.Job) -> None:
    """A finished job says what each micro-batch was like and how its held-out images were read."""
    points = job.history
    assert [point.micro_batch for point in points] == list(range(1, job.progress.micro_batch + 1))
    assert points[-1].images_trained == 12_000
    assert all(point.seconds > point.merge_seconds + point.commit_seconds > 0 for point in points)
    counts = np.array(job.held_out_reading.confusion_counts).reshape(10, 10)
    assert counts.sum() == job.progress.metrics.held_out_image_count
    assert counts.trace() / counts.sum() == pytest.approx(job.progress.metrics.accuracy)
    assert all(mistake.label != mistake.digit for mistake in job.held_out_reading.mistakes)


@pytest.mark.parametrize("way", ["image_path", "image", "pixels"])
def test_classify_answers_in_full(trained_service: Service, mnist: dict[str, np.ndarray], way: str) -> None:
    picture = (trained_service.data_dir / FIVE).read_bytes()
    five = mnist["x_test"][mnist["y_test"] == 5][1].tobytes()
    request = {"image_path": FIVE, "image": picture, "pixels": five}[way]
    with trained_service.client() as client:
        answer = client.classify(**{way: request})
    assert answer.digit == 5
    assert answer.confidence == max(answer.probabilities)
    assert len(answer.probabilities) == 10
    assert sum(answer.probabilities) == pytest.approx(1, abs=1e-3)
    assert answer.model_version.startswith("v")
    assert answer.served_by in (digit_service_pb2.WORKER, digit_service_pb2.CACHED_COPY)


def test_real_test_digits_are_recognised_as_pictures(
    trained_service: Service, mnist: dict[str, np.ndarray]
) -> None:
    """Through PNG bytes and the whole path; the model saw 12,000 images."""
    right = 0
    with trained_service.client() as client:
        for image, label in zip(mnist["x_test"][:100], mnist["y_test"][:100], strict=True):
            file = io.BytesIO()
            Image.fromarray(image).save(file, "PNG")
            right += client.classify(image=file.getvalue()).digit == label
    assert right >= 90


def test_a_bulk_stream_answers_in_order(trained_service: Service, mnist: dict[str, np.ndarray]) -> None:
    pixels = [image.tobytes() for image in mnist["x_test"][:600]]
    messages = (
        [digit_service_pb2.ClassifyRequest(pixels=data) for data in pixels[start : start + 100]]
        for start in range(0, 600, 100)
    )
    with trained_service.client() as client:
        bulk = [answer.digit for answers in client.classify_stream(messages) for answer in answers]
        single = [client.classify(pixels=data).digit for data in pixels[:50]]
    assert bulk[:50] == single
    assert np.mean(np.array(bulk) == mnist["y_test"][:600]) > 0.9


def test_a_bulk_caller_may_wait_for_each_answer(trained_service: Service) -> None:
    answered: queue.SimpleQueue[None] = queue.SimpleQueue()

    def one_by_one() -> Iterator[list[digit_service_pb2.ClassifyRequest]]:
        for _ in range(3):
            yield [digit_service_pb2.ClassifyRequest(pixels=SOME_PIXELS)]
            answered.get(timeout=20)

    with trained_service.client() as client:
        count = 0
        for _ in client.classify_stream(one_by_one(), timeout_seconds=30):
            count += 1
            answered.put(None)
    assert count == 3


def test_the_same_request_id_twice_is_one_job(trained_service: Service) -> None:
    request = {"images_batch_path": "tiny.npz", "promotion": pb.NEVER, "request_id": "twice"}
    with trained_service.client() as client:
        jobs = {progress.job_id for _ in range(2) for progress in client.train(**request)}
    assert len(jobs) == 1


def test_a_client_that_leaves_changes_nothing_and_another_process_goes_on_watching(
    trained_service: Service,
) -> None:
    with trained_service.client() as client:
        stream = client.train(images_batch_path="tiny.npz", promotion=pb.NEVER)
        job_id = next(iter(stream)).job_id
    watched = trained_service.command("jobs", "watch", job_id, "--json")
    last = json.loads(watched.stdout.splitlines()[-1])
    assert (watched.returncode, last["state"]) == (0, "SUCCEEDED")


def test_health_can_be_watched(trained_service: Service) -> None:
    with grpc.insecure_channel(trained_service.grpc_address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=30)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()


def test_grpcurl_finds_and_calls_everything_by_reflection(trained_service: Service) -> None:
    grpcurl = shutil.which("grpcurl") or missing("grpcurl on PATH")

    def call(*arguments: str) -> str:
        command = [str(grpcurl), "-plaintext", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    address = trained_service.grpc_address
    listed = call(address, "list").split()
    assert {"digits.v1.DigitService", "digits.v1.JobService", "digits.v1.ModelService"} <= set(listed)
    assert {"inference.GRPCInferenceService", "grpc.health.v1.Health"} <= set(listed)
    assert json.loads(call(address, "grpc.health.v1.Health/Check"))["status"] == "SERVING"
    question = json.dumps({"image_path": FIVE})
    answer = json.loads(call("-d", question, address, "digits.v1.DigitService/Classify"))
    assert answer["digit"] == 5
    batch = json.dumps({"images_batch_path": "tiny.npz", "promotion": "NEVER"})
    assert '"state": "SUCCEEDED"' in call("-d", batch, address, "digits.v1.DigitService/Train")


INFER = """
import sys
import grpc
import numpy as np
import tritonclient.grpc as triton

client = triton.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("digits")
pixels = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(-1, 784)
given = triton.InferInput("pixels", pixels.shape, "UINT8")
given.set_data_from_numpy(pixels)
answer = client.infer("digits", [given], outputs=[triton.InferRequestedOutput("probabilities")])
print(*answer.as_numpy("probabilities").argmax(axis=1))
"""


def test_a_client_of_the_open_inference_protocol_works_as_it_is(
    trained_service: Service, mnist: dict[str, np.ndarray]
) -> None:
    """In a process of its own: the client registers the same messages from a file of its own."""
    command = [sys.executable, "-c", INFER, trained_service.grpc_address]
    given = mnist["x_test"][:50].tobytes()
    done = subprocess.run(command, input=given, capture_output=True, check=True, timeout=60)
    digits = [int(digit) for digit in done.stdout.split()]
    assert np.mean(np.array(digits) == mnist["y_test"][:50]) > 0.85


def test_the_command_line_trains_classifies_and_lists(trained_service: Service, tmp_path: Path) -> None:
    def run(*arguments: str) -> list[dict[str, object]]:
        done = trained_service.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    progress = run("train", "tiny.npz", "--promotion", "never")
    assert progress[-1]["state"] == "SUCCEEDED"
    picture = str(trained_service.data_dir / FIVE)
    assert '"digit": 5' in trained_service.command("classify", picture, "--json").stdout
    assert str(progress[-1]["job_id"]) in trained_service.command("jobs", "--json").stdout
    assert str(progress[-1]["model_version"]) in trained_service.command("models", "--json").stdout
    assert trained_service.command("status").returncode == 0


def test_the_documented_test_sees_a_five_in_every_way(trained_service: Service) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.classification_service_test"],
        cwd=ROOT,
        env=trained_service.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    answers = dict(line.split(": ") for line in done.stdout.splitlines())
    assert (done.returncode, set(answers.values())) == (0, {"5"}), done.stdout + done.stderr
    assert {"gRPC, by path", "REST, by path"} < answers.keys()


def test_the_command_line_says_in_one_line_what_is_wrong(trained_service: Service, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    for arguments in (
        ["classify", str(tmp_path / "text.png")],
        ["train", "nothing.npz"],
        ["jobs", "watch", "x"],
    ):
        done = trained_service.command(*arguments)
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1
        assert "Traceback" not in done.stderr


def test_a_promotion_and_a_rollback_change_who_answers(trained_service: Service) -> None:
    with trained_service.client() as client:
        before = client.get_model("serving").version
        other = next(m.version for m in client.list_models().models if m.version != before)
        assert client.promote_model(other).state == models_pb2.Model.SERVING
        _wait_for(client, other)
        assert client.rollback_model().version == before
        _wait_for(client, before)


def _wait_for(client: Client, version: str) -> None:
    wait_until(lambda: client.classify(pixels=SOME_PIXELS).model_version == version, what=version)


@pytest.mark.parametrize("part", ["server", "bridge", "classify-worker"])
def test_what_does_not_train_holds_neither_tensorflow_nor_spark(trained_service: Service, part: str) -> None:
    process = trained_service.process(part)
    family = [process, *process.children(recursive=True)]
    mapped = {Path(entry.path).name for member in family for entry in member.memory_maps()}
    assert not [name for name in mapped if "tensorflow" in name or "jvm" in name]


def test_the_server_stays_under_250_mb_also_after_many_large_messages(trained_service: Service) -> None:
    def send_no_picture(_: int) -> None:
        with trained_service.client() as client, pytest.raises(RemoteError):
            client.classify(image=bytes(9_000_000))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(send_no_picture, range(32)))
    process = trained_service.process("server")
    wait_until(lambda: process.memory_info().rss < 250e6, seconds=10, what="250 MB")


def test_nothing_listens_beyond_loopback(trained_service: Service) -> None:
    status = json.loads(trained_service.command("status", "--json").stdout)
    parts = [psutil.Process(part["pid"]) for part in status["parts"]]
    family = [member for part in parts for member in (part, *part.children(recursive=True))]
    sockets = [socket for member in family for socket in member.net_connections("inet")]
    listening = {socket.laddr.ip for socket in sockets if socket.status == psutil.CONN_LISTEN}
    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
