"""The documented calls through the front door, and streams that it hands on as they come."""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
import subprocess
import time

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from digits.v1 import digit_service_pb2
from digits.v1 import training_pb2 as pb
from tests.conftest import missing
from tests.front_door.conftest import FrontDoor
from tests.front_door.test_configuration import SECONDS, values
from tests.integration.test_rest import CLASSIFY, TRAIN
from tests.plain_pixels import SOME_PIXELS
from tests.processes import suspended
from tests.waiting import wait_until


def curl(command: str, front_door: FrontDoor) -> bytes:
    """Runs a documented command through the front door, and on a small slice of MNIST."""
    command = command.replace("http://localhost:5000", front_door.nginx.rest_url)
    command = command.replace("mnist.npz", "tiny.npz")
    more = ["-sS", "--cacert", front_door.nginx.ca_file]
    more += ["-H", f"Authorization: Bearer {front_door.tokens.admin}"]
    return subprocess.run([*shlex.split(command), *more], capture_output=True, check=True).stdout


def grpcurl(front_door: FrontDoor, *arguments: str) -> str:
    """Runs grpcurl through the front door."""
    command = [
        shutil.which("grpcurl") or missing("grpcurl on PATH"),
        "-cacert",
        str(front_door.nginx.ca_file),
    ]
    command += ["-H", f"authorization: Bearer {front_door.tokens.admin}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout


def test_the_documented_curl_calls_answer_word_for_word(front_door: FrontDoor) -> None:
    assert curl(TRAIN, front_door) == b"True"
    assert curl(CLASSIFY, front_door) == b"[5]"


def test_grpcurl_finds_and_calls_everything_by_reflection(front_door: FrontDoor) -> None:
    address = front_door.nginx.grpc_address
    listed = grpcurl(front_door, address, "list").split()
    assert {"digits.v1.DigitService", "digits.v1.JobService", "digits.v1.ModelService"} <= set(listed)
    picture = json.dumps({"image_path": "test/data/n5.png"})
    answer = grpcurl(front_door, "-d", picture, address, "digits.v1.DigitService/Classify")
    assert json.loads(answer)["digit"] == 5
    batch = json.dumps({"images_batch_path": "tiny.npz", "promotion": "NEVER"})
    assert '"state": "SUCCEEDED"' in grpcurl(front_door, "-d", batch, address, "digits.v1.DigitService/Train")


def test_a_bulk_stream_answers_in_order_and_as_it_goes(
    front_door: FrontDoor, mnist: dict[str, np.ndarray]
) -> None:
    """The third message is not sent before the first is answered, so nothing waits for the stream's end."""
    images = mnist["x_test"][:200]
    requests = [digit_service_pb2.ClassifyRequest(pixels=image.tobytes()) for image in images]
    answered = 0

    def messages() -> itertools.chain[list[digit_service_pb2.ClassifyRequest]]:
        for number, start in enumerate(range(0, 200, 50)):
            wait_until(lambda number=number: answered >= number - 1, what=f"answer {number - 1}")
            yield requests[start : start + 50]

    digits: list[int] = []
    with front_door.client() as client:
        for answers in client.classify_stream(messages()):
            digits += [answer.digit for answer in answers]
            answered += 1
        assert digits[:20] == [client.classify(pixels=image.tobytes()).digit for image in images[:20]]
    assert np.mean(np.array(digits) == mnist["y_test"][:200]) > 0.9


def test_server_sent_events_arrive_one_by_one(front_door: FrontDoor) -> None:
    with front_door.rest() as rest:
        body = {"images_batch_path": "tiny.npz", "promotion": "NEVER"}
        ask = {"Prefer": "respond-async"}
        reply = rest.post(front_door.url("/digits/train"), json=body, headers=ask, timeout=60)
        job = front_door.url(reply.headers["Location"])
        seen: list[tuple[str, str]] = []
        with rest.get(f"{job}/events", stream=True, timeout=60) as events:
            for event in events.iter_lines(chunk_size=1):
                if event.startswith(b"data: "):
                    state = json.loads(event.removeprefix(b"data: "))["state"]
                    seen.append((state, rest.get(job, timeout=30).json()["state"]))
    assert seen[-1] == ("SUCCEEDED", "SUCCEEDED")
    assert [now for _, now in seen].count("SUCCEEDED") < len(seen) / 2


def test_a_stream_of_heartbeats_alone_is_not_cut(front_door: FrontDoor) -> None:
    """A job that waits behind another says nothing new for longer than nginx waits for one word."""
    max_silence = min(values("grpc_read_timeout", "grpc.conf", SECONDS))
    with front_door.client() as client:
        worker = front_door.service.process("train-worker")
        with suspended(worker):
            job_id = next(client.train(images_batch_path="tiny.npz", promotion=pb.NEVER)).job_id
            began, beats = time.monotonic(), []
            for progress in client.watch_job(job_id):
                beats.append(progress.state)
                if time.monotonic() - began > max_silence + 5:
                    break
        assert set(beats) == {pb.QUEUED}
        assert list(client.watch_job(job_id))[-1].state == pb.SUCCEEDED


def test_the_probes_need_no_token(front_door: FrontDoor) -> None:
    for probe in ("healthz", "readyz"):
        reply = front_door.rest().get(front_door.url(f"/{probe}"), headers={"Authorization": ""}, timeout=30)
        assert reply.status_code == 200
    with grpc.secure_channel(front_door.nginx.grpc_address, front_door.credentials) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        serving = health_pb2.HealthCheckResponse.SERVING
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=30).status == serving
        watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=30)
        assert next(watch).status == serving
        watch.cancel()


@pytest.mark.parametrize("rest", [True, False])
def test_a_call_is_logged_with_its_time_and_who_answered_and_without_its_token(
    front_door: FrontDoor, rest: bool
) -> None:
    before = len(front_door.nginx.calls())
    status = "200"
    if rest:
        # A token has no place in an address; whoever puts it there must not find it in a log.
        curl(f"{CLASSIFY}?token={front_door.tokens.admin}", front_door)
        status = "400"
        path, answerers = (
            "/digits/classify",
            [f"127.0.0.1:{b.settings.rest_port}" for b in front_door.bridges],
        )
    else:
        with front_door.client() as client:
            client.classify(pixels=SOME_PIXELS)
        path, answerers = "/digits.v1.DigitService/Classify", [s.settings.server for s in front_door.servers]
    wait_until(lambda: len(front_door.nginx.calls()) > before, what="a line in the log")
    call = next(call for call in front_door.nginx.calls()[before:] if call["path"] == path)
    assert (call["status"], call["address"]) == (status, "127.0.0.1")
    assert call["grpc_status"] == ("" if rest else "0")
    assert call["upstream"] in answerers
    assert 0 < call["seconds"] < 30
    assert 0 < float(call["upstream_seconds"]) < 30
    logged = json.dumps(front_door.nginx.calls()) + front_door.nginx.errors()
    assert not [token for token in vars(front_door.tokens).values() if token in logged]
