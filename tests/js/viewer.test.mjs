// What the page shows, without the page.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { age, containers, describe, MOOD, mood, pretty, Rate, tone } from "../../kstream/web/static/viewer-model.js";

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

test("moods are tones, told apart where a map has a mark for them", () => {
  const statuses = ["Running", "Ready", "Completed", "Succeeded", "Init:0/1", "Ready,SchedulingDisabled", "Terminating", "OOMKilled", ""];
  const { good, done, wait, ending, bad } = MOOD;
  assert.deepEqual(statuses.map(mood), [good, good, done, done, wait, wait, ending, bad, wait]);
});

test("containers are counted, of a whole pod and of its figures", () => {
  assert.deepEqual(containers({ containers: [{ ready: true, restartCount: 2 }, { ready: false }] }), { ready: 1, total: 2, restarts: 2 });
  assert.deepEqual(containers({ ready: "1/3", restarts: 4 }), { ready: 1, total: 3, restarts: 4 });
  assert.deepEqual(containers({}), { ready: 0, total: 0, restarts: 0 });
});

test("the rate is of the last minute", () => {
  const rate = new Rate();
  rate.add(5, 10.2);
  rate.add(1, 40);
  assert.deepEqual([rate.total(41), rate.total(71), rate.total(200)], [6, 1, 0]);
});
