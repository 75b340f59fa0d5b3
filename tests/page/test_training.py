"""The second view in a real browser: a training from the page to "serves", on the running service."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from digits.v1 import training_pb2
from tests.page.conftest import NOTHING, Open
from tests.service import Service

LONG = 120_000
DRAWN = re.compile("^M ")


@pytest.fixture
def page(trained_service: Service, open_page: Open) -> Page:
    return open_page(f"{trained_service.rest_url}/#train")


def train(page: Page, promotion: str = "ALWAYS") -> str:
    """Trains on the tiny batch and returns the job's name."""
    page.get_by_label("Batch in the data folder").select_option("tiny.npz")
    page.get_by_label("The new model serves").select_option(promotion)
    with page.expect_response("**/digits/train") as answered:
        page.get_by_role("button", name="Train", exact=True).click()
    job: str = answered.value.json()["job_id"]
    expect(page.locator("#job-title")).to_have_text(f"Job {job}")
    return job


def test_a_training_goes_from_the_page_to_serves_through_a_reload_with_its_charts(
    trained_service: Service, page: Page
) -> None:
    job = train(page)
    loss = page.locator("figure", has_text="Loss").locator("path")
    expect(loss).to_have_attribute("d", DRAWN, timeout=LONG)
    before = loss.get_attribute("d") or ""
    page.reload()
    expect(page.locator("#job-said")).to_contain_text("took over: the caller said ALWAYS", timeout=LONG)
    expect(page.locator("#job-state")).to_have_text("succeeded")
    # A new session that remembered nothing would have seen the job's last words alone.
    assert (loss.get_attribute("d") or "").count("L") >= before.count("L")
    for chart in ("Loss", "Accuracy", "Images a second", "Backlog / window"):
        figure = page.locator("figure", has_text=chart)
        expect(figure.locator("path").first).to_have_attribute("d", DRAWN)
        expect(figure.locator("b")).not_to_have_text(NOTHING)
    with trained_service.client() as client:
        serving = client.get_model("serving")
    assert serving.provenance.job_id == job
    expect(page.locator("#jobs tr", has_text=job)).to_contain_text(f"{serving.version}, took over")


def test_a_batch_may_be_a_file_of_ones_own_and_a_wrong_one_is_refused_with_the_reason(page: Page) -> None:
    wrong = {"name": "batch.npz", "mimeType": "application/octet-stream", "buffer": b"no batch"}
    page.get_by_label("or a file of yours").set_input_files(wrong)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator("#train-problem")).to_contain_text("images_batch")


def test_a_job_is_cancelled_from_the_page(trained_service: Service, page: Page) -> None:
    with trained_service.client() as client:
        # The first keeps the trainer busy, so that the second waits.
        running = next(client.train(images_batch_path="slice.npz", recipe="standard", promotion="NEVER"))
        job = train(page, "NEVER")
        page.locator("#job-cancel").click()
        expect(page.locator("#job-state")).to_have_text("cancelled")
        expect(page.locator("#jobs tr", has_text=job)).to_contain_text("cancelled")
        client.cancel_job(running.job_id)
        assert list(client.watch_job(running.job_id))[-1].state == training_pb2.CANCELLED
