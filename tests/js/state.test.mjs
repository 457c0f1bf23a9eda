// The fold, held to the golden messages that the Python client is held to as well.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { ClusterState, InvalidMessageError } from "../../kstream/web/static/kstream.js";

const GOLDEN = new URL("../../fixtures/messages/", import.meta.url);
const names = readdirSync(GOLDEN).filter((name) => name.endsWith(".json"));
const byUid = (held) => [...held.values()].sort((a, b) => (a.uid < b.uid ? -1 : 1));

function told(state) {
  return {
    view: {
      nodes: byUid(state.nodes),
      pods: byUid(state.pods),
      namespaces: byUid(state.namespaces).map((space) => ({ ...space, podCount: state.podCount(space.name) })),
    },
    counts: state.counts(),
    seq: state.seq,
    resume: state.resume,
    stale: state.stale,
    loaded: state.loaded,
    status: state.connection?.status ?? null,
    metrics: state.metrics,
    error: state.error,
    playback: state.playback,
    faults: [...state.faults.keys()],
    asOf: state.asOf,
  };
}

test("there are golden messages", () => assert.ok(names.length > 25));

for (const name of names) {
  test(`the fold of ${name} is as expected`, () => {
    const { steps, expected } = JSON.parse(readFileSync(new URL(name, GOLDEN), "utf8"));
    const state = new ClusterState();
    let before = {};
    for (const step of steps) {
      if (before.client === "disconnected" && step.server) state.connecting();
      if (step.server) state.apply(step.server);
      else if (step.client === "disconnected") state.disconnected();
      else state.want(step.namespaces);
      state.unsaid();
      before = step;
    }
    assert.deepEqual(told(state), expected);
  });
}

const WRONG = [
  [null, "type"],
  [{}, "type"],
  [{ type: "connection" }, "status"],
  [{ type: "initial_state" }, "data"],
  [{ type: "initial_state", data: { nodes: [], pods: [] } }, "namespaces"],
  [{ type: "initial_state", data: { nodes: [{}], pods: [], namespaces: [] } }, "uid"],
  [{ type: "pod_event", action: "ADDED", data: { name: "a" } }, "uid"],
  [{ type: "batch", data: {} }, "data"],
  [{ type: "error" }, "error"],
  [{ type: "metrics", data: [] }, "data"],
];
for (const [message, name] of WRONG) {
  test(`${JSON.stringify(message)} is refused by the name of its field`, () => {
    const state = new ClusterState();
    assert.throws(
      () => state.apply(message),
      (error) => error instanceof InvalidMessageError && error.details.startsWith(`${name}:`),
    );
    assert.equal(state.version, 0);
  });
}

test("a new state counts its own pods only", () => {
  const state = new ClusterState();
  const data = (...pods) => ({ nodes: [], namespaces: [], pods });
  state.apply({ type: "initial_state", data: data({ uid: "1", namespace: "a" }, { uid: "2", namespace: "a" }, { uid: "3", namespace: "b" }) });
  assert.deepEqual([state.podCount("a"), state.podCount("b")], [2, 1]);
  state.apply({ type: "initial_state", data: data({ uid: "1", namespace: "a" }) });
  assert.deepEqual([state.podCount("a"), state.podCount("b")], [1, 0]);
});

test("the version grows with all that can change what is shown, and with nothing else", () => {
  const state = new ClusterState();
  const pod = { uid: "p", namespace: "a" };
  const grows = [
    () => state.apply({ type: "connection", status: "connected" }),
    () => state.apply({ type: "initial_state", data: { nodes: [], pods: [], namespaces: [] } }),
    () => state.apply({ type: "pod_event", action: "ADDED", data: pod }),
    () => state.apply({ type: "batch", data: [] }),
    () => state.apply({ type: "metrics", data: {} }),
    () => state.apply({ type: "playback", data: {} }),
    () => state.apply({ type: "error", error: {} }),
    () => state.want(["a"]),
    () => state.disconnected(),
  ];
  for (const act of grows) {
    const before = state.version;
    act();
    assert.equal(state.version, before + 1, String(act));
  }
  const before = state.version;
  state.apply({ type: "pong" });
  state.apply({ type: "of another time" });
  assert.equal(state.version, before);
});

test("a uid or phase that is a name of Object.prototype is a uid or phase like any other", () => {
  const state = new ClusterState();
  const pod = { uid: "__proto__", namespace: "constructor", phase: "toString" };
  state.apply({ type: "pod_event", action: "ADDED", data: pod });
  state.apply({ type: "batch", data: [{ type: "constructor", action: "ADDED", data: pod }] });
  assert.equal(state.pods.get("__proto__"), pod);
  assert.equal(state.podCount("constructor"), 1);
  assert.equal(state.counts().totalPods, 1);
});
