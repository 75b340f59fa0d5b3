// Files, by calls that can show a token, which a plain link cannot.

import { send } from "./api.js";
import { element } from "./dom.js";

export const download = (version) =>
  save(`digits/models/${encodeURIComponent(version)}/onnx`, `digits-${version}.onnx`);

export const downloadReport = (jobId) =>
  save(`digits/jobs/${encodeURIComponent(jobId)}/report`, `digits-${jobId}.html`);

async function save(path, name) {
  const response = await send(path);
  const address = URL.createObjectURL(await response.blob());
  element("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}
