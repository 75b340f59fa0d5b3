"""A real Chromium, and the page of the running service in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import missing

Open = Callable[..., Page]
# What the page shows when there is nothing to show: an en dash.
NOTHING = "\u2013"

# As root, as in a container, Chromium's own sandbox cannot be; the camera is a picture of its own.
_ARGUMENTS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

_PATIENCE_MILLISECONDS = 20_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium, for one file: beside Playwright's loop asyncio works in no other test."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        missing("a Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        expect.set_options(timeout=_PATIENCE_MILLISECONDS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens an address in a new session; fails if the page logs an error, such as a breach of its policy."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(address: str, **options: object) -> Page:
        context = browser.new_context(**options)
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if _is_fault(said.text, said.type) else None)
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def _is_fault(text: str, kind: str) -> bool:
    # Chromium logs each answer that is an error; the page shows those that a person should see.
    return kind == "error" and not text.startswith("Failed to load resource")
