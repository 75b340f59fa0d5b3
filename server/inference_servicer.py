"""inference.GRPCInferenceService: the open inference protocol, by the same door."""

from __future__ import annotations

import grpc
import numpy as np

import digits
from digits.errors import DigitsError, NotFound
from digits.inference import inference_pb2 as pb
from digits.inference import inference_pb2_grpc
from digits.models.registry import Registry
from digits.pixels import CLASSES, PIXELS_PER_IMAGE
from digits.serving.classifier import Classifier
from digits.serving.named_versions import NamedVersions
from digits.serving.serving_model import ServingModel
from server.blocking import blocking
from server.inference_request import INPUT, OUTPUT, pixels_of

MODEL = "digits"


class InferenceServicer(inference_pb2_grpc.GRPCInferenceServiceServicer):
    """The model "digits": pixels UINT8 [N, 784] in, probabilities FP32 [N, 10] out."""

    def __init__(
        self, classifier: Classifier, named: NamedVersions, serving: ServingModel, registry: Registry
    ) -> None:
        self._classifier, self._named = classifier, named
        self._serving, self._registry = serving, registry

    async def ServerLive(
        self, request: pb.ServerLiveRequest, context: grpc.aio.ServicerContext
    ) -> pb.ServerLiveResponse:
        """Says that the server runs."""
        return pb.ServerLiveResponse(live=True)

    async def ServerReady(
        self, request: pb.ServerReadyRequest, context: grpc.aio.ServicerContext
    ) -> pb.ServerReadyResponse:
        """Says whether a model serves."""
        return pb.ServerReadyResponse(ready=self._serving.now().model is not None)

    async def ModelReady(
        self, request: pb.ModelReadyRequest, context: grpc.aio.ServicerContext
    ) -> pb.ModelReadyResponse:
        """Says whether a version would answer."""
        _check_name(request.name)
        if not request.version:
            return pb.ModelReadyResponse(ready=self._serving.now().model is not None)
        try:
            await self._named.load(request.version)
        except DigitsError:
            return pb.ModelReadyResponse(ready=False)
        return pb.ModelReadyResponse(ready=True)

    async def ServerMetadata(
        self, request: pb.ServerMetadataRequest, context: grpc.aio.ServicerContext
    ) -> pb.ServerMetadataResponse:
        """Names the server."""
        return pb.ServerMetadataResponse(name="digitservice", version=digits.__version__)

    async def ModelMetadata(
        self, request: pb.ModelMetadataRequest, context: grpc.aio.ServicerContext
    ) -> pb.ModelMetadataResponse:
        """Describes the model's versions, input and output."""
        _check_name(request.name)
        models = await blocking(self._registry.newest, 1000)
        tensor = pb.ModelMetadataResponse.TensorMetadata
        return pb.ModelMetadataResponse(
            name=MODEL,
            versions=[model.version for model in models],
            platform="onnxruntime_onnx",
            inputs=[tensor(name=INPUT, datatype="UINT8", shape=[-1, PIXELS_PER_IMAGE])],
            outputs=[tensor(name=OUTPUT, datatype="FP32", shape=[-1, CLASSES])],
        )

    async def ModelInfer(
        self, request: pb.ModelInferRequest, context: grpc.aio.ServicerContext
    ) -> pb.ModelInferResponse:
        """Classifies a batch of pictures."""
        _check_name(request.model_name)
        pixels = pixels_of(request)
        answer = await self._classifier.classify(
            pixels, request.model_version, "", context.time_remaining(), bulk=len(pixels) > 1
        )
        output = pb.ModelInferResponse.InferOutputTensor(
            name=OUTPUT, datatype="FP32", shape=answer.prediction.probabilities.shape
        )
        return pb.ModelInferResponse(
            model_name=MODEL,
            model_version=answer.model_version,
            id=request.id,
            outputs=[output],
            raw_output_contents=[np.ascontiguousarray(answer.prediction.probabilities, "<f4").tobytes()],
        )


def _check_name(name: str) -> None:
    if name != MODEL:
        raise NotFound("model", name)
