// One job, live: taken up again after a lost line and after a reload, with what its charts had shown.

import { post } from "./api.js";
import { Chart } from "./chart.js";
import { byId, element } from "./dom.js";
import { downloadReport } from "./download.js";
import { follow } from "./events.js";
import { count, duration, measured, percent, words } from "./format.js";

const FINAL = ["SUCCEEDED", "FAILED", "CANCELLED"];
// What a reload brings back of the charts; a long training has a few hundred micro-batches.
const MAX_REMEMBERED = 2000;

const PARTS = ["job-state", "job-report", "job-cancel", "job-bar", "charts"];

let watching = { id: "", stop: new AbortController() };

// Follows a job until it is final; `ended` is called then.
export async function watch(id, ended) {
  if (watching.id === id) return;
  watching.stop.abort();
  watching = { id, stop: new AbortController() };
  const { signal } = watching.stop;
  const view = new View(id);
  try {
    for await (const { event, data } of follow(`digits/jobs/${encodeURIComponent(id)}/events`, signal)) {
      if (event === "progress") view.show(JSON.parse(data));
      else view.lost(event === "lost" ? data : JSON.parse(data).detail);
    }
    if (!signal.aborted) ended();
  } catch (problem) {
    if (problem.status === 404) view.beAbsent(problem.message);
    else view.fail(problem.message);
    watching.id = "";
  }
}

// What was asked for and is not there is no more than an answer: it goes with the next address.
export function forgetAbsent() {
  if (!watching.id) byId("job").hidden = true;
}

class View {
  constructor(id) {
    this.id = id;
    this.charts = {
      loss: new Chart("Loss", (loss) => loss.toFixed(3)),
      accuracy: new Chart("Accuracy", (share) => percent(share)),
      speed: new Chart("Images a second", (speed) => count(Math.round(speed))),
      backlog: new Chart("Backlog / window", count, { second: "/" }),
    };
    byId("charts").replaceChildren(...Object.values(this.charts).map((chart) => chart.node));
    byId("job").hidden = false;
    for (const part of PARTS) byId(part).hidden = false;
    byId("job-title").textContent = `Job ${id}`;
    byId("job-problem").textContent = "";
    byId("job-cancel").onclick = () => this.#cancel();
    byId("job-report").onclick = () => downloadReport(id).catch((problem) => this.fail(problem.message));
    this.micro_batch = -1;
    this.points = JSON.parse(sessionStorage.getItem(this.#key()) ?? "[]");
    for (const point of this.points) this.#draw(point);
  }

  show(progress) {
    this.#remember(progress);
    const final = FINAL.includes(progress.state);
    byId("job-cancel").hidden = final;
    byId("job-state").textContent = words(progress.state);
    byId("job-state").className = `badge ${{ SUCCEEDED: "good", FAILED: "bad" }[progress.state] ?? ""}`;
    byId("job-bar").value = Number(progress.images_trained) / (Number(progress.images_total) || 1);
    byId("job-said").textContent = said(progress);
    byId("job-problem").textContent = progress.error?.message ?? "";
    byId("job-notes").replaceChildren(...progress.notes.map((note) => element("li", {}, note)));
  }

  lost(why) {
    byId("job-said").textContent = `${why} – asking again`;
  }

  fail(why) {
    byId("job-problem").textContent = why;
  }

  beAbsent(why) {
    for (const part of PARTS) byId(part).hidden = true;
    byId("job-title").textContent = "There is no such job";
    byId("job-said").textContent = "";
    byId("job-notes").replaceChildren();
    this.fail(`${why}: it may have been removed. Those that are there stand below.`);
  }

  async #cancel() {
    try {
      await post(`digits/jobs/${encodeURIComponent(this.id)}/cancel`);
      byId("job-said").textContent = "Asked it to stop: it ends with its micro-batch.";
    } catch (problem) {
      this.fail(problem.message);
    }
  }

  #remember(progress) {
    const { micro_batch, loss, accuracy, images_per_second, backlog_images, window_images } = progress;
    const time = Date.parse(progress.heartbeat_time) / 1000;
    // While the candidate is measured, "accuracy" becomes the held-out one, which is not of this line.
    const learned = micro_batch > this.micro_batch && micro_batch > 0 && [loss, accuracy, images_per_second];
    const point = { time, micro_batch, learned, backlog: [Number(backlog_images), Number(window_images)] };
    this.points = [...this.points, point].slice(-MAX_REMEMBERED);
    sessionStorage.setItem(this.#key(), JSON.stringify(this.points));
    this.#draw(point);
  }

  #draw({ time, micro_batch, learned, backlog }) {
    this.micro_batch = Math.max(this.micro_batch, micro_batch);
    this.charts.backlog.add(time, ...backlog);
    if (!learned) return;
    this.charts.loss.add(time, learned[0]);
    this.charts.accuracy.add(time, learned[1]);
    this.charts.speed.add(time, learned[2]);
  }

  #key() {
    return `digits-job-${this.id}`;
  }
}

function said(progress) {
  const { state, epoch, epochs, eta, model_version, metrics } = progress;
  if (state === "QUEUED") {
    const before = progress.jobs_before;
    return before ? `Waits; ${before} ${before === 1 ? "job is" : "jobs are"} before it.` : "Waits for a train worker.";
  }
  if (state === "INGESTING") return `${count(progress.images_ingested)} images read.`;
  if (state === "TRAINING") {
    const trained = `${count(progress.images_trained)} of ${count(progress.images_total)} images, epoch ${epoch} of ${epochs}`;
    return eta ? `${trained}, about ${duration(eta)} left` : trained;
  }
  if (state !== "SUCCEEDED") return "";
  const held = measured(metrics?.accuracy, metrics?.held_out_image_count);
  const reference = measured(metrics?.reference_accuracy, metrics?.reference_image_count);
  const serves = progress.promoted ? `${model_version} took over` : `${model_version} did not take over`;
  const speed = progress.training_seconds ? ` ${count(Math.round(progress.images_per_second))} images a second.` : "";
  return `${serves}: ${progress.promotion_reason}. Held-out ${held}, reference ${reference}.${speed}`;
}
