"""A job's report as one HTML file."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from digits.reports.charts import HEIGHT, WIDTH, charts
from digits.reports.pictures import data_url
from digits.reports.report import html
from digits.v1 import models_pb2
from digits.v1 import training_pb2 as pb

EVIL = "<script>alert('x')</script>\"'&"
# What a page without script may consist of, and none of it with a way to fetch or to run something.
HARMLESS = set(
    re.findall(
        r"\w+",
        "html head meta title style body main h1 h2 h3 p b br span table tr th td ul li div "
        "figure figcaption svg polyline line img details summary",
    )
)


class Parts(HTMLParser):
    """The elements and the text of a document."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def succeeded() -> pb.Job:
    """A job of two micro-batches that was resumed between them."""
    counts = [0] * 100
    counts[44], counts[49] = 98, 2
    return pb.Job(
        job_id="j1",
        state=pb.SUCCEEDED,
        spec=pb.TrainSpec(images_batch_path="mnist.npz", recipe="fast", caller="ann"),
        progress=pb.TrainProgress(
            images_trained=200,
            images_total=200,
            images_per_second=1_234.5,
            model_version="v7",
            promoted=True,
            promotion_reason="at least as good as v6",
            metrics=models_pb2.Metrics(accuracy=0.98, held_out_image_count=100),
        ),
        log_partition_count=2,
        partition_decision=pb.PartitionDecision(partition_count=2, reason="limited to 2 by 2 cores"),
        history=[point(1, 10.0, loss=2.0), point(2, 30.0, loss=0.5)],
        resumptions=[pb.Resumption(elapsed_seconds=20, micro_batch=1, images_trained=100)],
        held_out_reading=pb.HeldOutReading(
            confusion_counts=counts,
            mistakes=[pb.Mistake(pixels=bytes(784), label=4, digit=9, confidence=0.875)],
        ),
    )


def point(number: int, seconds: float, **fields: float) -> pb.MicroBatchPoint:
    return pb.MicroBatchPoint(micro_batch=number, elapsed_seconds=seconds, window_images=128, **fields)


def test_a_report_says_what_was_trained_how_it_went_and_why_it_serves() -> None:
    text = " ".join(Parts(html(succeeded())).text.split())
    for said in (
        "Training j1: succeeded",
        "Batch mnist.npz",
        "Asked for by ann",
        "Images trained 200 of 200 Images a second 1,234",
        "Partitions 2: limited to 2 by 2 cores",
        "The gate it was made the serving one Why at least as good as v6 Held-out images 98.00% of 100",
        "Resumed once",
        "20.0 s 1 100",
        "4 · · · · 98 · · · · 2",
        "is 4, read as 9, 87.5% sure",
    ):
        assert said in text


def test_a_report_needs_no_script_and_asks_nothing_of_any_network() -> None:
    document = html(succeeded())
    parts = Parts(document)
    assert set(parts.names) <= HARMLESS
    links = [value for _, name, value in parts.attributes if name in ("src", "href", "srcset", "action")]
    assert links == [data_url(bytes(784))]
    assert not [name for _, name, _ in parts.attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?://", document)


def _everywhere(message: pb.Job) -> pb.Job:
    spec, progress = message.spec, message.progress
    for named in (spec, progress, message, progress.error, progress.metrics):
        for field in named.DESCRIPTOR.fields:
            if field.type == field.TYPE_STRING and not field.is_repeated:
                setattr(named, field.name, EVIL)
    progress.notes.append(EVIL)
    return message


def test_nothing_that_a_caller_names_becomes_markup() -> None:
    plain, evil = Parts(html(succeeded())), Parts(html(_everywhere(succeeded())))
    # Of the batch, the caller, the version and all others: each as the text that it is.
    assert evil.text.count(EVIL) >= 10
    assert set(evil.names) == set(plain.names)
    assert {name for _, name, _ in evil.attributes} == {name for _, name, _ in plain.attributes}


@pytest.mark.parametrize("state", [pb.QUEUED, pb.INGESTING, pb.FAILED, pb.CANCELLED])
def test_a_job_without_a_course_has_a_report_that_says_so(state: pb.JobState) -> None:
    job = pb.Job(job_id="j1", state=state, progress=pb.TrainProgress(error=pb.JobError(message="no images")))
    text = " ".join(Parts(html(job)).text.split())
    assert "no images" in text
    assert text.endswith("Its course No micro-batch was recorded.")


def test_a_chart_reaches_from_its_first_to_its_last_micro_batch_and_from_0_to_its_greatest() -> None:
    job = succeeded()
    loss = charts(job)[0]
    assert (loss.top, loss.first_seconds, loss.last_seconds) == (2.0, 10.0, 30.0)
    assert loss.lines[0].corners == f"0.0,0.0 {WIDTH}.0,{HEIGHT * 0.75:.1f}"
    assert loss.marks == [WIDTH / 2]


def test_a_single_micro_batch_is_a_line_across() -> None:
    job = pb.Job(history=[point(1, 5.0, loss=1.0)])
    assert charts(job)[0].lines[0].corners == f"0.0,0.0 {WIDTH}.0,0.0"


def test_what_is_always_0_lies_at_the_bottom() -> None:
    job = pb.Job(history=[point(1, 5.0), point(2, 6.0)])
    assert charts(job)[0].lines[0].corners == f"0.0,{HEIGHT}.0 {WIDTH}.0,{HEIGHT}.0"
