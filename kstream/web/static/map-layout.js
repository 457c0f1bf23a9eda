// Where the blocks and cells of the map are, in device pixels: the largest cells with which all of it is in sight.

/** @typedef {{ name: string, first: number, last: number, x: number, y: number, height: number }} Section blocks `first` to `last` - 1 */
/** @typedef {{ y: number, height: number, first: number, last: number }} Shelf a row of blocks beside each other */
/**
 * @typedef {{ pitch: number, line: number, cell: number, tall: number, named: boolean, pad: number, label: number, width: number, height: number, sections: Section[],
 *   shelves: Shelf[], x: Int32Array, y: Int32Array, columns: Int32Array, rows: Int32Array }} Layout
 *   `pitch` and `line` are from cell to cell, across and down, `cell` and `tall` what is painted of one; `named` ones have
 *   room for the name of their pod; `label` the height of a block's title, 0 where there is no
 *   room for one; `x`, `y`, `columns`, `rows` are of each block
 */

// CSS pixels of a cell, across and down, and the height of a block's title, the largest first; the first one has room for names.
const NAMED = /** @type {const} */ ([142, 20]);
const MOST_NAMED = 500;
const FEW = 400; // blocks
const TITLED = 80; // blocks, up to which titles are worth smaller cells
const SIZES = [
  ...[40, 36, 32, 28, 25, 22, 20, 18, 16, 15, 14, 13, 12, 11, 10].map((size) => [size, size, 16]),
  ...[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((size) => [size, size, 0]),
  ...[[2, 1, 0], [1, 1, 0]], // what is not well is larger than that
];

/**
 * @param {readonly { section: string, cells: { length: number } }[]} blocks those of a section one after another
 * @param {{ width: number, height: number, scale?: number, zoom?: number }} view device pixels; `scale` of them are a CSS
 *   pixel; with a `zoom` above 1 it is higher than the view
 * @returns {Layout}
 */
export function layOut(blocks, { width, height, scale = 1, zoom = 1 }) {
  const rooms = roomsOf(blocks);
  const lay = (across, down, title, abreast = 1, split = 1) =>
    attempt(blocks, rooms, { width, scale, abreast, split, title: Math.round(title * scale), pitch: Math.max(1, Math.round(across * scale)), line: Math.max(1, Math.round(down * scale)) });
  const named = (abreast = 1, split = 1) => lay(...NAMED, 16, abreast, split);
  const fits = (found) => found.height <= height;
  // Few blocks leave room beside those of a section: another section may stand there.
  const parts = new Set(blocks.map(({ section }) => section)).size;
  const ways = blocks.length <= FEW && parts > 1 && parts <= 6 ? [1, 2, parts] : [1];
  /** @type {Layout | undefined} */
  let best = rooms.all <= MOST_NAMED ? [1, 2, 3].flatMap((split) => ways.map((way) => named(way, split))).find(fits) : undefined;
  const smaller = blocks.length <= TITLED ? [[9, 9, 16], [8, 8, 16], [7, 7, 16]] : [];
  const sizes = [...SIZES.filter(([, , title]) => title), ...smaller, ...SIZES.filter(([, , title]) => !title)];
  for (const [across, down, title] of sizes) {
    if (best !== undefined) break;
    if (rooms.all * across * down * scale * scale > width * height) continue; // the cells alone do not fit
    for (const way of ways) best ??= [lay(across, down, title, way)].find(fits);
  }
  best ??= lay(2, 2, 0); // so many that it is scrolled anyway
  if (zoom <= 1 || best.named) return best;
  const size = Math.max(best.pitch + 1, Math.round(best.pitch * zoom)) / scale;
  return size > 56 ? named() : lay(size, size, size >= 10 ? 16 : 0);
}

/** Cells for each block: what it has and a tenth, and as many as the middle one has, so that most look alike and grow in place. */
function roomsOf(blocks) {
  const lengths = Array.from(blocks, ({ cells }) => cells.length);
  const inOrder = Int32Array.from(lengths).sort();
  const middle = inOrder.length ? inOrder[inOrder.length >> 1] : 0;
  const typical = Math.max(1, Math.ceil(middle * 1.1));
  const sum = lengths.reduce((all, length) => all + length, 0);
  return { rooms: lengths.map((length) => Math.max(typical, Math.ceil(length * 1.1))), all: sum, each: Math.max(typical, sum / Math.max(1, blocks.length)) };
}

/**
 * @param {readonly { section: string }[]} blocks
 * @param {{ rooms: number[], each: number }} needs
 * @param {{ width: number, scale: number, title: number, pitch: number, line: number, abreast: number, split: number }} sizes
 *   `abreast` is how many columns of sections there are, `split` how many of names in a block
 * @returns {Layout}
 */
function attempt(blocks, { rooms, each }, { width, scale, title: label, pitch, line: down, abreast, split }) {
  const css = pitch / scale;
  const between = css >= 12 ? Math.round(2 * scale) : pitch >= 4 ? Math.max(1, Math.round(scale)) : 0;
  const [cell, tall] = [pitch - between, down - between];
  const named = pitch > 3 * down;
  const pad = Math.max(0, Math.round((label ? 5 : css >= 5 ? 3 : down / scale >= 2 ? 1 : 0) * scale));
  const gap = Math.max(1, Math.round((label ? 8 : css >= 5 ? 3 : 1) * scale));
  const head = Math.round(22 * scale);
  const narrowest = label && !named ? Math.round(88 * scale) : 0;
  const most = Math.max(1, Math.floor((Math.floor(width / abreast) - 2 * gap - 2 * pad) / pitch));
  const atLeast = Math.min(most, Math.ceil((narrowest - 2 * pad) / pitch));
  // Blocks are somewhat wider than high.
  const high = Math.max(1, named ? Math.ceil(each / split) : Math.round(Math.sqrt(each / 1.6)));
  const count = blocks.length;
  const [x, y, columns, rows] = Array.from({ length: 4 }, () => new Int32Array(count));
  /** @type {Section[]} */
  const sections = [];
  /** @type {Shelf[]} */
  const shelves = [];
  const lane = Math.floor(width / abreast);
  const tops = new Array(abreast).fill(gap); // of each column of sections
  for (let first = 0; first < count; ) {
    let last = first;
    while (last < count && blocks[last].section === blocks[first].section) last += 1;
    const column = tops.indexOf(Math.min(...tops));
    const [start, end] = [column * lane + gap, (column + 1) * lane];
    let top = tops[column];
    const section = { name: blocks[first].section, first, last, x: start, y: top, height: 0 };
    if (section.name !== "" || first > 0) top += head;
    let shelf = { y: top, height: 0, first, last: first };
    let left = start;
    for (let at = first; at < last; at++) {
      columns[at] = Math.min(most, Math.max(atLeast, Math.ceil(rooms[at] / high)));
      rows[at] = Math.max(1, Math.ceil(rooms[at] / columns[at]));
      const wide = columns[at] * pitch + 2 * pad;
      if (left > start && left + wide > end) {
        shelves.push(shelf);
        top += shelf.height + gap;
        shelf = { y: top, height: 0, first: at, last: at };
        left = start;
      }
      x[at] = left;
      y[at] = top;
      left += wide + gap;
      shelf.height = Math.max(shelf.height, rows[at] * down + 2 * pad + label);
      shelf.last = at + 1;
    }
    shelves.push(shelf);
    top += shelf.height + gap;
    section.height = top - section.y;
    tops[column] = top;
    sections.push(section);
    first = last;
  }
  const top = Math.max(...tops);
  return { pitch, line: down, cell, tall, named, pad, label, width, height: top, sections, shelves, x, y, columns, rows };
}

/** The outline of a block: x, y, width, height. @param {Layout} layout @param {number} block @returns {[number, number, number, number]} */
export function outline(layout, block) {
  const { pitch, line, pad, label, x, y, columns, rows } = layout;
  return [x[block], y[block], columns[block] * pitch + 2 * pad, rows[block] * line + 2 * pad + label];
}

/** How many cells a block has room for. @param {Layout} layout @param {number} block */
export function room(layout, block) {
  return layout.columns[block] * layout.rows[block];
}

/** The upper left corner of a cell. @param {Layout} layout @param {number} block @param {number} cell @returns {[number, number]} */
export function corner({ x, y, pad, label, pitch, line, columns }, block, cell) {
  return [x[block] + pad + (cell % columns[block]) * pitch, y[block] + pad + label + Math.floor(cell / columns[block]) * line];
}

/** What is at a point: a block and perhaps (else -1) one of its cells; null between blocks. @param {Layout} layout @param {number} atX @param {number} atY */
export function hit(layout, atX, atY) {
  for (const shelf of layout.shelves) {
    if (atY < shelf.y || atY >= shelf.y + shelf.height) continue;
    for (let block = shelf.first; block < shelf.last; block++) {
      const [x, y, width, height] = outline(layout, block);
      if (atX < x || atX >= x + width || atY < y || atY >= y + height) continue;
      const column = Math.floor((atX - x - layout.pad) / layout.pitch);
      const row = Math.floor((atY - y - layout.pad - layout.label) / layout.line);
      const inside = column >= 0 && column < layout.columns[block] && row >= 0 && row < layout.rows[block];
      return { block, cell: inside ? row * layout.columns[block] + column : -1 };
    }
  }
  return null;
}

/** The first and (exclusive) last block that a range of heights shows; some between them may be out of it. @param {Layout} layout @param {number} from @param {number} to @returns {[number, number]} */
export function inSight({ shelves }, from, to) {
  const seen = shelves.filter(({ y, height }) => y < to && y + height > from);
  return seen.length ? [seen[0].first, Math.max(...seen.map(({ last }) => last))] : [0, 0];
}

/**
 * The pod that an arrow key goes to from a cell, -1 where there is none in that direction.
 * @param {Layout} layout @param {readonly { cells: number[] }[]} blocks @param {number} block @param {number} cell
 * @param {"ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown"} key
 */
export function neighbour(layout, blocks, block, cell, key) {
  const across = key === "ArrowLeft" || key === "ArrowRight";
  const step = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const wide = layout.columns[block];
  // In the block: the next one that is taken, along the line or the column.
  for (let at = cell + (across ? step : step * wide); at >= 0 && at < blocks[block].cells.length; at += across ? step : step * wide) {
    if (blocks[block].cells[at] >= 0) return blocks[block].cells[at];
  }
  if (across) {
    for (let next = block + step; next >= 0 && next < blocks.length; next += step) {
      const { cells } = blocks[next];
      const found = step > 0 ? cells.find((slot) => slot >= 0) : cells.findLast((slot) => slot >= 0);
      if (found !== undefined) return found;
    }
    return -1;
  }
  // Over the edge: the nearest cell of the next shelf that has any.
  const [fromX] = corner(layout, block, cell);
  const shelf = layout.shelves.findIndex(({ first, last }) => block >= first && block < last);
  for (let next = shelf + step; next >= 0 && next < layout.shelves.length; next += step) {
    let [best, nearest] = [-1, Infinity];
    for (let at = layout.shelves[next].first; at < layout.shelves[next].last; at++) {
      blocks[at].cells.forEach((slot, place) => {
        if (slot < 0) return;
        const [x, y] = corner(layout, at, place);
        const [, edge] = step > 0 ? [0, layout.shelves[next].y] : [0, layout.shelves[next].y + layout.shelves[next].height];
        const distance = Math.abs(x - fromX) * 4 + Math.abs(y - edge);
        if (distance < nearest) [best, nearest] = [slot, distance];
      });
    }
    if (best >= 0) return best;
  }
  return -1;
}
