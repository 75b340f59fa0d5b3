"""Questions to our own processes go straight to loopback, whatever the environment says of proxies."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2_grpc

from deploy.native.loopback import get_json, without_proxy
from deploy.native.ports import free_port
from deploy.native.service.bridge import bridge_answers
from deploy.native.service.grpc_server import server_answers
from deploy.native.service.processes import service_specs
from deploy.native.service.registry_reader import RegistryReader
from digits.settings import Settings
from tests.web_folder import web_folder


@pytest.fixture(autouse=True)
def _proxy_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port([])}")
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[int]:
    """The port of a web server that has /healthz and /json."""
    (tmp_path / "healthz").write_text("ok", encoding="utf-8")
    (tmp_path / "json").write_text('{"status": "ALIVE"}', encoding="utf-8")
    with web_folder(tmp_path) as url:
        yield int(url.rpartition(":")[2])


def test_the_bridge_is_not_asked_through_a_proxy(web: int) -> None:
    assert bridge_answers(Settings(rest_port=web))


def test_a_server_with_a_web_page_is_not_asked_through_a_proxy(web: int) -> None:
    assert get_json(f"http://127.0.0.1:{web}/json") == {"status": "ALIVE"}
    assert get_json(f"http://127.0.0.1:{web}/missing") is None


def test_the_grpc_server_is_not_asked_through_a_proxy() -> None:
    server = grpc.server(ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        assert server_answers(f"127.0.0.1:{port}")
    finally:
        server.stop(0).wait()


def test_our_processes_are_kept_from_a_proxy_on_this_machine() -> None:
    proxy = {"HTTP_PROXY": "http://proxy:3128"}
    assert without_proxy(proxy)["no_proxy"] == "127.0.0.1,localhost,::1"
    kept = without_proxy({**proxy, "NO_PROXY": "example.com,localhost"})
    assert kept["NO_PROXY"] == kept["no_proxy"] == "example.com,localhost,127.0.0.1,::1"
    assert without_proxy({"no_proxy": "example.com"}) == {}


def test_each_process_of_the_service_is_started_so(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path)
    specs = service_specs(settings, {}, (), RegistryReader("zookeeper://127.0.0.1:1/digits"), {})
    assert {spec.environment["no_proxy"] for spec in specs} == {"127.0.0.1,localhost,::1"}
