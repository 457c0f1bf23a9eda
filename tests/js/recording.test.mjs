// A recording in a page, held to what Python says of the log that it is of: KSTREAM_CASES (tests/page/test_recording.py).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync, gunzipSync } from "node:zlib";

import { Recording } from "../../kstream/web/static/recording.js";

const cases = JSON.parse(await readFile(process.env.KSTREAM_CASES, "utf8"));
const incident = cases.incident;

const digest = (state) => {
  const told = ["nodes", "pods", "namespaces"].map((kind) => [...state[kind].values()].sort((a, b) => (a.uid < b.uid ? -1 : 1)));
  told[2] = told[2].map(({ podCount, ...space }) => ({ ...space, podCount: state.podCount(space.name) }));
  return createHash("sha256").update(JSON.stringify(told)).digest("hex");
};

/** Time that goes on when it is told to. */
class Clock {
  now = 0;
  _due = null;
  options = {
    now: () => this.now,
    later: (act, milliseconds) => (this._due = { act, at: this.now + milliseconds }),
    cancel: () => (this._due = null),
  };

  go(milliseconds) {
    const end = this.now + milliseconds;
    while (this._due && this._due.at <= end) {
      this.now = this._due.at;
      const { act } = this._due;
      this._due = null;
      act();
    }
    this.now = end;
  }
}

async function opened({ recording }, options = {}) {
  const clock = new Clock();
  const client = new Recording(recording, { ...clock.options, ...options });
  const messages = [];
  client.addEventListener("message", ({ data }) => messages.push(data));
  const failed = new Promise((_, reject) => client.addEventListener("error", ({ error }) => reject(error)));
  const loaded = new Promise((resolve) => client.addEventListener("status", () => client.status.link === "connected" && resolve()));
  client.start();
  await Promise.race([loaded, failed]);
  return { client, clock, messages };
}

for (const [name, one] of Object.entries(cases)) {
  const seqs = Object.keys(one.states).map(Number);

  test(`${name}: every state that is gone to is the fold of the log, forth and back`, async () => {
    const { client } = await opened(one, { paused: true });
    for (const seq of [...seqs, ...[...seqs].reverse()]) {
      client.playback("seek", { at: `seq:${seq}` });
      assert.equal(client.state.seq, seq);
      assert.equal(digest(client.state), one.states[seq], `seq ${seq}`);
    }
    assert.equal(client.state.stale, false);
  });

  test(`${name}: every state that is stepped through is the fold of the log`, async () => {
    const { client } = await opened(one, { paused: true });
    for (let seq = seqs[0] + 1; seq <= seqs[seqs.length - 1]; seq++) {
      client.playback("step");
      assert.equal(client.state.seq, seq);
      if (seq % 5 === 0 && seq in one.states) assert.equal(digest(client.state), one.states[seq], `seq ${seq}`);
    }
  });

  test(`${name}: what is played, in batches or not, ends as the log does`, async () => {
    for (const speed of [1, 60, "max"]) {
      const { client, clock, messages } = await opened(one, { speed: String(speed) });
      while (client.state.playback.state === "playing") clock.go(977);
      assert.equal(client.state.seq, seqs.at(-1));
      assert.equal(digest(client.state), one.states[seqs.at(-1)]);
      assert.equal(client.state.playback.state, "ended");
      for (const { type, data } of messages) if (type === "batch") assert.equal(new Set(data.map((each) => each.data.uid)).size, data.length);
    }
  });

  test(`${name}: what a time bar asks is answered as a server answers it`, async () => {
    const { client } = await opened(one);
    for (const [buckets, expected] of Object.entries(one.timelines)) {
      assert.deepEqual((await client.timeline(Number(buckets))).buckets, expected);
    }
    for (const [uid, expected] of Object.entries(one.histories)) assert.deepEqual((await client.history(uid)).versions, expected);
  });
}

test("what comes first is what a server sends, and says which history it is", async () => {
  const { client, messages } = await opened(incident, { paused: true });
  assert.deepEqual(messages.map(({ type }) => type), ["connection", "initial_state", "metrics", "playback"]);
  const [connection, state, , playback] = messages;
  assert.deepEqual([connection.cluster, connection.epoch, connection.term], [incident.cluster, incident.epoch, incident.term]);
  assert.deepEqual([connection.source, connection.resumed, client.status.link, client.redacted], ["replay", false, "connected", false]);
  assert.deepEqual(playback.data, { state: "paused", speed: 1, at: incident.from, start: incident.from, end: incident.to });
  assert.equal(state.timestamp, incident.from);
  assert.equal(client.state.asOf, incident.from);
});

test("an event is shown when it is due, and its message is that of the wire", async () => {
  const { client, clock, messages } = await opened(incident);
  const [first, second] = incident.messages;
  clock.go(0);
  const gap = Date.parse(incident.messages.at(-1).timestamp) - Date.parse(first.timestamp);
  clock.go(gap + 60);
  const told = messages.flatMap((message) => (message.type === "batch" ? message.data : message.type.endsWith("_event") ? [message] : []));
  assert.deepEqual(told.find(({ seq }) => seq === second.seq), second);
  assert.ok(client.state.seq >= incident.messages.at(-1).seq);
  assert.ok(client.time - Date.parse(incident.from) >= gap);
});

test("pause holds the moment, play goes on, and speed changes without a jump", async () => {
  const { client, clock } = await opened(incident);
  clock.go(30_000);
  client.playback("pause");
  const { time } = client;
  clock.go(60_000);
  assert.equal(client.time, time);
  client.playback("play", { speed: 10 });
  assert.equal(client.time, time);
  clock.go(1000);
  assert.ok(Math.abs(client.time - time - 10_000) < 1);
  assert.deepEqual([client.state.playback.state, client.state.playback.speed], ["playing", 10]);
});

test("points are those of a server, and what is none is refused in words", async () => {
  const { client } = await opened(incident, { paused: true });
  const start = Date.parse(incident.from);
  for (const [at, expected] of [["+90s", 90_000], ["-30s", 60_000], ["+1m30s", 150_000], [new Date(start + 5000).toISOString(), 5000], ["-1h", 0]]) {
    client.playback("seek", { at });
    assert.ok(Math.abs(client.time - start - expected) < 1, at);
  }
  for (const [action, options, details] of [
    ["seek", { at: "noon" }, /^at: "noon": give /],
    ["seek", { at: "seq:540" }, /the last one is seq:539/],
    ["seek", {}, /^at: ""/],
    ["play", { speed: 0 }, /^speed: 0: give a number from 0.1 to 1000/],
    ["live", {}, /^action: live/],
  ]) {
    const { time } = client;
    assert.equal(client.playback(action, options), true);
    assert.match(client.state.error.details, details);
    assert.deepEqual([client.state.error.code, client.time], ["INVALID_MESSAGE", time]);
  }
});

test("what an address says is where it begins, and what is wrong with it is told", async () => {
  for (const [said, details] of [
    [{ speed: "5000" }, /^speed: 5000: give a number from 0.1 to 1000, or "max"/],
    [{ at: "noon" }, /^at: "noon": give /],
    [{ at: " 2m" }, /^at: " 2m": in a URL, write \+ as %2B/],
  ]) {
    const { client, messages } = await opened(incident, { paused: true, ...said });
    assert.match(messages.find(({ type }) => type === "error").error.details, details);
    assert.deepEqual([client.state.playback.speed, client.state.playback.at], [1, incident.from]);
  }
  const { messages } = await opened(incident, { speed: "", paused: true });
  assert.ok(messages.every(({ type }) => type !== "error"));
  const { client } = await opened(incident, { at: "-1m", speed: "5", paused: true });
  assert.ok(Math.abs(client.time - Date.parse(incident.to) + 60_000) < 2);
  assert.deepEqual([client.state.playback.speed, client.state.playback.state], [5, "paused"]);
});

test("what has ended is played again from the start, and a seek back goes on", async () => {
  const { client, clock } = await opened(incident, { speed: "max" });
  clock.go(10_000);
  assert.equal(client.state.playback.state, "ended");
  client.playback("step");
  assert.equal(client.state.playback.state, "ended");
  client.playback("play", { speed: 1 });
  assert.ok(client.state.seq < 539);
  client.playback("seek", { at: "seq:539" });
  clock.go(100);
  client.playback("seek", { at: "seq:5" });
  assert.equal(client.state.playback.state, "playing");
  assert.ok(client.state.seq >= 5 && client.state.seq < 20, "with what happened at the same moment");
});

test("a filter lets through what that of a server does", async () => {
  const { client, clock } = await opened(incident, { namespaces: ["shop"], speed: "max" });
  clock.go(10_000);
  assert.deepEqual(new Set([...client.state.pods.values()].map(({ namespace }) => namespace)), new Set(["shop"]));
  assert.deepEqual([...client.state.namespaces.values()].map(({ name }) => name), ["shop"]);
  assert.ok(client.state.nodes.size > 0);
  client.subscribe([], { kinds: ["pods"] });
  assert.deepEqual([client.state.nodes.size, client.state.stale], [0, false]);
  assert.ok(client.state.pods.size > 10);
  client.subscribe(["shop", "default"], { kinds: ["namespaces"] });
  assert.deepEqual([...client.state.namespaces.values()].map((space) => [space.name, "podCount" in space]), [["default", false], ["shop", false]]);
  assert.throws(() => client.subscribe([], { labels: "app=web" }), TypeError);
});

test("another writer is told before its first event", async () => {
  const { messages, clock } = await opened(cases.written, { speed: "max" });
  clock.go(10_000);
  const terms = messages.filter(({ type }) => type === "connection").map(({ term }) => term);
  assert.deepEqual(terms, cases.written.terms);
});

test("who is closed is told nothing more, and can begin again", async () => {
  const { client, clock, messages } = await opened(incident);
  client.close();
  const { length } = messages;
  clock.go(60_000);
  assert.deepEqual([messages.length, client.playback("play"), client.state.stale, client.time], [length, false, true, NaN]);
  const again = new Promise((resolve) => client.addEventListener("status", () => client.status.link === "connected" && resolve()));
  client.start();
  await again;
  assert.equal(client.state.stale, false);
});

test("what is no recording is told in words", async () => {
  const packed = Buffer.from(incident.recording, "base64");
  const of = (told) => gzipSync(JSON.stringify(told)).toString("base64");
  const newer = { ...JSON.parse(gunzipSync(packed).toString()), version: 2 };
  packed[packed.length >> 1] ^= 1;
  for (const [text, says] of [
    [packed.toString("base64"), /damaged/],
    ["", /damaged/],
    ["no base64!", /damaged/],
    [of([]), /none that this page can read/],
    [of(newer), /version 2.*make the file anew/],
  ]) {
    await assert.rejects(opened({ recording: text }), says);
  }
});

test("nothing is asked of what is not there", async () => {
  const { client } = await opened(incident);
  await assert.rejects(client.history("none"), /Nothing is recorded of that object/);
  await assert.rejects(client.timeline(0), RangeError);
  await assert.rejects(new Recording(incident.recording).timeline(), /not unpacked yet/);
});
