// A table of any length that keeps only the rows in sight in the page, for the mouse, the keys and those who listen.

const SPARE = 6; // rows beyond the edges, so that scrolling shows no gap

/** @typedef {{ id: string, title: string, number?: boolean, sorts?: boolean }} Column */

export class Grid {
  /**
   * @param {HTMLElement} root scrolls, and has the focus
   * @param {{ columns: Column[], label: string, rowHeight?: number, fill: (row: HTMLElement, cells: HTMLElement[], key: any) => void,
   *   pick: (key: any) => void, sort?: (column: string) => void, empty: () => string }} options
   *   `rowHeight` in pixels, as in the style sheet; a key is what tells a row from the others; `empty` says why there is none
   */
  constructor(root, { columns, label, rowHeight = 28, fill, pick, sort = () => {}, empty }) {
    Object.assign(this, { _root: root, _rowHeight: rowHeight, _fill: fill, _pick: pick, _why: empty, _columns: columns });
    this._count = 0;
    /** @type {(index: number) => any} */
    this._at = () => undefined;
    /** @type {{ element: HTMLElement, cells: HTMLElement[], index: number }[]} */
    this._rows = [];
    this._current = -1;
    this._currentKey = undefined;
    root.tabIndex = 0;
    root.setAttribute("role", "grid");
    root.setAttribute("aria-label", label);
    root.setAttribute("aria-colcount", String(columns.length));
    this._head = make("div", "head", "rowgroup");
    const titles = make("div", "titles", "row");
    titles.setAttribute("aria-rowindex", "1");
    this._titles = columns.map(({ id, title, number, sorts = true }) => {
      const cell = make("span", number ? "number" : "", "columnheader");
      const button = document.createElement(sorts ? "button" : "span");
      button.textContent = title;
      if (sorts) {
        button.setAttribute("type", "button");
        button.addEventListener("click", () => sort(id));
      }
      cell.append(button);
      titles.append(cell);
      return cell;
    });
    this._head.append(titles);
    this._body = make("div", "canvas", "rowgroup");
    this._empty = make("div", "row empty", "row");
    this._empty.setAttribute("aria-rowindex", "2");
    this._emptyCell = make("span", "", "gridcell");
    this._emptyCell.setAttribute("aria-colspan", String(columns.length));
    this._empty.append(this._emptyCell);
    this._body.append(this._empty);
    root.append(this._head, this._body);
    root.addEventListener("scroll", () => this.draw(), { passive: true });
    root.addEventListener("keydown", (event) => event.target === root && this._key(event));
    root.addEventListener("focus", () => this._current < 0 && this._go(this._topmost()));
    new ResizeObserver(() => this.draw()).observe(root);
    this._body.addEventListener("click", ({ target }) => {
      const row = this._rows.find(({ element }) => element.contains(/** @type {globalThis.Node} */ (target)));
      if (row === undefined || row.index >= this._count) return;
      this._go(row.index);
      pick(this._at(row.index));
    });
  }

  /** @param {number} count @param {(index: number) => any} at the key of each row, in the order in which they are shown */
  show(count, at) {
    this._count = count;
    this._at = at;
    this._body.style.height = `${count * this._rowHeight}px`;
    this._root.setAttribute("aria-rowcount", String(count + 1));
    this._stay();
    this._empty.hidden = count > 0;
    if (!count) put(this._emptyCell, this._why());
    this.draw();
  }

  /** Which column it is sorted by; said and seen. @param {string} column @param {boolean} descending */
  sortedBy(column, descending) {
    this._columns.forEach(({ id, sorts = true }, at) => {
      if (!sorts) return;
      if (id === column) this._titles[at].setAttribute("aria-sort", descending ? "descending" : "ascending");
      else this._titles[at].removeAttribute("aria-sort");
    });
  }

  toTop() {
    this._root.scrollTop = 0;
  }

  draw() {
    const { scrollTop, clientHeight } = this._root;
    if (!clientHeight) return;
    const first = Math.max(0, Math.floor(scrollTop / this._rowHeight) - SPARE);
    const count = Math.max(0, Math.min(this._count - first, Math.ceil(clientHeight / this._rowHeight) + 2 * SPARE));
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
      row.element.setAttribute("aria-rowindex", String(row.index + 2));
      row.element.style.transform = `translateY(${row.index * this._rowHeight}px)`;
      this._fill(row.element, row.cells, this._at(row.index));
    });
    if (active) this._root.setAttribute("aria-activedescendant", active);
    else this._root.removeAttribute("aria-activedescendant");
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this._root.clientHeight / this._rowHeight) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (Object.hasOwn(steps, event.key)) {
      this._go(this._current < 0 ? this._topmost() : this._current + steps[event.key]);
    } else if ((event.key === "Enter" || event.key === " ") && this._current >= 0) {
      this._pick(this._at(this._current));
    } else return;
    event.preventDefault();
  }

  _topmost() {
    return Math.ceil(this._root.scrollTop / this._rowHeight);
  }

  _go(index) {
    this._current = this._count ? Math.min(Math.max(index, 0), this._count - 1) : -1;
    this._currentKey = this._current < 0 ? undefined : this._at(this._current);
    const top = this._current * this._rowHeight;
    const { scrollTop, clientHeight } = this._root;
    const high = clientHeight - this._head.offsetHeight;
    if (top < scrollTop) this._root.scrollTop = top;
    else if (top + this._rowHeight > scrollTop + high) this._root.scrollTop = top + this._rowHeight - high;
    this.draw();
  }

  /** The keys stay at their row, wherever it has gone; where it was, if it has gone for good. */
  _stay() {
    if (this._current < 0) return;
    if (this._current < this._count && this._at(this._current) === this._currentKey) return;
    for (let index = 0; index < this._count; index++) {
      if (this._at(index) === this._currentKey) {
        this._current = index;
        return;
      }
    }
    this._current = Math.min(this._current, this._count - 1);
    this._currentKey = this._current < 0 ? undefined : this._at(this._current);
  }

  _makeRow() {
    const element = make("div", "row", "row");
    element.id = `${this._root.id}-${this._rows.length}`;
    const cells = this._columns.map(({ number }) => make("span", number ? "number" : "", "gridcell"));
    element.append(...cells);
    this._body.append(element);
    return { element, cells, index: 0 };
  }
}

function make(tag, name, role) {
  const element = document.createElement(tag);
  element.className = name;
  element.setAttribute("role", role);
  return element;
}

/** Set a text only where it differs: most rows are the same most of the time. */
export function put(cell, text) {
  if (cell.textContent !== text) {
    cell.textContent = text;
    cell.title = text;
  }
}
