// Time without the page: places on a line, bars, lanes, where the page is, links, and what is said of all of it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ClusterState } from "../../kstream/web/static/kstream.js";
import { PLAIN, readView, socketQuery, writeView } from "../../kstream/web/static/link.js";
import { Playhead } from "../../kstream/web/static/playhead.js";
import { place, standing, whyEmpty } from "../../kstream/web/static/standing.js";
import { bars, barText, clock, lane, placeOf, ticks, timeAt } from "../../kstream/web/static/time-scale.js";

const START = Date.parse("2025-01-24T10:00:00Z");
const at = (seconds) => new Date(START + seconds * 1000).toISOString();

test("a moment is at a place, and the place is that moment", () => {
  const span = { start: START, end: START + 1000, width: 500 };
  assert.deepEqual([placeOf(span, START), placeOf(span, START + 500), placeOf(span, START + 9999)], [0, 250, 500]);
  assert.equal(timeAt(span, 250), START + 500);
  assert.equal(placeOf({ start: START, end: START, width: 500 }, START), 500, "a moment is at its end");
});

test("ticks are round moments with room between them", () => {
  for (const [length, text] of [[5, "10:00:01"], [600, "10:01"], [86_400 * 3, "01-25"], [86_400 * 4000, "-"]]) {
    const found = ticks({ start: START, end: START + length * 1000, width: 900 });
    assert.ok(found.length > 1 && found.length < 12, `${length}: ${found.length}`);
    assert.ok(found.some((tick) => tick.text.includes(text)), JSON.stringify(found));
  }
  assert.deepEqual(ticks({ start: START, end: START, width: 900 }), []);
  assert.equal(clock(START), "2025-01-24 10:00:00");
  assert.equal(clock(NaN), "–");
});

test("what was there at first does not make the rest flat, and few that are ill are seen", () => {
  const bucket = (from, pods, bad = 0, worse = 0) => ({ from: at(from), to: at(from + 1), counts: pods ? { pods: { MODIFIED: pods }, nodes: { MODIFIED: 1 } } : {}, bad, worse });
  const found = bars([bucket(0, 150_000), bucket(1, 100, 1, 1), bucket(2, 0, 400)]);
  assert.equal(found[0].all, 1);
  assert.ok(found[1].all > 0.4 && found[2].all === 0);
  assert.ok(found[1].bad >= 0.12 && found[2].bad === 1 && found[0].bad === 0);
  assert.equal(barText(found[1]), "2025-01-24 10:00:01 to 10:00:02: 101 changes, 1 got worse, 1 not well");
});

const change = (seconds, before, after) => ({ time: at(seconds), action: "MODIFIED", changes: [{ path: "status", before, after }] });

test("a lane has a bar for each state, from when it came until it went", () => {
  const versions = [
    { time: at(10), action: "ADDED", changes: [] },
    change(20, "Pending", "Running"),
    { time: at(25), action: "MODIFIED", changes: [{ path: "labels.a", before: null, after: "b" }] },
    change(30, "Running", "Error"),
    { time: at(40), action: "DELETED", changes: [] },
  ];
  const found = lane(versions, { start: START, end: START + 60_000 });
  assert.deepEqual(found.map(({ from, to, status }) => [(from - START) / 1000, (to - START) / 1000, status]), [[10, 20, "Pending"], [20, 30, "Running"], [30, 40, "Error"]]);
  const part = lane(versions, { start: START + 22_000, end: START + 26_000 });
  assert.deepEqual(part.map(({ status }) => status), ["Running"]);
});

test("what was there before the log, and what never changed, has a bar too", () => {
  const span = { start: START, end: START + 60_000, status: "Running" };
  assert.deepEqual(lane([change(20, "Running", "Error")], span).map(({ status }) => status), ["Running", "Error"]);
  assert.deepEqual(lane([], span).map(({ from, to, status }) => [from, to, status]), [[START, START + 60_000, "Running"]]);
  assert.deepEqual(lane([], { ...span, status: "" }), []);
});

test("a link is the view, and the view is the link", () => {
  const view = { ...PLAIN, namespaces: ["a", "b"], labels: "app=web", at: at(5), pod: "shop/web-1", group: "owner", words: "crash loop", trouble: true, sort: "-age", tab: "nodes", show: "map" };
  const query = writeView(view);
  assert.match(query, /^\?at=2025-01-24T10:00:05.000Z&ns=a,b&labels=app%3Dweb&q=crash\+loop&trouble&pod=shop\/web-1&/);
  assert.deepEqual(readView(query), view);
  assert.equal(writeView(PLAIN), "");
  assert.deepEqual(readView(""), PLAIN);
  assert.deepEqual(readView("?namespaces=a,,b&group=nonsense&tab=x&sort=<&show=7"), { ...PLAIN, namespaces: ["a", "b"] });
  assert.equal(readView(`?pod=${"x".repeat(9999)}`).pod.length, 2000);
});

test("a moment of a link stands still unless it says a speed, and who follows says nothing else", () => {
  assert.deepEqual(socketQuery(PLAIN), {});
  assert.deepEqual(socketQuery({ ...PLAIN, at: "-5m" }), { at: "-5m", paused: "true" });
  assert.deepEqual(socketQuery({ ...PLAIN, at: "-5m", speed: "4" }), { at: "-5m", speed: "4" });
  assert.deepEqual(socketQuery({ ...PLAIN, at: "-5m", follow: "abc" }), { follow: "abc" });
});

/** A source that notes what it is told. */
function played(more = {}) {
  const state = new ClusterState();
  const said = [];
  const source = { shared: true, ...more, client: { state, status: { link: "connected" } }, playback: (...command) => said.push(command) > 0 };
  const hear = (message) => {
    state.apply(message);
    head.hear(message);
  };
  let now = 0;
  const head = new Playhead(source, { follow: "" }, () => now);
  hear({ type: "connection", status: "connected", source: "simulate", epoch: "e", timestamp: at(0) });
  hear({ type: "initial_state", seq: 10, data: { nodes: [], pods: [], namespaces: [] }, timestamp: at(0) });
  return { state, said, hear, head, pass: (milliseconds) => (now += milliseconds) };
}

test("time goes on between messages while it is played, and stands while nothing is known", () => {
  const { state, head, hear, pass } = played();
  pass(2000);
  assert.equal(head.time, START + 2000);
  hear({ type: "playback", data: { state: "playing", speed: 4, at: at(100), start: at(0), end: at(103), id: "x" }, timestamp: at(100) });
  pass(500);
  assert.equal(head.time, START + 102_000);
  pass(5000);
  assert.equal(head.time, START + 103_000, "not past the end");
  hear({ type: "playback", data: { state: "paused", speed: 4, at: at(50), start: at(0), end: at(103), id: "x" }, timestamp: at(50) });
  pass(5000);
  assert.equal(head.time, START + 50_000);
  hear({ type: "playback", data: { state: "playing", speed: 1, at: at(50), start: at(0), end: at(103), id: "x" }, timestamp: at(50) });
  state.disconnected();
  pass(1000);
  assert.equal(head.time, START + 50_000);
});

test("one seek is on its way at a time, the last one follows, and the present is stopped first", () => {
  const { said, head, hear } = played();
  for (const seconds of [5, 4, 3]) head.seek(at(seconds));
  assert.deepEqual(said, [["pause"], ["seek", { at: at(5) }]]);
  hear({ type: "playback", data: { state: "paused", speed: 1, at: at(5), start: at(0), end: at(9), id: "x" }, timestamp: at(5) });
  hear({ type: "initial_state", seq: 5, data: { nodes: [], pods: [], namespaces: [] }, timestamp: at(5) });
  assert.deepEqual(said.slice(2), [["seek", { at: at(3) }]]);
  head.live();
  hear({ type: "initial_state", seq: 3, data: { nodes: [], pods: [], namespaces: [] }, timestamp: at(3) });
  assert.deepEqual(said.slice(3), [["live"]]);
  head.back();
  head.toggle();
  head.step();
  head.pace("max");
  assert.deepEqual(said.slice(4), [["seek", { at: "seq:2" }], ["play"], ["step"], ["pause", { speed: "max" }]]);
});

test("a recording in the page is asked where it is, and is not stopped before it is moved", () => {
  const { said, head } = played({ shared: false, time: () => START + 7000 });
  assert.equal(head.time, START + 7000);
  head.skip(-10_000);
  assert.deepEqual(said, [["seek", { at: at(-3) }]]);
  assert.equal(head.place.present, false);
});

test("a seek that nothing answers is not waited for for ever", () => {
  const { said, head, pass } = played();
  head.seek(at(5));
  pass(5000);
  head.seek(at(4));
  assert.equal(said.at(-1)[1].at, at(4));
});

test("where in time the page is, is said in a few words", () => {
  const said = (source, data, more) => place({ connection: { source }, playback: data }, more).text;
  const own = { id: "x", speed: 1 };
  assert.equal(said("live", null), "Live");
  assert.equal(said("replay", { state: "playing", speed: 10 }), "Replay, playing ×10");
  assert.equal(said("replay", { state: "ended", speed: 10 }), "Replay, ended");
  assert.equal(said("replay", { state: "paused", speed: 1 }), "Replay, paused");
  assert.equal(said("live", { ...own, state: "paused" }), "In the past, paused");
  assert.equal(said("live", { ...own, state: "playing", speed: "max" }), "In the past, playing at full speed");
  assert.equal(said("replay", { ...own, state: "ended" }, { following: true }), "Following, ended");
  assert.equal(said("replay", { state: "playing", speed: 4 }, { recording: true }), "Playing ×4");
});

const connected = { link: "connected", reason: "", failed: 0 };
const heard = (...messages) => {
  const state = new ClusterState();
  state.apply({ type: "connection", status: "connected", epoch: "e", timestamp: at(0) });
  state.apply({ type: "initial_state", seq: 1, data: { nodes: [], pods: [], namespaces: [] }, timestamp: at(0) });
  for (const message of messages) state.apply({ timestamp: at(0), ...message });
  return state;
};
const fault = (code, name, details = "") => ({ type: "error", error: { code, message: "It is so", details, fault: name } });

test("all that is wrong is said, each with what to do", () => {
  const state = heard(fault("PERMISSION_DENIED", "permission:list:pods:shop"), fault("PERMISSION_DENIED", "permission:watch:nodes"), fault("WATCH_ERROR", "log"));
  const { text, tone, problems } = standing(connected, state);
  assert.deepEqual([text, tone, problems.length], ["Connected in part", "wait", 3]);
  assert.match(problems[0].remedy, /to list pods in shop \(RBAC\)/);
  assert.match(problems[1].remedy, /to watch nodes \(RBAC\)/);
  assert.match(problems[2].remedy, /disk/);
  for (const code of ["CONNECTION_FAILED", "CLUSTER_UNREACHABLE", "INVALID_KUBECONFIG", "RATE_LIMITED", "INVALID_MESSAGE", "WATCH_ERROR"]) {
    const [problem] = standing(connected, heard({ type: "error", error: { code, message: "It is so.", details: "" } })).problems;
    assert.ok(problem.remedy.length > 10, code);
    assert.equal(problem.text, "It is so.");
  }
});

test("what is old says how old, and a countdown is not said aloud", () => {
  const state = heard({ type: "metrics", data: {}, asOf: at(7) });
  assert.deepEqual(standing(connected, state), { text: "Connected", tone: "good", problems: [], old: "", said: "Connected." });
  state.disconnected();
  const waiting = { link: "waiting", reason: "code 1006", failed: 5 };
  const found = standing(waiting, state, { seconds: 3 });
  assert.equal(found.text, "Reconnecting in 3 s");
  assert.match(found.problems[0].text, /The server is gone: code 1006\. 5 attempts failed; trying goes on\./);
  assert.equal(found.old, "What is shown is as of 2025-01-24 10:00:07 UTC.");
  assert.equal(found.said, standing(waiting, state, { seconds: 2 }).said);
  const damaged = standing({ link: "closed", reason: "It is damaged", failed: 0 }, state, { recording: true });
  assert.deepEqual([damaged.text, damaged.problems[0].text], ["Not open", "It is damaged."]);
  assert.equal(standing(connected, heard(), { recording: true }).text, "Recording");
  const partial = standing(connected, heard(), { partial: true });
  assert.deepEqual([partial.text, partial.tone, partial.said], ["0 pods so far", "wait", "A large state is coming in parts."]);
  const refused = standing({ link: "waiting", reason: "The server refuses the filter: It is wrong (labels: =)", failed: 1 }, state);
  assert.match(refused.problems[0].text, /^The server refuses the filter: /);
  assert.match(refused.said, /refuses the filter/);
  const lost = heard({ type: "connection", status: "reconnecting", epoch: "e" });
  assert.deepEqual(standing(connected, lost).problems.length, 1);
});

test("an empty list says why", () => {
  assert.match(whyEmpty(new ClusterState(), "pods", 0), /No state has come yet/);
  assert.match(whyEmpty(heard(), "pods", 5003), /none of 5,003 pods/);
  assert.match(whyEmpty(heard(), "pods", 0), /There are no pods/);
  assert.match(whyEmpty(heard(fault("PERMISSION_DENIED", "permission:list:pods")), "pods", 0), /may not list pods/);
});
