// Pictures from elsewhere: a file, the clipboard, a drop, the camera.

import { byId } from "./dom.js";
import { photograph } from "./camera.js";

// A telephone's photograph is larger than what is read of it; smaller, it is there sooner.
const LARGEST_SIDE = 1600;

// Calls `taken` with {bitmap, file} for each picture that comes, from wherever.
export function install(taken) {
  const take = async (file) => file && taken(await prepared(file));
  const uploads = byId("picture-file");
  byId("upload").addEventListener("click", () => uploads.click());
  byId("photograph").addEventListener("click", async () => take(await photograph()));
  uploads.addEventListener("change", () => {
    take(uploads.files[0]);
    uploads.value = "";
  });
  addEventListener("paste", (event) => take([...event.clipboardData.files].find(isPicture)));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
}

const isPicture = (file) => file.type.startsWith("image/");

// What this browser cannot read is sent as it is: the service says what it found.
async function prepared(file) {
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return { bitmap, file };
  }
  const scale = LARGEST_SIDE / Math.max(bitmap.width, bitmap.height);
  return scale < 1 ? smaller(bitmap, scale) : { bitmap, file };
}

async function smaller(bitmap, scale) {
  const canvas = new OffscreenCanvas(Math.round(scale * bitmap.width), Math.round(scale * bitmap.height));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  // What is transparent is paper.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const file = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  return { bitmap: await createImageBitmap(canvas), file };
}
