"""A web page of somebody else's cannot make the service do anything, nor read what it says."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from digits.client.client import Client
from digits.security.tokens import Principal, Role, line
from digits.settings import Settings
from rest_bridge.app import create_app
from tests.unit.recorded_service import RecordedService, recorded_service

ANYWHERE = "0.0.0.0"  # noqa: S104
CHANGES: dict[str, dict[str, Any]] = {
    "/digits/train": {"data": {"images_batch": (b"npz", "a.npz")}},
    "/digits/classify": {"data": {"image": (b"png", "a.png")}},
    "/digits/jobs/j1/cancel": {"json": {}},
    "/digits/models/v1/promote": {"json": {}},
    "/digits/models/rollback": {"json": {}},
}
READS = ["/", "/digits/jobs", "/digits/jobs/j1", "/digits/models", "/digits/models/history", "/openapi.json"]
Web = Callable[..., FlaskClient]


@pytest.fixture(scope="module")
def running() -> Iterator[RecordedService]:
    with recorded_service() as started:
        started.answers["Train"] = []
        yield started


@pytest.fixture
def service(running: RecordedService) -> RecordedService:
    running.requests.clear()
    return running


@pytest.fixture
def web(service: RecordedService) -> Iterator[Web]:
    """Makes the bridge with settings that a test is about."""
    with Client(service.address, timeout_seconds=5) as client:
        yield lambda **settings: create_app(Settings(**settings), client).test_client()


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(line(Principal("ann", frozenset({Role.ADMIN})), "ann"))
    return path


def body_of(path: str) -> dict[str, Any]:
    given = dict(CHANGES[path])
    if files := given.pop("data", None):
        ((name, (content, filename)),) = files.items()
        given["data"] = {name: (io.BytesIO(content), filename)}
    return given


@pytest.mark.parametrize(
    "page",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
    ids=str,
)
def test_a_foreign_page_changes_nothing(web: Web, service: RecordedService, page: dict[str, str]) -> None:
    bridge = web()
    for path in CHANGES:
        reply = bridge.post(path, headers=page, **body_of(path))
        assert (reply.status_code, reply.mimetype) == (403, "application/problem+json")
        assert reply.json["code"] == "PERMISSION_DENIED"
    assert service.requests == []


def test_a_foreign_page_is_kept_out_with_a_token_too(web: Web, tokens_file: Path) -> None:
    """Its browser may have one of ours in a header, as behind a proxy that adds it."""
    headers = {"Authorization": "Bearer ann", "Origin": "https://evil.example"}
    reply = web(tokens_file=tokens_file).post("/digits/models/rollback", json={}, headers=headers)
    assert reply.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_our_own_page_and_other_programs_are_let_in(web: Web, headers: dict[str, str]) -> None:
    assert web().post("/digits/models/v1/promote", json={}, headers=headers).status_code == 200


def test_a_port_is_a_part_of_where_a_page_comes_from(web: Web) -> None:
    headers = {"Host": "localhost:5000", "Origin": "http://localhost:5000"}
    assert web().post("/digits/models/rollback", json={}, headers=headers).status_code == 200
    headers["Origin"] = "http://localhost:5001"
    assert web().post("/digits/models/rollback", json={}, headers=headers).status_code == 403


@pytest.mark.parametrize("dest", ["image", "iframe", "empty"])
def test_a_foreign_page_holds_no_thread_by_what_it_embeds(
    web: Web, service: RecordedService, dest: str
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": dest}
    assert web().get("/digits/jobs/j1/events", headers=headers).status_code == 403
    assert service.requests == []


def test_a_link_to_us_may_be_followed(web: Web) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert web().get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:5000", "localhost.evil.example", "127.0.0.1.evil.example", "[::", ""],
)
def test_a_name_that_is_not_ours_is_not_answered_without_tokens(
    web: Web, service: RecordedService, host: str
) -> None:
    """DNS rebinding: to the browser, the page and we are one site."""
    bridge = web()
    for path in READS:
        assert bridge.get(path, headers={"Host": host}).status_code == 421
    for path in CHANGES:
        reply = bridge.post(path, headers={"Host": host, "Origin": f"http://{host}"}, **body_of(path))
        assert (reply.status_code, "DIGITS_REST_NAMES" in reply.json["detail"]) == (421, True)
    assert service.requests == []


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:5000", "127.8.9.1", "[::1]:5000"])
def test_loopback_is_answered_by_all_its_names(web: Web, host: str) -> None:
    bridge = web()
    for path in READS:
        assert bridge.get(path, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({"rest_names": "digits.example, Bridge", "rest_host": ANYWHERE}, "bridge:5000"),
        ({"rest_names": "digits.example, Bridge", "rest_host": ANYWHERE}, "DIGITS.example"),
        ({"rest_host": "10.0.0.7"}, "10.0.0.7:5000"),
    ],
)
def test_the_service_has_the_names_that_it_was_given(web: Web, settings: dict[str, str], host: str) -> None:
    assert web(**settings).get("/digits/jobs", headers={"Host": host}).status_code == 200
    assert web(**settings).get("/digits/jobs", headers={"Host": "evil.example"}).status_code == 421


def test_with_tokens_every_name_will_do(web: Web, tokens_file: Path) -> None:
    headers = {"Host": "digits.example", "Authorization": "Bearer ann"}
    assert web(tokens_file=tokens_file).get("/digits/jobs", headers=headers).status_code == 200


@pytest.mark.parametrize("probe", ["/healthz", "/readyz"])
def test_probes_may_come_by_any_name(web: Web, service: RecordedService, probe: str) -> None:
    """An orchestrator's come by the address of the pod."""
    service.health.set("", 1)
    assert web().get(probe, headers={"Host": "10.1.2.3:5000"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/digits/jobs/j1/cancel", "/digits/models/v1/promote", "/digits/models/rollback"]
)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_what_a_form_can_send_moves_nothing(web: Web, service: RecordedService, path: str, kind: str) -> None:
    bridge = web()
    for body in (b"", b"{}"):
        reply = bridge.post(path, data=body, content_type=kind)
        assert (reply.status_code, "application/json" in reply.text) == (415, True)
    assert bridge.post(path, json={"x": 1}).status_code == 400
    assert service.requests == []
    for empty in (b"", b"{}"):
        assert bridge.post(path, data=empty, content_type="application/json").status_code == 200


def test_no_answer_may_be_framed_guessed_at_or_embedded(web: Web) -> None:
    for path in ("/", "/digits/jobs", "/no-such-path"):
        headers = web().get(path).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers
