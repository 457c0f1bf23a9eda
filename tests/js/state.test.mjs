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
      else state.want(step.namespaces, { kinds: step.kinds, labels: step.labels, detail: step.detail });
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
      (error) => error instanceof InvalidMessageError && error.name === "InvalidMessageError" && error.details.startsWith(`${name}:`),
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

test("a refusal says of which message it is", () => {
  const state = new ClusterState();
  assert.throws(() => state.apply({ type: "metrics" }), /^InvalidMessageError: A metrics message is not of the contract's shape/);
  assert.throws(() => state.apply({ type: "initial_state", data: {} }), /A state message is not of the contract's shape/);
});

test("a state that has heard nothing holds nothing, is stale, and has nothing to say", () => {
  const { wanted, connection, metrics, playback, error, seq, resume, loaded, stale, version } = new ClusterState(["b", "a"]);
  assert.deepStrictEqual(
    [wanted, connection, metrics, playback, error, seq, resume, loaded, stale, version],
    [["b", "a"], null, null, null, null, null, null, false, true, 0],
  );
  assert.strictEqual(new ClusterState().unsaid(), null);
});

test("a state of a server that did not say who it is cannot be resumed", () => {
  const state = new ClusterState();
  state.apply({ type: "initial_state", seq: 10, data: { nodes: [], pods: [], namespaces: [] } });
  assert.deepStrictEqual([state.seq, state.resume], [10, null]);
});

test("an error stands until the source is well again", () => {
  const state = new ClusterState();
  state.apply({ type: "connection", status: "connected" });
  state.apply({ type: "error", error: { code: "CONNECTION_FAILED" } });
  state.apply({ type: "connection", status: "reconnecting" });
  assert.deepEqual(state.error, { code: "CONNECTION_FAILED" });
  state.apply({ type: "connection", status: "connected" });
  assert.equal(state.error, null);
});

test("pods alone are counted in namespaces, and one without pods is forgotten", () => {
  const state = new ClusterState();
  const event = (type, action, data) => state.apply({ type, action, data });
  event("node_event", "ADDED", { uid: "n", namespace: "a" });
  event("namespace_event", "ADDED", { uid: "a", name: "a" });
  assert.deepEqual([state.podCount("a"), state.podCount("undefined")], [0, 0]);
  event("pod_event", "ADDED", { uid: "p", namespace: "a" });
  assert.equal(state.podCount("a"), 1);
  event("pod_event", "DELETED", { uid: "p", namespace: "a" });
  assert.equal(state._podsIn.size, 0);
});
