"""What the parts of the service measure, and where a process shows it."""

from __future__ import annotations

import asyncio
import re
import socket
import urllib.request
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import grimp
import pytest
import trustme
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from digits.background import BackgroundLoop
from digits.errors import Misconfigured, QueueUnavailable
from digits.serving.batcher import Batcher
from digits.settings import Settings
from digits.signals import exposition
from digits.signals.certificates import CertificateExpiry
from digits.signals.metrics import admission, calls, elected, tokens, training, zookeeper  # noqa: F401 (shown once imported)
from digits.signals.metrics.answers import AnsweredPictures
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import training_pb2
from tests.measuring import growth, value
from tests.ports import free_port
from tests.unit.job_bench import Bench as JobBench
from tests.unit.serving_bench import Bench
from tests.unit.test_batcher import Recorder, pictures

EXPIRY = "digits_certificate_expiry_timestamp_seconds"
ANSWERED = "digits_classified_pictures_total"


def test_every_metric_follows_prometheus_naming() -> None:
    families = [family for family in REGISTRY.collect() if family.name.startswith("digits_")]
    assert len(families) > 30
    for family in families:
        assert re.fullmatch(r"digits(_[a-z0-9]+)+", family.name)
        assert family.documentation.endswith((".", "name.", "server."))
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_pictures"))
        # Prometheus' base units, and no abbreviation of them.
        assert not re.search(r"_(ms|milliseconds|sec|minutes|kb|mb|megabytes|percent)(_|$)", family.name)


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("digits", "server", "workers", "spark_jobs", "rest_bridge", cache_dir=None)


@pytest.mark.parametrize(
    ("process", "shows"),
    [
        ("rest_bridge.app", {"build", "refused", "requests", "tokens"}),
        (
            "server.__main__",
            {"admission", "answers", "background", "build", "calls", "elected", "jobs", "model"}
            | {"predicting", "refused", "serving", "tokens", "zookeeper"},
        ),
        ("workers.classify", {"background", "model", "predicting", "zookeeper"}),
        ("workers.train", {"background", "jobs", "predicting", "training", "zookeeper"}),
    ],
)
def test_a_process_shows_what_it_has_and_nothing_else(process: str, shows: set[str]) -> None:
    imported = imports().find_upstream_modules(process)
    files = {name.rpartition(".")[2] for name in imported if name.startswith("digits.signals.metrics.")}
    assert files - {"buckets"} == shows


def test_every_process_shows_its_release() -> None:
    showing = imports().find_downstream_modules("digits.signals.metrics.build")
    assert {"rest_bridge.app", "server.__main__", "workers.__main__"} <= showing


def test_the_batcher_measures_batches_and_how_long_their_calls_waited() -> None:
    async def scenario() -> tuple[int, float, int]:
        recorder = Recorder()
        recorder.free.clear()
        batcher = Batcher(recorder.classify, 4, 100)
        running = asyncio.create_task(batcher.run())
        first = asyncio.create_task(batcher.predict(pictures(1), None))
        while not recorder.sizes:
            await asyncio.sleep(0)
        second = asyncio.create_task(batcher.predict(pictures(3), None))
        await asyncio.sleep(0.001)
        seen = batcher.waiting_pictures(), batcher.oldest_wait_seconds()
        recorder.free.set()
        await asyncio.gather(first, second)
        running.cancel()
        return *seen, batcher.waiting_pictures()

    with (
        growth("digits_batch_pictures_sum") as sent,
        growth("digits_batch_duration_seconds_count") as batches,
        growth("digits_queue_wait_seconds_count") as waits,
    ):
        waiting, oldest, left = asyncio.run(scenario())
    assert (waiting, left, sent.by, batches.by, waits.by) == (3, 0, 4, 2, 2)
    assert oldest > 0


def test_answers_count_by_who_gave_them_and_with_which_version() -> None:
    bench = Bench()
    try:
        version = bench.publish()
        bench.serving.start()
        bench.serving.await_word()
        bench.queue.answer(version, 1)
        with growth(ANSWERED, served_by="worker", version=version) as by_worker:
            bench.ask()
        bench.queue.result, bench.queue.error = None, QueueUnavailable("away")
        with (
            growth(ANSWERED, served_by="cached_copy", version=version) as by_copy,
            growth("digits_queue_failures_total") as failures,
        ):
            bench.ask()
        with growth(ANSWERED, served_by="cached_copy", version="by_name") as by_name:
            bench.ask(version=version)
        assert (by_worker.by, by_copy.by, failures.by, by_name.by) == (1, 1, 1, 1)
    finally:
        bench.close()


def test_versions_that_answered_long_ago_are_forgotten() -> None:
    answered = AnsweredPictures()
    for number in range(1000, 1050):
        answered.count(f"old{number}", pb.WORKER, 1)
    versions = {
        sample.labels["version"]
        for family in REGISTRY.collect()
        if family.name == "digits_classified_pictures"
        for sample in family.samples
    }
    assert {v for v in versions if v.startswith("old")} == {f"old{number}" for number in range(1042, 1050)}


def test_a_swap_and_a_version_that_does_not_load_are_measured() -> None:
    bench = Bench()
    try:
        with growth("digits_model_swaps_total") as swaps:
            bench.publish()
            bench.serving.start()
            bench.serving.catch_up(5.0)
        assert (swaps.by, value("digits_serving_version"), value("digits_serving_model_current")) == (1, 1, 1)
        with growth("digits_model_load_failures_total") as failures:
            bench.publish(data=b"junk")
            bench.serving.catch_up(5.0)
        assert failures.by == 1
        assert (value("digits_serving_version"), value("digits_serving_model_current")) == (1, 0)
    finally:
        bench.close()


def test_the_elected_server_tells_of_unfinished_jobs_and_another_of_none() -> None:
    bench = JobBench()
    bench.submit()
    bench.submit()
    bench.reconciler.turn()
    assert value("digits_jobs", state="queued") == 2
    assert value("digits_jobs", state="training") == 0
    bench.reconciler.stop()
    assert REGISTRY.get_sample_value("digits_jobs", {"state": "queued"}) is None


def test_a_job_that_ends_counts_once_by_its_state() -> None:
    bench = JobBench()
    job = bench.submit()
    with growth("digits_jobs_ended_total", state="cancelled") as ended:
        bench.jobs.cancel(job.job_id)
        bench.jobs.cancel(job.job_id)
    assert ended.by == 1
    job = bench.submit()
    bench.jobs.edit(job.job_id, lambda job: setattr(job, "state", training_pb2.TRAINING))
    with growth("digits_jobs_ended_total", state="cancelled") as ended:
        bench.jobs.cancel(job.job_id)
    assert ended.by == 0


def test_a_background_thread_that_fails_is_counted_by_its_name() -> None:
    def fail() -> None:
        loop.stop()
        raise Misconfigured("no")

    loop = BackgroundLoop("a test's loop", fail, 0.01)
    with growth("digits_background_failures_total", loop="a test's loop") as failures:
        loop.start()
        loop._thread.join(5)
    assert failures.by == 1


def test_a_certificates_end_is_shown_and_one_that_cannot_be_read_ended_long_ago(tmp_path: Path) -> None:
    ends = datetime(2031, 5, 17, tzinfo=UTC)
    chain = tmp_path / "chain.pem"
    issued = trustme.CA().issue_cert("localhost", not_after=ends)
    chain.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    settings = Settings(tls_certificate_file=chain, server_ca_file=tmp_path / "missing.pem")
    (family,) = CertificateExpiry(settings).collect()
    assert {sample.labels["file"]: sample.value for sample in family.samples} == {
        "tls_certificate_file": ends.timestamp(),
        "server_ca_file": 0.0,
    }


def test_a_process_shows_its_metrics_on_loopback_and_nowhere_else() -> None:
    settings = Settings(metrics_port=free_port())
    exposition.serve(settings)
    with urllib.request.urlopen(f"http://127.0.0.1:{settings.metrics_port}/metrics") as reply:
        read = {family.name for family in text_string_to_metric_families(reply.read().decode())}
    assert {"digits_grpc_request_duration_seconds", "process_cpu_seconds"} <= read or "digits_jobs" in read
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", settings.metrics_port), 0.1):
        pass


def test_a_taken_port_is_said_with_what_mends_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(metrics_port=taken.getsockname()[1])
        with pytest.raises(Misconfigured, match=r"DIGITS_METRICS_PORT=\d+.*another process has it.*choose"):
            exposition.serve(settings)


def test_without_a_port_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "start_http_server", lambda *_: pytest.fail("it listens"))
    exposition.serve(Settings())
