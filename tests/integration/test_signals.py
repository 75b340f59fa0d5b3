"""What those who run the service see of it: every process's metrics, traces through all of them, logs."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from deploy.native.folder import StateFolder
from deploy.native.service.bridge import bridge_answers
from digits.settings import Settings
from tests.collector import Collector
from tests.conftest import missing
from tests.own_processes import ended, process
from tests.ports import free_port
from tests.service import Service
from tests.waiting import wait_until

CALLER = "b7ad6b7169203331"


@pytest.fixture(scope="module")
def metrics(trained_service: Service) -> dict[str, str]:
    """The metrics of each process, by the addresses that Prometheus reads from the state folder."""
    requests.post(
        f"{trained_service.rest_url}/digits/classify", json={"image_path": "test/data/n5.png"}, timeout=30
    )
    groups = json.loads(StateFolder.at(trained_service.var_dir).metrics_targets.read_text())
    targets = {group["labels"]["part"]: group["targets"][0] for group in groups}
    # A server that another test has started anew waits until its predecessor's session is over.
    wait_until(lambda: sample(_scraped(targets["server"]), "digits_reconciler_leader"), what="a leader")
    return {part: _scraped(target) for part, target in targets.items()}


def _scraped(target: str) -> str:
    return requests.get(f"http://{target}/metrics", timeout=10).text


def sample(text: str, name: str) -> float:
    """The sum of a sample over its labels, as Prometheus' own parser reads it."""
    found: list[Sample] = [
        each
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if each.name == name
    ]
    assert found, f"no {name}"
    return sum(each.value for each in found)


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (
            "server",
            [
                "digits_grpc_request_duration_seconds_count",
                "digits_batch_pictures_count",
                "digits_classified_pictures_total",
                "digits_decode_duration_seconds_count",
                "digits_serving_version",
                "digits_serving_model_current",
                "digits_reconciler_leader",
                "digits_zookeeper_connected",
            ],
        ),
        ("classify-worker", ["digits_predict_duration_seconds_count", "digits_model_swaps_total"]),
        (
            "train-worker",
            [
                "digits_trained_images_total",
                "digits_micro_batch_duration_seconds_count",
                "digits_checkpoint_commit_duration_seconds_count",
                "digits_jobs_ended_total",
                "digits_job_attempts_total",
            ],
        ),
        ("bridge", ["digits_http_request_duration_seconds_count"]),
    ],
)
def test_every_process_shows_what_prometheus_reads(
    metrics: dict[str, str], part: str, names: list[str]
) -> None:
    assert {name: sample(metrics[part], name) > 0 for name in names} == dict.fromkeys(names, True)


def test_prometheus_finds_no_fault_with_our_names(metrics: dict[str, str]) -> None:
    promtool = shutil.which("promtool") or missing("promtool: apt-get install prometheus")
    for text in metrics.values():
        own = "".join(line for line in text.splitlines(keepends=True) if "digits_" in line)
        command = [promtool, "check", "metrics"]
        checked = subprocess.run(command, input=own, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_classification_by_rest_is_one_trace_through_every_process(
    trained_service: Service, collector: Collector
) -> None:
    trace_id = secrets.token_hex(16)
    requests.post(
        f"{trained_service.rest_url}/digits/classify",
        json={"image_path": "test/data/n5.png"},
        headers={"traceparent": f"00-{trace_id}-{CALLER}-01"},
        timeout=30,
    )
    wait_until(lambda: len(collector.of_trace(trace_id)) >= 6, what="the spans")
    assert collector.ancestors(trace_id, "predict") == [
        "classify-worker predict",
        "classify-worker digits.classify",
        "server ask the queue",
        "server batch",
        "server Classify",
        "bridge POST /digits/classify",
    ]


def test_a_training_is_one_trace_from_train_to_its_publication(
    trained_service: Service, collector: Collector
) -> None:
    trace_id = secrets.token_hex(16)
    request_id = f"watched-{secrets.token_hex(4)}"
    reply = requests.post(
        f"{trained_service.rest_url}/digits/train",
        json={"images_batch_path": "tiny.npz", "promotion": "NEVER"},
        headers={"traceparent": f"00-{trace_id}-{CALLER}-01", "X-Request-ID": request_id},
        timeout=120,
    )
    assert reply.text == "True"
    job_id = reply.headers["Location"].rpartition("/")[2]
    # A span comes once it is over, and its children before it.
    last = {"Train", "digits.train", "POST /digits/train"}
    wait_until(lambda: last <= {span.name for span in collector.of_trace(trace_id)}, what="the spans")
    above = ["train-worker digits.train", "server Train", "bridge POST /digits/train"]
    for name in ("ingest", "micro-batch", "evaluate", "publish"):
        assert collector.ancestors(trace_id, name) == [f"train-worker {name}", *above]
    assert collector.ancestors(trace_id, "commit")[1:] == ["train-worker micro-batch", *above]
    names = Counter(span.name for span in collector.of_trace(trace_id))
    assert names["micro-batch"] >= names["commit"] > 0
    # The trainer's lines name the job, and the call that made it.
    lines = trained_service.command("logs", "train-worker", "--lines", "100").stdout.splitlines()
    assert any(f"request_id={request_id} job_id={job_id}" in line for line in lines)


def test_the_bridges_workers_count_together(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path, rest_port=free_port())
    gunicorn = (
        "gunicorn",
        "--config",
        "python:rest_bridge.gunicorn_conf",
        "--workers",
        "2",
        "rest_bridge.wsgi:app",
    )
    log = tmp_path / "bridge.log"
    url = f"http://127.0.0.1:{settings.rest_port}"
    with process(gunicorn, settings, log) as started:
        wait_until(lambda: ended(started, log) or bridge_answers(settings), what="the bridge")
        for _ in range(40):
            requests.get(f"{url}/openapi.json", timeout=10)
        counts = {
            sample(line, "digits_http_request_duration_seconds_count")
            for _ in range(10)
            for line in requests.get(f"{url}/metrics", timeout=10).text.splitlines()
            if line.startswith("digits_http_request_duration_seconds_count{") and "openapi" in line
        }
    assert counts == {40.0}
