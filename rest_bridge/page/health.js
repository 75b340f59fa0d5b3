// The fourth view: each part of the service, what waits, and who works.

import { get } from "./api.js";
import { byId, element } from "./dom.js";
import { count } from "./format.js";

const REFRESH_MILLISECONDS = 5000;

// What each part is there for.
const PURPOSE = {
  coordinator: "jobs, versions and what serves",
  store: "models, checkpoints, uploads",
  log: "the images of running trainings",
  queue: "pictures on their way to the workers",
  model: "what this server answers with",
  "classify workers": "read pictures",
  "train workers": "learn",
};

let refreshing = 0;

export function start() {}

export function show() {
  clearInterval(refreshing);
  refreshing = setInterval(() => document.hidden || refresh(), REFRESH_MILLISECONDS);
  refresh();
}

export function hide() {
  clearInterval(refreshing);
}

async function refresh() {
  try {
    const status = await get("digits/status");
    say(summary(status));
    byId("parts").replaceChildren(...status.parts.map(part));
    byId("workers").replaceChildren(...status.workers.map(worker));
  } catch (problem) {
    say(problem.message);
  }
}

// A screen reader hears what is new, and nothing every five seconds.
function say(text) {
  if (byId("health-said").textContent !== text) byId("health-said").textContent = text;
}

function summary({ parts, model_version, waiting_picture_count, queued_job_count, running_job_count }) {
  const ill = parts.filter((each) => !each.ok).map((each) => each.name);
  const well = ill.length ? `Not well: ${ill.join(", ")}` : "All is well";
  const serves = model_version ? `${model_version} answers` : "nothing answers yet";
  return `${well}; ${serves}. ${count(waiting_picture_count)} pictures wait, ${queued_job_count} jobs wait, ${running_job_count} run.`;
}

function part({ name, ok, detail }) {
  const badge = element("span", { class: `badge ${ok ? "good" : "bad"}` }, ok ? "well" : "not well");
  return element("li", {}, element("div", { class: "row spread" }, element("b", {}, name), badge), element("p", { class: "quiet" }, PURPOSE[name]), element("p", {}, detail));
}

function worker({ role, host, process_id, model_version, error, idle_time }) {
  const does = role === "train" ? "trains" : "classifies";
  const state = error || (role === "train" && (idle_time ? "waits for a job" : "runs a job")) || "answers";
  const cells = [`${host}, process ${process_id}`, does, model_version || "–", state];
  return element("tr", {}, cells.map((cell) => element("td", {}, cell)));
}
