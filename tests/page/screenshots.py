"""Writes the pictures of docs/page.md, of a running service that has two versions at least and may train.

python -m tests.page.screenshots http://127.0.0.1:5000
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.page.pen import FIVE, draw

_DOCS = Path(__file__).parents[2] / "docs"
_WIDTH = 1000


def main(address: str) -> None:
    """Draws a five, trains, and compares the two newest versions."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--lang=en"]
        )
        page = browser.new_page(viewport={"width": _WIDTH, "height": 720}, color_scheme="light")
        page.goto(address)
        draw(page, FIVE)
        expect(page.locator("#draw-said")).to_contain_text("5:")
        _shoot(page, "draw")
        page.get_by_role("link", name="Train").click()
        page.get_by_label("Batch in the data folder").select_option("mnist.npz")
        page.get_by_role("button", name="Train", exact=True).click()
        expect(page.locator("#job-state")).to_have_text("succeeded", timeout=180_000)
        _shoot(page, "train")
        page.get_by_role("link", name="Versions").click()
        expect(page.locator("#versions tr").nth(1)).to_be_visible()
        for box in page.locator("#versions input").all()[:2]:
            box.check()
        page.get_by_role("button", name="Compare two").click()
        expect(page.locator(".confusion")).to_have_count(2)
        _shoot(page, "versions")
        page.get_by_role("link", name="Health").click()
        expect(page.locator("#health-said")).to_contain_text("well")
        _shoot(page, "health")
        _narrow_and_dark(
            browser.new_page(viewport={"width": 360, "height": 720}, color_scheme="dark"), address
        )
        browser.close()


def _narrow_and_dark(page: Page, address: str) -> None:
    page.goto(address)
    draw(page, FIVE)
    expect(page.locator("#draw-said")).to_contain_text("5:")
    _shoot(page, "narrow")


def _shoot(page: Page, name: str) -> None:
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=_DOCS / f"page-{name}.png", full_page=name != "versions")


if __name__ == "__main__":
    main(sys.argv[1])
