"""A gRPC server that answers Classify with a constant: what the transport alone costs on this machine.

python -m benchmarks.echo PORT
"""

from __future__ import annotations

import sys

import grpc
import uvloop

from digits.v1 import digit_service_pb2 as pb
from digits.v1 import digit_service_pb2_grpc

ANSWER = pb.ClassifyResponse(digit=1, confidence=0.5, probabilities=[0.1] * 10, model_version="v1")


class Echo(digit_service_pb2_grpc.DigitServiceServicer):
    """Thinks nothing."""

    async def Classify(
        self, request: pb.ClassifyRequest, context: grpc.aio.ServicerContext
    ) -> pb.ClassifyResponse:
        """Returns the constant."""
        return ANSWER


async def serve(port: int) -> None:
    """Serves on loopback until it is killed."""
    server = grpc.aio.server()
    digit_service_pb2_grpc.add_DigitServiceServicer_to_server(Echo(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
