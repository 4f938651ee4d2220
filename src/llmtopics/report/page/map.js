"use strict";
// A map of points on a canvas: zoom, pan, labels, and which point is under the pointer.
class TopicMap {
  constructor(canvas, documents, topics, { onPoint, onChoose }) {
    Object.assign(this, { canvas, documents, topics, onPoint, onChoose });
    this.context = canvas.getContext("2d");
    this.size = 4096; // of the map in its own units
    this.shown = null; // 1 for each document that passes the filters, null for all
    this.topic = this.chosen = -1;
    this.pointers = new Map();
    this.byTopic = topics.map(() => []);
    for (let d = 0; d < documents.n; d++) this.byTopic[documents.topic[d * documents.n_top]].push(d);
    this.home();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(canvas);
    for (const query of ["print", "(prefers-color-scheme: dark)"])
      matchMedia(query).addEventListener("change", () => this.paint());
  }

  home() {
    this.zoom = 1;
    this.center = [this.size / 2, this.size / 2];
    this.draw();
  }

  // pixels per unit; the whole map fits, with a margin
  scale() {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    return (this.zoom * 0.94 * Math.min(w * 1.0, h * 1.0)) / this.size;
  }

  toScreen(x, y) {
    const s = this.scale();
    return [
      (x - this.center[0]) * s * this.stretch() + this.canvas.clientWidth / 2,
      (y - this.center[1]) * s + this.canvas.clientHeight / 2,
    ];
  }

  // wide screens show the map wider: its axes have no unit
  stretch() {
    return Math.min(Math.max(this.canvas.clientWidth / this.canvas.clientHeight, 0.8), 1.9);
  }

  zoomBy(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const before = this.scale();
    this.zoom = Math.min(Math.max(this.zoom * factor, 0.5), 200);
    const change = 1 / before - 1 / this.scale();
    this.center[0] += ((x - this.canvas.clientWidth / 2) * change) / this.stretch();
    this.center[1] += (y - this.canvas.clientHeight / 2) * change;
    this.draw();
  }

  moveBy(dx, dy) {
    this.center[0] -= dx / this.scale() / this.stretch();
    this.center[1] -= dy / this.scale();
    this.draw();
  }

  show(d) {
    this.chosen = d;
    const [x, y] = this.toScreen(this.documents.x[d], this.documents.y[d]);
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (x < 0 || y < 0 || x > w || y > h) this.center = [this.documents.x[d], this.documents.y[d]];
    this.draw();
  }

  draw() {
    if (!this.waiting) this.waiting = requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.waiting = 0;
    const { canvas, context: c, documents } = this;
    const { clientWidth: w, clientHeight: h } = canvas;
    const dense = devicePixelRatio || 1;
    if (canvas.width !== Math.round(w * dense)) canvas.width = Math.round(w * dense);
    if (canvas.height !== Math.round(h * dense)) canvas.height = Math.round(h * dense);
    const style = getComputedStyle(canvas);
    c.setTransform(dense, 0, 0, dense, 0, 0);
    c.fillStyle = style.backgroundColor;
    c.fillRect(0, 0, w, h);
    const size = this.radius();
    c.globalAlpha = 0.55;
    c.fillStyle = style.borderTopColor;
    this.points(this.byTopic.flat(), size * 0.8, (d) => !this.passes(d));
    c.globalAlpha = documents.n > 2000 ? 0.7 : 0.85;
    for (const { topic, color } of this.topics) {
      c.fillStyle = color;
      this.points(this.byTopic[topic], size, (d) => this.passes(d));
    }
    c.globalAlpha = 1;
    if (this.chosen >= 0) this.ring(style.color);
    this.labels(style.color, style.backgroundColor, w, h);
  }

  radius() {
    const few = Math.sqrt(20000 / Math.max(this.documents.n, 50));
    return Math.min(Math.max(1.1 * Math.sqrt(few) * Math.pow(this.zoom, 0.45), 1.2), 7);
  }

  passes(d) {
    return (
      (!this.shown || this.shown[d] === 1) &&
      (this.topic < 0 || this.documents.topic[d * this.documents.n_top] === this.topic)
    );
  }

  points(rows, size, wanted) {
    const { context: c, documents } = this;
    const { clientWidth: w, clientHeight: h } = this.canvas;
    const s = this.scale(), sx = s * this.stretch();
    const left = w / 2 - this.center[0] * sx, top = h / 2 - this.center[1] * s;
    const round = size > 1.6;
    c.beginPath();
    for (const d of rows) {
      if (!wanted(d)) continue;
      const x = documents.x[d] * sx + left, y = documents.y[d] * s + top;
      if (x < -size || y < -size || x > w + size || y > h + size) continue;
      if (round) {
        c.moveTo(x + size, y);
        c.arc(x, y, size, 0, 6.2832);
      } else c.rect(x - size, y - size, 2 * size, 2 * size);
    }
    c.fill();
  }

  ring(color) {
    const c = this.context;
    const [x, y] = this.toScreen(this.documents.x[this.chosen], this.documents.y[this.chosen]);
    c.strokeStyle = color;
    c.lineWidth = 2.5;
    c.beginPath();
    c.arc(x, y, this.radius() + 5, 0, 6.2832);
    c.stroke();
  }

  // names of topics, largest first; one that would cover another is left out
  labels(ink, page, w, h) {
    const c = this.context, taken = [];
    c.font = `600 13px ${getComputedStyle(this.canvas).fontFamily}`;
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.lineJoin = "round";
    const order = [...this.topics].sort((a, b) => b.share - a.share);
    order.sort((a, b) => (b.topic === this.topic) - (a.topic === this.topic));
    for (const { topic, name, x, y, n_documents } of order) {
      if (!n_documents || (this.topic >= 0 && topic !== this.topic)) continue;
      const label = name.length > 28 ? `${[...name].slice(0, 27).join("")}…` : name;
      const half = c.measureText(label).width / 2 + 6;
      let [px, py] = this.toScreen(x, y);
      if (px < -20 || py < -10 || px > w + 20 || py > h + 10) continue;
      px = Math.min(Math.max(px, half), w - half);
      py = Math.min(Math.max(py, 12), h - 12);
      if (taken.some(([a, b, g]) => Math.abs(a - px) < half + g && Math.abs(b - py) < 20)) continue;
      taken.push([px, py, half]);
      c.strokeStyle = page;
      c.lineWidth = 4;
      c.globalAlpha = 0.85;
      c.strokeText(label, px, py);
      c.globalAlpha = 1;
      c.fillStyle = ink;
      c.fillText(label, px, py);
    }
  }

  // the nearest document that passes the filters, within reach of the pointer, or -1
  nearest(x, y) {
    const { documents } = this;
    const s = this.scale(), sx = s * this.stretch();
    const px = (x - this.canvas.clientWidth / 2) / sx + this.center[0];
    const py = (y - this.canvas.clientHeight / 2) / s + this.center[1];
    let best = -1, least = (this.radius() + 7) ** 2;
    for (let d = 0; d < documents.n; d++) {
      const dx = (documents.x[d] - px) * sx, dy = (documents.y[d] - py) * s;
      const distance = dx * dx + dy * dy;
      if (distance < least && this.passes(d)) [best, least] = [d, distance];
    }
    return best;
  }

  listen() {
    const { canvas, pointers } = this;
    let moved = 0;
    const at = (event) => [event.offsetX, event.offsetY];
    canvas.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, at(event));
      canvas.setPointerCapture(event.pointerId);
      moved = 0;
      this.onPoint(-1);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = at(event), before = pointers.get(event.pointerId);
      if (!before) return this.onPoint(this.nearest(x, y), x, y);
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) {
        const ratio = Math.hypot(x - other[0], y - other[1]) / Math.hypot(before[0] - other[0], before[1] - other[1]);
        if (Number.isFinite(ratio)) this.zoomBy(ratio, other[0], other[1]);
      } else this.moveBy(x - before[0], y - before[1]);
      moved += Math.abs(x - before[0]) + Math.abs(y - before[1]);
      pointers.set(event.pointerId, [x, y]);
    });
    canvas.addEventListener("pointerup", (event) => {
      pointers.delete(event.pointerId);
      if (moved < 5) this.onChoose(this.nearest(...at(event)));
    });
    canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => this.onPoint(-1));
    canvas.addEventListener("dblclick", (event) => this.zoomBy(2, ...at(event)));
    canvas.addEventListener("wheel", (event) => {
      // a page that is scrolled past the map must not be caught by it
      if (document.activeElement !== canvas && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...at(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const step = 60;
      const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      if (moves[event.key]) this.moveBy(...moves[event.key]);
      else if (event.key === "+" || event.key === "=") this.zoomBy(1.4);
      else if (event.key === "-") this.zoomBy(1 / 1.4);
      else if (event.key === "0") this.home();
      else return;
      event.preventDefault();
    });
  }
}
