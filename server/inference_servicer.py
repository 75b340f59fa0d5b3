"""inference.GRPCInferenceService: the open inference protocol, by the same door."""

from __future__ import annotations

import grpc
import numpy as np

import digits
from digits.errors import DigitsError, InvalidInput, NotFound
from digits.imaging.raw_pixels import require_pictures
from digits.inference import inference_pb2 as pb
from digits.inference import inference_pb2_grpc
from digits.models.registry import Registry
from digits.pixels import CLASSES, PIXELS_PER_IMAGE
from digits.serving.classifier import Classifier
from digits.serving.named_versions import NamedVersions
from digits.serving.serving_model import ServingModel
from server.blocking import blocking

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
            inputs=[tensor(name="pixels", datatype="UINT8", shape=[-1, PIXELS_PER_IMAGE])],
            outputs=[tensor(name="probabilities", datatype="FP32", shape=[-1, CLASSES])],
        )

    async def ModelInfer(
        self, request: pb.ModelInferRequest, context: grpc.aio.ServicerContext
    ) -> pb.ModelInferResponse:
        """Classifies a batch of pictures."""
        _check_name(request.model_name)
        pixels = _pixels_of(request)
        answer = await self._classifier.classify(pixels, request.model_version, "", context.time_remaining())
        output = pb.ModelInferResponse.InferOutputTensor(
            name="probabilities", datatype="FP32", shape=answer.prediction.probabilities.shape
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


def _pixels_of(request: pb.ModelInferRequest) -> np.ndarray:
    if len(request.inputs) != 1 or request.inputs[0].name != "pixels":
        raise InvalidInput("inputs", 'exactly one, named "pixels"')
    tensor = request.inputs[0]
    if tensor.datatype != "UINT8":
        raise InvalidInput("inputs[0].datatype", f"UINT8, not {tensor.datatype!r}")
    shape = list(tensor.shape)
    if len(shape) != 2 or shape[1] != PIXELS_PER_IMAGE or not 0 < shape[0] <= 1024:
        raise InvalidInput("inputs[0].shape", f"[N, {PIXELS_PER_IMAGE}] with 1 to 1024 pictures, not {shape}")
    data = request.raw_input_contents[0] if request.raw_input_contents else _listed(tensor)
    if len(data) != shape[0] * PIXELS_PER_IMAGE:
        raise InvalidInput("raw_input_contents", f"{shape[0] * PIXELS_PER_IMAGE} bytes, not {len(data)}")
    pixels = np.frombuffer(data, np.uint8).reshape(shape)
    require_pictures(pixels, "inputs[0]")
    return pixels


def _listed(tensor: pb.ModelInferRequest.InferInputTensor) -> bytes:
    try:
        return bytes(tensor.contents.uint_contents)
    except ValueError as error:
        raise InvalidInput("inputs[0].contents", "whole numbers from 0 to 255") from error
