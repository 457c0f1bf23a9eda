// The map as pixels: all of it in one pass over typed arrays, or the cells that changed alone; no GPU is needed.

import { corner, inSight, outline } from "./map-layout.js";
import { MOOD } from "./viewer-model.js";

/**
 * Colours as little-endian RGBA (`0xAABBGGRR`). Blue, amber and vermilion differ for those who cannot tell red from green,
 * and in lightness too; what is not well is larger as well where cells are small, and has a mark where they are not.
 * @typedef {{ ground: number, block: number, border: number, ill: number, illBorder: number, tired: number, hole: number,
 *   moods: number[], halo: number, mark: number, flash: number, found: number }} Palette
 */

/** @param {string} hex `#rrggbb` */
export const pixel = (hex) => {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
};

/** @returns {Palette} */
const palette = (hexes, moods) => ({
  ...Object.fromEntries(Object.entries(hexes).map(([name, hex]) => [name, pixel(hex)])),
  moods: moods.map(pixel),
});

// By MOOD: good, done, wait, ending, bad.
export const PALETTES = {
  light: palette(
    {
      ...{ ground: "#ffffff", block: "#f1f4f9", border: "#dde3ee", ill: "#fbe3da", illBorder: "#c8330b", tired: "#fbf0d3", hole: "#e6ebf3" },
      ...{ halo: "#4a0f00", mark: "#ffffff", flash: "#0b1f4d", found: "#1b2033" },
    },
    ["#79b4d9", "#c3cad8", "#eeb024", "#a79ac9", "#d1350a"],
  ),
  dark: palette(
    {
      ...{ ground: "#151a26", block: "#1e2534", border: "#303a50", ill: "#43201a", illBorder: "#ff7a4d", tired: "#3b3117", hole: "#262f41" },
      ...{ halo: "#ffe1d6", mark: "#17110d", flash: "#ffffff", found: "#ffffff" },
    },
    ["#35749b", "#4d576b", "#e3ad3b", "#7468a0", "#ff6a3c"],
  ),
};

const LARGE = 5; // device pixels for a sick pod, whatever its cell has
export const FEW = 3000; // search results that are drawn larger: more are seen as they are
const MARKED = 10; // device pixels from which on a cell has a mark

/** @param {number} from @param {number} to @param {number} share of `to`, 0 to 1 */
export function blend(from, to, share) {
  const mix = (shift) => {
    const [a, b] = [(from >>> shift) & 255, (to >>> shift) & 255];
    return Math.round(a + (b - a) * share) << shift;
  };
  return ((255 << 24) | mix(16) | mix(8) | mix(0)) >>> 0;
}

/**
 * What is painted on: `pixels` has `width` × `height`, its first line is line `top` of the layout. Only the lines `from` to
 * `to` (all, where they are not said) are touched.
 * @typedef {{ pixels: Uint32Array, width: number, height: number, top: number, from?: number, to?: number }} Surface
 */
/**
 * @typedef {{ layout: import("./map-layout.js").Layout, blocks: readonly import("./map-cells.js").Block[],
 *   moods: Uint8Array, palette: Palette, matched?: Uint8Array | null, found?: number, flashes?: Map<number, number> | null }} Shown
 *   `matched` leaves the others pale, `found` is how many match; `flashes` has the share of the flash (0 to 1) of a slot
 */

/**
 * All of it, but for what lies over the others (`paintOver`).
 * @param {Surface} surface @param {Shown} shown
 */
export function paint(surface, shown) {
  const { pixels, width, height, top, from = 0, to = height } = surface;
  const { layout, blocks, palette } = shown;
  pixels.fill(palette.ground, from * width, to * width);
  const [first, last] = inSight(layout, top + from, top + to);
  const { cell, pitch, line: down, pad, label, columns } = layout;
  const one = painter(surface, shown);
  for (let at = first; at < last; at++) {
    const block = blocks[at];
    const [x, y, wide, high] = outline(layout, at);
    if (y - top >= to || y + high - top <= from) continue;
    const ill = block.mood === MOOD.bad;
    const ground = groundOf(block, palette);
    const edge = ill || cell >= 4 ? 1 : 0;
    fill(surface, x, y - top, wide, high, ill ? palette.illBorder : edge ? palette.border : ground);
    fill(surface, x + edge, y - top + edge, wide - 2 * edge, high - 2 * edge, ground);
    const { cells } = block;
    const across = columns[at];
    for (let place = 0, column = 0, left = x + pad, line = y + pad + label - top; place < cells.length; place++) {
      if (line + down > from && line < to) one(cells[place], left, line, ground);
      left += pitch;
      if (++column === across) {
        column = 0;
        left = x + pad;
        line += down;
      }
    }
  }
}

/**
 * Some cells alone: of each its block and its place in it, one after another.
 * @param {Surface} surface @param {Shown} shown @param {ArrayLike<number>} places
 */
export function paintCells(surface, shown, places) {
  const { layout, blocks, palette } = shown;
  const one = painter(surface, shown);
  for (let index = 0; index < places.length; index += 2) {
    const block = blocks[places[index]];
    if (block === undefined || places[index + 1] >= block.room) continue;
    const [left, line] = corner(layout, places[index], places[index + 1]);
    const ground = groundOf(block, palette);
    if (line + layout.tall <= surface.top || line >= surface.top + surface.height) continue;
    fill(surface, left, line - surface.top, layout.cell, layout.tall, ground);
    one(block.cells[places[index + 1]] ?? -1, left, line - surface.top, ground);
  }
}

/** How a block is, where it is a node. @param {import("./map-cells.js").Block} block @param {Palette} palette */
function groundOf({ mood }, palette) {
  return mood === MOOD.bad ? palette.ill : mood === MOOD.wait ? palette.tired : palette.block;
}

/** @param {Surface} surface @param {Shown} shown @returns {(slot: number, left: number, line: number, ground: number) => void} */
function painter(surface, { layout, moods, palette, matched = null, flashes = null }) {
  const { pixels, width, height, from = 0, to = height } = surface;
  const { cell, tall } = layout;
  const pale = palette.moods.map((colour) => blend(palette.block, colour, 0.18));
  const mark = Math.min(cell, tall);
  const masks = mark >= MARKED ? marks(mark) : null;
  const flashing = flashes !== null && flashes.size > 0;
  return (slot, left, line, ground) => {
    if (slot < 0) {
      if (cell >= 6) fill(surface, left, line, cell, tall, palette.hole);
      return;
    }
    const mood = moods[slot];
    let colour = matched === null || matched[slot] === 1 ? palette.moods[mood] : pale[mood];
    const flash = flashing ? flashes.get(slot) : undefined;
    if (flash !== undefined) colour = blend(colour, palette.flash, flash);
    if (line >= from && line + tall <= to && left + cell <= width) {
      for (let row = line * width + left, end = row + tall * width; row < end; row += width) {
        for (let spot = row; spot < row + cell; spot++) pixels[spot] = colour;
      }
    } else fill(surface, left, line, cell, tall, colour);
    if (masks !== null) stamp(surface, left, line, mark, masks[mood], mood === MOOD.done ? ground : palette.mark);
  };
}

/**
 * What has to be found at once, larger than its cell and over the others, where cells are small: what is not well, and few
 * that match. Returns them by the line at which each begins, so that they can be taken away again.
 * @param {Surface} surface @param {Shown & { uids: readonly (string | undefined)[], top: number, blockOf: Int32Array, cellOf: Int32Array }} shown
 *   `top` slots are looked at
 * @returns {Map<number, number>} the line of each slot
 */
export function paintOver(surface, { layout, moods, palette, matched = null, found = 0, uids, top, blockOf, cellOf }) {
  const over = new Map();
  const { cell, tall } = layout;
  if (Math.min(cell, tall) >= LARGE + 2) return over;
  const enlarge = matched !== null && found <= FEW;
  for (let slot = 0; slot < top; slot++) {
    const sick = moods[slot] === MOOD.bad;
    if (!sick && !enlarge) continue;
    if ((matched !== null && matched[slot] !== 1) || uids[slot] === undefined || blockOf[slot] < 0) continue;
    const [left, y] = corner(layout, blockOf[slot], cellOf[slot]);
    const line = y - surface.top - ((LARGE - tall) >> 1);
    if (line + LARGE + 1 < 0 || line - 1 > surface.height) continue;
    const x = left - ((LARGE - cell) >> 1);
    fill(surface, x - 1, line - 1, LARGE + 2, LARGE + 2, sick ? palette.halo : palette.found);
    fill(surface, x, line, LARGE, LARGE, palette.moods[moods[slot]]);
    over.set(slot, line - 1);
  }
  return over;
}

/** How many lines one of them has. */
export const OVER = LARGE + 2;

/** A rectangle, as far as it is on the surface. */
function fill({ pixels, width, height, from = 0, to = height }, x, y, wide, high, colour) {
  const [left, right] = [Math.max(0, x), Math.min(width, x + wide)];
  const bottom = Math.min(to, y + high);
  if (right <= left) return;
  for (let line = Math.max(from, y); line < bottom; line++) pixels.fill(colour, line * width + left, line * width + right);
}

/** @type {Map<number, (Uint8Array | null)[]>} */
const MASKS = new Map();

/** For each mood the pixels of its mark in a cell: none, an outline, a dot, a bar, a cross. @param {number} size */
export function marks(size) {
  let made = MASKS.get(size);
  if (made === undefined) {
    const middle = (size - 1) / 2;
    const thick = Math.max(0.8, size / 12);
    const inner = size * 0.28;
    const mask = (test) => Uint8Array.from({ length: size * size }, (_, at) => (test(Math.abs((at % size) - middle), Math.abs(Math.floor(at / size) - middle), at % size, Math.floor(at / size)) ? 1 : 0));
    const edge = Math.max(1, Math.round(size / 9));
    made = [
      null,
      mask((dx, dy) => dx < middle - edge + 0.5 && dy < middle - edge + 0.5),
      mask((dx, dy) => Math.hypot(dx, dy) <= size * 0.17),
      mask((dx, dy) => dx <= inner && dy <= thick),
      mask((dx, dy) => dx <= inner && dy <= inner && Math.abs(dx - dy) <= thick),
    ];
    if (MASKS.size > 50) MASKS.clear();
    MASKS.set(size, made);
  }
  return made;
}

function stamp({ pixels, width, height, from = 0, to = height }, x, y, size, mask, colour) {
  if (mask === null) return;
  for (let row = Math.max(0, from - y); row < size && y + row < to; row++) {
    for (let column = 0; column < size; column++) {
      if (mask[row * size + column] && x + column < width) pixels[(y + row) * width + x + column] = colour;
    }
  }
}
