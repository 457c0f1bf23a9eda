// A list of any length that keeps only the rows in sight in the page, and goes by mouse and by keys.

const SPARE = 6; // rows beyond the edges, so that scrolling shows no gap

export class WindowedList {
  /**
   * @param {HTMLElement} viewport scrolls; a listbox
   * @param {{ cells: number, rowHeight: number, fill: (row: HTMLElement, cells: HTMLElement[], item: any) => void,
   *   pick: (item: any) => void, name?: (item: any) => any, empty?: () => string }} options
   *   `rowHeight` in pixels, as in the style sheet; `name` tells an item from the others, also when it is another object
   *   later; `empty` says why there is none
   */
  constructor(viewport, { cells, rowHeight, fill, pick, name = (item) => item, empty = () => "" }) {
    this._viewport = viewport;
    this._rowHeight = rowHeight;
    this._cells = cells;
    this._fill = fill;
    this._pick = pick;
    this._name = name;
    this._why = empty;
    this._items = [];
    /** @type {{ element: HTMLElement, cells: HTMLElement[], index: number }[]} */
    this._rows = [];
    this._current = -1; // the index that the keys are at
    this._currentName = undefined;
    this._canvas = document.createElement("div");
    this._canvas.className = "canvas";
    this._canvas.setAttribute("role", "presentation");
    this._empty = document.createElement("p");
    this._empty.className = "empty";
    // A listbox has options, and says what is in it by them.
    this._empty.setAttribute("role", "option");
    this._empty.setAttribute("aria-disabled", "true");
    this._empty.hidden = true;
    viewport.append(this._canvas, this._empty);
    viewport.addEventListener("scroll", () => this.draw(), { passive: true });
    viewport.addEventListener("keydown", (event) => this._key(event));
    viewport.addEventListener("focus", () => this._current < 0 && this._go(this._topmost()));
    new ResizeObserver(() => this.draw()).observe(viewport);
    this._canvas.addEventListener("click", ({ target }) => {
      const row = this._rows.find(({ element }) => element.contains(/** @type {globalThis.Node} */ (target)));
      if (row === undefined || this._items[row.index] === undefined) return;
      this._go(row.index);
      pick(this._items[row.index]);
    });
  }

  /** @param {any[]} items in the order in which they are shown */
  show(items) {
    this._items = items;
    this._canvas.style.height = `${items.length * this._rowHeight}px`;
    this._stay();
    this._empty.hidden = items.length > 0;
    if (!items.length) put(this._empty, this._why());
    this.draw();
  }

  draw() {
    const { scrollTop, clientHeight } = this._viewport;
    const first = Math.max(0, Math.floor(scrollTop / this._rowHeight) - SPARE);
    const count = Math.min(this._items.length - first, Math.ceil(clientHeight / this._rowHeight) + 2 * SPARE);
    while (this._rows.length < count) this._rows.push(this._makeRow());
    let active = "";
    this._rows.forEach((row, offset) => {
      row.element.hidden = offset >= count;
      if (offset >= count) return;
      row.index = first + offset;
      const current = row.index === this._current;
      if (current) active = row.element.id;
      row.element.classList.toggle("current", current);
      row.element.setAttribute("aria-selected", String(current));
      row.element.setAttribute("aria-posinset", String(row.index + 1));
      row.element.setAttribute("aria-setsize", String(this._items.length));
      row.element.style.transform = `translateY(${row.index * this._rowHeight}px)`;
      this._fill(row.element, row.cells, this._items[row.index]);
    });
    if (active) this._viewport.setAttribute("aria-activedescendant", active);
    else this._viewport.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const page = Math.max(1, Math.floor(this._viewport.clientHeight / this._rowHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (Object.hasOwn(steps, event.key)) {
      this._go(this._current < 0 ? this._topmost() : this._current + steps[event.key]);
    } else if ((event.key === "Enter" || event.key === " ") && this._items[this._current] !== undefined) {
      this._pick(this._items[this._current]);
    } else return;
    event.preventDefault();
  }

  _topmost() {
    return Math.ceil(this._viewport.scrollTop / this._rowHeight);
  }

  _go(index) {
    this._current = this._items.length ? Math.min(Math.max(index, 0), this._items.length - 1) : -1;
    this._currentName = this._current < 0 ? undefined : this._name(this._items[this._current]);
    const top = this._current * this._rowHeight;
    const { scrollTop, clientHeight } = this._viewport;
    if (top < scrollTop) this._viewport.scrollTop = top;
    else if (top + this._rowHeight > scrollTop + clientHeight) this._viewport.scrollTop = top + this._rowHeight - clientHeight;
    this.draw();
  }

  /** The keys stay at their item, wherever it has gone; where it was, if it has gone for good. */
  _stay() {
    if (this._current < 0) return;
    const at = this._items[this._current];
    if (at !== undefined && this._name(at) === this._currentName) return;
    const found = this._items.findIndex((item) => this._name(item) === this._currentName);
    this._current = found >= 0 ? found : Math.min(this._current, this._items.length - 1);
    this._currentName = this._current < 0 ? undefined : this._name(this._items[this._current]);
  }

  _makeRow() {
    const element = document.createElement("div");
    element.className = "row";
    element.id = `${this._viewport.id}-${this._rows.length}`;
    element.setAttribute("role", "option");
    const cells = Array.from({ length: this._cells }, () => document.createElement("span"));
    element.append(...cells);
    this._canvas.append(element);
    return { element, cells, index: 0 };
  }
}

/** Set a text only where it differs: most rows are the same most of the time. */
export function put(cell, text) {
  if (cell.textContent !== text) {
    cell.textContent = text;
    cell.title = text;
  }
}
