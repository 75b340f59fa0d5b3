// The first view: what is on the paper is classified while it comes into being.

import * as answer from "./answer.js";
import { postForm } from "./api.js";
import { byId } from "./dom.js";
import { Paper } from "./paper.js";
import * as pictures from "./pictures.js";
import * as teaching from "./teaching.js";

// One call at a time, and no more than ten a second: what changes meanwhile goes with the next.
const PAUSE_MILLISECONDS = 100;
// What may be answered a little later is asked again: nobody answers, too many wait, no model serves yet.
const RETRY_MILLISECONDS = 2000;
const LATER = [0, 429, 503, 504];

let paper;
let asking = false;
let changed = false;

export function start() {
  paper = new Paper(byId("paper"), byId("box"), onChange);
  pictures.install((picture) => {
    location.hash = "#draw";
    paper.show(picture);
  });
  byId("clear").addEventListener("click", () => paper.clear());
  byId("undo").addEventListener("click", () => paper.undo());
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") paper.undo();
  });
  teaching.start();
  answer.none();
}

function onChange() {
  changed = true;
  byId("hint").hidden = !paper.isEmpty();
  if (paper.isEmpty()) {
    paper.mark(null);
    answer.none();
    teaching.about(null);
  }
  if (!asking) askWhileItChanges();
}

async function askWhileItChanges() {
  asking = true;
  while (changed) {
    changed = false;
    const answered = paper.isEmpty() || (await ask());
    changed ||= !answered;
    await new Promise((done) => setTimeout(done, answered ? PAUSE_MILLISECONDS : RETRY_MILLISECONDS));
  }
  asking = false;
}

// Whether that was the last word on what is on the paper.
async function ask() {
  const began = performance.now();
  try {
    const image = await paper.file();
    const found = await postForm("digits/classify?details=1", { image, preview: "true" });
    if (paper.isEmpty()) return true;
    paper.mark(found.preview?.box);
    answer.show(found, performance.now() - began);
    teaching.about(found);
    return true;
  } catch (problem) {
    if (paper.isEmpty()) return true;
    paper.mark(null);
    answer.fail(problem);
    teaching.about(null);
    return !LATER.includes(problem.status);
  }
}
