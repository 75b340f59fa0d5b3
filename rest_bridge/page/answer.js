// What the service said of the picture.

import { byId, element } from "./dom.js";
import { percent } from "./format.js";

const SURE = 0.9;
// A screen reader hears what stays for so long, and not every step of a drawing.
const SETTLED_MILLISECONDS = 600;
const WHO = { WORKER: "a worker", CACHED_COPY: "the server’s own copy" };

let settling = 0;

export function none() {
  said("none", "–", "Nothing drawn yet", "");
  bars([], -1);
  preview(null);
}

export function fail(problem) {
  said("failed", "?", problem.message, "");
  bars([], -1);
  preview(null);
}

// `milliseconds` is how long the caller waited.
export function show(found, milliseconds) {
  const doubtful = found.not_a_digit > 0.5;
  const sure = found.confidence >= SURE && !doubtful;
  const verdict = doubtful
    ? `Probably not one digit (${percent(found.not_a_digit, 0)})`
    : `${percent(found.confidence)} sure`;
  const who = `${found.model_version}, by ${WHO[found.served_by]}, in ${Math.round(milliseconds)} ms`;
  said(sure ? "sure" : "unsure", String(found.digit), verdict, who);
  bars(found.probabilities, found.digit, found.not_a_digit);
  preview(found.preview ?? null);
}

function said(state, digit, verdict, who) {
  byId("answer").dataset.state = state;
  byId("digit").textContent = digit;
  byId("confidence").textContent = verdict;
  byId("who").textContent = who;
  clearTimeout(settling);
  settling = setTimeout(() => {
    byId("draw-said").textContent = state === "none" ? "" : `${digit}: ${verdict}`;
  }, SETTLED_MILLISECONDS);
}

function bars(probabilities, digit, notADigit = 0) {
  const rows = [...Array(10).keys()].map((each) => bar(String(each), probabilities[each] ?? 0, each === digit));
  byId("bars").replaceChildren(...rows, bar("no digit", notADigit, false));
}

function bar(name, share, chosen) {
  const fill = element("span", { class: "fill" });
  fill.style.width = `${100 * share}%`;
  const track = element("span", { class: "track", "aria-hidden": "true" }, fill);
  return element("li", { class: chosen && "chosen" }, element("b", {}, name), track, element("span", {}, percent(share)));
}

// The 28 x 28 pixels, 0 for paper to 255 for ink, in the page's own ink.
function preview(seen) {
  const canvas = byId("preview");
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, 28, 28);
  if (!seen) return;
  draw(context, Uint8Array.from(atob(seen.pixels), (letter) => letter.charCodeAt(0)), getComputedStyle(canvas).color);
  const { left, top, width, height } = seen.box;
  byId("preview-note").textContent = `28 × 28 pixels, cut from the frame: ${width} × ${height} at ${left}, ${top}.`;
}

export function draw(context, pixels, ink) {
  context.fillStyle = ink;
  pixels.forEach((value, at) => {
    context.globalAlpha = value / 255;
    context.fillRect(at % 28, Math.floor(at / 28), 1, 1);
  });
}
