"""Strangers at the front door: a clear refusal, memory that stays, and the next good call works."""

from __future__ import annotations

import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

import pytest
from grpc import StatusCode

from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.settings import Settings
from tests.conftest import ROOT
from tests.front_door.conftest import FrontDoor
from tests.front_door.crowd import crowd, megabytes, tls_context
from tests.front_door.load import by_rest, classifying, with_retries, without_retries
from tests.plain_pixels import SOME_PIXELS
from tests.waiting import wait_until

MOST = Settings().max_request_bytes
CLASSIFY = "/digits.v1.DigitService/Classify"
TRAIN = "/digits.v1.DigitService/Train"
# What any process may have grown by behind an attack: its first one fills pools and buffers that stay.
GROWTH_MEGABYTES = 100

HTTP_1_HEAD = b"POST /digits/classify HTTP/1.1\r\nHost: x\r\nX: "
# The preface, empty SETTINGS, and the head of a HEADERS frame, up to a field's name of 15,000 bytes.
HTTP_2_HEAD = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex(
    "000000 04 00 00000000003e80 01 04 0000000100 7f 99 74"
)


@pytest.fixture(scope="module")
def warm(front_door: FrontDoor) -> FrontDoor:
    """Each server reads pictures: its first one starts three processes of 60 MB, by no attack's doing."""
    for number, replica in enumerate(front_door.servers):
        ready = partial(_reads_pictures, front_door, number)
        wait_until(ready, 120, what=f"{replica.name} to have started what reads pictures")
    return front_door


def _reads_pictures(front_door: FrontDoor, number: int) -> bool:
    replica = front_door.servers[number]
    # What ended meanwhile is started by the next picture.
    with front_door.direct(number) as client:
        client.classify(image=(ROOT / "data/test/data/n5.png").read_bytes())
    sizes = [int(each.memory_info().rss) for each in replica.process().children()]
    return len([size for size in sizes if size > 40e6]) >= int(replica.settings.picture_processes)


@pytest.fixture
def attacked(warm: FrontDoor) -> Iterator[FrontDoor]:
    """Honest callers go on all the while, and lose nothing; no process is much larger behind it."""
    before = megabytes(warm)
    with classifying(warm, with_retries, without_retries, by_rest) as load:
        yield warm
        load.goes_on()
    assert load.failures == []
    grown = {name: now - before[name] for name, now in megabytes(warm).items()}
    assert max(grown.values()) < GROWTH_MEGABYTES, grown


@pytest.mark.parametrize(
    ("token", "method", "code", "status"),
    [
        ("none", "classify", StatusCode.UNAUTHENTICATED, 401),
        ("none", "train", StatusCode.UNAUTHENTICATED, 401),
        ("unknown", "classify", StatusCode.UNAUTHENTICATED, 401),
        ("unknown", "train", StatusCode.UNAUTHENTICATED, 401),
        ("for training", "classify", StatusCode.PERMISSION_DENIED, 403),
        ("for classifying", "train", StatusCode.PERMISSION_DENIED, 403),
    ],
)
def test_strangers_and_the_wrong_role_are_refused(
    attacked: FrontDoor, token: str, method: str, code: StatusCode, status: int
) -> None:
    known = {"for training": attacked.tokens.train, "for classifying": attacked.tokens.classify, "none": ""}
    shown = known.get(token, token)
    body = {"images_batch_path": "tiny.npz"} if method == "train" else {"image_path": "test/data/n5.png"}
    with attacked.client(shown) as client, pytest.raises(RemoteError) as refused:
        next(client.train(**body)) if method == "train" else client.classify(**body)
    assert refused.value.code == code
    header = {"Authorization": f"Bearer {shown}" if shown else None}
    with attacked.rest() as rest:
        reply = rest.post(attacked.url(f"/digits/{method}"), json=body, headers=header, timeout=30)
    assert (reply.status_code, reply.json()["code"]) == (status, code.name)


def test_ten_thousand_connections_that_say_nothing_are_given_up(attacked: FrontDoor) -> None:
    with crowd(attacked.nginx.rest_port, 5_000) as rest, crowd(attacked.nginx.grpc_port, 5_000) as by_grpc:
        wait_until(rest.is_over, seconds=90, what="the end of the REST connections")
        wait_until(by_grpc.is_over, seconds=90, what="the end of the gRPC connections")


@pytest.mark.parametrize(("protocol", "head"), [("http/1.1", HTTP_1_HEAD), ("h2", HTTP_2_HEAD)])
def test_headers_that_come_byte_by_byte_are_given_up(attacked: FrontDoor, protocol: str, head: bytes) -> None:
    port = attacked.nginx.grpc_port if protocol == "h2" else attacked.nginx.rest_port
    with crowd(port, 1_000, tls_context(attacked, protocol), beginning=head) as slow:

        def given_up() -> bool:
            slow.drip()
            return slow.is_over()

        wait_until(given_up, seconds=120, what="the end of the slow connections")


def test_bodies_that_come_byte_by_byte_hold_up_nobody_and_reach_no_bridge(attacked: FrontDoor) -> None:
    """An address has as many calls open as it may, and more are refused; other addresses have their own."""
    head = b"POST /digits/classify HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"
    logged = len(attacked.nginx.calls())
    sources = [f"127.0.0.{last}" for last in range(2, 10)]
    with ExitStack() as crowds:
        slow = [
            crowds.enter_context(
                crowd(attacked.nginx.rest_port, 100, tls_context(attacked), source, beginning=head)
            )
            for source in sources
        ]

        def refused() -> bool:
            for each in slow:
                each.drip()
            calls = attacked.nginx.calls()[logged:]
            return Counter(c["address"] for c in calls if c["status"] == "429") == dict.fromkeys(sources, 36)

        wait_until(refused, seconds=60, what="36 refusals of each address")
        assert not [c for c in attacked.nginx.calls()[logged:] if c["address"] in sources and c["upstream"]]


def test_a_strangers_message_is_refused_before_it_has_come(attacked: FrontDoor) -> None:
    """Three quarters of each are never sent: a server that waited for them would not answer."""
    logged = len(attacked.nginx.calls())

    def refused() -> int:
        calls = [call for call in attacked.nginx.calls()[logged:] if call["path"] == TRAIN]
        return sum(call["grpc_status"] == "16" for call in calls)

    with ExitStack() as strangers:
        for _ in range(8):
            strangers.enter_context(_unended_message(attacked))
        wait_until(lambda: refused() == 8, seconds=8, what="refusals")


@pytest.mark.parametrize("path", ["/digits/train", "/digits/classify"])
@pytest.mark.parametrize("length", [b"Content-Length: 9000000", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("token", [b"", b"Authorization: Bearer guessed\r\n"])
def test_a_strangers_body_is_refused_before_it_is_sent(
    attacked: FrontDoor, path: str, length: bytes, token: bytes
) -> None:
    head = b"POST %b HTTP/1.1\r\nHost: localhost\r\n%b%b\r\n\r\n" % (path.encode(), token, length)
    line = socket.create_connection(("127.0.0.1", attacked.nginx.rest_port), 30)
    with tls_context(attacked).wrap_socket(line, server_hostname="localhost") as stranger:
        stranger.settimeout(8)
        stranger.sendall(head)
        answer = stranger.recv(1 << 16)
    assert answer.startswith(b"HTTP/1.1 401 "), answer
    assert b"application/problem+json" in answer and b"WWW-Authenticate: Bearer" in answer


def test_a_known_callers_large_body_is_let_through(attacked: FrontDoor) -> None:
    with attacked.rest() as rest:
        files = {"image": ("x.png", bytes(100_000))}
        reply = rest.post(attacked.url("/digits/classify"), files=files, timeout=30)
    assert (reply.status_code, reply.json()["field"]) == (400, "image")


@contextmanager
def _unended_message(front_door: FrontDoor) -> Iterator[None]:
    """Announces a message of the largest size, sends a quarter of it, and stays."""
    command = [
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "--http2",
        "-X",
        "POST",
        "-T",
        "-",
        "--interface",
        "127.0.0.2",
    ]
    command += ["--cacert", str(front_door.nginx.ca_file)]
    for header in ("content-type: application/grpc", "te: trailers"):
        command += ["-H", header]
    url = f"https://127.0.0.1:{front_door.nginx.grpc_port}{TRAIN}"
    # curl ends, and its pipe with it, where it is refused.
    with suppress(BrokenPipeError), subprocess.Popen([*command, url], stdin=subprocess.PIPE) as curl:
        assert curl.stdin
        try:
            with suppress(BrokenPipeError):
                curl.stdin.write(b"\0" + MOST.to_bytes(4, "big") + bytes(MOST // 4))
                curl.stdin.flush()
            yield
        finally:
            curl.kill()


@pytest.mark.parametrize("method", ["train", "classify"])
def test_an_oversized_message_is_refused(attacked: FrontDoor, method: str) -> None:
    calls: dict[str, Callable[[Client], object]] = {
        "train": lambda client: next(client.train(model_bundle=bytes(MOST))),
        "classify": lambda client: client.classify(image=bytes(MOST)),
    }
    for client in (attacked.client(), attacked.direct(0)):
        with client, pytest.raises(RemoteError) as refused:
            calls[method](client)
        assert refused.value.code == StatusCode.RESOURCE_EXHAUSTED


def test_a_call_of_a_few_names_takes_no_more_than_their_bytes(attacked: FrontDoor) -> None:
    with attacked.client() as client, pytest.raises(RemoteError) as refused:
        client.cancel_job("x" * (64 << 10))
    assert refused.value.code == StatusCode.RESOURCE_EXHAUSTED


def test_oversized_metadata_is_refused(attacked: FrontDoor) -> None:
    """Far above gRPC's limit: just above it, it refuses by chance."""
    size = 100_000
    for client in (attacked.client("x" * size), attacked.direct(0)):
        with client, pytest.raises(RemoteError) as refused:
            client.on_behalf_of("x" * size).classify(pixels=SOME_PIXELS)
        assert refused.value.code in (StatusCode.RESOURCE_EXHAUSTED, StatusCode.UNAVAILABLE)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--http2", "-X", "GET"],
        ["--http2", "-d", "nonsense"],
        ["--http2", "-d", "nonsense", "-H", "content-type: application/grpc", "-H", "te: trailers"],
        ["--http1.1", "-d", "nonsense", "-H", "content-type: application/grpc"],
        ["--http2", "-d", "x", "-H", "content-type: application/grpc", "-H", "grpc-encoding: x"],
        ["--http2", "-d", "x", "-H", "content-type: application/grpc", "-H", "grpc-timeout: x"],
    ],
    ids=["GET", "a form", "nonsense", "HTTP/1.1", "an unknown compression", "a bad deadline"],
)
def test_what_is_no_grpc_takes_no_server_out(attacked: FrontDoor, arguments: list[str]) -> None:
    """nginx leaves out for a while what failed; a stranger must not be able to have every server left out."""
    url = f"https://localhost:{attacked.nginx.grpc_port}{CLASSIFY}"
    command = [
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-m",
        "10",
        "--cacert",
        str(attacked.nginx.ca_file),
        *arguments,
    ]
    logged = len(attacked.nginx.calls())
    subprocess.run([*command, *([url] * 40)], capture_output=True, check=False, timeout=120)
    wait_until(lambda: len(_of_curl(attacked, logged)) >= 40, what="40 calls in the log")
    assert not [call for call in _of_curl(attacked, logged) if call["upstream"] == "servers"]


def _of_curl(front_door: FrontDoor, since: int) -> list[dict[str, object]]:
    calls = front_door.nginx.calls()[since:]
    return [call for call in calls if call["path"] == CLASSIFY and call["grpc_status"] != "0"]
