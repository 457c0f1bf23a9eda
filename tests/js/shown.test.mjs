// What is shown of the cluster is the fold, after every message; and nobody moves on the map who did not in the cluster.
import assert from "node:assert/strict";
import { test } from "node:test";

import { ClusterState } from "../../kstream/web/static/kstream.js";
import { NameOrder } from "../../kstream/web/static/pod-order.js";
import { Shown } from "../../kstream/web/static/shown.js";

let seed = 11;
const random = (limit) => (seed = (seed * 48271) % 2147483647) % limit;
const timestamp = "2025-01-24T10:00:00.000Z";
const pod = (number, status = "Running") => ({ uid: `p${number}`, name: `web-${number}`, namespace: "ab"[number % 2], nodeName: number % 5 ? `node-${number % 5}` : null, status });
const node = (number, status = "Ready") => ({ uid: `n${number}`, name: `node-${number}`, status, labels: { "topology.kubernetes.io/zone": `z${number % 2}` } });

function started() {
  const state = new ClusterState();
  const shown = new Shown(state, "node");
  shown.order = new NameOrder(shown.pods);
  const changed = [];
  shown.onChange = (_, uid) => changed.push(uid);
  shown.onOther = (uid) => changed.push(uid);
  let seq = 0;
  const hear = (message) => {
    state.apply({ timestamp, ...message });
    return shown.hear(message);
  };
  hear({ type: "connection", status: "connected", epoch: "e" });
  const whole = (pods, nodes = [1, 2, 3, 4].map((number) => node(number))) => hear({ type: "initial_state", seq: ++seq, data: { nodes, pods, namespaces: [] } });
  const event = (type, action, data) => ({ type, action, data, seq: ++seq });
  return { state, shown, hear, whole, event, changed };
}

const places = ({ pods, cells }) => new Map([...pods.slots].map(([uid, slot]) => [uid, `${cells.blocks[cells.blockOf[slot]].name}/${cells.cellOf[slot]}`]));

function same({ state, shown }) {
  const { pods, cells, filter, order } = shown;
  assert.deepEqual([...pods.slots.keys()].sort(), [...state.pods.keys()].sort());
  for (const [uid, { nodeName, status }] of state.pods) {
    const slot = pods.slots.get(uid);
    assert.equal(pods.statusOf(slot), status);
    assert.equal(cells.blocks[cells.blockOf[slot]].name, nodeName ?? "");
    assert.equal(cells.blocks[cells.blockOf[slot]].cells[cells.cellOf[slot]], slot);
  }
  const live = cells.blocks.reduce((sum, block) => sum + block.live, 0);
  assert.deepEqual([live, filter.count, pods.count], Array(3).fill(state.pods.size));
  order.refresh();
  assert.deepEqual([...order.slots].map((slot) => pods.fullName(slot)), [...state.pods.values()].map(({ namespace, name }) => `${namespace}/${name}`).sort());
}

test("after every message the columns, the cells, the filter and the order are those of the fold", () => {
  const all = started();
  assert.equal(all.whole(Array.from({ length: 40 }, (_, number) => pod(number))), true);
  same(all);
  for (let round = 0; round < 80; round++) {
    const data = Array.from({ length: 1 + random(12) }, () => {
      const number = random(60);
      if (random(4) === 0) return all.event("pod_event", "DELETED", { uid: `p${number}`, name: `web-${number}`, namespace: "a" });
      if (random(12) === 0) return all.event("node_event", "MODIFIED", node(1 + random(5), ["Ready", "NotReady"][random(2)]));
      return all.event("pod_event", "MODIFIED", { ...pod(number, ["Running", "Error"][random(2)]), nodeName: random(3) ? pod(number).nodeName : `node-${1 + random(4)}` });
    });
    assert.equal(all.hear({ type: "batch", data, seq: data.at(-1).seq }), false);
    same(all);
  }
  all.hear(all.event("node_event", "DELETED", { uid: "n1", name: "node-1" }));
  same(all);
});

test("a state of another moment changes what differs: the others stay in their cells, and only what changed is told", () => {
  const all = started();
  const pods = Array.from({ length: 60 }, (_, number) => pod(number));
  all.whole(pods);
  const before = places(all.shown);
  all.changed.length = 0;
  const later = pods.filter((_, number) => number !== 7).map((each, number) => (number === 9 ? { ...each, status: "Error" } : each));
  all.whole([...later, pod(60)]);
  same(all);
  const after = places(all.shown);
  for (const [uid, place] of after) if (before.has(uid)) assert.equal(place, before.get(uid), uid);
  assert.deepEqual(all.changed, [later[9].uid]);
});

test("a state of which nothing was there is laid out anew, and none is no pods", () => {
  const all = started();
  all.whole([1, 2, 3].map((number) => pod(number)));
  all.whole([11, 12].map((number) => pod(number)));
  same(all);
  assert.deepEqual(all.shown.cells.blocks.map(({ name }) => name), ["node-2", "node-4", "node-1", "node-3"], "in zones");
  all.whole([]);
  same(all);
});

test("a state that comes in parts takes nothing away before all of it is there", () => {
  const all = started();
  const pods = Array.from({ length: 40 }, (_, number) => pod(number));
  all.whole(pods);
  const before = places(all.shown);
  all.hear({ type: "initial_state", data: { nodes: [1, 2, 3, 4].map((number) => node(number)), pods: pods.slice(0, 10), namespaces: [] } });
  assert.deepEqual([all.shown.partial, all.shown.pods.count], [true, 40]);
  const part = (from, to) => pods.slice(from, to).map((data) => ({ type: "pod_event", action: "ADDED", data }));
  all.hear({ type: "batch", data: part(10, 25) });
  assert.equal(all.shown.partial, true);
  all.hear({ type: "batch", data: part(25, 39), seq: 99 });
  assert.equal(all.shown.partial, false);
  same(all);
  for (const [uid, place] of places(all.shown)) assert.equal(place, before.get(uid));
});
