// One photograph: by this machine's camera, or by the telephone's own camera program if the page may not.

import { byId } from "./dom.js";

// A file, or null if nobody took one.
export async function photograph() {
  try {
    const video = { facingMode: "environment" };
    return await byDialog(await navigator.mediaDevices.getUserMedia({ video }));
  } catch {
    return byInput();
  }
}

async function byDialog(stream) {
  const [dialog, video] = [byId("camera-dialog"), byId("camera")];
  video.srcObject = stream;
  dialog.showModal();
  try {
    return (await taken(dialog)) ? await still(video) : null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
    dialog.close();
  }
}

function taken(dialog) {
  return new Promise((answer) => {
    byId("camera-take").onclick = () => answer(true);
    byId("camera-no").onclick = () => answer(false);
    dialog.oncancel = () => answer(false);
  });
}

function still(video) {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

function byInput() {
  const input = byId("camera-file");
  return new Promise((answer) => {
    input.onchange = () => {
      answer(input.files[0] ?? null);
      input.value = "";
    };
    input.oncancel = () => answer(null);
    input.click();
  });
}
