"""What every view keeps to: tokens, narrow screens, keyboards, screen readers, lost lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from digits import errors
from digits.security import tokens
from digits.security.tokens import Principal, Role
from digits.settings import Settings
from digits.v1.digit_service_pb2 import Box, ClassifyResponse, Preview
from digits.v1.feedback_pb2 import ReportLabelRequest, ReportLabelResponse
from digits.v1.models_pb2 import LiveAccuracy
from digits.v1.training_pb2 import Job, ListJobsResponse, TrainProgress
from tests.page.bridges import Bridge, running_bridge
from tests.page.conftest import Open
from tests.page.pen import FIVE, draw
from tests.unit.test_report import succeeded
from tests.waiting import wait_until

VIEWS = ("draw", "train", "versions", "health")


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with running_bridge(Settings()) as running:
        yield running


def test_a_token_is_asked_for_refused_and_accepted(tmp_path: Path, open_page: Open) -> None:
    token = tokens.new_token()
    holder = Principal("ann", frozenset({Role.CLASSIFY, Role.TRAIN}))
    (tmp_path / "tokens").write_text(tokens.line(holder, token) + "\n")
    with running_bridge(Settings(tokens_file=tmp_path / "tokens")) as bridge:
        page = open_page(f"{bridge.url}/#versions")
        expect(page.get_by_role("dialog")).to_contain_text("wants a token")
        page.get_by_label("Bearer token").fill("wrong")
        page.get_by_role("button", name="Use it").click()
        expect(page.locator("#token-why")).not_to_be_empty()
        page.get_by_label("Bearer token").fill(token)
        page.keyboard.press("Enter")
        expect(page.locator("#versions tr")).to_have_count(1)
        page.reload()
        expect(page.locator("#versions tr")).to_have_count(1)
        expect(page.get_by_role("dialog")).to_be_hidden()
        draw_a_digit_and_read_it(page)


def draw_a_digit_and_read_it(page: Page) -> None:
    page.get_by_role("link", name="Draw").click()
    draw(page, FIVE)
    expect(page.locator("#digit")).to_have_text("5")


def test_who_gives_no_token_is_told_what_is_missing(tmp_path: Path, open_page: Open) -> None:
    (tmp_path / "tokens").write_text("")
    with running_bridge(Settings(tokens_file=tmp_path / "tokens")) as bridge:
        page = open_page(f"{bridge.url}/#versions")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#versions-problem")).to_contain_text("token")


@pytest.mark.parametrize("place", ["wat", "constructor", "draw/1"])
def test_an_address_of_no_view_shows_the_first_and_says_that_there_is_nothing(
    bridge: Bridge, open_page: Open, place: str
) -> None:
    page = open_page(f"{bridge.url}/#{place}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Draw a digit")
    said = page.locator("#address-problem")
    expect(said).to_have_text(f"There is nothing at #{place} on this page.")
    page.get_by_role("link", name="Versions").click()
    expect(said).to_be_empty()
    page.goto(f"{bridge.url}/#versions/v99")
    expect(said).to_contain_text("#versions/v99")
    expect(page.locator("#versions tr")).to_have_count(1)
    page.goto(f"{bridge.url}/#main")
    expect(said).to_be_empty()


def test_a_job_that_is_not_there_is_said_and_not_drawn(bridge: Bridge, open_page: Open) -> None:
    bridge.service.answers["WatchJob"] = errors.NotFound("job", "nope")
    page = open_page(f"{bridge.url}/#train/nope")
    expect(page.locator("#job-title")).to_have_text("There is no such job")
    expect(page.locator("#job-problem")).to_contain_text("no job 'nope'")
    for part in ("job-state", "job-report", "job-cancel", "job-bar", "charts"):
        expect(page.locator(f"#{part}")).to_be_hidden()
    bridge.service.answers["WatchJob"] = [TrainProgress(job_id="j1", state="CANCELLED")]
    page.get_by_role("link", name="j1").click()
    expect(page.locator("#job-state")).to_have_text("cancelled")
    expect(page.locator("#job-problem")).to_be_empty()
    bridge.service.answers["WatchJob"] = errors.NotFound("job", "j2")
    page.goto(f"{bridge.url}/#train/..%2F..%2Fhealthz")
    expect(page.locator("#job-title")).to_have_text("There is no such job")
    bridge.service.answers["ListJobs"] = ListJobsResponse()
    page.get_by_role("link", name="Train").click()
    expect(page.locator("#job")).to_be_hidden()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_view_is_accessible_and_fits_a_screen_of_360_pixels(
    bridge: Bridge, open_page: Open, view: str, scheme: str
) -> None:
    page = open_page(
        f"{bridge.url}/#{view}", color_scheme=scheme, viewport={"width": 360, "height": 740}, has_touch=True
    )
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_every_view_is_reached_and_used_by_keyboard_alone(bridge: Bridge, open_page: Open) -> None:
    page = open_page(bridge.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    for name in ("Draw", "Train", "Versions"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=name)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Versions")
    expect(page.get_by_role("link", name="Versions")).to_have_attribute("aria-current", "page")
    page.get_by_label("Compare v1").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Compare v1")).to_be_checked()


def test_a_lost_line_is_taken_up_after_the_last_event_that_came(bridge: Bridge, open_page: Open) -> None:
    began = TrainProgress(job_id="j1", state="TRAINING", images_total=100, images_trained=10, micro_batch=1)
    ended = TrainProgress(job_id="j1", state="SUCCEEDED", model_version="v2", promotion_reason="so be it")
    bridge.service.answers["WatchJob"] = [began, errors.Stopping("this server stops")]
    bridge.service.answers["ListJobs"] = ListJobsResponse(jobs=[Job(job_id="j1", state="TRAINING")])
    with_its_last_event: list[str] = []
    page = open_page("about:blank")
    page.on(
        "request",
        lambda asked: (
            with_its_last_event.append(asked.headers.get("last-event-id", ""))
            if asked.url.endswith("/events")
            else None
        ),
    )
    page.goto(f"{bridge.url}/#train")
    expect(page.locator("#job-said")).to_contain_text("asking again")
    bridge.service.answers["WatchJob"] = [began, ended]
    expect(page.locator("#job-said")).to_contain_text("v2 did not take over: so be it")
    assert with_its_last_event[0] == ""
    assert with_its_last_event[1] != ""


def test_a_job_that_ended_says_how_many_images_judged_it_and_its_pace(
    bridge: Bridge, open_page: Open
) -> None:
    ended = TrainProgress(job_id="j1", state="SUCCEEDED", images_per_second=1_234.4, training_seconds=2)
    ended.metrics.accuracy, ended.metrics.held_out_image_count = 1.0, 4
    bridge.service.answers["WatchJob"] = [ended]
    page = open_page(f"{bridge.url}/#train/j1")
    expect(page.locator("#job-said")).to_contain_text("Held-out 100.00 % of 4, reference")
    expect(page.locator("#job-said")).to_contain_text("1,234 images a second")


def test_a_job_that_waits_says_how_many_are_before_it(bridge: Bridge, open_page: Open) -> None:
    bridge.service.answers["WatchJob"] = [TrainProgress(job_id="j1", state="QUEUED", jobs_before=2)]
    page = open_page(f"{bridge.url}/#train/j1")
    expect(page.locator("#job-said")).to_contain_text("Waits; 2 jobs are before it.")


def test_a_job_that_failed_says_why_and_what_was_noted_of_its_data(bridge: Bridge, open_page: Open) -> None:
    failed = TrainProgress(job_id="j1", state="FAILED", notes=["white paper inverted"])
    failed.error.message = "nothing was learned: <b>10 %</b> are right"
    bridge.service.answers["WatchJob"] = [failed, errors.NotLearned("nothing was learned")]
    page = open_page(f"{bridge.url}/#train/j1")
    # A caller's text is text, whatever it holds.
    expect(page.locator("#job-problem")).to_have_text("nothing was learned: <b>10 %</b> are right")
    expect(page.locator("#job-notes")).to_have_text("white paper inverted")


def test_a_service_that_is_away_is_said_and_asked_again(bridge: Bridge, open_page: Open) -> None:
    page = open_page(bridge.url)
    page.route("**/digits/classify*", lambda route: route.abort())
    draw(page, FIVE)
    expect(page.locator("#confidence")).to_contain_text("does not answer")
    page.unroute("**/digits/classify*")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#digit")).to_have_text("5")


def says_eight(page: Page) -> bool:
    """Whether the page thanks; not if the answer to the pen's last movement comes only now and clears it."""
    eight = page.get_by_role("button", name="It is a 8")
    eight.click()
    with suppress(AssertionError):
        expect(page.locator("#taught")).to_contain_text("Kept, thank you. 0 of the 1 answers", timeout=2_000)
        expect(eight).to_have_attribute("aria-pressed", "true", timeout=500)
        return True
    return False


def test_of_an_answer_that_the_server_forgot_the_pixels_are_sent(bridge: Bridge, open_page: Open) -> None:
    def answer(request: ReportLabelRequest, context: grpc.ServicerContext) -> ReportLabelResponse:
        if request.prediction_id:
            context.abort(grpc.StatusCode.NOT_FOUND, "forgotten")
        return ReportLabelResponse(model_version="v1", live_accuracy=LiveAccuracy(label_count=1, high=1))

    seen = Preview(pixels=bytes(range(196)) * 4, box=Box(left=1, top=2, width=3, height=4))
    answered = ClassifyResponse(digit=5, model_version="v1", prediction_id="p1", preview=seen)
    bridge.service.answers["Classify"] = answered
    bridge.service.answers["ReportLabel"] = answer
    page = open_page(bridge.url)
    draw(page, FIVE)
    wait_until(lambda: says_eight(page), what="thanks")
    # The page may ask for the pen's last movement after that.
    *_, newest = (told for told in bridge.service.requests if isinstance(told, ReportLabelRequest))
    assert (newest.pixels, newest.label) == (seen.pixels, 8)


def test_a_version_is_downloaded_as_a_file_of_its_own_name(bridge: Bridge, open_page: Open) -> None:
    page = open_page(f"{bridge.url}/#versions", accept_downloads=True)
    with page.expect_download() as began:
        page.get_by_role("button", name="Download v1").click()
    assert began.value.suggested_filename == "digits-v1.onnx"
    assert began.value.path().read_bytes() == b"network"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_jobs_report_is_one_file_that_anybody_can_read(
    bridge: Bridge, open_page: Open, tmp_path: Path, scheme: str
) -> None:
    bridge.service.answers["GetJob"] = succeeded()
    bridge.service.answers["WatchJob"] = [succeeded().progress]
    page = open_page(f"{bridge.url}/#train/j1")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Report").click()
    assert saved.value.suggested_filename == "digits-j1.html"
    saved.value.save_as(tmp_path / "report.html")
    options = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
    report = open_page(f"file://{tmp_path / 'report.html'}", color_scheme=scheme, **options)
    expect(report.locator("polyline")).to_have_count(8)
    assert report.evaluate("document.querySelector('.mistakes img').naturalWidth") == 28
    assert report.evaluate("document.documentElement.scrollWidth") == 360
    found = Axe().run(report)
    assert found.violations_count == 0, found.generate_report()
