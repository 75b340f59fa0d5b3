// The third view: every version, which one serves and why, and how two of them differ.

import { get, post } from "./api.js";
import { compare } from "./comparison.js";
import { button, byId, element, time } from "./dom.js";
import { download } from "./download.js";
import { bytes, measured, percent, who, words } from "./format.js";

let next = "";

export function start() {
  byId("rollback").addEventListener("click", rollBack);
  byId("compare").addEventListener("click", () => attempt(() => compare(...chosen())));
  byId("versions-more").addEventListener("click", () => attempt(more));
  byId("versions").addEventListener("change", () => {
    byId("compare").disabled = chosen().length !== 2;
  });
}

export const show = () => attempt(refresh);

async function attempt(action) {
  byId("versions-problem").textContent = "";
  try {
    await action();
  } catch (problem) {
    byId("versions-problem").textContent = problem.message;
  }
}

async function refresh() {
  const [page, { changes }] = await Promise.all([
    get("digits/models?page_size=50"),
    get("digits/models/history?page_size=20"),
  ]);
  byId("versions").replaceChildren(...page.models.map(row));
  byId("history").replaceChildren(...changes.map(move));
  byId("rollback").disabled = changes.length < 2;
  byId("rollback").dataset.from = page.models.find((model) => model.state === "SERVING")?.version ?? "";
  byId("compare").disabled = true;
  paged(page);
}

async function more() {
  const page = await get(`digits/models?page_size=50&page_token=${encodeURIComponent(next)}`);
  byId("versions").append(...page.models.map(row));
  paged(page);
}

function paged(page) {
  next = page.next_page_token;
  byId("versions-more").hidden = !next;
}

function row(model) {
  const { version, metrics = {}, provenance = {} } = model;
  const serving = model.state === "SERVING";
  const name = [version, " ", serving && element("span", { class: "badge good" }, "serves")];
  const redrawn = metrics.robustness ? percent(metrics.robustness) : "–";
  const cells = [
    [element("input", { type: "checkbox", value: version, "aria-label": `Compare ${version}` })],
    [element("b", {}, name)],
    [element("span", { class: "row" }, actions(version, serving))],
    [measured(metrics.accuracy, metrics.held_out_image_count), "number"],
    [measured(metrics.reference_accuracy, metrics.reference_image_count), "number"],
    [redrawn, "number"],
    [live(model.live_accuracy), "number"],
    [origin(provenance)],
    [bytes(model.bundle_bytes), "number"],
    [time(model.create_time)],
    [model.promotion_reason, "text"],
  ];
  return element("tr", {}, cells.map(([content, kind]) => element("td", { class: kind }, content || "")));
}

function origin({ data_name: data, recipe, base_model_version: base, imported }) {
  const before = imported ? "brought in" : base && `from ${base}`;
  return [data, recipe, before].filter(Boolean).join(", ");
}

// By what people said of its answers, with the 95 % interval.
function live(accuracy) {
  if (!accuracy) return "\u2013";
  const { label_count, right_count, low, high } = accuracy;
  const interval = `${percent(low, 0)} to ${percent(high, 0)}`;
  return element("span", { title: `95 % confidence: ${interval}` }, `${right_count} of ${label_count} (${interval})`);
}

function actions(version, serving) {
  return [
    !serving && button("Promote", () => promote(version), { "aria-label": `Promote ${version}` }),
    button("Download", () => attempt(() => download(version)), { "aria-label": `Download ${version}` }),
  ].filter(Boolean);
}

function move(change) {
  const from = change.previous_version ? ` instead of ${change.previous_version}` : "";
  const why = { GATE: "the gate", PROMOTE: "promoted", ROLLBACK: "rolled back", LIVE_LABELS: "worse on live labels", ALWAYS: "its caller said ALWAYS" }[change.reason] ?? words(change.reason);
  const mover = change.caller ? ` by ${who(change.caller)}` : "";
  return element("li", {}, element("b", {}, change.version), `${from}: ${why}${mover}, `, time(change.change_time));
}

function promote(version) {
  return attempt(async () => {
    await post(`digits/models/${version}/promote`);
    await refresh();
    byId("versions-said").textContent = `${version} serves now.`;
  });
}

// Names what it goes back from: a second click on an old page goes back no further.
function rollBack() {
  return attempt(async () => {
    const { version } = await post("digits/models/rollback", { from_version: byId("rollback").dataset.from });
    await refresh();
    byId("versions-said").textContent = `${version} serves again.`;
  });
}

function chosen() {
  return [...byId("versions").querySelectorAll("input:checked")].map((box) => box.value);
}
