// A small line chart that grows: its newest value in figures, its course as a line.

import { element } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [300, 100];

export class Chart {
  // `format` turns a value into text; `floor` is the least value at the bottom, `second` names a second line.
  constructor(title, format, { floor = 0, second = "" } = {}) {
    Object.assign(this, { title, format, floor, second });
    this.lines = second ? [[], []] : [[]];
    this.newest = element("b", {}, "–");
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("aria-hidden", "true");
    this.paths = this.lines.map((_, number) => this.#path(number));
    this.node = element("figure", {}, element("figcaption", {}, element("span", {}, title), this.newest), this.svg);
  }

  // One value for each line, at a time in seconds.
  add(time, ...values) {
    this.lines.forEach((line, number) => line.push([time, values[number]]));
    this.newest.textContent = values.map(this.format).join(this.second ? ` ${this.second} ` : "");
    this.#draw();
  }

  #path(number) {
    const path = document.createElementNS(SVG, "path");
    if (number) path.setAttribute("class", "second");
    this.svg.append(path);
    return path;
  }

  #draw() {
    const points = this.lines.flat();
    const [first, last] = [points[0][0], Math.max(...points.map(([time]) => time))];
    const top = Math.max(...points.map(([, value]) => value)) || 1;
    const across = (time) => (last > first ? ((time - first) / (last - first)) * WIDTH : 0);
    const down = (value) => HEIGHT - ((value - this.floor) / (top - this.floor || 1)) * (HEIGHT - 4) - 2;
    this.lines.forEach((line, number) => {
      const corners = line.map(([time, value]) => `${across(time).toFixed(1)} ${down(value).toFixed(1)}`);
      // A single value is a dot.
      if (corners.length === 1) corners.push(corners[0]);
      this.paths[number].setAttribute("d", `M ${corners.join(" L ")}`);
    });
  }
}
