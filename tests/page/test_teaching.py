"""A wrong answer is corrected on the page, counts for its version, and is learnt from."""

from __future__ import annotations

from playwright.sync_api import expect

from digits.v1 import training_pb2
from tests.page.conftest import Open
from tests.page.pen import FIVE, draw
from tests.service import Service


def test_a_correction_counts_for_its_version_and_is_in_the_next_training(
    trained_service: Service, open_page: Open
) -> None:
    page = open_page(trained_service.rest_url)
    draw(page, FIVE)
    expect(page.locator("#draw-said")).to_contain_text("5:")
    page.get_by_role("button", name="It is a 6").click()
    expect(page.locator("#taught")).to_contain_text("0 of the 1 answers of")
    # A slip of the finger: the newest word holds.
    page.get_by_role("button", name="It is a 5").click()
    expect(page.locator("#taught")).to_contain_text("1 of the 1 answers of")
    version = (page.locator("#who").text_content() or "").partition(",")[0]
    page.get_by_role("link", name="Versions").click()
    row = page.locator("#versions tr").filter(has=page.get_by_label(f"Compare {version}", exact=True))
    expect(row).to_contain_text("1 of 1 (21 % to 100 %)")
    page.get_by_role("link", name="Train").click()
    page.get_by_label("Batch in the data folder").select_option("tiny.npz")
    page.get_by_label("and the pictures that people labelled").check()
    page.get_by_label("Begin with").select_option("serving")
    expect(page.get_by_label("Recipe")).to_be_disabled()
    page.get_by_label("The new model serves").select_option("NEVER")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator("#job-notes")).to_contain_text("feedback: 1 pictures that people labelled")
    expect(page.locator("#job-state")).to_have_text("succeeded", timeout=120_000)
    with trained_service.client() as client:
        newest = client.list_jobs(page_size=1).jobs[0]
        assert newest.state == training_pb2.SUCCEEDED
        model = client.get_model(newest.progress.model_version)
        base = client.get_model(model.provenance.base_model_version)
    assert (model.provenance.data_name, base.version) == ("tiny.npz+feedback", version)
    # What it knew, it still knows.
    assert model.metrics.reference_accuracy > base.metrics.reference_accuracy - 0.02
