// The caller's token, if the service wants one: asked for once, shown with every call.

import { byId } from "./dom.js";

const KEY = "digits-token";
let asking = null;

export function token() {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? "";
}

// Asks the person at the screen, once for all calls that wait; false if they do not want to.
export function askForToken(why) {
  asking ??= new Promise((answered) => {
    const dialog = byId("token-dialog");
    const finish = (given) => {
      byId("token-form").onsubmit = byId("token-no").onclick = dialog.oncancel = null;
      byId("token").value = "";
      dialog.close();
      asking = null;
      answered(given);
    };
    byId("token-form").onsubmit = (event) => {
      event.preventDefault();
      keep(byId("token").value.trim(), byId("token-keep").checked);
      finish(true);
    };
    byId("token-no").onclick = () => finish(false);
    dialog.oncancel = () => finish(false);
    // What was refused is worth saying only to somebody who gave one.
    byId("token-why").textContent = token() ? why : "";
    dialog.showModal();
  });
  return asking;
}

function keep(given, forGood) {
  for (const storage of [sessionStorage, localStorage]) storage.removeItem(KEY);
  (forGood ? localStorage : sessionStorage).setItem(KEY, given);
}
