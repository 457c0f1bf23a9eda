// What the page shows, without the page.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { age, describe, pretty, Rate, Sorted, tone } from "../../kstream/web/static/viewer-model.js";

const STATUSES = JSON.parse(readFileSync(new URL("../../fixtures/statuses.json", import.meta.url), "utf8"));
const TONES = { NONE: "good", WAITING: "wait", PRESSED: "bad", FAILING: "bad" };
const GOLDEN = new URL("../../fixtures/messages/", import.meta.url);

test("a status has the tone that the server's judgement of it has", () => {
  assert.deepEqual(Object.keys(STATUSES), Object.keys(TONES));
  for (const [degree, statuses] of Object.entries(STATUSES)) {
    for (const status of statuses) assert.equal(tone(status), TONES[degree], JSON.stringify(status));
  }
  assert.equal(tone(undefined), "wait");
});

test("ages are as kubectl prints them", () => {
  const cases = [[-3, "0s"], [5, "5s"], [119, "119s"], [120, "2m"], [310, "5m10s"], [660, "11m"], [10800, "3h"], [11100, "3h5m"], [40000, "11h"], [90000, "25h"], [259200, "3d"], [262900, "3d1h"], [999999, "11d"], [NaN, ""]];
  for (const [seconds, text] of cases) assert.equal(age(seconds), text);
});

test("every golden message has a line and a text", () => {
  for (const name of readdirSync(GOLDEN).filter((file) => file.endsWith(".json"))) {
    for (const { server } of JSON.parse(readFileSync(new URL(name, GOLDEN), "utf8")).steps) {
      if (!server) continue;
      const line = describe(server);
      assert.equal(typeof line.label, "string");
      assert.ok(pretty(server).length > 0);
    }
  }
});

test("a large message is cut to what a person reads", () => {
  const pods = Array.from({ length: 50_000 }, (_, number) => ({ uid: `${number}` }));
  const text = pretty({ type: "initial_state", data: { nodes: [], pods, namespaces: [] } });
  assert.ok(text.length < 3000);
  assert.match(text, /49980 more/);
});

test("sorted rows are those of a plain sort, whatever comes and goes", () => {
  const sorted = new Sorted(({ name }) => name);
  const held = new Map();
  let seed = 1;
  const random = (limit) => (seed = (seed * 48271) % 2147483647) % limit;
  for (let round = 0; round < 200; round++) {
    for (let step = 0; step < 20; step++) {
      const uid = `u${random(60)}`;
      if (random(3)) {
        held.set(uid, { uid, name: `name-${uid.length}-${uid}` });
        sorted.put(held.get(uid));
      } else {
        held.delete(uid);
        sorted.remove(uid);
      }
    }
    const expected = [...held.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ uid }) => uid);
    assert.deepEqual(sorted.refresh().map(({ uid }) => uid), expected);
  }
  sorted.reset([{ uid: "b", name: "b" }, { uid: "a", name: "a" }]);
  assert.deepEqual(sorted.refresh().map(({ uid }) => uid), ["a", "b"]);
});

test("the rate is of the last minute", () => {
  const rate = new Rate();
  rate.add(5, 10.2);
  rate.add(1, 40);
  assert.deepEqual([rate.total(41), rate.total(71), rate.total(200)], [6, 1, 0]);
});
