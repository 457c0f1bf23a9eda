// Time as places on a line: moments and pixels, ticks, and one bar for each state that an object was in.

import { figure, mood } from "./viewer-model.js";

/** @typedef {{ start: number, end: number, width: number }} Span milliseconds since 1970, and pixels */

/** @param {Span} span @param {number} time */
export function placeOf({ start, end, width }, time) {
  return end > start ? (Math.min(Math.max(time, start), end) - start) / (end - start) * width : width;
}

/** @param {Span} span @param {number} x */
export function timeAt({ start, end, width }, x) {
  return start + (Math.min(Math.max(x, 0), width) / Math.max(1, width)) * (end - start);
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000];

/** Round moments, at least `apart` pixels from each other. @param {Span} span @returns {{ time: number, text: string }[]} */
export function ticks({ start, end, width }, apart = 90) {
  const least = ((end - start) / 1000 / Math.max(1, width)) * apart;
  const step = (STEPS.find((seconds) => seconds >= least) ?? 2_592_000 * Math.ceil(least / 2_592_000)) * 1000;
  if (!(end > start)) return [];
  const found = [];
  for (let time = Math.ceil(start / step) * step; time <= end; time += step) found.push({ time, text: tickText(time, step) });
  return found;
}

function tickText(time, step) {
  const text = new Date(time).toISOString();
  if (step >= 86_400_000 || (step >= 10_800_000 && time % 86_400_000 === 0)) return text.slice(5, 10);
  return step >= 60_000 ? text.slice(11, 16) : text.slice(11, 19);
}

/** `2026-11-22 20:59:42`, UTC. @param {number} time */
export function clock(time) {
  return Number.isFinite(time) ? new Date(time).toISOString().slice(0, 19).replace("T", " ") : "–";
}

/**
 * What is drawn of the buckets of `/api/timeline`: heights from 0 to 1. A burst does not hide the rest: heights are of roots.
 * @param {any[]} buckets
 * @returns {{ from: number, to: number, nodes: number, all: number, bad: number, worse: number, events: number, ill: number }[]}
 */
export function bars(buckets) {
  const sum = (counts) => Object.values(counts ?? {}).reduce((total, count) => total + count, 0);
  const figures = buckets.map(({ from, to, counts, bad, worse }) => {
    const nodes = sum(counts.nodes);
    const events = nodes + sum(counts.pods) + sum(counts.namespaces);
    return { from: Date.parse(from), to: Date.parse(to), nodes, events, ill: bad, worse };
  });
  const sickest = Math.max(1, ...figures.map(({ ill }) => ill));
  // The first bucket has all that was there already, and would make the others flat.
  const [first = 1, second = first] = figures.map(({ events }) => events).sort((a, b) => b - a);
  const most = Math.max(1, first > 4 * second ? 4 * Math.max(1, second) : first);
  const part = (count) => Math.min(1, Math.sqrt(count / most));
  return figures.map((each) => ({
    ...each,
    all: part(each.events),
    nodes: part(each.nodes),
    bad: each.ill ? Math.max(0.12, Math.sqrt(each.ill / sickest)) : 0,
  }));
}

/** The words of a bucket. @param {ReturnType<typeof bars>[number]} bar */
export function barText({ from, to, events, ill, worse }) {
  const many = (count, noun) => `${figure(count)} ${noun}${count === 1 ? "" : "s"}`;
  const worsened = worse ? `, ${figure(worse)} got worse` : "";
  return `${clock(from)} to ${clock(to).slice(11)}: ${many(events, "change")}${worsened}, ${figure(ill)} not well`;
}

/**
 * One bar for each state of an object, of its versions (`/api/objects/{uid}/history`).
 * @param {readonly any[]} versions in the order in which they came
 * @param {{ start: number, end: number, status?: string }} span `status` is that of the object as it is held, where no version tells
 * @returns {{ from: number, to: number, status: string, mood: number }[]}
 */
export function lane(versions, { start, end, status = "" }) {
  const change = (version) => version.changes.find(({ path }) => path === "status");
  // Before the first change that is told it was what that one changed.
  const told = versions.map(change).find(Boolean);
  const found = [];
  let now = told ? String(told.before ?? "") : status;
  let since = versions[0]?.action === "ADDED" ? Date.parse(versions[0].time) : start;
  let there = true;
  const close = (to) => {
    if (!there || to < start || since > end) return;
    const last = found.at(-1);
    if (last && last.status === now && last.to >= since) last.to = to;
    else found.push({ from: Math.max(since, start), to, status: now, mood: mood(now) });
  };
  for (const version of versions) {
    const time = Date.parse(version.time);
    const changed = change(version);
    if (version.action === "DELETED") {
      close(time);
      there = false;
    } else if (version.action === "ADDED" && !there) {
      since = time;
      there = true;
    } else if (changed) {
      close(time);
      since = time;
      now = String(changed.after ?? "");
    }
  }
  if (versions.length || status) close(end);
  return found;
}
