"""The REST bridge from outside: the documented calls word for word, and all that stands beside them."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import Any

import pytest
import requests

from tests.service import Service

TRAIN = """curl -X POST -H "Content-Type: application/json" \
-d '{"images_batch_path": "mnist.npz"}' http://localhost:5000/digits/train"""
CLASSIFY = """curl -X POST -H "Content-Type: application/json" \
-d '{"image_path": "test/data/n5.png"}' http://localhost:5000/digits/classify"""
FIVE = "test/data/n5.png"
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}


@pytest.fixture
def url(trained_service: Service) -> str:
    return f"{trained_service.rest_url}/digits"


def run(command: str, service: Service) -> bytes:
    """Runs a documented command against this service, and on its small slice of MNIST."""
    command = command.replace("http://localhost:5000", service.rest_url).replace("mnist.npz", "tiny.npz")
    return subprocess.run([*shlex.split(command), "-sS"], capture_output=True, check=True).stdout


def events(reply: requests.Response) -> list[dict[str, str]]:
    """The events of a stream read to its end, without comments."""
    blocks = [block.splitlines() for block in reply.text.split("\n\n")]
    fields = [dict(line.split(": ", 1) for line in block if not line.startswith(":")) for block in blocks]
    return [event for event in fields if "data" in event]


def start(url: str, **request: Any) -> str:
    """Starts a job whose model does not serve, and returns the job's address."""
    body = {"images_batch_path": "tiny.npz", "promotion": "NEVER", **request}
    reply = requests.post(f"{url}/train", json=body, headers={"Prefer": "respond-async"}, timeout=60)
    assert reply.status_code == 202
    return url.removesuffix("/digits") + reply.headers["Location"]


def test_the_documented_train_call_answers_exactly_true(trained_service: Service) -> None:
    assert run(TRAIN, trained_service) == b"True"


def test_the_documented_classify_call_answers_exactly_five(trained_service: Service) -> None:
    assert run(CLASSIFY, trained_service) == b"[5]"


def test_details_tell_which_version_answered(url: str) -> None:
    details = requests.post(f"{url}/classify?details=1", json={"image_path": FIVE}, timeout=30).json()
    assert details["digit"] == 5
    assert details["confidence"] == max(details["probabilities"])
    assert sum(details["probabilities"]) == pytest.approx(1, abs=1e-3)
    assert details["served_by"] in ("WORKER", "CACHED_COPY")
    asked = {"image_path": FIVE, "model_version": details["model_version"]}
    assert requests.post(f"{url}/classify", json=asked, timeout=30).content == b"[5]"


def test_an_uploaded_picture_is_classified(trained_service: Service, url: str) -> None:
    with (trained_service.data_dir / FIVE).open("rb") as picture:
        assert requests.post(f"{url}/classify", files={"image": picture}, timeout=30).content == b"[5]"


def test_an_uploaded_batch_is_trained_and_its_job_says_how_it_went(
    trained_service: Service, url: str
) -> None:
    with (trained_service.data_dir / "tiny.npz").open("rb") as batch:
        options = {"promotion": "NEVER", "seed": "3"}
        reply = requests.post(f"{url}/train", data=options, files={"images_batch": batch}, timeout=300)
    assert reply.content == b"True"
    job = requests.get(url.removesuffix("/digits") + reply.headers["Location"], timeout=30).json()
    assert (job["state"], job["spec"]["seed"], job["progress"]["promoted"]) == ("SUCCEEDED", "3", False)
    model = requests.get(f"{url}/models/{job['progress']['model_version']}", timeout=30).json()
    assert (model["state"], model["provenance"]["job_id"]) == ("AVAILABLE", job["job_id"])


def test_events_follow_a_job_to_its_end_and_can_be_resumed(url: str) -> None:
    job = start(url)
    seen = events(requests.get(f"{job}/events", timeout=300))
    snapshots = [json.loads(event["data"]) for event in seen]
    assert snapshots[-1]["state"] == "SUCCEEDED"
    assert {snapshot["state"] for snapshot in snapshots[:-1]}.isdisjoint(FINAL)
    trained = [int(snapshot["images_trained"]) for snapshot in snapshots]
    assert trained == sorted(trained)
    assert trained[-1] > 0
    last, before = seen[-1]["id"], seen[-2]["id"]
    resumed = requests.get(f"{job}/events", headers={"Last-Event-ID": before}, timeout=30)
    assert [event["id"] for event in events(resumed)] == [last]
    ended = requests.get(f"{job}/events", headers={"Last-Event-ID": last}, timeout=30)
    assert ended.status_code == 204


def test_a_job_can_be_cancelled(url: str) -> None:
    job = start(url, recipe="standard")
    assert requests.post(f"{job}/cancel", json={}, timeout=30).status_code == 200
    last = events(requests.get(f"{job}/events", timeout=300))[-1]
    assert json.loads(last["data"])["state"] == "CANCELLED"
    assert requests.get(job, timeout=30).json()["state"] == "CANCELLED"


def test_the_same_request_id_is_one_job(url: str) -> None:
    first, second = start(url, request_id="twice"), start(url, request_id="twice")
    assert first == second
    assert events(requests.get(f"{first}/events", timeout=300))


def test_jobs_are_listed_newest_first_page_by_page(url: str) -> None:
    job = start(url)
    page = requests.get(f"{url}/jobs?page_size=1", timeout=30).json()
    assert [listed["job_id"] for listed in page["jobs"]] == [job.rpartition("/")[2]]
    token = {"page_size": "1", "page_token": page["next_page_token"]}
    older = requests.get(f"{url}/jobs", params=token, timeout=30).json()["jobs"]
    assert all(listed["job_id"] < page["jobs"][0]["job_id"] for listed in older)
    assert events(requests.get(f"{job}/events", timeout=300))


def test_a_model_is_promoted_and_rolled_back(url: str) -> None:
    before = requests.get(f"{url}/models/serving", timeout=30).json()["version"]
    assert events(requests.get(f"{start(url, seed=7)}/events", timeout=300))
    newest = requests.get(f"{url}/models?page_size=1", timeout=30).json()["models"][0]["version"]
    assert newest != before
    promoted = requests.post(f"{url}/models/{newest}/promote", json={}, timeout=30).json()
    assert (promoted["version"], promoted["state"]) == (newest, "SERVING")
    assert requests.post(f"{url}/models/rollback", json={}, timeout=30).json()["version"] == before
    assert requests.get(f"{url}/models/serving", timeout=30).json()["version"] == before


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
    ids=str,
)
def test_a_foreign_page_moves_no_alias(url: str, page: dict[str, str], status: int) -> None:
    headers = {"Content-Type": "application/json", **page}
    before = requests.get(f"{url}/models/history", timeout=30).json()
    reply = requests.post(f"{url}/models/rollback", data=b"{}", headers=headers, timeout=30)
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert requests.get(f"{url}/models/history", timeout=30).json() == before


def test_the_probes_say_that_the_service_runs_and_serves(trained_service: Service) -> None:
    for probe in ("healthz", "readyz"):
        assert requests.get(f"{trained_service.rest_url}/{probe}", timeout=30).status_code == 200


def test_the_description_is_served(trained_service: Service) -> None:
    description = requests.get(f"{trained_service.rest_url}/openapi.json", timeout=30).json()
    assert {"/digits/train", "/digits/classify"} <= description["paths"].keys()
