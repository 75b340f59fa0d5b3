// "What is it really?": a person's word on the newest answer, right or wrong, for the next training.

import { post } from "./api.js";
import { button, byId } from "./dom.js";
import { count, percent } from "./format.js";

let answered = null;

export function start() {
  const buttons = [...Array(10).keys()].map((digit) =>
    button(String(digit), () => report(digit), { "aria-label": `It is a ${digit}`, "aria-pressed": "false" }),
  );
  byId("teach-digits").replaceChildren(...buttons);
}

// The answer that a word would be about; null if there is none.
export function about(found) {
  answered = found;
  byId("teach").hidden = !found?.prediction_id;
  byId("taught").textContent = "";
  press(-1);
}

async function report(label) {
  const found = answered;
  try {
    const kept = await reported(found, label);
    if (found !== answered) return;
    press(label);
    byId("taught").textContent = thanks(kept);
  } catch (problem) {
    byId("taught").textContent = problem.message;
  }
}

// A server remembers its newest answers; of an older one, the pixels that were judged say enough.
async function reported(found, label) {
  try {
    return await post("digits/feedback", { prediction_id: found.prediction_id, label });
  } catch (problem) {
    if (problem.status !== 404 || !found.preview) throw problem;
    return post("digits/feedback", { pixels: found.preview.pixels, label });
  }
}

function press(label) {
  for (const [digit, each] of [...byId("teach-digits").children].entries()) {
    each.setAttribute("aria-pressed", String(digit === label));
  }
}

function thanks({ model_version, live_accuracy: { label_count, right_count, low, high } }) {
  const right = `${count(right_count)} of the ${count(label_count)} answers of ${model_version} that people labelled are right`;
  return `Kept, thank you. ${right} (between ${percent(low, 0)} and ${percent(high, 0)} with 95 % confidence).`;
}
