"""The third and fourth views in a real browser, on the running service."""

from __future__ import annotations

import re
from collections import deque

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Open
from tests.service import Service


@pytest.fixture(scope="module")
def two(trained_service: Service) -> tuple[str, str]:
    """The version that serves, and another one."""
    with trained_service.client() as client:
        train = client.train(
            images_batch_path="tiny.npz", base_model_version="serving", promotion="NEVER", seed=5
        )
        return client.get_model("serving").version, deque(train, maxlen=1)[0].model_version


def row(page: Page, version: str) -> Locator:
    return page.locator("#versions tr").filter(has=page.get_by_label(f"Compare {version}", exact=True))


def test_a_version_is_promoted_and_rolled_back_and_the_history_says_so(
    trained_service: Service, two: tuple[str, str], open_page: Open
) -> None:
    serving, other = two
    page = open_page(f"{trained_service.rest_url}/#versions")
    expect(row(page, serving)).to_contain_text("serves")
    expect(row(page, other)).to_contain_text("the caller said NEVER")
    expect(row(page, other)).to_contain_text(re.compile(r"\d\d\.\d\d % of [\d,]+"))
    expect(row(page, other)).to_contain_text(f"tiny.npz, fast, from {serving}")
    page.get_by_role("button", name=f"Promote {other}").click()
    expect(page.locator("#versions-said")).to_have_text(f"{other} serves now.")
    expect(row(page, other)).to_contain_text("serves")
    expect(page.locator("#history li").first).to_contain_text(f"{other} instead of {serving}: promoted by")
    page.get_by_role("button", name="Roll back").click()
    expect(page.locator("#versions-said")).to_have_text(f"{serving} serves again.")
    expect(page.locator("#history li").first).to_contain_text("rolled back")


def test_two_versions_are_compared_by_confusions_and_the_pictures_that_they_differ_on(
    trained_service: Service, two: tuple[str, str], open_page: Open
) -> None:
    page = open_page(f"{trained_service.rest_url}/#versions")
    for version in two:
        page.get_by_label(f"Compare {version}", exact=True).check()
    page.get_by_role("button", name="Compare two").click()
    expect(page.locator(".confusion")).to_have_count(2)
    expect(page.locator("#comparison-body")).to_contain_text("Of 1,000 images")
    with trained_service.client() as client:
        expected = client.compare_models(*sorted(two, key=lambda name: -int(name[1:])))
        registered = client.get_model(expected.first.version).metrics.reference_accuracy
    # The same images, the same network: the figure of the registry.
    assert expected.first.accuracy == pytest.approx(registered)
    expect(page.locator(".differences li")).to_have_count(len(expected.differences))


def test_health_names_every_part_and_who_works(trained_service: Service, open_page: Open) -> None:
    page = open_page(f"{trained_service.rest_url}/#health")
    expect(page.locator("#health-said")).to_contain_text("All is well")
    expect(page.locator("#parts li")).to_have_count(7)
    expect(page.locator("#workers tr", has_text="classifies")).to_contain_text(re.compile(r"v\d+"))
    expect(page.locator("#workers tr", has_text="trains")).to_have_count(1)
