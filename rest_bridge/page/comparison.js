// Two versions beside each other on the service's reference set.

import { draw } from "./answer.js";
import { get } from "./api.js";
import { byId, element } from "./dom.js";
import { count, percent } from "./format.js";

const DIGITS = [...Array(10).keys()];

export async function compare(first, second) {
  const panel = byId("comparison");
  panel.hidden = false;
  byId("comparison-title").textContent = `${first} and ${second}`;
  byId("comparison-body").replaceChildren(element("p", { class: "quiet" }, "Both read the reference set …"));
  try {
    const names = `first_version=${encodeURIComponent(first)}&second_version=${encodeURIComponent(second)}`;
    byId("comparison-body").replaceChildren(...shown(await get(`digits/models/compare?${names}`)));
    panel.focus();
  } catch (problem) {
    panel.hidden = true;
    throw problem;
  }
}

function shown({ image_count, first, second, first_only_count, second_only_count, differences, difference_count }) {
  const summary =
    `Of ${count(image_count)} images, ${count(first_only_count)} only ${first.version} reads right, ` +
    `and ${count(second_only_count)} only ${second.version}; they differ on ${count(difference_count)}.`;
  return [
    element("p", {}, summary),
    element("div", { class: "confusions" }, confusion(first), confusion(second)),
    element("h3", {}, difference_count > differences.length ? "The surest differences" : "Where they differ"),
    element("ul", { class: "differences" }, differences.map((each) => difference(each, first.version, second.version))),
  ];
}

// Rows are what the pictures are, columns what was read.
function confusion({ version, accuracy, confusion_counts }) {
  const rows = DIGITS.map((label) => {
    const counts = confusion_counts.slice(10 * label, 10 * label + 10).map(Number);
    return element("tr", {}, element("th", { scope: "row" }, label), counts.map((each, digit) => cell(each, label === digit)));
  });
  const head = element("tr", {}, element("td", { "aria-label": "is, read as" }), DIGITS.map((digit) => element("th", { scope: "col" }, digit)));
  return element("table", { class: "confusion" }, element("caption", {}, `${version}: ${percent(accuracy, 2)} right`), head, rows);
}

function cell(number, right) {
  const made = element("td", { class: right && "right" }, number || "");
  // Ten mistakes of a thousand are many.
  if (!right) made.style.setProperty("--share", `${Math.min(70, 8 * number)}%`);
  return made;
}

function difference(each, first, second) {
  const canvas = element("canvas", { width: 28, height: 28, role: "img", "aria-label": `A ${each.label}` });
  const node = element("li", {}, canvas, `is ${each.label}`, read(first, each.first_digit, each.first_confidence, each.label), read(second, each.second_digit, each.second_confidence, each.label));
  const pixels = Uint8Array.from(atob(each.pixels), (letter) => letter.charCodeAt(0));
  draw(canvas.getContext("2d"), pixels, getComputedStyle(document.body).color);
  return node;
}

function read(version, digit, confidence, label) {
  return element("div", { class: digit === label ? "good" : "bad" }, `${version}: ${digit}, ${percent(confidence, 0)}`);
}
