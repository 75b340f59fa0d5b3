"""How a call finds its method."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest

from digits.v1 import digit_service_pb2 as pb
from digits.v1 import digit_service_pb2_grpc
from server.access import Access
from server.freed_memory import FreedMemory
from server.generic_handlers import GenericHandlersOnly

Details = namedtuple("Details", "method invocation_metadata")


class Server:
    """A server with nowhere to register methods."""

    def __init__(self) -> None:
        self.handlers: list[Any] = []

    def add_generic_rpc_handlers(self, handlers: Any) -> None:
        self.handlers.extend(handlers)


@pytest.fixture
def classify() -> Any:
    server = Server()
    methods: Any = GenericHandlersOnly(server, Access(None, 1))  # type: ignore[arg-type]
    servicer = digit_service_pb2_grpc.DigitServiceServicer()
    digit_service_pb2_grpc.add_DigitServiceServicer_to_server(servicer, methods)
    (handler,) = server.handlers
    return handler.service(Details("/digits.v1.DigitService/Classify", ()))


def test_generated_code_adds_its_methods_and_registers_none(classify: Any) -> None:
    assert classify.unary_unary.__name__ == "Classify"


def test_what_a_large_message_took_is_given_back(monkeypatch: pytest.MonkeyPatch, classify: Any) -> None:
    given: list[bool] = []
    monkeypatch.setattr(FreedMemory, "give_back_soon", lambda _: given.append(True))
    for size in (784, 2 << 20):
        message = pb.ClassifyRequest(image=bytes(size))
        assert classify.request_deserializer(message.SerializeToString()) == message
        assert bool(given) is (size > 784)
