"""What the front door says itself, to REST and to gRPC in their own terms; nothing of ours is behind it."""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import requests
import trustme
import urllib3
from grpc import StatusCode
from requests.adapters import HTTPAdapter

from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.settings import Settings
from tests.front_door.nginx import Nginx, configured, nobody_answers, running, session
from tests.front_door.upstreams import Upstream, upstream
from tests.plain_pixels import SOME_PIXELS
from tests.waiting import wait_until

MOST = Settings().max_request_bytes


@pytest.fixture(scope="module")
def nobody(authority: trustme.CA) -> Iterator[Nginx]:
    """A front door with nobody behind it."""
    with running(authority) as nginx:
        yield nginx


def client(nginx: Nginx) -> Client:
    return Client(nginx.grpc_address, credentials=grpc.ssl_channel_credentials(nginx.ca_file.read_bytes()))


def check_problem(reply: requests.Response, status: int) -> None:
    assert reply.status_code == status
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem = reply.json()
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert problem["title"]
    assert problem["detail"]
    assert "nginx" not in reply.text.lower()


def plain(nginx: Nginx, source: str = "127.0.0.1") -> socket.socket:
    """A connection to the REST port."""
    return socket.create_connection(("127.0.0.1", nginx.rest_port), 30, (source, 0))


def connected(nginx: Nginx, source: str = "127.0.0.1") -> ssl.SSLSocket:
    """The same by TLS."""
    context = ssl.create_default_context(cafile=nginx.ca_file)
    return context.wrap_socket(plain(nginx, source), server_hostname="localhost")


def exchange(nginx: Nginx, request: bytes, tls: bool = True) -> requests.Response:
    """Sends bytes and reads the answer, which need not be one to a request."""
    with connected(nginx) if tls else plain(nginx) as line:
        line.sendall(request)
        answer = b""
        while part := line.recv(1 << 16):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    headers = dict(field.split(": ", 1) for field in fields)
    raw = urllib3.HTTPResponse(io.BytesIO(body), headers, int(status.split()[1]), preload_content=False)
    return HTTPAdapter().build_response(requests.Request("GET", nginx.rest_url).prepare(), raw)


def test_without_a_bridge_rest_says_that_nobody_answers_and_when_to_come_again(nobody: Nginx) -> None:
    reply = session(nobody).post(f"{nobody.rest_url}/digits/classify", json={}, timeout=30)
    check_problem(reply, 502)
    assert reply.headers["Retry-After"] == "1"


@pytest.mark.parametrize("method", ["classify", "list_jobs", "serving"])
def test_without_a_server_grpc_says_that_nobody_answers_and_when_to_come_again(
    nobody: Nginx, method: str
) -> None:
    with client(nobody) as caller, pytest.raises(RemoteError) as refused:
        getattr(caller, method)()
    assert (refused.value.code, refused.value.message) == (StatusCode.UNAVAILABLE, "no server answers")
    assert refused.value.retry_after_seconds == 1


@pytest.mark.parametrize(("path", "most"), [("jobs/j/cancel", 64 << 10), ("models/rollback", 64 << 10)])
def test_a_body_of_unknown_length_is_refused_at_the_limit(nobody: Nginx, path: str, most: int) -> None:
    parts = (bytes(1 << 10) for _ in range((most >> 10) + 1))
    check_problem(session(nobody).post(f"{nobody.rest_url}/digits/{path}", data=parts, timeout=60), 413)


def test_a_body_over_its_calls_limit_is_refused_before_it_is_sent(nobody: Nginx) -> None:
    limits = {"train": MOST, "classify": 11 << 20, "models/v1/promote": 64 << 10}
    head = "POST /digits/{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n"
    announced = [head.format(path, most + 1).encode() for path, most in limits.items()]
    with ThreadPoolExecutor(len(limits)) as pool:
        for reply in pool.map(lambda each: exchange(nobody, each), announced):
            check_problem(reply, 413)


def test_a_body_at_the_limit_reaches_the_bridges(nobody: Nginx) -> None:
    check_problem(session(nobody).post(f"{nobody.rest_url}/digits/train", data=bytes(MOST), timeout=60), 502)


def test_a_picture_over_the_limit_is_refused_and_one_at_the_limit_is_not(nobody: Nginx) -> None:
    def send(size: int) -> RemoteError:
        with client(nobody) as caller, pytest.raises(RemoteError) as refused:
            caller.classify(image=bytes(size))
        return refused.value

    # A picture of the largest size, and what is around it.
    assert send(Settings().max_image_bytes).code == StatusCode.UNAVAILABLE
    assert send((11 << 20) - 10).code == StatusCode.UNAVAILABLE
    assert send(11 << 20).code == StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /%2 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 400),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ],
    ids=["bad escape", "nonsense", "oversized header", "oversized address"],
)
def test_what_cannot_be_read_is_refused(nobody: Nginx, request_head: bytes, status: int) -> None:
    check_problem(exchange(nobody, request_head), status)


def test_plain_text_to_the_tls_port_is_refused(nobody: Nginx) -> None:
    check_problem(exchange(nobody, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", tls=False), 400)
    with Client(nobody.grpc_address) as plain, pytest.raises(RemoteError) as refused:
        plain.classify(pixels=SOME_PIXELS, timeout_seconds=10)
    assert refused.value.code == StatusCode.UNAVAILABLE


def test_an_old_tls_is_refused(nobody: Nginx) -> None:
    context = ssl.create_default_context(cafile=nobody.ca_file)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", nobody.rest_port), timeout=30) as line,
        pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"),
    ):
        context.wrap_socket(line, server_hostname="localhost")


def test_a_client_refuses_an_expired_certificate(authority: trustme.CA) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with configured(authority, not_before=yesterday - timedelta(days=1), not_after=yesterday) as nginx:
        nginx.start()
        with pytest.raises(requests.exceptions.SSLError, match="expired"):
            session(nginx).get(f"{nginx.rest_url}/healthz", timeout=30)
        with client(nginx) as caller, pytest.raises(RemoteError) as refused:
            caller.classify(pixels=SOME_PIXELS, timeout_seconds=10)
        assert refused.value.code == StatusCode.UNAVAILABLE
        assert nginx.calls() == []


def test_a_client_refuses_a_certificate_of_a_stranger(nobody: Nginx) -> None:
    strangers = grpc.ssl_channel_credentials(trustme.CA().cert_pem.bytes())
    with Client(nobody.grpc_address, credentials=strangers) as caller, pytest.raises(RemoteError) as refused:
        caller.classify(pixels=SOME_PIXELS, timeout_seconds=10)
    assert refused.value.code == StatusCode.UNAVAILABLE


@pytest.fixture
def silent() -> Iterator[Upstream]:
    """Takes every call and answers none."""
    with upstream() as made:
        yield made


def test_one_address_has_so_many_rest_calls_at_a_time_and_another_address_has_its_own(
    authority: trustme.CA, silent: Upstream
) -> None:
    head = b"GET /digits/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with running(authority, bridges=[silent.address] * 2) as nginx, ExitStack() as lines:
        for _ in range(64):
            lines.enter_context(connected(nginx)).sendall(head)
        wait_until(lambda: silent.requests == 64, what="64 calls at the bridge")
        reply = exchange(nginx, head)
        check_problem(reply, 429)
        assert reply.headers["Retry-After"] == "1"
        lines.enter_context(connected(nginx, "127.0.0.2")).sendall(head)
        wait_until(lambda: silent.requests == 65, what="the other address's call")


def test_one_address_has_so_many_grpc_calls_at_a_time(authority: trustme.CA, silent: Upstream) -> None:
    with running(authority, servers=[silent.address] * 2) as nginx, ExitStack() as channels:
        most, waiting = Settings().max_calls_per_caller, []
        credentials = grpc.ssl_channel_credentials(nginx.ca_file.read_bytes())
        for _ in range(most // 128):
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = grpc.secure_channel(nginx.grpc_address, credentials, options)
            call = channels.enter_context(channel).unary_unary("/digits.v1.DigitService/Classify")
            waiting += [call.future(b"", timeout=60) for _ in range(128)]
        wait_until(lambda: silent.requests == most, what=f"{most} calls at the server")
        with client(nginx) as caller, pytest.raises(RemoteError) as refused:
            caller.classify(pixels=SOME_PIXELS)
        assert refused.value.code == StatusCode.RESOURCE_EXHAUSTED
        assert refused.value.retry_after_seconds == 1
        assert not any(call.done() for call in waiting)


def test_who_does_not_answer_in_time_is_reported_as_such(authority: trustme.CA, silent: Upstream) -> None:
    """With shorter times than the documented, for the test's sake."""
    both = [silent.address] * 2
    with configured(authority, both, both) as nginx:
        nginx.replace("grpc.conf", "grpc_read_timeout 15s", "grpc_read_timeout 1s")
        nginx.replace("rest.conf", "proxy_read_timeout 60s", "proxy_read_timeout 1s")
        nginx.start()
        with client(nginx) as caller, pytest.raises(RemoteError) as refused:
            caller.classify(pixels=SOME_PIXELS)
        assert refused.value.code == StatusCode.DEADLINE_EXCEEDED
        check_problem(session(nginx).get(f"{nginx.rest_url}/digits/jobs", timeout=30), 504)


def calls_at(authority: trustme.CA, rest: bool, what: str, **request: Any) -> list[int]:
    """How many requests each of two upstreams got that hang up on whom they have heard."""
    with upstream(hangs_up=True) as first, upstream(hangs_up=True) as second:
        both = [first.address, second.address]
        with running(
            authority, nobody_answers() if rest else both, both if rest else nobody_answers()
        ) as nginx:
            if rest:
                reply = session(nginx).post(f"{nginx.rest_url}/digits/{what}", timeout=30, **request)
                check_problem(reply, 502)
            else:
                with client(nginx) as caller, pytest.raises(RemoteError) as refused:
                    answer = getattr(caller, what)(**request)
                    next(iter(answer))
                assert refused.value.code == StatusCode.UNAVAILABLE
        return sorted([first.requests, second.requests])


def test_a_rest_classification_is_tried_at_the_next_bridge_and_a_training_is_not(
    authority: trustme.CA,
) -> None:
    body = {"image_path": "x" * 400}
    assert calls_at(authority, True, "classify", json=body) == [1, 1]
    assert calls_at(authority, True, "train", json=body) == [0, 1]


def test_a_grpc_training_is_not_sent_twice(authority: trustme.CA) -> None:
    assert calls_at(authority, False, "train", images_batch=bytes(784)) == [0, 1]


def test_a_grpc_classification_is_tried_at_the_next_server(authority: trustme.CA) -> None:
    """By nginx alone, which asks three times: this caller does not try again."""
    with upstream(hangs_up=True) as first, upstream(hangs_up=True) as second:
        with running(authority, [first.address, second.address]) as nginx:
            credentials = grpc.ssl_channel_credentials(nginx.ca_file.read_bytes())
            options = [("grpc.enable_retries", 0)]
            with grpc.secure_channel(nginx.grpc_address, credentials, options) as channel:
                call = channel.unary_unary("/digits.v1.DigitService/Classify")
                with pytest.raises(grpc.RpcError) as refused:
                    call(bytes(784), timeout=30)
            assert refused.value.code() == StatusCode.UNAVAILABLE
        assert sorted([first.requests, second.requests]) == [1, 2]


def test_metrics_are_nothing_for_callers(nobody: Nginx) -> None:
    with session(nobody) as web:
        check_problem(web.get(f"{nobody.rest_url}/metrics", timeout=10), 404)


def test_one_address_begins_so_many_trainings_in_one_go(authority: trustme.CA) -> None:
    """32 more than one, and two a second."""
    with running(authority) as nginx, client(nginx) as caller:
        codes = []
        for _ in range(80):
            with pytest.raises(RemoteError) as refused:
                next(caller.train(images_batch_path="a.npz"))
            codes.append(refused.value.code)
        assert codes[:33] == [StatusCode.UNAVAILABLE] * 33
        assert StatusCode.RESOURCE_EXHAUSTED in codes[33:]


def test_streams_that_are_opened_and_reset_at_once_count_as_calls(authority: trustme.CA) -> None:
    """Rapid reset (CVE-2023-44487): each is over before it counts as open. The rate is a lower one here."""
    with configured(authority) as nginx:
        for name, documented, given in (
            ("nginx.conf", "zone=calls:10m rate=5000r/s", "zone=calls:10m rate=1r/s"),
            ("grpc.conf", "zone=calls burst=5000", "zone=calls burst=10"),
        ):
            path = nginx.folder / name
            path.write_text(path.read_text().replace(documented, given))
        nginx.start()
        context = ssl.create_default_context(cafile=nginx.ca_file)
        context.set_alpn_protocols(["h2"])
        line = socket.create_connection(("127.0.0.1", nginx.grpc_port), 30)
        with context.wrap_socket(line, server_hostname="localhost") as secure:
            secure.sendall(_opened_and_reset(100))
            wait_until(lambda: len(nginx.calls()) == 100, what="100 calls in the log")
        assert sum(call["grpc_status"] == "8" for call in nginx.calls()) > 50


def _opened_and_reset(count: int) -> bytes:
    """The beginning of a connection by HTTP/2, and so many calls, each of which is taken back at once."""
    # :method POST, :scheme https, :authority, :path, content-type, te (RFC 7541, each by its name's number).
    fields = b"\x83\x87" + b"".join(
        name + bytes([len(value)]) + value
        for name, value in (
            (b"\x01", b"localhost"),
            (b"\x04", b"/digits.v1.DigitService/Classify"),
            (b"\x0f\x10", b"application/grpc"),
            (b"\x00\x02te", b"trailers"),
        )
    )

    def frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
        return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body

    begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
    calls = [
        frame(1, 4, stream, fields) + frame(3, 0, stream, b"\0\0\0\x08") for stream in range(1, 2 * count, 2)
    ]
    return begin + b"".join(calls)
