// The paper: strokes by mouse, pen, finger or arrow keys, or a picture, and the frame around what was judged.

// Side of the drawing that is sent, in pixels; the canvas shows it twice as large.
const SIDE = 280;
const PEN = 20;
const KEY_STEP = 7;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Paper {
  // `frame` is the element that marks what was judged; `changed` is called after each change.
  constructor(canvas, frame, changed) {
    this.canvas = canvas;
    this.frame = frame;
    this.changed = changed;
    this.strokes = [];
    this.picture = null;
    this.pen = { x: SIDE / 2, y: SIDE / 4, down: false, shown: false };
    canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    canvas.addEventListener("pointermove", (event) => this.#go(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => this.#showPen(canvas.matches(":focus-visible")));
    canvas.addEventListener("blur", () => this.#showPen(false));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    this.#draw();
  }

  isEmpty() {
    return !this.strokes.length && !this.picture;
  }

  clear() {
    this.strokes = [];
    this.picture = null;
    this.#redrawn();
  }

  undo() {
    if (this.picture) this.picture = null;
    else this.strokes.pop();
    this.#redrawn();
  }

  // `bitmap` is null for a file that this browser cannot show; the service may read it all the same.
  show({ bitmap, file }) {
    this.strokes = [];
    this.picture = { bitmap, file };
    this.#redrawn();
  }

  // The picture's own file, or the strokes as a PNG: black on white, whatever the screen shows.
  async file() {
    if (this.picture) return this.picture.file;
    const canvas = new OffscreenCanvas(SIDE, SIDE);
    this.#ink(canvas.getContext("2d"), "#fff", "#000");
    return canvas.convertToBlob();
  }

  // Frames what was judged: a box in pixels of the file that was sent.
  mark(box) {
    this.frame.hidden = !box || (this.picture && !this.picture.bitmap);
    if (this.frame.hidden) return;
    const { scale, left, top } = this.#place();
    const share = (pixels) => `${(100 * pixels) / SIDE}%`;
    this.frame.style.left = share(left + scale * box.left);
    this.frame.style.top = share(top + scale * box.top);
    this.frame.style.width = share(scale * box.width);
    this.frame.style.height = share(scale * box.height);
  }

  #begin(event) {
    if (event.button) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.picture = null;
    this.strokes.push([]);
    this.#add(event);
  }

  #go(event) {
    if (!this.canvas.hasPointerCapture(event.pointerId)) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length ? moves : [event]) this.#add(move);
  }

  #add(event) {
    const place = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - place.left) / place.width) * SIDE;
    const y = ((event.clientY - place.top) / place.height) * SIDE;
    this.strokes.at(-1).push([x, y]);
    this.#redrawn();
  }

  #key(event) {
    const move = MOVES[event.key];
    if (move) this.#movePen(move);
    else if (event.key === " ") this.#switchPen();
    else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
  }

  #movePen([across, down]) {
    const inside = (value) => Math.min(SIDE - PEN, Math.max(PEN, value));
    this.pen.x = inside(this.pen.x + KEY_STEP * across);
    this.pen.y = inside(this.pen.y + KEY_STEP * down);
    this.pen.shown = true;
    if (!this.pen.down || !this.strokes.length) return this.#draw();
    this.strokes.at(-1).push([this.pen.x, this.pen.y]);
    this.#redrawn();
  }

  #switchPen() {
    this.pen.down = !this.pen.down;
    if (!this.pen.down) return this.#draw();
    this.picture = null;
    this.strokes.push([[this.pen.x, this.pen.y]]);
    this.#redrawn();
  }

  #showPen(shown) {
    this.pen.shown = shown;
    if (!shown) this.pen.down = false;
    this.#draw();
  }

  #redrawn() {
    this.#draw();
    this.changed();
  }

  #draw() {
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    context.setTransform(2, 0, 0, 2, 0, 0);
    if (this.picture) this.#drawPicture(context);
    else this.#ink(context, style.backgroundColor, style.color);
    if (this.pen.shown) this.#drawPen(context, style.accentColor);
  }

  #ink(context, ground, ink) {
    context.fillStyle = ground;
    context.fillRect(0, 0, SIDE, SIDE);
    context.strokeStyle = ink;
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    for (const points of this.strokes) {
      context.beginPath();
      for (const [x, y] of points) context.lineTo(x, y);
      // A line of no length draws nothing, and a single point is to be a dot.
      if (points.length === 1) context.lineTo(points[0][0] + 0.1, points[0][1]);
      context.stroke();
    }
  }

  #drawPicture(context) {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIDE, SIDE);
    if (!this.picture.bitmap) return;
    const { bitmap } = this.picture;
    const { scale, left, top } = this.#place();
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, left, top, scale * bitmap.width, scale * bitmap.height);
  }

  #drawPen(context, colour) {
    context.beginPath();
    context.arc(this.pen.x, this.pen.y, PEN / 2, 0, 7);
    context.lineWidth = this.pen.down ? 4 : 1.5;
    context.strokeStyle = colour;
    context.stroke();
  }

  // How the file's pixels lie on the paper.
  #place() {
    if (!this.picture) return { scale: 1, left: 0, top: 0 };
    const { width, height } = this.picture.bitmap;
    const scale = SIDE / Math.max(width, height);
    return { scale, left: (SIDE - scale * width) / 2, top: (SIDE - scale * height) / 2 };
  }
}
