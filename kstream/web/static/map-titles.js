// What is written on the map: the names of sections and blocks, and of pods where cells have room for them.

import { corner, outline } from "./map-layout.js";
import { MOOD } from "./viewer-model.js";

const INKS = ["--on-good", "--ink", "--on-wait", "--on-ending", "--on-bad"]; // on cells, by MOOD

/**
 * @typedef {{ layout: import("./map-layout.js").Layout, cells: import("./map-cells.js").MapCells,
 *   pods: import("./pod-columns.js").PodColumns, filter: import("./pod-filter.js").PodFilter, top: number, height: number,
 *   scale: number, style: CSSStyleDeclaration }} Written
 *   the lines from `top` on, `height` of them, are in sight; `scale` device pixels are a CSS pixel
 */

/** @param {CanvasRenderingContext2D} context @param {Written} written */
export function writeTitles(context, written) {
  const { layout, cells, top, height, scale, style } = written;
  context.textBaseline = "middle";
  context.font = `600 ${12 * scale}px ${style.fontFamily}`;
  context.fillStyle = style.getPropertyValue("--quiet");
  for (const { name, first, x, y } of layout.sections) {
    if (y + 24 * scale < top || y > top + height || (name === "" && first === 0)) continue;
    context.fillText(name || "on no known node", x, y - top + 11 * scale);
  }
  if (!layout.label) return;
  if (layout.named) writeNames(context, written);
  context.font = `${11 * scale}px ${style.fontFamily}`;
  context.fillStyle = style.getPropertyValue("--ink");
  cells.blocks.forEach((block, at) => {
    const [x, y, wide, high] = outline(layout, at);
    if (y - top > height || y + high < top) return;
    const ill = block.mood === MOOD.bad ? "✕ " : block.mood === MOOD.wait ? "◦ " : "";
    context.fillText(fitted(context, ill + cells.title(block), wide - 8 * scale), x + 5 * scale, y - top + 10 * scale);
  });
}

/** @param {CanvasRenderingContext2D} context @param {Written} written */
function writeNames(context, { layout, cells, pods, filter, top, height, scale, style }) {
  const colours = INKS.map((name) => style.getPropertyValue(name));
  const quiet = style.getPropertyValue("--quiet");
  context.font = `${11 * scale}px ${style.fontFamily}`;
  cells.blocks.forEach((block, at) =>
    block.cells.forEach((slot, cell) => {
      if (slot < 0) return;
      const [x, y] = corner(layout, at, cell);
      if (y - top > height || y + layout.tall < top) return;
      const mood = pods.mood[slot];
      context.fillStyle = filter.active && !filter.matched[slot] ? quiet : colours[mood];
      const left = mood === MOOD.good ? 6 * scale : layout.tall + scale; // the others have a mark there
      context.fillText(fitted(context, pods.name[slot], layout.cell - left - 4 * scale), x + left, y - top + layout.tall / 2 + scale / 2);
    }),
  );
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} wide */
function fitted(context, text, wide) {
  if (context.measureText(text).width <= wide) return text;
  // What pods of one workload share is at the beginning, what tells them apart at the end.
  const cut = (kept) => `${text.slice(0, kept >> 1)}…${text.slice(text.length - (kept - (kept >> 1)))}`;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(cut(middle)).width <= wide) low = middle;
    else high = middle - 1;
  }
  return low ? cut(low) : "…";
}
