// A list of any length that keeps only the rows in sight in the page.

const SPARE = 6; // rows beyond the edges, so that scrolling shows no gap

export class WindowedList {
  /**
   * @param {HTMLElement} viewport scrolls
   * @param {{ cells: number, rowHeight: number, fill: (row: HTMLElement, cells: HTMLElement[], item: any) => void,
   *   pick?: (item: any) => void }} options `rowHeight` in pixels, as in the style sheet
   */
  constructor(viewport, { cells, rowHeight, fill, pick }) {
    this._viewport = viewport;
    this._rowHeight = rowHeight;
    this._cells = cells;
    this._fill = fill;
    this._pick = pick;
    this._items = [];
    /** @type {{ element: HTMLElement, cells: HTMLElement[], index: number }[]} */
    this._rows = [];
    this._canvas = document.createElement("div");
    this._canvas.className = "canvas";
    this._canvas.setAttribute("role", "presentation");
    viewport.append(this._canvas);
    viewport.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(viewport);
    if (pick) {
      this._canvas.addEventListener("click", ({ target }) => {
        const row = this._rows.find(({ element }) => element.contains(/** @type {globalThis.Node} */ (target)));
        if (row && this._items[row.index] !== undefined) pick(this._items[row.index]);
      });
    }
  }

  /** @param {any[]} items in the order in which they are shown */
  show(items) {
    this._items = items;
    this._canvas.style.height = `${items.length * this._rowHeight}px`;
    this.draw();
  }

  draw() {
    const { scrollTop, clientHeight } = this._viewport;
    const first = Math.max(0, Math.floor(scrollTop / this._rowHeight) - SPARE);
    const count = Math.min(this._items.length - first, Math.ceil(clientHeight / this._rowHeight) + 2 * SPARE);
    while (this._rows.length < count) this._rows.push(this._makeRow());
    this._rows.forEach((row, offset) => {
      row.element.hidden = offset >= count;
      if (offset >= count) return;
      row.index = first + offset;
      row.element.style.transform = `translateY(${row.index * this._rowHeight}px)`;
      this._fill(row.element, row.cells, this._items[row.index]);
    });
  }

  _makeRow() {
    const element = document.createElement("div");
    element.className = "row";
    element.setAttribute("role", "listitem");
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
