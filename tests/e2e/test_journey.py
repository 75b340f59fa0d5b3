"""What a newcomer does, on the real stack."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess

from tests.conftest import missing
from tests.integration.test_rest import CLASSIFY, TRAIN
from tests.service import Service


def run(command: str, service: Service) -> bytes:
    """Runs a documented command against this service."""
    command = command.replace("http://localhost:5000", service.rest_url)
    return subprocess.run([*shlex.split(command), "-sS"], capture_output=True, check=True).stdout


def test_the_two_documented_calls_answer_word_for_word(real_service: Service) -> None:
    assert run(TRAIN, real_service) == b"True"
    assert run(CLASSIFY, real_service) == b"[5]"


def test_grpcurl_trains_and_classifies(trained: Service) -> None:
    grpcurl = shutil.which("grpcurl") or missing("grpcurl on PATH")

    def call(method: str, request: dict[str, str]) -> str:
        command = [grpcurl, "-plaintext", "-d", json.dumps(request), trained.grpc_address, method]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout

    request = {"images_batch_path": "slice.npz", "promotion": "NEVER"}
    assert '"state": "SUCCEEDED"' in call("digits.v1.DigitService/Train", request)
    assert (
        json.loads(call("digits.v1.DigitService/Classify", {"image_path": "test/data/n5.png"}))["digit"] == 5
    )


def test_the_command_line_trains_classifies_and_lists(trained: Service) -> None:
    done = trained.command("train", "slice.npz", "--promotion", "never")
    assert (done.returncode, "SUCCEEDED" in done.stdout) == (0, True), done.stdout + done.stderr
    assert trained.command("classify", "data/test/data/n5.png").stdout.split()[1] == "5"
    assert json.loads(trained.command("jobs", "--json").stdout)
    assert json.loads(trained.command("models", "--json").stdout)


def test_status_names_each_part_with_its_address_and_health(trained: Service) -> None:
    parts = json.loads(trained.command("status", "--json").stdout)["parts"]
    servers = {"kafka", "namenode", "datanode", "zookeeper", "spark-master", "spark-worker"}
    assert servers <= {part["name"] for part in parts}
    assert [part["name"] for part in parts if part["health"] != "up"] == []
    assert all(part["address"] for part in parts if part["name"] in servers)
