// A version's file, by a call that can show a token, which a plain link cannot.

import { send } from "./api.js";
import { element } from "./dom.js";

export async function download(version) {
  const response = await send(`digits/models/${encodeURIComponent(version)}/onnx`);
  const address = URL.createObjectURL(await response.blob());
  element("a", { href: address, download: `digits-${version}.onnx` }).click();
  URL.revokeObjectURL(address);
}
