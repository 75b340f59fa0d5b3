"""The first view in a real browser, on the running service."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.page.conftest import NOTHING, Open
from tests.page.pen import FIVE, draw
from tests.service import Service
from tests.waiting import wait_until


def seen(page: Page) -> np.ndarray:
    """The ink of the preview's 28 x 28 pixels, 0 to 255."""
    pixels = page.evaluate(
        "() => [...document.querySelector('#preview').getContext('2d').getImageData(0, 0, 28, 28).data]"
    )
    return np.array(pixels).reshape(28, 28, 4)[..., 3]


def digit_is(page: Page, digit: str) -> None:
    expect(page.locator("#digit")).to_have_text(digit)


def with_a_picture(page: Page, event: str, picture: bytes) -> None:
    """Lets a file go over the page, or pastes it."""
    page.evaluate(
        """([event, text]) => {
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const files = new DataTransfer();
          files.items.add(new File([bytes], "picture.png", { type: "image/png" }));
          const made = event === "paste"
            ? new ClipboardEvent("paste", { clipboardData: files, bubbles: true })
            : new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
          document.body.dispatchEvent(made);
        }""",
        [event, base64.b64encode(picture).decode()],
    )


def five() -> bytes:
    return Path("data/test/data/n5.png").read_bytes()


def test_a_five_that_is_drawn_is_read_and_shown_as_the_network_saw_it(
    trained_service: Service, open_page: Open
) -> None:
    page = open_page(trained_service.rest_url)
    draw(page, FIVE)
    digit_is(page, "5")
    expect(page.locator("#bars li")).to_have_count(11)
    expect(page.locator("#bars .chosen b")).to_have_text("5")
    expect(page.locator("#who")).to_contain_text("by a worker, in")
    expect(page.locator("#draw-said")).to_contain_text("5:")
    pixels = seen(page)
    assert pixels.max() > 200
    # Centred, as the network wants it, wherever it was drawn.
    rows, columns = np.nonzero(pixels > 50)
    assert 9 < rows.mean() < 19
    assert 9 < columns.mean() < 19
    assert rows.max() - rows.min() > 14


def test_the_frame_is_around_what_was_drawn(trained_service: Service, open_page: Open) -> None:
    page = open_page(trained_service.rest_url)
    draw(page, FIVE)
    expect(page.locator("#box")).to_be_visible()
    paper, frame = page.locator("#paper").bounding_box(), page.locator("#box").bounding_box()
    assert paper
    assert frame
    left, top = (frame["x"] - paper["x"]) / paper["width"], (frame["y"] - paper["y"]) / paper["height"]
    assert 0.2 < left < 0.36
    assert 0.1 < top < 0.24
    assert 0.3 < frame["width"] / paper["width"] < 0.5


def test_the_answer_comes_while_the_pen_is_still_down(trained_service: Service, open_page: Open) -> None:
    page = open_page(trained_service.rest_url)
    place = page.locator("#paper").bounding_box()
    assert place
    for number, share in enumerate((0.2, 0.35, 0.5, 0.65, 0.8)):
        page.mouse.move(place["x"] + place["width"] / 2, place["y"] + share * place["height"], steps=4)
        if number == 0:
            page.mouse.down()
    digit_is(page, "1")
    page.mouse.up()


def test_clearing_takes_the_answer_away_and_undo_the_last_stroke(
    trained_service: Service, open_page: Open
) -> None:
    page = open_page(trained_service.rest_url)
    draw(page, FIVE)
    digit_is(page, "5")
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="Undo").click()
    digit_is(page, NOTHING)
    draw(page, FIVE)
    digit_is(page, "5")
    page.get_by_role("button", name="Clear").click()
    digit_is(page, NOTHING)
    expect(page.locator("#box")).to_be_hidden()


def test_a_picture_may_be_uploaded_dropped_and_pasted(trained_service: Service, open_page: Open) -> None:
    page = open_page(trained_service.rest_url)
    page.locator("#picture-file").set_input_files("data/test/data/n5.png")
    digit_is(page, "5")
    expect(page.locator("#box")).to_be_visible()
    for event in ("drop", "paste"):
        page.get_by_role("button", name="Clear").click()
        digit_is(page, NOTHING)
        with_a_picture(page, event, five())
        digit_is(page, "5")


def test_a_large_photograph_is_made_smaller_before_it_is_sent(
    trained_service: Service, open_page: Open
) -> None:
    large = Image.new("L", (3000, 4000), 255)
    large.paste(Image.open(io.BytesIO(five())).convert("L").resize((1500, 1500)), (800, 1000))
    file = io.BytesIO()
    large.save(file, "PNG")
    page = open_page(trained_service.rest_url)
    upload = {"name": "large.png", "mimeType": "image/png", "buffer": file.getvalue()}
    with page.expect_request("**/digits/classify?details=1") as asked:
        page.locator("#picture-file").set_input_files(upload)
    digit_is(page, "5")
    assert len(asked.value.post_data_buffer or b"") < 300_000


def test_what_is_no_picture_is_said_in_the_services_own_words(
    trained_service: Service, open_page: Open
) -> None:
    page = open_page(trained_service.rest_url)
    text = {"name": "note.png", "mimeType": "image/png", "buffer": b"not a picture at all"}
    page.locator("#picture-file").set_input_files(text)
    digit_is(page, "?")
    expect(page.locator("#confidence")).to_contain_text("image")


def test_a_photograph_is_taken_by_the_camera(trained_service: Service, open_page: Open) -> None:
    page = open_page(trained_service.rest_url, permissions=["camera"])
    page.get_by_role("button", name="Camera").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    # The page's policy forbids Playwright's own way to wait for an expression.
    wait_until(lambda: page.evaluate("document.querySelector('#camera').videoWidth > 0"), what="the camera")
    with page.expect_response("**/digits/classify?details=1"):
        page.get_by_role("button", name="Take").click()
    expect(page.locator("#camera-dialog")).to_be_hidden()


def test_a_digit_can_be_drawn_by_keyboard_alone(trained_service: Service, open_page: Open) -> None:
    page = open_page(trained_service.rest_url)
    page.locator("#paper").focus()
    page.keyboard.press("Space")
    for _ in range(18):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    digit_is(page, "1")
    page.keyboard.press("Delete")
    digit_is(page, NOTHING)
