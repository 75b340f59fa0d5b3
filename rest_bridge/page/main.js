// One view at a time, named by the address: #draw, #train/JOB, #versions, #health.

import { byId } from "./dom.js";
import * as drawing from "./drawing.js";
import * as health from "./health.js";
import * as training from "./training.js";
import * as versions from "./versions.js";

const VIEWS = { draw: drawing, train: training, versions, health };
let shown = null;

function show() {
  const [asked, ...rest] = location.hash.slice(1).split("/");
  const isView = Object.hasOwn(VIEWS, asked);
  const name = isView ? asked : "draw";
  const known = isView ? asked === "train" || !rest.length : !asked || (byId(asked) && !rest.length);
  byId("address-problem").textContent = known ? "" : `There is nothing at ${location.hash.slice(0, 80)} on this page.`;
  // A place within the view that is shown, unless none is yet.
  if (shown && asked && !isView) return;
  for (const each of Object.keys(VIEWS)) {
    byId(`${each}-view`).hidden = each !== name;
    const link = document.querySelector(`nav a[href="#${each}"]`);
    if (each === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (shown && shown !== name) VIEWS[shown].hide?.();
  shown = name;
  VIEWS[name].show?.(rest.join("/"));
}

for (const view of Object.values(VIEWS)) view.start();
addEventListener("hashchange", show);
show();
