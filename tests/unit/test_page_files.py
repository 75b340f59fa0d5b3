"""The page's files as the bridge sends them: what they are, who may have them, and how small they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from digits.client.client import Client
from digits.security import tokens
from digits.security.tokens import Principal, Role
from digits.settings import Settings
from digits.training.recipes import RECIPES
from digits.v1 import training_pb2
from rest_bridge.app import create_app
from rest_bridge.page_files import FOLDER, MEDIA_TYPES

NAMES = sorted(path.name for path in FOLDER.iterdir())
INDEX = (FOLDER / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def web() -> Iterator[FlaskClient]:
    with Client("127.0.0.1:1") as client:
        yield create_app(Settings(), client).test_client()


def options(select: str) -> list[str]:
    """The values of one of the page's selects."""
    found = re.search(rf'<select id="{select}">(.*?)</select>', INDEX, re.DOTALL)
    assert found
    return re.findall(r'value="(\w+)"', found.group(1))


@pytest.mark.parametrize("name", NAMES)
def test_each_file_has_its_media_type_and_forbids_whatever_is_not_ours(web: FlaskClient, name: str) -> None:
    reply = web.get(f"/page/{name}")
    assert (reply.status_code, reply.mimetype) == (200, MEDIA_TYPES[Path(name).suffix])
    policy = reply.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "unsafe" not in reply.headers["Content-Security-Policy"]
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_that_has_the_newest_file_is_not_sent_it_again(web: FlaskClient) -> None:
    first = web.get("/")
    assert (first.mimetype, first.headers["Cache-Control"]) == ("text/html", "no-cache")
    again = web.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["app.py", "..%2Fapp.py", "..%2fpage%2findex.html", "%00.js", "nothing.js"])
def test_no_other_file_is_sent(web: FlaskClient, name: str) -> None:
    reply = web.get(f"/page/{name}")
    assert (reply.status_code, reply.mimetype) == (404, "application/problem+json")


def test_the_page_needs_no_token_and_its_calls_do(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(
        tokens.line(Principal("ann", frozenset({Role.CLASSIFY})), tokens.new_token())
    )
    with Client("127.0.0.1:1") as client:
        web = create_app(Settings(tokens_file=tmp_path / "tokens"), client).test_client()
        assert [web.get(path).status_code for path in ("/", "/page/main.js")] == [200, 200]
        assert web.get("/digits/models").status_code == 401


def test_the_page_is_below_a_hundred_kilobytes_and_takes_nothing_from_elsewhere() -> None:
    texts = [(FOLDER / name).read_text(encoding="utf-8") for name in NAMES]
    assert sum(map(len, texts)) < 100_000
    elsewhere = re.findall(
        r"""(?:src|href|from|import|url)\s*[=(]?\s*["']?(?:https?:)?//[^"'\s]+""", "".join(texts)
    )
    assert elsewhere == []


def test_the_page_offers_every_recipe_promotion_and_orientation() -> None:
    assert options("recipe") == list(RECIPES)
    assert options("promotion") == training_pb2.Promotion.keys()[1:]
    assert options("orientation") == training_pb2.Orientation.keys()[1:]
