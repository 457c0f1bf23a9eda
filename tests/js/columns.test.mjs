// Pods as columns: what is kept of them, which match, and their order, each against the plain way.
import assert from "node:assert/strict";
import { test } from "node:test";

import { PodColumns } from "../../kstream/web/static/pod-columns.js";
import { matching, PodFilter } from "../../kstream/web/static/pod-filter.js";
import { byKey, NameOrder, ranks } from "../../kstream/web/static/pod-order.js";
import { MOOD } from "../../kstream/web/static/viewer-model.js";

let seed = 7;
const random = (limit) => (seed = (seed * 48271) % 2147483647) % limit;

const pod = (name, fields = {}) => ({
  ...{ uid: `uid-${name}`, name, namespace: "shop", nodeName: "node-1", status: "Running", creationTimestamp: "2025-01-24T10:00:00Z" },
  containers: [{ ready: true, restartCount: 2 }],
  ...fields,
});

test("what is read of a pod is in its slot, and a slot is another pod's when it has gone", () => {
  const pods = new PodColumns();
  const slot = pods.put(pod("web-1", { status: "CrashLoopBackOff", owner: { kind: "Deployment", name: "web" } }));
  assert.equal(pods.fullName(slot), "shop/web-1");
  assert.equal(pods.statusOf(slot), "CrashLoopBackOff");
  assert.equal(pods.mood[slot], MOOD.bad);
  assert.deepEqual([pods.ready[slot], pods.total[slot], pods.restarts[slot]], [1, 1, 2]);
  assert.equal(pods.owners.texts[pods.owner[slot]], "shop/Deployment/web");
  assert.equal(pods.find("shop/web-1"), slot);
  assert.equal(pods.put(pod("web-1")), slot);
  assert.equal(pods.mood[slot], MOOD.good);
  assert.deepEqual([...pods.moods], [1, 0, 0, 0, 0]);
  assert.equal(pods.remove("uid-web-1"), slot);
  assert.equal(pods.remove("uid-web-1"), -1);
  assert.equal(pods.put(pod("web-2")), slot);
  assert.deepEqual([pods.count, pods.find("shop/web-1"), pods.find("shop/web-2")], [1, -1, slot]);
});

test("a pod that was sent with its figures alone is as good as a whole one", () => {
  const pods = new PodColumns();
  const slot = pods.put({ uid: "u", namespace: "shop", name: "web", nodeName: null, status: "Running", ready: "1/2", restarts: 3 });
  assert.deepEqual([pods.ready[slot], pods.total[slot], pods.restarts[slot]], [1, 2, 3]);
  assert.equal(pods.mood[slot], MOOD.wait, "it runs and is not ready");
  assert.match(pods.sentence(slot), /^shop\/web, Running, 1 of 2 ready, 3 restarts, on no node$/);
});

test("pods of one workload go together where nothing tells their owner", () => {
  const pods = new PodColumns();
  const owners = ["web-66d8fd7c74-25c8j", "web-66d8fd7c74-drvmr", "db-0", "db-1"].map((name) =>
    pods.owner[pods.put(pod(name, name.startsWith("web") ? { labels: { "pod-template-hash": "66d8fd7c74" } } : {}))],
  );
  assert.equal(owners[0], owners[1]);
  assert.equal(owners[2], owners[3]);
  assert.notEqual(owners[0], owners[2]);
});

test("columns grow without forgetting", () => {
  const pods = new PodColumns();
  for (let number = 0; number < 5000; number++) pods.put(pod(`p-${number}`, { nodeName: `node-${number % 7}` }));
  for (const number of [0, 1023, 1024, 4999]) {
    const slot = pods.slots.get(`uid-p-${number}`);
    assert.equal(pods.nodes.texts[pods.node[slot]], `node-${number % 7}`);
  }
  assert.equal(pods.moods[MOOD.good], 5000);
});

test("the filter says of each pod what a look at the pod says, while pods come, change and go", () => {
  const pods = new PodColumns();
  const filter = new PodFilter(pods);
  const held = new Map();
  const wants = [{}, { words: "crash" }, { words: "WEB node-2" }, { namespaces: ["b"] }, { trouble: true }, { words: "a/web-1", trouble: false }];
  for (const wanted of wants) {
    filter.want(wanted);
    for (let step = 0; step < 300; step++) {
      const name = `web-${random(80)}`;
      const namespace = "ab"[random(2)];
      const uid = `${namespace}/${name}`;
      if (random(4)) {
        const each = pod(name, { uid, namespace, status: ["Running", "CrashLoopBackOff"][random(2)], nodeName: `node-${random(3)}` });
        held.set(uid, each);
        filter.touch(pods.put(each));
      } else {
        held.delete(uid);
        const slot = pods.remove(uid);
        if (slot >= 0) filter.touch(slot);
      }
    }
    const expected = [...held.values()].filter(({ name, namespace, status, nodeName }) => {
      if (wanted.namespaces && !wanted.namespaces.includes(namespace)) return false;
      if (wanted.trouble && status === "Running") return false;
      return matching(wanted.words ?? "")(`${namespace}/${name} ${status} ${nodeName} ${name.replace(/-\d+$/, "")}`);
    });
    const found = [...pods.slots.entries()].filter(([, slot]) => filter.matched[slot]).map(([uid]) => uid);
    assert.deepEqual(found.sort(), expected.map(({ uid }) => uid).sort(), JSON.stringify(wanted));
    assert.equal(filter.count, expected.length);
  }
});

test("the order is that of a plain sort, however little is done at a time", () => {
  const pods = new PodColumns();
  const order = new NameOrder(pods);
  for (let round = 0; round < 60; round++) {
    for (let step = 0; step < 40; step++) {
      const name = `p-${random(200)}`;
      const namespace = "ab"[random(2)];
      const uid = `${namespace}/${name}`;
      if (random(3)) {
        const known = pods.slots.has(uid);
        const slot = pods.put(pod(name, { uid, namespace }));
        if (!known) order.put(slot);
      } else {
        const slot = pods.remove(uid);
        if (slot >= 0) order.remove(slot);
      }
    }
    if (round % 3 === 0) order.refresh(() => true); // a slice, and then others come
    else while (!order.refresh(() => random(2) === 0));
    if (order.behind) continue;
    const expected = [...pods.slots.keys()].sort();
    assert.deepEqual([...order.slots].map((slot) => pods.fullName(slot)), expected);
  }
});

test("thousands at once are put in order in slices", () => {
  const pods = new PodColumns();
  const order = new NameOrder(pods);
  for (let number = 0; number < 9000; number++) order.put(pods.put(pod(`p-${random(1_000_000_000)}-${number}`)));
  let slices = 1;
  while (!order.refresh(() => true)) slices += 1;
  assert.ok(slices > 20, `${slices}`);
  const names = [...order.slots].map((slot) => pods.name[slot]);
  assert.deepEqual(names, [...names].sort());
});

test("any number puts slots in order, and equal ones stay as they were", () => {
  const keys = Array.from({ length: 3000 }, () => [random(3), random(2 ** 31) * 2, random(70_000)][random(3)]);
  const order = Uint32Array.from(keys, (_, slot) => slot).reverse();
  for (const descending of [false, true]) {
    const expected = [...order].sort((a, b) => (descending ? keys[b] - keys[a] : keys[a] - keys[b]));
    assert.deepEqual([...byKey(order, (slot) => keys[slot], descending)], expected);
  }
  assert.equal(byKey(new Uint32Array(0), () => 0).length, 0);
});

test("ranks are places in the order of texts", () => {
  assert.deepEqual([...ranks(["", "b", "a"])], [0, 2, 1]);
});
