"""How a message is kept in the artifact store: with its type and its checksum."""

from __future__ import annotations

import hashlib
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from digits.errors import Corrupt
from digits.v1 import artifacts_pb2

M = TypeVar("M", bound=Message)


def seal(message: Message) -> bytes:
    """Serializes a message so that `unseal` can trust it."""
    payload = message.SerializeToString()
    envelope = artifacts_pb2.Envelope(
        message_type=message.DESCRIPTOR.full_name,
        payload=payload,
        payload_sha256=hashlib.sha256(payload).digest(),
    )
    return envelope.SerializeToString()


def unseal(data: bytes, kind: type[M]) -> M:
    """Reads a sealed message back; raises Corrupt if it is damaged or of another type."""
    try:
        envelope = artifacts_pb2.Envelope.FromString(data)
        if envelope.message_type != kind.DESCRIPTOR.full_name:
            raise Corrupt(f"not a {kind.DESCRIPTOR.full_name}")
        if hashlib.sha256(envelope.payload).digest() != envelope.payload_sha256:
            raise Corrupt(f"the {kind.DESCRIPTOR.full_name}'s checksum is wrong")
        return kind.FromString(envelope.payload)
    except DecodeError as error:
        raise Corrupt(f"not a sealed {kind.DESCRIPTOR.full_name}") from error
