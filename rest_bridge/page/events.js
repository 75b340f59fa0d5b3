// Server-sent events by fetch, which unlike EventSource can show a token. A lost line is taken up again after
// the last event that came (Last-Event-ID).

import { Problem, send } from "./api.js";

// A heartbeat comes every few seconds; a line that is silent for longer is dead.
const SILENCE_MILLISECONDS = 20_000;

// Yields {id, event, data} until the stream is over for good, and {event: "lost"} whenever the line is.
export async function* follow(path, signal) {
  let last = "";
  let pause = 1000;
  while (!signal.aborted) {
    try {
      const response = await send(path, { headers: last ? { "Last-Event-ID": last } : {}, signal });
      // Nothing will come after what was seen.
      if (response.status === 204) return;
      for await (const event of events(response.body, signal)) {
        last = event.id ?? last;
        pause = event.retry ?? pause;
        if (event.data) yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
      yield { event: "lost", data: error.message };
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

async function* events(body, signal) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read());
      if (done || signal.aborted) return;
      text += value;
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) yield parsed(block);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function inTime(reading) {
  let timer;
  const silence = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error("the line was silent")), SILENCE_MILLISECONDS);
  });
  return Promise.race([reading, silence]).finally(() => clearTimeout(timer));
}

function parsed(block) {
  const event = {};
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === "retry") event.retry = Number(value);
    else if (name) event[name] = value;
  }
  return event;
}
