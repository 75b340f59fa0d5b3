// The second view: start a training, and look at the jobs.

import { get, post, postForm } from "./api.js";
import { button, byId, element, time } from "./dom.js";
import { bytes, who, words } from "./format.js";
import { forgetAbsent, watch } from "./job.js";

const REFRESH_MILLISECONDS = 3000;
const ASYNC = { Prefer: "respond-async" };

let refreshing = 0;
let next = "";

export function start() {
  byId("train-form").addEventListener("submit", (event) => {
    event.preventDefault();
    train();
  });
  byId("batch-file").addEventListener("change", () => {
    byId("batch").required = !byId("batch-file").files.length;
    // What is uploaded is trained on as it is.
    byId("with-feedback").disabled = !byId("batch").required;
  });
  byId("base").addEventListener("change", () => {
    byId("recipe").disabled = byId("base").value !== "";
  });
  byId("jobs-more").addEventListener("click", more);
}

// `jobId` is the job that the address names, if any.
export async function show(jobId) {
  if (!jobId) forgetAbsent();
  clearInterval(refreshing);
  refreshing = setInterval(() => document.hidden || refresh(), REFRESH_MILLISECONDS);
  const [jobs] = await Promise.all([refresh(), listBatches()]);
  const running = jobs.find((job) => !job.end_time);
  if (jobId || running) watch(jobId || running.job_id, refresh);
}

export function hide() {
  clearInterval(refreshing);
}

async function listBatches() {
  try {
    const { batches } = await get("digits/batches");
    const options = batches.map(({ path, total_bytes, folder }) =>
      element("option", { value: path }, `${path}${folder ? "/" : ""} (${bytes(total_bytes)})`),
    );
    // Alone as well, once somebody has labelled a few.
    options.push(element("option", { value: "feedback" }, "only the pictures that people labelled"));
    if (batches.length) byId("batch").replaceChildren(...options);
    else byId("batch").replaceChildren(element("option", { value: "" }, "nothing there: upload a file"), ...options);
  } catch (problem) {
    byId("train-problem").textContent = problem.message;
  }
}

async function train() {
  const submit = byId("train-form").querySelector("button.main");
  const options = { request_id: requestId() };
  for (const name of ["promotion", "orientation"]) options[name] = byId(name).value;
  // A version that is gone on from has its recipe.
  if (byId("base").value) options.base_model_version = byId("base").value;
  else options.recipe = byId("recipe").value;
  const [file] = byId("batch-file").files;
  byId("train-problem").textContent = "";
  submit.disabled = true;
  try {
    const began = file
      ? await postForm("digits/train", { ...options, images_batch: file }, ASYNC)
      : await post("digits/train", { ...options, images_batch_path: batchPath() }, ASYNC);
    byId("batch-file").value = "";
    byId("batch").required = true;
    byId("with-feedback").disabled = false;
    location.hash = `#train/${began.job_id}`;
  } catch (problem) {
    byId("train-problem").textContent = problem.message;
  } finally {
    submit.disabled = false;
  }
}

function batchPath() {
  const path = byId("batch").value;
  return byId("with-feedback").checked && path !== "feedback" ? `${path}+feedback` : path;
}

// Of its own for each click, so that a call that is sent twice is one job.
function requestId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function refresh() {
  try {
    const page = await get("digits/jobs?page_size=10");
    byId("jobs").replaceChildren(...page.jobs.map(row));
    next = page.next_page_token;
    byId("jobs-more").hidden = !next;
    return page.jobs;
  } catch (problem) {
    byId("train-problem").textContent = problem.message;
    return [];
  }
}

// Older jobs stay on the page: it is not refreshed from then on, save by coming back to it.
async function more() {
  clearInterval(refreshing);
  const page = await get(`digits/jobs?page_size=50&page_token=${encodeURIComponent(next)}`);
  byId("jobs").append(...page.jobs.map(row));
  next = page.next_page_token;
  byId("jobs-more").hidden = !next;
}

function row(job) {
  // A message that was never set is left out of the service's JSON.
  const { spec = {}, progress = {}, state } = job;
  const result = progress.error?.message ?? [progress.model_version, progress.promoted && "took over"].filter(Boolean).join(", ");
  const cells = [
    element("a", { href: `#train/${job.job_id}` }, job.job_id),
    spec.images_batch_path || "an upload",
    spec.recipe,
    badge(state),
    result,
    time(job.create_time),
    who(spec.caller ?? ""),
    !job.end_time && button("Cancel", () => cancel(job.job_id), { "aria-label": `Cancel ${job.job_id}` }),
  ];
  return element("tr", {}, cells.map((cell, at) => element("td", { class: at === 4 && "text" }, cell || "")));
}

export function badge(state) {
  const tone = { SUCCEEDED: " good", FAILED: " bad" }[state] ?? "";
  return element("span", { class: `badge${tone}` }, words(state));
}

export async function cancel(jobId) {
  try {
    await post(`digits/jobs/${jobId}/cancel`);
    await refresh();
  } catch (problem) {
    byId("train-problem").textContent = problem.message;
  }
}
