"""Calls that clients of the inference protocol know and this server has not: said in a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc

from digits.inference import inference_pb2

SERVICE = inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name

_INSTEAD = {
    "ModelConfig": "ModelMetadata describes the model's input and output",
    "ModelStreamInfer": "ModelInfer takes 1024 pictures, and digits.v1.DigitService/ClassifyStream streams",
    "RepositoryIndex": "ModelMetadata lists the versions, and digits.v1.ModelService/ListModels says more",
    "RepositoryModelLoad": "digits.v1.ModelService/PromoteModel makes a version serve",
    "RepositoryModelUnload": "digits.v1.ModelService/PromoteModel makes another version serve",
}
_PART = "the open inference protocol's own calls are here, not its extensions"


class UnknownCalls(grpc.GenericRpcHandler):
    """Answers UNIMPLEMENTED for every method of the service that no other handler has."""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """None for another service's method."""
        service, _, method = handler_call_details.method.lstrip("/").partition("/")
        if service != SERVICE:
            return None
        sentence = f"{method[:80]} is not offered: {_INSTEAD.get(method, _PART)}"

        async def refuse(_: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, sentence)
            yield

        return grpc.stream_stream_rpc_method_handler(refuse)
