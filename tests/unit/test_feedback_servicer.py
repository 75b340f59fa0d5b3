"""ReportLabel, over a registry and a store in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from digits.errors import InvalidInput, NotFound
from digits.feedback.labels import Labels
from digits.feedback.predictions import Predictions
from digits.models.live_labels import LiveLabels
from digits.models.promotion import Promotion
from digits.v1 import feedback_pb2 as pb
from server.access import Access
from server.feedback_servicer import FeedbackServicer
from tests.plain_pixels import SOME_PIXELS
from tests.unit.serving_bench import Bench


class Context:
    """A call of somebody on this machine, without tokens."""

    def peer(self) -> str:
        return "ipv4:127.0.0.1:50000"

    def time_remaining(self) -> float:
        return 5.0


class Feedback:
    """The servicer, and what is behind it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.predictions, self.labels = Predictions(), Labels(bench.store, 10)
        promotion = Promotion(bench.registry, bench.store, bench.coordinator)
        live = LiveLabels(self.labels, bench.registry, promotion, rollback=False)
        self._servicer = FeedbackServicer(self.predictions, bench.classifier, live, Access(None, 10))

    def report(self, **fields: Any) -> pb.ReportLabelResponse:
        request, context = pb.ReportLabelRequest(**fields), Context()
        return self._bench.run(lambda: self._servicer.ReportLabel(request, context))  # type: ignore[arg-type]


@pytest.fixture
def feedback() -> Iterator[Feedback]:
    bench = Bench()
    bench.publish()
    bench.serving.start()
    yield Feedback(bench)
    bench.close()


def test_a_remembered_answer_is_kept_with_what_it_was_and_who_said_so(feedback: Feedback) -> None:
    prediction_id = feedback.predictions.remember(SOME_PIXELS, 3, "v1")
    response = feedback.report(prediction_id=prediction_id, label=5)
    assert (response.model_version, response.digit, response.live_accuracy.right_count) == ("v1", 3, 0)
    (image,) = feedback.labels.all()
    assert (image.pixels, image.label, image.digit, image.caller) == (SOME_PIXELS, 5, 3, "ipv4:127.0.0.1")
    assert image.HasField("label_time")


def test_a_zero_is_a_label_and_no_label_is_none(feedback: Feedback) -> None:
    prediction_id = feedback.predictions.remember(SOME_PIXELS, 0, "v1")
    for wrong in ({}, {"label": 10}, {"label": -1}):
        with pytest.raises(InvalidInput, match="label: what the picture shows, 0 to 9"):
            feedback.report(prediction_id=prediction_id, **wrong)
    assert feedback.labels.all() == []
    assert feedback.report(prediction_id=prediction_id, label=0).live_accuracy.right_count == 1


def test_pixels_are_asked_about_and_count_once(feedback: Feedback) -> None:
    first = feedback.report(pixels=SOME_PIXELS, label=5)
    again = feedback.report(pixels=SOME_PIXELS, label=6)
    assert (first.model_version, again.live_accuracy.label_count) == ("v1", 1)
    assert [image.label for image in feedback.labels.all()] == [6]


def test_what_names_no_picture_is_refused(feedback: Feedback) -> None:
    with pytest.raises(NotFound, match="send its pixels"):
        feedback.report(prediction_id="forgotten", label=5)
    with pytest.raises(InvalidInput, match="one of prediction_id and pixels"):
        feedback.report(label=5)
    with pytest.raises(InvalidInput, match="784"):
        feedback.report(pixels=b"few", label=5)
    assert feedback.labels.all() == []
