// What a server answers over HTTP of a log, of a recording in a page: /api/timeline, /api/objects/{uid}/history.

import { stamp } from "./player.js";

/** @typedef {import("./columns.js").Columns} Columns */

/** As /api/timeline answers. @param {Columns} columns @param {number} buckets 1 to 2000 */
export function timelineOf(columns, buckets) {
  const { from, to, count } = columns;
  const edges = Array.from({ length: buckets + 1 }, (_, number) =>
    number === buckets ? to.time : from.time + ((to.time - from.time) * number) / buckets,
  );
  let [start, bad] = [0, columns.unwell];
  const made = edges.slice(1).map((ends, number) => {
    // A clock that went back moves no event into two buckets.
    const end = number === buckets - 1 ? count : columns.reached(ends, start);
    const told = bucket(columns, start, end, bad);
    [start, bad] = [end, told.bad];
    return { from: stamp(edges[number]), to: stamp(ends), ...told };
  });
  const placed = ({ seq, time }) => ({ seq, time: stamp(time) });
  return { type: "timeline", from: placed(from), to: placed(to), buckets: made };
}

function bucket(columns, start, end, before) {
  const seq = columns.from.seq;
  /** @type {Record<string, Record<string, number>>} */
  const counts = {};
  let [worse, better] = [0, 0];
  for (let at = start; at < end; at++) {
    const verbs = (counts[`${columns.kindOf(columns.of[at])}s`] ??= {});
    const action = columns.actionOf(at);
    verbs[action] = (verbs[action] ?? 0) + 1;
    if (columns.worse[at] > 0) worse += 1;
    if (columns.worse[at] < 0) better += 1;
  }
  const some = end > start;
  return { first: some ? seq + start + 1 : null, last: some ? seq + end : null, counts, worse, better, bad: before + worse - better };
}

/**
 * As /api/objects/{uid}/history answers. An object that was there already is told from its first change on.
 * @param {Columns} columns @param {string} uid
 * @throws {RangeError} for a uid of which nothing is recorded
 */
export function historyOf(columns, uid) {
  const places = new Map();
  columns.uids.forEach((each, place) => {
    if (each === uid) places.set(place, place < columns.begins ? columns.born(place) : undefined);
  });
  const [first] = places.keys();
  if (first === undefined) throw new RangeError(`Nothing is recorded of that object: "${uid.slice(0, 100)}"; uid is that of a resource`);
  const events = [];
  columns.of.forEach((place, at) => places.has(place) && events.push(at));
  const numbers = columns.versions(events);
  const versions = events.map((at, number) => {
    const place = columns.of[at];
    const before = places.get(place);
    const { action, body } = columns.change(at, before);
    places.set(place, body);
    const changes = action === "MODIFIED" ? [...differences("", before, body)] : [];
    return { seq: columns.from.seq + at + 1, time: stamp(columns.times[at]), action, uid, version: numbers[number], changes };
  });
  return { type: "history", ...columns.keyOf(first), cursor: null, versions };
}

const isFields = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @returns {Generator<{ path: string, before: any, after: any }>} as kstream/core/timeline/difference.py tells them */
export function* differences(path, before, after) {
  if (isFields(before) && isFields(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* differences(path ? `${path}.${name}` : name, own(before, name), own(after, name));
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    const [left, right] = [byName(before), byName(after)];
    if (left && right) {
      for (const name of new Set([...left.keys(), ...right.keys()])) yield* differences(`${path}[${name}]`, left.get(name), right.get(name));
    } else {
      for (let at = 0; at < Math.max(before.length, after.length); at++) yield* differences(`${path}[${at}]`, before[at], after[at]);
    }
  } else if (before !== after) yield { path, before: before ?? null, after: after ?? null };
}

function own(fields, name) {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** @returns {Map<string, any> | null} null where they cannot be told apart by name */
function byName(items) {
  for (const field of ["name", "type"]) {
    const named = new Map(items.filter((item) => isFields(item) && typeof item[field] === "string").map((item) => [item[field], item]));
    if (named.size === items.length) return named;
  }
  return null;
}
