"""One trace from whoever calls to the network that answers, asserted span by span."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from digits import bootstrap
from digits.adapters.celery_queue import make_app
from digits.adapters.memory import MemoryLog
from digits.client.client import Client
from digits.errors import Misconfigured
from digits.feedback.predictions import Predictions
from digits.jobs import train_request
from digits.serving.batcher import Batcher
from digits.settings import Settings
from digits.signals import traces
from digits.training.ingest import BlockFilling, Ingest
from digits.training.window import IngestWindow
from digits.v1 import digit_service_pb2 as pb
from digits.v1 import digit_service_pb2_grpc, queue_pb2
from rest_bridge.app import create_app
from server.access import Access, Authorized
from server.digit_servicer import DigitServicer
from server.error_mapping import ErrorMapping
from server.observed import Observed
from server.pictures.pictures import Pictures
from tests.unit import serving_bench
from tests.unit.recorded_service import recorded_service
from tests.unit.serving_bench import Bench
from tests.unit.test_batcher import Recorder, pictures
from tests.waiting import wait_until
from workers.classify import ClassifyWorker

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
N5 = Path(__file__).parents[2] / "data/test/data/n5.png"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Where this process's spans are, for one test."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(traces, "_TRACER", provider.get_tracer("digits"))
    return exporter


def chain(exporter: InMemorySpanExporter, last: str) -> list[str]:
    """The names from a span up to the first of its trace, and then the id of what that one's parent was."""
    spans = {span.context.span_id: span for span in exporter.get_finished_spans()}
    span: ReadableSpan | None = next(span for span in spans.values() if span.name == last)
    names = []
    while span:
        names.append(span.name)
        parent, span = span.parent, span.parent and spans.get(span.parent.span_id)
    return [*names, f"{parent.span_id:016x}"] if parent else names


class Server:
    """A real gRPC server over a classifier, on a thread of its own."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self._bench = bench
        self.address = f"unix:{folder / 'grpc'}"
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Server:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        access = Access(None, 10)
        servicer = DigitServicer(
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            self._bench.classifier,
            Pictures(Settings(picture_processes=0)),
            Predictions(),
            access=access,
            settings=Settings(),
        )
        server = grpc.aio.server()
        guarded = ErrorMapping(Observed(Authorized(servicer, access)))
        digit_service_pb2_grpc.add_DigitServiceServicer_to_server(guarded, server)  # type: ignore[arg-type]
        server.add_insecure_port(self.address)
        await server.start()
        batching = asyncio.create_task(self._bench.classifier.run())
        self._ready.set()
        await self._stop.wait()
        await server.stop(None)
        batching.cancel()


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with a model, whose queue leads to a worker."""
    monkeypatch.setattr(serving_bench, "QUEUE_SECONDS", 10.0)
    bench = Bench()
    monkeypatch.setattr(bootstrap, "coordinator", lambda settings: bench.coordinator)
    monkeypatch.setattr(bootstrap, "store", lambda settings: bench.store)
    worker = ClassifyWorker(Settings(var_dir=tmp_path))

    def classify(batch: queue_pb2.ClassifyBatch, timeout_seconds: float) -> queue_pb2.ClassifyBatchResult:
        return queue_pb2.ClassifyBatchResult.FromString(worker._reply_to(batch.SerializeToString()))

    monkeypatch.setattr(bench.queue, "classify", classify)
    bench.publish()
    bench.serving.start()
    worker.start(make_app("memory://"))
    wait_until(lambda: bench.serves("v1") and worker._serving.now().model is not None)
    with Server(bench, tmp_path) as server:
        yield server
    worker.stop()
    bench.close()


def test_a_classification_is_one_trace_from_the_callers_span_to_the_network(
    served: Server, exporter: InMemorySpanExporter
) -> None:
    with Client(served.address, timeout_seconds=10) as client:
        web = create_app(Settings(), client).test_client()
        files = {"image": (io.BytesIO(N5.read_bytes()), "n5.png")}
        reply = web.post("/digits/classify", data=files, headers={"traceparent": TRACEPARENT})
    assert reply.status_code == 200, reply.text
    wait_until(lambda: "Classify" in [span.name for span in exporter.get_finished_spans()])
    assert chain(exporter, "predict") == [
        "predict",
        "digits.classify",
        "ask the queue",
        "batch",
        "Classify",
        "POST /digits/classify",
        CALLER,
    ]
    spans = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in spans} == {TRACE}
    by_name = {span.name: span for span in spans}
    request_id = reply.headers["x-request-id"]
    assert by_name["Classify"].attributes["request_id"] == request_id
    assert by_name["POST /digits/classify"].attributes["http.response.status_code"] == 200


def test_a_call_that_fails_says_so_in_its_span(exporter: InMemorySpanExporter) -> None:
    with recorded_service() as service, Client(service.address, timeout_seconds=5) as client:
        create_app(Settings(), client).test_client().post("/digits/classify", json={"image_path": 7})
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.attributes["http.response.status_code"]) == ("POST /digits/classify", 400)


def test_a_batch_is_in_its_first_callers_trace_and_linked_with_the_others(
    exporter: InMemorySpanExporter,
) -> None:
    async def call(batcher: Batcher, name: str) -> None:
        with traces.span(name):
            await batcher.predict(pictures(1), None)

    async def scenario() -> None:
        batcher = Batcher(Recorder().classify, 4, 100)
        calls = [asyncio.create_task(call(batcher, name)) for name in ("first", "second")]
        running = asyncio.create_task(batcher.run())
        await asyncio.gather(*calls)
        running.cancel()

    asyncio.run(scenario())
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert chain(exporter, "batch") == ["batch", "first"]
    assert [link.context.span_id for link in spans["batch"].links] == [spans["second"].context.span_id]
    assert [link.context.span_id for link in spans["second"].links] == [spans["batch"].context.span_id]


def test_a_job_remembers_the_span_that_made_it(exporter: InMemorySpanExporter) -> None:
    with traces.span("Train", parent=traces.parent({"traceparent": TRACEPARENT})) as span:
        spec = train_request.spec_of(pb.TrainRequest(images_batch_path="mnist.npz"), "ann")
    assert spec.origin.traceparent == f"00-{TRACE}-{span.get_span_context().span_id:016x}-01"
    with traces.span("digits.train", parent=traces.parent({"traceparent": spec.origin.traceparent})):
        log = MemoryLog()
        log.create("j1", 1)
        with Ingest("j1", BlockFilling(log, "j1", [b"block"]), IngestWindow(1, 0, 0), lambda: None):
            wait_until(lambda: log.end_offsets("j1") == [1])
    assert chain(exporter, "ingest") == ["ingest", "digits.train", "Train", CALLER]


def test_a_callers_span_is_passed_on_also_where_nothing_is_traced() -> None:
    seen: list[str] = []

    def answer(request: object, context: grpc.ServicerContext) -> pb.ClassifyResponse:
        seen.extend(str(value) for key, value in context.invocation_metadata() if key == "traceparent")
        return pb.ClassifyResponse(digit=5, probabilities=np.zeros(10))

    with recorded_service() as service, Client(service.address, timeout_seconds=5) as client:
        service.answers["Classify"] = answer
        web = create_app(Settings(), client).test_client()
        web.post("/digits/classify", json={"image_path": "five.png"}, headers={"traceparent": TRACEPARENT})
        web.post("/digits/classify", json={"image_path": "five.png"})
        web.post("/digits/classify", json={"image_path": "five.png"}, headers={"traceparent": "00-junk"})
    assert seen == [TRACEPARENT]


def test_without_the_sdk_an_endpoint_is_refused_with_what_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "digits.signals.trace_export", None)
    settings = Settings(trace_endpoint="http://127.0.0.1:4318/v1/traces")
    with pytest.raises(Misconfigured, match=r"DIGITS_TRACE_ENDPOINT.*pip install 'digitservice\[traces\]'"):
        traces.configure(settings, "server")


def test_a_callers_span_goes_along_to_the_worker_also_where_nothing_is_traced() -> None:
    bench = Bench()

    async def traced() -> None:
        # Here, and not around: the batcher has a context of its own.
        with traces.span("Classify", parent=traces.parent({"traceparent": TRACEPARENT})):
            await bench.classify()

    try:
        bench.queue.answer(bench.publish(), 1)
        bench.serving.start()
        bench.serving.await_word()
        bench.run(traced)
        bench.ask()
        assert [batch.traceparent for batch in bench.queue.asked] == [TRACEPARENT, ""]
    finally:
        bench.close()
