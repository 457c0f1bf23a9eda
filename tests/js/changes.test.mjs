// What is new since: the changes of a message, added up for a frame, and snapshots that share what has not changed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Changes, ClusterState, KstreamClient } from "../../kstream/web/static/kstream.js";
import { connect, FakeWebSocket, HELLO, last, STATE } from "./fake-socket.mjs";

const pod = (uid, more = {}) => ({ uid, name: uid, namespace: "shop", ...more });
const event = (action, data, type = "pod_event") => ({ type, action, data });
const state = (...pods) => ({ type: "initial_state", data: { nodes: [], pods, namespaces: [] } });
const batch = (...data) => ({ type: "batch", data });
const told = ({ whole, pods }) => [whole, ...[pods.added, pods.changed, pods.removed].map((uids) => [...uids].join(" "))];

function folded(...messages) {
  const fold = new ClusterState();
  for (const message of messages) fold.apply(message);
  return fold;
}

test("a message says which objects came, changed and went", () => {
  const fold = folded(state(pod("a")));
  const after = (message) => {
    fold.apply(message);
    return told(fold.changes);
  };
  assert.deepEqual(told(fold.changes), [true, "", "", ""]);
  assert.deepEqual(after(event("ADDED", pod("b"))), [false, "b", "", ""]);
  assert.deepEqual(after(event("MODIFIED", pod("b"))), [false, "", "b", ""]);
  assert.deepEqual(after(event("MODIFIED", pod("unknown"))), [false, "unknown", "", ""]);
  assert.deepEqual(after(event("ADDED", pod("b"))), [false, "", "b", ""], "what was there only looks different");
  assert.deepEqual(after(event("DELETED", pod("b"))), [false, "", "", "b"]);
  assert.deepEqual(after(event("DELETED", pod("b"))), [false, "", "", ""], "it was gone already");
  assert.deepEqual(after(batch(event("ADDED", pod("c")), event("MODIFIED", pod("c")))), [false, "c", "", ""]);
  assert.deepEqual(after({ type: "metrics", data: {} }), [false, "", "", ""]);
  assert.equal(fold.changes.empty, true);
});

test("each kind has its own changes", () => {
  const fold = folded(event("ADDED", pod("n"), "node_event"));
  assert.deepEqual([...fold.changes.nodes.added], ["n"]);
  fold.apply(event("ADDED", pod("s"), "namespace_event"));
  assert.deepEqual([[...fold.changes.namespaces.added], fold.changes.nodes.added.size], [["s"], 0]);
});

test("what was taken of a batch before it was refused is told with the next message", () => {
  const fold = folded(state(pod("a")));
  assert.throws(() => fold.apply(batch(event("ADDED", pod("b")), event("ADDED", {}))), /uid/);
  fold.apply(event("DELETED", pod("a")));
  assert.deepEqual(told(fold.changes), [false, "b", "", "a"]);
  fold.apply(event("DELETED", pod("b")));
  assert.deepEqual(told(fold.changes), [false, "", "", "b"]);
});

test("a client tells of changes before it says that something may look different, and not of what changed nothing", () => {
  const client = connect();
  const heard = [];
  client.addEventListener("changes", ({ changes }) => heard.push(told(changes)));
  client.addEventListener("change", () => heard.push("change"));
  last().say(HELLO, STATE, event("ADDED", pod("a")), { type: "metrics", data: {} });
  client.close();
  const [, , whole, , added] = heard;
  assert.deepEqual([whole, added], [[true, "", "", ""], [false, "a", "", ""]]);
  assert.equal(heard.filter((each) => each !== "change").length, 2);
});

test("a snapshot is the same object until something may look different", () => {
  const client = new KstreamClient("ws://h/ws", { WebSocket: FakeWebSocket, fetch: null });
  const none = client.snapshot();
  assert.deepEqual([none.loaded, none.stale, none.status.link, none.pods.size], [false, true, "closed", 0]);
  assert.equal(client.snapshot(), none);
  client.start();
  assert.equal(client.snapshot().status.link, "connecting");
  last().say(HELLO, STATE, event("ADDED", pod("a")));
  const one = client.snapshot();
  assert.equal(client.snapshot(), one);
  last().say(event("MODIFIED", pod("a", { phase: "Running" })), { type: "error", error: { code: "WATCH_ERROR", fault: "log" } });
  const two = client.snapshot();
  assert.deepEqual([one.pods.get("a").phase, one.faults.size], [undefined, 0]);
  assert.deepEqual([two.pods.get("a").phase, [...two.faults.keys()]], ["Running", ["log"]]);
  assert.equal(two.nodes, one.nodes, "what has not changed is shared");
  assert.throws(() => (two.pods = null), TypeError);
  client.close();
  assert.equal(client.snapshot().status.link, "closed");
  assert.deepEqual([two.status.link, two.faults.size], ["connected", 1]);
});

test("the objects of a snapshot read as those of a map, in the order in which they came", () => {
  const { pods, podCounts } = folded(state(pod("b"), pod("a", { namespace: "x" })), event("ADDED", pod("c"))).snapshot();
  assert.deepEqual([...pods.keys()], ["b", "a", "c"]);
  assert.deepEqual([...pods], [...pods.entries()]);
  assert.deepEqual([...pods].map(([uid, { name }]) => uid + name), ["bb", "aa", "cc"]);
  assert.deepEqual([pods.size, pods.has("c"), pods.has("d"), pods.get("d")], [3, true, false, undefined]);
  const each = [];
  pods.forEach(function (item, uid, all) {
    each.push([this.own, item.uid === uid, all === pods]);
  }, { own: 1 });
  assert.deepEqual(each, Array(3).fill([1, true, true]));
  assert.deepEqual([...podCounts], [["shop", 2], ["x", 1]]);
});

test("an event copies the part that it touches and shares all others", () => {
  const fold = folded(state(...Array.from({ length: 2000 }, (_, at) => pod(`p${at}`))));
  const before = fold.snapshot().pods;
  fold.apply(event("MODIFIED", pod("p700")));
  fold.apply(event("MODIFIED", pod("p701")));
  const after = fold.snapshot().pods;
  assert.deepEqual(after.parts.map((part, at) => part === before.parts[at]), [true, false, true, true]);
});

test("what comes and goes for ever leaves nothing behind", () => {
  const fold = folded(state(pod("stays")));
  fold.snapshot();
  for (let at = 0; at < 5000; at++) {
    fold.apply(event("ADDED", pod(`p${at}`)));
    fold.apply(event("DELETED", pod(`p${at}`)));
  }
  const { pods } = fold.snapshot();
  assert.deepEqual([...pods.keys()], ["stays"]);
  assert.ok(pods.parts.length <= 3, `${pods.parts.length} parts for one pod`);
});

/** The same numbers each time: mulberry32. */
function dice(seed) {
  return (sides) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

for (let seed = 0; seed < 20; seed++) {
  test(`whatever happens, a snapshot stays what it was, and the changes lead from one to the next: seed ${seed}`, () => {
    const roll = dice(seed);
    const fold = folded(state());
    const kept = [];
    let due = new Changes();
    let drawn = new Map();
    const anything = (at) => event(["ADDED", "MODIFIED", "DELETED"][roll(3)], pod(`p${roll(700)}`, { at, namespace: `n${roll(3)}` }));
    for (let at = 0; at < 600; at++) {
      if (roll(100) === 0) fold.apply(state(...Array.from({ length: roll(900) }, (_, uid) => pod(`p${uid}`, { at }))));
      else fold.apply(batch(...Array.from({ length: roll(20) }, () => anything(at))));
      due.add(fold.changes);
      if (roll(5) === 0) {
        const snapshot = fold.snapshot();
        assert.equal(snapshot.pods.size, fold.pods.size);
        assert.deepEqual(new Map(snapshot.podCounts), fold._podsIn);
        drawn = redrawn(drawn, due, snapshot.pods);
        due = new Changes();
        assert.deepEqual(drawn, fold.pods);
        if (kept.length < 5) kept.push([snapshot, new Map(fold.pods)]);
      }
    }
    for (const [{ pods }, held] of kept) assert.deepEqual(new Map(pods), held);
  });
}

/** As a page that draws once a frame: only what it is told is looked at. */
function redrawn(drawn, { whole, pods: { added, changed, removed } }, pods) {
  if (whole) return new Map(pods);
  for (const uid of added) assert.ok(!drawn.has(uid), `${uid} was drawn`);
  for (const uid of [...changed, ...removed]) assert.ok(drawn.has(uid), `${uid} was not drawn`);
  for (const uid of removed) drawn.delete(uid);
  for (const uid of [...added, ...changed]) drawn.set(uid, pods.get(uid));
  return drawn;
}
