"""Steady Classify load through the front door by several callers, each as somebody would write it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import grpc
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from digits.client.errors import RemoteError
from digits.v1 import digit_service_pb2 as pb
from tests.front_door.conftest import FrontDoor
from tests.plain_pixels import SOME_PIXELS
from tests.waiting import wait_until

# Of each caller: steady, and on two cores not all that the machine can do.
PAUSE_SECONDS = 0.02

Classify = Callable[[], object]


@dataclass
class Load:
    """What came of the calls, by the kind of caller."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def goes_on(self) -> None:
        """Waits until each caller has had more answers."""
        before = dict(self.answers)
        wait_until(lambda: all(self.answers[name] > before[name] + 5 for name in before), what="answers")


def with_retries(front_door: FrontDoor, resources: ExitStack) -> Classify:
    """The Python client: it asks again where a server is away."""
    client = resources.enter_context(front_door.client(front_door.tokens.classify))
    return lambda: client.classify(pixels=SOME_PIXELS, timeout_seconds=10)


def without_retries(front_door: FrontDoor, resources: ExitStack) -> Classify:
    """A channel that sends each call once, come what may: what nginx alone does for it."""
    return _by_channel(front_door, resources, [("grpc.enable_retries", 0)])


def with_grpcs_defaults(front_door: FrontDoor, resources: ExitStack) -> Classify:
    """A plain channel: it sends again only what its connection's end says was not taken (gRFC A6)."""
    return _by_channel(front_door, resources, [])


def _by_channel(front_door: FrontDoor, resources: ExitStack, options: Sequence[tuple[str, int]]) -> Classify:
    channel = grpc.secure_channel(front_door.nginx.grpc_address, front_door.credentials, options)
    call = resources.enter_context(channel).unary_unary(
        "/digits.v1.DigitService/Classify",
        pb.ClassifyRequest.SerializeToString,
        pb.ClassifyResponse.FromString,
    )
    metadata = [("authorization", f"Bearer {front_door.tokens.classify}")]
    return lambda: call(pb.ClassifyRequest(pixels=SOME_PIXELS), timeout=10, metadata=metadata)


def by_rest(front_door: FrontDoor, resources: ExitStack) -> Classify:
    """The documented call on a kept connection, sent once."""
    return _by_session(front_door, resources.enter_context(front_door.rest()))


def by_rest_with_retries(front_door: FrontDoor, resources: ExitStack) -> Classify:
    """The same, sent again where the connection breaks."""
    session = resources.enter_context(front_door.rest())
    session.mount("https://", HTTPAdapter(max_retries=Retry(3, allowed_methods=None)))
    return _by_session(front_door, session)


def _by_session(front_door: FrontDoor, session: requests.Session) -> Classify:
    def classify() -> None:
        body = {"image_path": "test/data/n5.png"}
        reply = session.post(front_door.url("/digits/classify"), json=body, timeout=10)
        if reply.content != b"[5]":
            raise requests.HTTPError(f"{reply.status_code} {reply.text}")

    return classify


@contextmanager
def classifying(front_door: FrontDoor, *kinds: Callable[[FrontDoor, ExitStack], Classify]) -> Iterator[Load]:
    """Classifies all the while, with a caller for each of the kinds that are given."""
    load, stop = Load(), threading.Event()

    def calling(kind: Callable[[FrontDoor, ExitStack], Classify], name: str) -> None:
        with ExitStack() as resources:
            classify = kind(front_door, resources)
            while not stop.wait(PAUSE_SECONDS):
                try:
                    classify()
                    load.answers[name] += 1
                except (RemoteError, grpc.RpcError, requests.RequestException) as error:
                    load.failures.append(f"{name}: {error!r}")

    callers = []
    for number, kind in enumerate(kinds):
        name = f"{kind.__name__} {number}"
        load.answers[name] = 0
        callers.append(threading.Thread(target=calling, args=(kind, name)))
    for caller in callers:
        caller.start()
    try:
        load.goes_on()
        yield load
        load.goes_on()
    finally:
        stop.set()
        for caller in callers:
            caller.join()
