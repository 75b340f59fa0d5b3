// Calls of the bridge: one error for everything that goes wrong, in the bridge's own words (RFC 9457).

import { askForToken, token } from "./access.js";

export class Problem extends Error {
  constructor(status, detail, field = "", retryAfterSeconds = 0) {
    super(detail);
    Object.assign(this, { status, field, retryAfterSeconds });
  }
}

export const get = async (path) => (await send(path)).json();

export async function post(path, body = {}, headers = {}) {
  const type = { "Content-Type": "application/json" };
  return (await send(path, { method: "POST", body: JSON.stringify(body), headers: { ...type, ...headers } })).json();
}

export async function postForm(path, fields, headers = {}, signal = undefined) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return (await send(path, { method: "POST", body, headers, signal })).json();
}

// The response of a call that succeeded; without a token that the service knows, asks for one and calls again.
export async function send(path, options = {}) {
  for (;;) {
    const shown = token();
    const response = await answered(path, options, shown);
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status !== 401) throw problem;
    // Another call may have asked meanwhile.
    if (token() === shown && !(await askForToken(problem.message))) throw problem;
  }
}

async function answered(path, options, shown) {
  const headers = new Headers(options.headers);
  if (shown) headers.set("Authorization", `Bearer ${shown}`);
  try {
    return await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "the service does not answer; is it running?");
  }
}

async function problemOf(response) {
  const retry = Number(response.headers.get("Retry-After")) || 0;
  try {
    const { detail, title, field } = await response.json();
    return new Problem(response.status, detail || title, field, retry);
  } catch {
    return new Problem(response.status, `the service answered ${response.status}`, "", retry);
  }
}
