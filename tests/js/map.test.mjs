// The map without the page: who is in which cell, where the cells are, what is under a point, and the pixels.
import assert from "node:assert/strict";
import { test } from "node:test";

import { MapCells, sectionsOf } from "../../kstream/web/static/map-cells.js";
import { corner, hit, inSight, layOut, neighbour, outline, room } from "../../kstream/web/static/map-layout.js";
import { blend, marks, paint, paintCells, paintOver, PALETTES, pixel } from "../../kstream/web/static/map-paint.js";
import { PodColumns } from "../../kstream/web/static/pod-columns.js";
import { MOOD } from "../../kstream/web/static/viewer-model.js";

const pod = (name, nodeName = "node-1", status = "Running") => ({ uid: name, name, namespace: "shop", nodeName, status, owner: { kind: "Deployment", name: name.split("-")[0] } });

/** Nodes with so many pods each, and their map. */
function cluster(sizes, grouping = "node") {
  const pods = new PodColumns();
  sizes.forEach((size, node) => {
    for (let number = 0; number < size; number++) pods.put(pod(`p${node}-${number}`, `node-${node}`));
  });
  const cells = new MapCells(pods, grouping);
  sizes.forEach((_, node) => cells.node(`node-${node}`, `zone-${"ab"[node % 2]}`, MOOD.good));
  cells.tidy();
  return { pods, cells };
}

const places = ({ pods, cells }) => new Map([...pods.slots].map(([uid, slot]) => [uid, `${cells.blocks[cells.blockOf[slot]].name} ${cells.cellOf[slot]}`]));

test("a pod that goes leaves its cell, and nobody else moves; who comes takes an empty one", () => {
  const all = cluster([5, 5, 5]);
  const before = places(all);
  all.cells.remove(all.pods.remove("p1-2"));
  const between = places(all);
  for (const [uid, place] of between) assert.equal(place, before.get(uid));
  all.cells.put(all.pods.put(pod("new", "node-1")));
  assert.equal(places(all).get("new"), before.get("p1-2"));
  assert.equal(all.cells.blocks.find(({ name }) => name === "node-1").live, 5);
});

test("a pod that is put on a node leaves the block of those on none", () => {
  const all = cluster([2]);
  all.cells.put(all.pods.put(pod("late", null)));
  assert.equal(places(all).get("late"), " 0");
  all.cells.put(all.pods.put(pod("late", "node-0")));
  assert.equal(places(all).get("late"), "node-0 2");
  all.cells.tidy();
  assert.deepEqual(all.cells.blocks.map(({ name }) => name), ["node-0"], "the empty block goes when all is laid out anew");
});

test("a new block is put at the end until all is laid out anew, then it is in order", () => {
  const all = cluster([1, 1, 1]);
  all.cells.outgrown = false;
  const before = all.cells.blocks.map(({ name }) => name);
  all.cells.node("node-00", "zone-a", MOOD.bad);
  assert.deepEqual(all.cells.blocks.map(({ name }) => name), [...before, "node-00"]);
  assert.equal(all.cells.outgrown, true);
  all.cells.tidy();
  assert.deepEqual(all.cells.blocks.map(({ section }) => section), ["zone-a", "zone-a", "zone-a", "zone-b"]);
  for (const [uid, slot] of all.pods.slots) assert.equal(all.cells.blocks[all.cells.blockOf[slot]].name, `node-${uid[1]}`);
});

test("pods are grouped by namespace and by owner, too", () => {
  const { cells } = cluster([3, 3], "owner");
  assert.deepEqual(cells.blocks.map((block) => cells.title(block)), ["shop Deployment p0", "shop Deployment p1"]);
  cells.regroup("namespace");
  assert.deepEqual(cells.blocks.map(({ name, live }) => [name, live]), [["shop", 6]]);
});

test("nodes are divided by zone, else by role, else not", () => {
  const zoned = (zone, role = "worker") => ({ role, labels: zone ? { "topology.kubernetes.io/zone": zone } : {} });
  assert.equal(sectionsOf([zoned("a"), zoned("b")])(zoned("b")), "b");
  assert.equal(sectionsOf([zoned(""), zoned("", "control-plane")])(zoned("")), "worker");
  assert.equal(sectionsOf([zoned("a"), zoned("a")])(zoned("a")), "");
});

for (const [name, sizes, view] of [
  ["a few", [7, 9, 10, 10, 5], { width: 750, height: 530 }],
  ["hundreds", Array.from({ length: 60 }, (_, node) => 20 + (node % 11)), { width: 750, height: 530 }],
  ["thousands", Array.from({ length: 3000 }, (_, node) => node % 40), { width: 1200, height: 600 }],
  ["on a phone", Array.from({ length: 60 }, () => 25), { width: 1098, height: 1200, scale: 3 }],
  ["one that is huge", [12_000, 3, 400], { width: 750, height: 530 }],
]) {
  test(`all of it is in sight, no two blocks touch, and each cell is found where it is (${name})`, () => {
    const { cells } = cluster(sizes);
    const layout = layOut(cells.blocks, view);
    assert.ok(layout.height <= view.height, `${layout.height}`);
    const rectangles = cells.blocks.map((_, at) => outline(layout, at));
    for (const [x, , width] of rectangles) assert.ok(x >= 0 && x + width <= view.width, `${x} + ${width}`);
    for (const { first, last } of layout.shelves) {
      for (let at = first + 1; at < last; at++) assert.ok(rectangles[at][0] >= rectangles[at - 1][0] + rectangles[at - 1][2]);
    }
    cells.blocks.forEach((block, at) => {
      assert.ok(room(layout, at) >= block.cells.length);
      for (const cell of [0, block.cells.length - 1]) {
        if (cell < 0) continue;
        const [x, y] = corner(layout, at, cell);
        assert.deepEqual(hit(layout, x + layout.cell / 2, y + layout.tall / 2), { block: at, cell });
      }
    });
    assert.equal(hit(layout, -5, -5), null);
  });
}

test("few pods have their names, and a zoom makes cells larger than the view has room for", () => {
  const few = layOut(cluster([4, 4]).cells.blocks, { width: 750, height: 530 });
  assert.equal(few.named, true);
  const { cells } = cluster(Array.from({ length: 200 }, () => 30));
  const fitting = layOut(cells.blocks, { width: 750, height: 530 });
  const nearer = layOut(cells.blocks, { width: 750, height: 530, zoom: 3 });
  assert.ok(nearer.cell > 2 * fitting.cell && nearer.height > 530);
  const [first, last] = inSight(nearer, 1000, 1200);
  assert.ok(first > 0 && last < 200 && last > first);
  assert.deepEqual(inSight(nearer, 1e6, 2e6), [0, 0]);
  assert.equal(layOut([], { width: 750, height: 530 }).sections.length, 0);
});

test("arrow keys reach every pod and stop at the edges", () => {
  const { pods, cells } = cluster([5, 7, 3, 9]);
  const layout = layOut(cells.blocks, { width: 400, height: 300 });
  const go = (slot, key) => neighbour(layout, cells.blocks, cells.blockOf[slot], cells.cellOf[slot], key);
  const first = cells.blocks[0].cells[0];
  const seen = new Set([first]);
  for (let slot = first; slot >= 0; slot = go(slot, "ArrowRight")) seen.add(slot);
  assert.equal(seen.size, pods.count);
  assert.equal(go(first, "ArrowLeft"), -1);
  assert.equal(go(first, "ArrowUp"), -1);
  let down = first;
  for (let next = go(down, "ArrowDown"); next >= 0; next = go(down, "ArrowDown")) down = next;
  assert.equal(layout.y[cells.blockOf[down]], layout.shelves.at(-1).y, "down ends in the last row of blocks");
});

test("a cell has the colour of how its pod is, a sick one is larger than a small cell, what does not match is pale", () => {
  const { pods, cells } = cluster(Array.from({ length: 900 }, () => 12));
  const view = { width: 500, height: 300 };
  const layout = layOut(cells.blocks, view);
  assert.ok(layout.cell < 5);
  const sick = cells.blocks[40].cells[5];
  pods.put(pod(pods.name[sick], cells.blocks[40].name, "CrashLoopBackOff"));
  const pixels = new Uint32Array(view.width * view.height);
  const palette = PALETTES.light;
  const draw = (more = {}) => {
    const shown = { layout, blocks: cells.blocks, moods: pods.mood, palette, ...more };
    paint({ pixels, ...view, top: 0 }, shown);
    return paintOver({ pixels, ...view, top: 0 }, { ...shown, uids: pods.uid, top: pods.top, blockOf: cells.blockOf, cellOf: cells.cellOf });
  };
  const at = (block, cell) => {
    const [x, y] = corner(layout, block, cell);
    return pixels[y * view.width + x];
  };
  assert.deepEqual([...draw().keys()], [sick]);
  assert.equal(at(3, 2), palette.moods[MOOD.good]);
  assert.equal(at(40, 5), palette.moods[MOOD.bad]);
  assert.ok(pixels.filter((colour) => colour === palette.moods[MOOD.bad]).length >= 25);
  assert.ok(pixels.includes(palette.halo));
  draw({ matched: new Uint8Array(pods.capacity), found: 0 });
  assert.equal(at(3, 2), blend(palette.block, palette.moods[MOOD.good], 0.18));
  draw({ flashes: new Map([[cells.blocks[3].cells[2], 0.5]]) });
  assert.equal(at(3, 2), blend(palette.moods[MOOD.good], palette.flash, 0.5));
});

test("a part of the map that is scrolled to is that part, pixel for pixel", () => {
  const { pods, cells } = cluster(Array.from({ length: 60 }, () => 25));
  const layout = layOut(cells.blocks, { width: 300, height: 200, zoom: 4 });
  const whole = new Uint32Array(300 * layout.height);
  const what = { layout, blocks: cells.blocks, moods: pods.mood, palette: PALETTES.dark };
  paint({ pixels: whole, width: 300, height: layout.height, top: 0 }, what);
  for (const top of [0, 7, 333, layout.height - 200]) {
    const part = new Uint32Array(300 * 200);
    paint({ pixels: part, width: 300, height: 200, top }, what);
    assert.deepEqual(part, whole.slice(top * 300, (top + 200) * 300), `${top}`);
  }
});

test("cells that changed, painted alone, are as if all was painted; so are lines that are painted anew", () => {
  for (const [sizes, view] of [[Array.from({ length: 300 }, () => 12), { width: 500, height: 300 }], [[5, 9, 3], { width: 600, height: 400 }], [Array.from({ length: 40 }, () => 20), { width: 500, height: 400 }]]) {
    const { pods, cells } = cluster(sizes);
    const layout = layOut(cells.blocks, view);
    cells.blocks.forEach((block, at) => (block.room = room(layout, at)));
    const shown = { layout, blocks: cells.blocks, moods: pods.mood, palette: PALETTES.light };
    const surface = { pixels: new Uint32Array(view.width * view.height), ...view, top: 3 };
    paint(surface, shown);
    cells.touched = [];
    for (let step = 0; step < 40; step++) {
      const name = `p${step % sizes.length}-${step % 3}`;
      if (step % 4) cells.put(pods.put(pod(name, `node-${step % sizes.length}`, ["Running", "Error", "Pending", "Completed"][step % 4])));
      else if (pods.slots.has(name)) cells.remove(pods.remove(name));
    }
    paintCells(surface, shown, cells.touched);
    const whole = { ...surface, pixels: new Uint32Array(surface.pixels.length) };
    paint(whole, shown);
    assert.deepEqual(surface.pixels, whole.pixels);
    surface.pixels.fill(7, 40 * view.width, 90 * view.width);
    paint({ ...surface, from: 40, to: 90 }, shown);
    assert.deepEqual(surface.pixels, whole.pixels);
  }
});

test("marks differ, and colours are what they are written as", () => {
  const made = marks(14);
  assert.equal(made[MOOD.good], null);
  const seen = new Set(made.slice(1).map((mask) => mask.join("")));
  assert.equal(seen.size, 4);
  for (const mask of made.slice(1)) assert.ok(mask.some(Boolean));
  assert.equal(pixel("#102030"), 0xff302010);
  assert.equal(blend(pixel("#000000"), pixel("#ffffff"), 0.5), pixel("#808080"));
});
