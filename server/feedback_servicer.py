"""digits.v1.FeedbackService: what people say that pictures show."""

from __future__ import annotations

import hashlib

import grpc
import numpy as np

from digits import clock
from digits.errors import InvalidInput
from digits.feedback.predictions import Prediction, Predictions
from digits.imaging.raw_pixels import from_pixels
from digits.models.live_labels import LiveLabels
from digits.pixels import CLASSES, PIXELS_PER_IMAGE
from digits.serving.classifier import Classifier
from digits.v1 import feedback_pb2 as pb
from digits.v1 import feedback_pb2_grpc
from server.access import Access
from server.blocking import storing


class FeedbackServicer(feedback_pb2_grpc.FeedbackServiceServicer):
    """Translates, calls the core, returns."""

    def __init__(
        self, predictions: Predictions, classifier: Classifier, live_labels: LiveLabels, access: Access
    ) -> None:
        self._predictions, self._classifier = predictions, classifier
        self._live_labels, self._access = live_labels, access

    async def ReportLabel(
        self, request: pb.ReportLabelRequest, context: grpc.aio.ServicerContext
    ) -> pb.ReportLabelResponse:
        """Keeps what a picture shows."""
        if not request.HasField("label") or not 0 <= request.label < CLASSES:
            raise InvalidInput("label", "what the picture shows, 0 to 9")
        prediction = await self._prediction(request, context)
        image = pb.LabelledImage(
            prediction_id=prediction.prediction_id,
            pixels=prediction.pixels,
            label=request.label,
            digit=prediction.digit,
            model_version=prediction.model_version,
            caller=self._access.caller(context),
            label_time=clock.now(),
        )
        live = await storing(self._live_labels.report, image)
        return pb.ReportLabelResponse(
            model_version=image.model_version, digit=image.digit, live_accuracy=live
        )

    async def _prediction(
        self, request: pb.ReportLabelRequest, context: grpc.aio.ServicerContext
    ) -> Prediction:
        kind = request.WhichOneof("picture")
        if kind == "prediction_id":
            return self._predictions.find(request.prediction_id)
        if kind == "pixels":
            return await self._read(request.pixels, context)
        raise InvalidInput("picture", "give one of prediction_id and pixels")

    async def _read(self, pixels: bytes, context: grpc.aio.ServicerContext) -> Prediction:
        """What serves now, asked about pixels whose prediction nobody remembers."""
        picture = from_pixels(pixels, "pixels").pixels.reshape(1, PIXELS_PER_IMAGE)
        answer = await self._classifier.classify(picture, "", "", context.time_remaining())
        digit = int(np.argmax(answer.prediction.probabilities[0]))
        # The same pixels are the same picture, however often they are sent.
        name = hashlib.sha256(pixels).hexdigest()[:16]
        return Prediction(f"{answer.model_version}-{name}", pixels, digit, answer.model_version)
