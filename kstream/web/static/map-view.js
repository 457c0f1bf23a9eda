// The map on the page: a canvas that shows a part of the layout, what the mouse, fingers and keys do to it, and its flashes.

import { corner, hit, layOut, neighbour, outline, room } from "./map-layout.js";
import { FEW, OVER, paint, paintCells, paintOver, PALETTES } from "./map-paint.js";
import { writeTitles } from "./map-titles.js";
import { MOOD } from "./viewer-model.js";

const FLASH = 900; // milliseconds for which a changed pod stands out
const MOST_FLASHES = 2000;
const MANY = 8000; // changed cells, from which on all of it is painted
const BEAT = 90; // milliseconds between two paintings while the cluster changes
const ZOOMS = [1, 1.5, 2, 3, 4.5, 7, 10];

export class MapView {
  /**
   * @param {{ root: HTMLElement, canvas: HTMLCanvasElement, spacer: HTMLElement, current: HTMLElement, tip: HTMLElement }} parts
   *   `root` scrolls and has the focus; `current` is the option that tells what the keys are at
   * @param {{ pods: import("./pod-columns.js").PodColumns, cells: import("./map-cells.js").MapCells,
   *   filter: import("./pod-filter.js").PodFilter, pick: (slot: number) => void, pickBlock: (block: any) => void }} shown
   */
  constructor(parts, shown) {
    Object.assign(this, parts, shown);
    /** @type {import("./map-layout.js").Layout | null} */
    this.layout = null;
    this.zoom = 0; // an index of ZOOMS
    /** @type {Map<number, number>} slot → when it changed */
    this._flashes = new Map();
    this._slot = -1; // that the keys are at
    this._hovered = -1;
    /** @type {string | null} the object in the drawer */
    this.selected = null;
    this._drawnAt = -Infinity;
    this._whole = true;
    /** What lies over the others: the line of each slot. @type {Map<number, number>} */
    this._over = new Map();
    this._timer = 0;
    this._frame = 0;
    this._context = this.canvas.getContext("2d", { alpha: false });
    this._still = matchMedia("(prefers-reduced-motion: reduce)");
    this._dark = matchMedia("(prefers-color-scheme: dark)");
    this._dark.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.relay()).observe(this.root);
    this.root.addEventListener("scroll", () => this.draw(), { passive: true });
    this.root.addEventListener("keydown", (event) => this._key(event));
    this.root.addEventListener("focus", () => this._slot < 0 && this._go(this._first()));
    this.canvas.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this._hover(event));
    this.canvas.addEventListener("pointerleave", () => this._unhover());
    this.canvas.addEventListener("click", (event) => this._click(event));
    this.root.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    this._pinching();
  }

  /** Something of what is shown is another: painted soon, with all that comes until then. */
  changed() {
    if (this._timer || this._frame) return;
    this._timer = setTimeout(() => {
      this._timer = 0;
      this._frame ||= requestAnimationFrame(() => this._draw());
    }, Math.max(0, this._drawnAt + BEAT - performance.now()));
  }

  /** All of it, at the next frame. */
  draw() {
    this._whole = true;
    if (!this._frame) this._frame = requestAnimationFrame(() => this._draw());
  }

  /** A pod changed, and is seen to. @param {number} slot */
  flash(slot) {
    if (this._flashes.size < MOST_FLASHES) this._flashes.set(slot, performance.now());
  }

  unflash() {
    this._flashes.clear();
  }

  /** The layout anew: another size, zoom or grouping. */
  relay() {
    this.cells.tidy();
    this.draw();
  }

  /** @param {number} step 1 nearer, -1 farther, 0 all of it in sight */
  zoomBy(step) {
    const before = this.zoom;
    this.zoom = step ? Math.min(Math.max(this.zoom + step, 0), ZOOMS.length - 1) : 0;
    if (this.zoom === before || this.layout === null) return;
    // What is in the middle, or under the keys, stays in sight.
    const held = this._slot >= 0 ? this._slot : this._middle();
    this._lay();
    if (held >= 0) this._reveal(held, true);
    this.draw();
  }

  get mayZoomOut() {
    return this.zoom > 0;
  }

  /** The keys go to a pod and it is scrolled to. @param {number} slot */
  goTo(slot) {
    this._go(slot);
  }

  _scale() {
    return globalThis.devicePixelRatio || 1;
  }

  _lay() {
    const scale = this._scale();
    const width = Math.round(this.root.clientWidth * scale);
    const height = Math.round(this.root.clientHeight * scale);
    const { blocks } = this.cells;
    this.layout = layOut(blocks, { width, height, scale, zoom: ZOOMS[this.zoom] });
    blocks.forEach((block, at) => (block.room = room(/** @type {any} */ (this.layout), at)));
    this.cells.outgrown = false;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
      this.canvas.style.height = `${this.root.clientHeight}px`;
      this._image = null;
    }
    this.spacer.style.height = `${Math.max(0, this.layout.height / scale - this.root.clientHeight)}px`;
  }

  _draw() {
    this._frame = 0;
    clearTimeout(this._timer);
    this._timer = 0;
    if (!this.root.clientWidth || !this.root.clientHeight || this._context === null) return;
    if (this.layout === null || this.cells.outgrown) {
      this._lay();
      this._whole = true;
    }
    const layout = /** @type {import("./map-layout.js").Layout} */ (this.layout);
    const now = (this._drawnAt = performance.now());
    const { width, height } = this.canvas;
    this._image ??= new ImageData(width, height);
    this._pixels = this._pixels?.buffer === this._image.data.buffer ? this._pixels : new Uint32Array(this._image.data.buffer);
    const top = this._top();
    const palette = PALETTES[this._dark.matches ? "dark" : "light"];
    const { active, matched, count } = this.filter;
    const { cells, pods } = this;
    const flashes = this._shares(now);
    const shown = { layout, blocks: cells.blocks, moods: pods.mood, palette, matched: active ? matched : null, found: count, flashes };
    const surface = { pixels: this._pixels, width, height, top };
    const whole = this._whole || cells.altered || cells.touched.length > 2 * MANY;
    if (whole) paint(surface, shown);
    else {
      for (const slot of flashes.keys()) if (cells.blockOf[slot] >= 0) cells.touched.push(cells.blockOf[slot], cells.cellOf[slot]);
      this._heal(surface, shown);
      paintCells(surface, shown, cells.touched);
    }
    const { blockOf, cellOf } = cells;
    this._over = paintOver(surface, { ...shown, uids: pods.uid, top: pods.top, blockOf, cellOf });
    this._whole = cells.altered = false;
    cells.touched = [];
    this._context.putImageData(this._image, 0, 0);
    writeTitles(this._context, { layout, cells, pods, filter: this.filter, top, height, scale: this._scale(), style: getComputedStyle(this.root) });
    this._outlines(layout, top);
    if (this._flashes.size) this.changed();
  }

  /** What was over its neighbours and is well again, or gone, uncovers them. */
  _heal(surface, shown) {
    const { mood, uid } = this.pods;
    for (const [slot, line] of this._over) {
      const at = this.cells.blockOf[slot];
      const still = shown.matched === null ? mood[slot] === MOOD.bad : shown.matched[slot] === 1 && (mood[slot] === MOOD.bad || shown.found <= FEW);
      const there = still && uid[slot] !== undefined && at >= 0;
      if (there && Math.abs(corner(shown.layout, at, this.cells.cellOf[slot])[1] - surface.top - line) <= OVER) continue;
      const [from, to] = [Math.max(0, line), Math.min(surface.height, line + OVER)];
      if (to > from) paint({ ...surface, from, to }, shown);
    }
  }

  _top() {
    return Math.round(this.root.scrollTop * this._scale());
  }

  /** How strongly each changed pod stands out now. */
  _shares(now) {
    const shares = new Map();
    for (const [slot, since] of this._flashes) {
      const share = 1 - (now - since) / FLASH;
      if (share <= 0) {
        this._flashes.delete(slot);
        if (this.cells.blockOf[slot] >= 0) this.cells.touched.push(this.cells.blockOf[slot], this.cells.cellOf[slot]);
      } else shares.set(slot, this._still.matches ? 0.25 : 0.45 * share);
    }
    return shares;
  }

  _outlines(layout, top) {
    const style = getComputedStyle(this.root);
    const context = /** @type {CanvasRenderingContext2D} */ (this._context);
    const scale = this._scale();
    const ring = (slot, colour, wide) => {
      const at = slot >= 0 ? this.cells.blockOf[slot] : -1;
      if (at < 0) return;
      const [x, y] = corner(layout, at, this.cells.cellOf[slot]);
      const out = Math.max(1, wide) + (layout.cell < 8 * scale ? 3 * scale : 0);
      context.lineWidth = wide;
      context.strokeStyle = colour;
      context.strokeRect(x - out / 2 - 0.5, y - top - out / 2 - 0.5, layout.cell + out + 1, layout.tall + out + 1);
    };
    if (this._hovered >= 0 && this.pods.uid[this._hovered] !== undefined) ring(this._hovered, style.getPropertyValue("--ink"), scale);
    const selected = this.selected === null ? undefined : this.pods.slots.get(this.selected);
    if (selected !== undefined) ring(selected, style.getPropertyValue("--accent"), 2.5 * scale);
    if (document.activeElement === this.root) ring(this._slot, style.getPropertyValue("--ink"), 2 * scale);
  }

  /** What is under a pointer. @param {{ offsetX: number, offsetY: number }} event */
  _under({ offsetX, offsetY }) {
    const { layout } = this;
    if (layout === null) return null;
    const scale = this._scale();
    const x = offsetX * scale;
    const y = offsetY * scale + this._top();
    const found = hit(layout, x, y);
    if (found === null) return null;
    const block = this.cells.blocks[found.block];
    let slot = found.cell >= 0 ? (block?.cells[found.cell] ?? -1) : -1;
    // Where cells are smaller than a pointer is exact, the sick one beside it is what is meant.
    if (layout.pitch < 6 * scale) slot = this._sickNear(found, slot);
    return { block, slot };
  }

  /** @param {{ block: number, cell: number }} found @param {number} slot */
  _sickNear(found, slot) {
    if (found.cell < 0) return slot;
    const { cells } = this.cells.blocks[found.block];
    const wide = /** @type {any} */ (this.layout).columns[found.block];
    for (const step of [0, 1, -1, wide, -wide]) {
      const near = cells[found.cell + step] ?? -1;
      if (near >= 0 && this.pods.mood[near] === MOOD.bad) return near;
    }
    return slot;
  }

  _hover(event) {
    const found = this._under(event);
    if (found === null) return this._unhover();
    const { slot, block } = found;
    const { live } = block;
    this.tip.textContent = slot >= 0 ? this.pods.sentence(slot) : `${this.cells.title(block)}, ${live} pod${live === 1 ? "" : "s"}`;
    this.tip.hidden = false;
    const left = Math.min(event.offsetX + 14, this.root.clientWidth - this.tip.offsetWidth - 4);
    const above = event.offsetY + 20 + this.tip.offsetHeight > this.root.clientHeight;
    this.tip.style.transform = `translate(${Math.max(4, left)}px, ${above ? event.offsetY - this.tip.offsetHeight - 8 : event.offsetY + 16}px)`;
    if (this._hovered !== slot) {
      this._hovered = slot;
      this.draw();
    }
  }

  _unhover() {
    this.tip.hidden = true;
    if (this._hovered >= 0) this.draw();
    this._hovered = -1;
  }

  _click(event) {
    const found = this._under(event);
    if (found === null) return;
    if (found.slot >= 0) {
      this._go(found.slot);
      this.pick(found.slot);
    } else this.pickBlock(found.block);
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Enter" || key === " ") {
      if (this._here() >= 0) this.pick(this._slot);
    } else if (key === "Home" || key === "End") this._go(key === "Home" ? this._first() : this._last());
    else if (key === "PageDown" || key === "PageUp") this._go(this._sick(key === "PageDown" ? 1 : -1));
    else if (["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(key)) {
      const at = this._here();
      if (at < 0) this._go(this._first());
      else {
        const [block, cell] = [this.cells.blockOf[at], this.cells.cellOf[at]];
        this._go(neighbour(/** @type {any} */ (this.layout), this.cells.blocks, block, cell, /** @type {any} */ (key)));
      }
    } else return;
    event.preventDefault();
  }

  /** The slot that the keys are at, while it is on the map. */
  _here() {
    return this._slot >= 0 && this.cells.blockOf[this._slot] >= 0 && this.layout !== null ? this._slot : -1;
  }

  _first() {
    for (const { cells } of this.cells.blocks) for (const slot of cells) if (slot >= 0) return slot;
    return -1;
  }

  _last() {
    for (const { cells } of [...this.cells.blocks].reverse()) for (const slot of [...cells].reverse()) if (slot >= 0) return slot;
    return -1;
  }

  /** The next pod that is not well, on from the keys and round. @param {1 | -1} step */
  _sick(step) {
    const sick = [];
    let here = -1;
    for (const { cells } of this.cells.blocks) {
      for (const slot of cells) {
        if (slot < 0) continue;
        if (slot === this._slot) here = step > 0 ? sick.length : sick.length - 1;
        if (this.pods.mood[slot] === MOOD.bad && slot !== this._slot) sick.push(slot);
      }
    }
    if (!sick.length) return this._here();
    return sick[(here + (step > 0 ? 0 : sick.length) + (here < 0 && step < 0 ? -1 : 0) + sick.length) % sick.length];
  }

  /** @param {number} slot */
  _go(slot) {
    if (slot < 0 || this.cells.blockOf[slot] < 0) return;
    this._slot = slot;
    this.current.textContent = this.pods.sentence(slot);
    this.root.setAttribute("aria-activedescendant", this.current.id);
    this._reveal(slot);
    this.draw();
  }

  /** @param {number} slot @param {boolean} [centred] */
  _reveal(slot, centred = false) {
    const at = this.cells.blockOf[slot];
    if (this.layout === null || at < 0) return;
    const scale = this._scale();
    const y = corner(this.layout, at, this.cells.cellOf[slot])[1] / scale;
    const { scrollTop, clientHeight } = this.root;
    if (centred) this.root.scrollTop = y - clientHeight / 2;
    else if (y < scrollTop + 8) this.root.scrollTop = y - 30;
    else if (y + 20 > scrollTop + clientHeight) this.root.scrollTop = y + 40 - clientHeight;
  }

  _middle() {
    const { clientWidth, clientHeight } = this.root;
    return this._under({ offsetX: clientWidth / 2, offsetY: clientHeight / 2 })?.block.cells.find((slot) => slot >= 0) ?? -1;
  }

  _wheel(event) {
    if (!event.ctrlKey) return; // a pinch on a touchpad comes as this, too
    event.preventDefault();
    this._turned = (this._turned ?? 0) + event.deltaY;
    if (Math.abs(this._turned) < 40) return;
    this.zoomBy(this._turned < 0 ? 1 : -1);
    this._turned = 0;
  }

  _pinching() {
    let apart = 0;
    const distance = ({ touches: [a, b] }) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    this.root.addEventListener("touchstart", (event) => event.touches.length === 2 && (apart = distance(event)), { passive: true });
    this.root.addEventListener(
      "touchmove",
      (event) => {
        if (event.touches.length !== 2) return;
        event.preventDefault();
        const ratio = distance(event) / apart;
        if (ratio < 1.35 && ratio > 0.74) return;
        this.zoomBy(ratio > 1 ? 1 : -1);
        apart = distance(event);
      },
      { passive: false },
    );
  }
}
