"""How a call finds its method."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from digits.v1 import digit_service_pb2_grpc
from server.access import Access
from server.generic_handlers import GenericHandlersOnly

Details = namedtuple("Details", "method invocation_metadata")


class Server:
    """A server with nowhere to register methods."""

    def __init__(self) -> None:
        self.handlers: list[Any] = []

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        self.handlers.extend(handlers)


def test_generated_code_adds_its_methods_and_registers_none() -> None:
    server = Server()
    methods: Any = GenericHandlersOnly(server, Access(None, 1))  # type: ignore[arg-type]
    servicer = digit_service_pb2_grpc.DigitServiceServicer()
    digit_service_pb2_grpc.add_DigitServiceServicer_to_server(servicer, methods)
    (handler,) = server.handlers
    found = handler.service(Details("/digits.v1.DigitService/Classify", ()))
    assert found.unary_unary == servicer.Classify
