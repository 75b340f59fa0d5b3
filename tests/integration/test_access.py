"""Who is let in: a real server and a real bridge with TLS, tokens and limits."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
import requests
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from digits.client.client import Client
from digits.client.errors import RemoteError
from digits.security.tokens import Principal, Role, line
from digits.settings import Settings
from digits.v1 import digit_service_pb2
from tests.own_processes import bridge, environment, server
from tests.plain_pixels import SOME_PIXELS
from tests.ports import free_port
from tests.waiting import wait_until

Make = Callable[..., Settings]
TOKENS = {"classifier": Role.CLASSIFY, "trainer": Role.TRAIN}
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture
def make(zookeeper: str, valkey: str, tmp_path: Path) -> Make:
    """Settings of a process on real servers, with what a test adds."""

    def settings(**more: Any) -> Settings:
        fixed = {
            "var_dir": tmp_path,
            "data_dir": Path("data").resolve(),
            "grpc_port": free_port(),
            "rest_port": free_port(),
            "health_port": free_port(),
            "coordinator_url": f"zookeeper://{zookeeper}/{tmp_path.name}",
            "broker_url": f"{valkey}/0",
        }
        return Settings(**{**fixed, **more})

    return settings


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    rows = [line(Principal(name, frozenset({role})), f"{name}-token") for name, role in TOKENS.items()]
    path.write_text("\n".join(rows))
    return path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> dict[str, Path]:
    """Files of a server's certificate and of who vouches for it, by the names of their settings."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return {**issued(authority, tmp_path), "server_ca_file": tmp_path / "ca.pem"}


def issued(authority: trustme.CA, folder: Path, **options: Any) -> dict[str, Path]:
    made = authority.issue_cert("localhost", "127.0.0.1", **options)
    paths = {"tls_certificate_file": folder / "chain.pem", "tls_key_file": folder / "key.pem"}
    made.private_key_pem.write_to_path(paths["tls_key_file"])
    paths["tls_certificate_file"].write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    return paths


def client(settings: Settings, token: str = "", **credentials: bytes) -> Client:
    made = grpc.ssl_channel_credentials(**credentials) if credentials else None
    return Client(settings.server, timeout_seconds=10, token=token, credentials=made)


def code_of(call: Callable[[], object]) -> grpc.StatusCode:
    with pytest.raises(RemoteError) as refused:
        call()
    return refused.value.code


def health(settings: Settings, service: str = "") -> int:
    with grpc.insecure_channel(f"127.0.0.1:{settings.health_port}") as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        return int(health_pb2_grpc.HealthStub(channel).Check(request, timeout=5).status)


# What a call answers that was let in: no model serves here.
LET_IN = grpc.StatusCode.FAILED_PRECONDITION
UNKNOWN = grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("token", "answers"),
    [
        ("", (UNKNOWN, UNKNOWN)),
        ("guessed", (UNKNOWN, UNKNOWN)),
        ("classifier-token", (LET_IN, grpc.StatusCode.PERMISSION_DENIED)),
        ("trainer-token", (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND)),
    ],
)
def test_a_token_opens_what_its_role_is_for(
    make: Make, tokens: Path, tmp_path: Path, token: str, answers: tuple[grpc.StatusCode, grpc.StatusCode]
) -> None:
    settings = make(tokens_file=tokens)
    classify, jobs = answers
    with server(settings, tmp_path / "log"), client(settings, token) as caller:
        assert code_of(lambda: caller.classify(pixels=SOME_PIXELS)) is classify
        assert code_of(lambda: next(caller.classify_stream([[five()]]))) is classify
        assert code_of(lambda: caller.get_job("j")) is jobs
        assert code_of(lambda: next(caller.watch_job("j"))) is jobs


def test_strangers_large_messages_leave_the_servers_memory_where_it_was(
    make: Make, tokens: Path, tmp_path: Path
) -> None:
    """Twenty of 48 MB at once: a server that takes them in before it asks who sends them holds 960 MB."""
    settings = make(tokens_file=tokens)
    with server(settings, tmp_path / "log") as process, client(settings) as stranger:
        before = resident(process.pid)
        with ThreadPoolExecutor(20) as pool:
            send = partial(stranger.classify, image=bytes(48 << 20), timeout_seconds=60)
            sent = [pool.submit(code_of, send) for _ in range(20)]
            most = before
            while not all(each.done() for each in sent):
                most = max(most, resident(process.pid))
                wait(sent, timeout=0.02)
        assert {each.result() for each in sent} == {UNKNOWN}
    # What the connection holds until each call is refused; how much depends on how busy the machine is.
    assert most - before < 250e6


def resident(pid: int) -> int:
    """Bytes of a process in memory."""
    return int(psutil.Process(pid).memory_info().rss)


def five() -> digit_service_pb2.ClassifyRequest:
    return digit_service_pb2.ClassifyRequest(pixels=SOME_PIXELS)


def test_tokens_change_without_a_restart_and_health_and_reflection_do_their_part(
    make: Make, tokens: Path, tmp_path: Path
) -> None:
    settings = make(tokens_file=tokens)
    with server(settings, tmp_path / "log"), client(settings, "new-token") as caller:
        assert code_of(caller.list_models) is grpc.StatusCode.UNAUTHENTICATED
        tokens.write_text(line(Principal("new", frozenset({Role.CLASSIFY})), "new-token"))
        wait_until(lambda: lets_in(caller), what="the new token")
        with client(settings, "classifier-token") as former:
            assert code_of(former.list_models) is grpc.StatusCode.UNAUTHENTICATED
        assert not caller.serving()
        with grpc.insecure_channel(settings.server) as channel, pytest.raises(grpc.RpcError) as refused:
            ProtoReflectionDescriptorDatabase(channel).get_services()
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


def lets_in(caller: Client) -> bool:
    try:
        caller.list_models()
    except RemoteError:
        return False
    return True


def test_tls_is_spoken_and_plain_text_is_refused(
    make: Make, certificate: dict[str, Path], tmp_path: Path
) -> None:
    settings = make(**certificate)
    with server(settings, tmp_path / "log"):
        authority = certificate["server_ca_file"].read_bytes()
        with client(settings, root_certificates=authority) as good, client(settings) as plain:
            assert code_of(lambda: good.classify(pixels=SOME_PIXELS)) is LET_IN
            assert code_of(plain.list_models) is grpc.StatusCode.UNAVAILABLE
            assert code_of(lambda: good.classify(pixels=SOME_PIXELS)) is LET_IN


def test_a_new_certificate_is_shown_without_a_restart(
    make: Make, certificate: dict[str, Path], authority: trustme.CA, tmp_path: Path
) -> None:
    settings = make(**certificate)
    with server(settings, tmp_path / "log"):
        first = shown(settings)
        issued(authority, tmp_path)
        wait_until(lambda: shown(settings) != first, what="the new certificate")


def shown(settings: Settings) -> bytes | None:
    """The certificate that the gRPC port shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    address = ("127.0.0.1", settings.grpc_port)
    with socket.create_connection(address) as line, context.wrap_socket(line) as secure:
        return secure.getpeercert(binary_form=True)


def test_an_expired_certificate_is_refused_by_its_callers(
    make: Make, certificate: dict[str, Path], authority: trustme.CA, tmp_path: Path
) -> None:
    issued(authority, tmp_path, not_after=datetime.now(UTC) - timedelta(days=1))
    settings = make(**certificate)
    with server(settings, tmp_path / "log"):
        vouches = certificate["server_ca_file"].read_bytes()
        with client(settings, root_certificates=vouches) as caller:
            assert code_of(caller.list_models) is grpc.StatusCode.UNAVAILABLE


def test_with_mutual_tls_strangers_do_not_get_a_connection(
    make: Make, certificate: dict[str, Path], authority: trustme.CA, tmp_path: Path
) -> None:
    vouches = certificate["server_ca_file"]
    settings = make(**certificate, tls_client_ca_file=vouches)
    own, foreign = authority.issue_cert("caller"), trustme.CA().issue_cert("caller")
    with server(settings, tmp_path / "log"):

        def answer(**shows: bytes) -> grpc.StatusCode:
            with client(settings, root_certificates=vouches.read_bytes(), **shows) as caller:
                return code_of(lambda: caller.classify(pixels=SOME_PIXELS))

        assert answer() is grpc.StatusCode.UNAVAILABLE
        assert answer(**pair(foreign)) is grpc.StatusCode.UNAVAILABLE
        assert answer(**pair(own)) is LET_IN


def pair(certificate: trustme.LeafCert) -> dict[str, bytes]:
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    return {"private_key": certificate.private_key_pem.bytes(), "certificate_chain": chain}


@pytest.mark.parametrize(
    "module", [["server"], ["gunicorn", "-c", "python:rest_bridge.gunicorn_conf", "rest_bridge.wsgi:app"]]
)
def test_nothing_listens_beyond_loopback_without_tls_and_tokens(make: Make, module: list[str]) -> None:
    everywhere = "0.0.0.0"  # noqa: S104
    settings = make(grpc_host=everywhere, rest_host=everywhere)
    done = subprocess.run(
        [sys.executable, "-m", *module],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "would be open to the network without TLS and without tokens" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_caller_has_a_share_of_calls_and_of_jobs(make: Make, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    settings = make(max_calls_per_caller=3, max_jobs_per_caller=2)
    with server(settings, tmp_path / "log"), client(settings) as caller:
        streams = [caller.train(images_batch_path="mnist.npz") for _ in range(2)]
        job_ids = [next(stream).job_id for stream in streams]
        with pytest.raises(RemoteError, match="jobs that are not finished") as refused:
            next(caller.train(images_batch_path="mnist.npz"))
        assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert refused.value.retry_after_seconds
        third = caller.watch_job(job_ids[0])
        next(third)
        with pytest.raises(RemoteError, match="calls open") as refused:
            caller.list_models()
        assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert refused.value.retry_after_seconds
        third.close()
        wait_until(lambda: lets_in(caller), what="a free place")


def test_a_server_that_stops_says_so_first_and_lets_its_streams_go(make: Make, tmp_path: Path) -> None:
    settings = make(drain_notice_seconds=3, drain_seconds=20)
    with server(settings, tmp_path / "log") as process, client(settings) as caller:
        wait_until(lambda: health(settings, "startup") == SERVING, what="startup")
        assert health(settings) != SERVING, "no model serves"
        assert health(settings, "digits.v1.JobService") == SERVING
        stream = caller.train(images_batch_path="mnist.npz")
        first = next(stream)
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        with pytest.raises(RemoteError, match="this server stops") as left:
            list(stream)
        assert left.value.code is grpc.StatusCode.UNAVAILABLE
        assert left.value.retry_after_seconds
        assert health(settings, "digits.v1.JobService") != SERVING
        assert health(settings, "liveness") == SERVING
        # It still takes calls, for as long as balancers need to hear of it.
        assert caller.get_job(first.job_id).job_id == first.job_id
        assert process.wait(timeout=20) == 0
        assert 3 <= time.monotonic() - began < 20


def test_rest_has_the_same_doors(
    make: Make, tokens: Path, certificate: dict[str, Path], tmp_path: Path
) -> None:
    settings = make(tokens_file=tokens, **certificate)
    verify = str(certificate["server_ca_file"])

    def answer(token: str, method: str = "POST", path: str = "/digits/classify") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url, body = f"https://localhost:{settings.rest_port}{path}", {"image_path": "test/data/n5.png"}
        return requests.request(method, url, headers=headers, json=body, verify=verify, timeout=20)

    with server(settings, tmp_path / "server.log"), bridge(settings, tmp_path / "bridge.log"):
        for token in ("", "guessed"):
            refused = answer(token)
            assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
            assert json.loads(refused.text)["code"] == "UNAUTHENTICATED"
        forbidden = answer("trainer-token")
        assert (forbidden.status_code, forbidden.headers["Content-Type"]) == (403, "application/problem+json")
        let_in = answer("classifier-token")
        assert (let_in.status_code, "no model serves yet" in let_in.text) == (503, True)
        assert answer("", method="GET", path="/healthz").status_code == 200


def test_rest_with_mutual_tls_wants_its_callers_certificate(
    make: Make, certificate: dict[str, Path], authority: trustme.CA, tmp_path: Path
) -> None:
    shown, key = tmp_path / "caller.pem", tmp_path / "caller.key"
    own = authority.issue_cert("caller")
    shown.write_bytes(pair(own)["certificate_chain"])
    key.write_bytes(pair(own)["private_key"])
    vouches = certificate["server_ca_file"]
    # The bridge is a caller too: of the server, and its own probe is one of it.
    caller = {"client_certificate_file": shown, "client_key_file": key}
    settings = make(**certificate, **caller, tls_client_ca_file=vouches)
    url = f"https://localhost:{settings.rest_port}/digits/models"
    with server(settings, tmp_path / "server.log"), bridge(settings, tmp_path / "bridge.log"):
        with pytest.raises(requests.exceptions.RequestException):
            requests.get(url, verify=str(vouches), timeout=20)
        answer = requests.get(url, verify=str(vouches), cert=(str(shown), str(key)), timeout=20)
        assert (answer.status_code, answer.json()["models"]) == (200, [])
