// The first view: what is on the paper is classified while it comes into being.

import * as answer from "./answer.js";
import { postForm } from "./api.js";
import { byId } from "./dom.js";
import { Paper } from "./paper.js";
import * as pictures from "./pictures.js";

// One call at a time, and no more than ten a second: what changes meanwhile goes with the next.
const PAUSE_MILLISECONDS = 100;

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
  answer.none();
}

function onChange() {
  changed = true;
  byId("hint").hidden = !paper.isEmpty();
  if (paper.isEmpty()) {
    paper.mark(null);
    answer.none();
  }
  if (!asking) askWhileItChanges();
}

async function askWhileItChanges() {
  asking = true;
  while (changed) {
    changed = false;
    if (!paper.isEmpty()) await ask();
    await new Promise((done) => setTimeout(done, PAUSE_MILLISECONDS));
  }
  asking = false;
}

async function ask() {
  const began = performance.now();
  try {
    const image = await paper.file();
    const found = await postForm("digits/classify?details=1", { image, preview: "true" });
    if (paper.isEmpty()) return;
    paper.mark(found.preview.box);
    answer.show(found, performance.now() - began);
  } catch (problem) {
    if (paper.isEmpty()) return;
    paper.mark(null);
    answer.fail(problem);
  }
}
