// Connecting, reconnecting and the heartbeat, with a WebSocket and a time that do what the test says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, mock, test } from "node:test";

import { ClusterState, KstreamClient, Reconnect } from "../../kstream/web/static/kstream.js";
import { connect, FakeWebSocket, HELLO, last, query, sockets, STATE } from "./fake-socket.mjs";

beforeEach(() => {
  sockets.length = 0;
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
});
afterEach(() => mock.timers.reset());

test("a client connects to the stream, asks for its filter and folds what comes", () => {
  const client = connect({ namespaces: ["a", "b"] });
  assert.equal(last().url.href, "ws://localhost:3001/ws?namespaces=a%2Cb");
  const seen = [];
  client.addEventListener("message", ({ data }) => seen.push([data.type, client.state.seq]));
  assert.equal(client.status.link, "connecting");
  last().say(HELLO, STATE);
  assert.deepEqual(seen, [["connection", null], ["initial_state", 10]]);
  assert.equal(client.status.link, "connected");
  assert.equal(client.state.stale, false);
});

test("a lost connection is resumed after one second", () => {
  const client = connect();
  last().say(HELLO, STATE);
  last().drop();
  assert.deepEqual(client.status, { link: "waiting", reason: "the connection was closed (code 1006)", wait: 1000, failed: 0 });
  assert.equal(client.state.stale, true);
  mock.timers.tick(999);
  assert.equal(sockets.length, 1);
  mock.timers.tick(1);
  assert.equal(sockets.length, 2);
  assert.deepEqual(query(), { epoch: "e 1", seq: "10" });
  last().say({ ...HELLO, resumed: true });
  assert.equal(client.state.stale, false);
});

test("the term of the last greeting is the one that a resume is asked under", () => {
  connect();
  last().say({ ...HELLO, term: "t 1" }, STATE);
  for (const [term, next] of [["t 1", "t 2"], ["t 2", undefined], [undefined, "t 3"]]) {
    last().drop();
    mock.timers.tick(1000);
    assert.equal(query().term, term);
    last().say({ ...HELLO, resumed: true, term: next });
  }
});

test("a resume that is not wanted, or of a private timeline, is not asked for", () => {
  for (const [options, url] of [[{ resume: false }, "ws://h/ws"], [{}, "ws://h/ws?at=-5m"]]) {
    connect(options, url);
    last().say(HELLO, STATE);
    last().drop();
    mock.timers.tick(1000);
    assert.equal(last().url.searchParams.has("epoch"), false);
  }
});

test("who was elsewhere is there again, and who came home resumes", () => {
  connect({}, "ws://h/ws?at=-5m&speed=2&x=1");
  const told = { state: "paused", speed: 0.5, at: "2025-01-24T10:00:00.000Z", id: "x" };
  const timestamp = told.at;
  last().say(HELLO, STATE, { type: "playback", data: told, timestamp });
  last().drop();
  mock.timers.tick(1000);
  assert.deepEqual(query(), { x: "1", at: told.at, speed: "0.5", paused: "true", epoch: "e 1", seq: "10" });
  last().say(HELLO, { type: "playback", data: { ...told, state: "live", id: null }, timestamp }, STATE);
  last().drop();
  mock.timers.tick(1000);
  assert.deepEqual(query(), { x: "1", epoch: "e 1", seq: "10" });
});

for (const { what, messages, said, next } of JSON.parse(
  readFileSync(new URL("../../fixtures/timelines.json", import.meta.url), "utf8"),
)) {
  test(`which timeline is asked for next: ${what}`, () => {
    const state = new ClusterState();
    for (const message of messages) {
      if (message === null) state.disconnected();
      else state.apply(message);
    }
    assert.deepEqual(state.timeline(said), next);
  });
}

test("attempts follow after 1, 2, 4, 8, 16, 30, 30 seconds, and the error comes after five", () => {
  const client = connect();
  last().say(HELLO, STATE);
  const waits = [];
  const errors = [];
  for (let attempt = 0; attempt < 7; attempt++) {
    last().drop();
    waits.push(client.status.wait / 1000);
    errors.push(client.errors.length);
    mock.timers.tick(client.status.wait);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 30, 30]);
  assert.deepEqual(errors, [0, 0, 0, 0, 0, 1, 1], "one outage, told once");
  assert.match(client.errors[0], /Cannot reach ws:\/\/localhost:3001\/ws after 5 attempts/);
  last().say({ ...HELLO, resumed: true });
  last().drop();
  assert.deepEqual([client.status.wait, client.status.failed], [1000, 0]);
  for (let attempt = 0; attempt < 6; attempt++) {
    mock.timers.tick(client.status.wait);
    last().drop();
  }
  assert.equal(client.errors.length, 2, "another outage is told again");
});

test("a handshake without an answer is given up after ten seconds", () => {
  const client = connect();
  mock.timers.tick(9999);
  assert.equal(client.status.link, "connecting");
  mock.timers.tick(1);
  assert.equal(client.status.link, "waiting");
  assert.equal(client.status.failed, 1);
});

test("a ping goes every thirty seconds, and pongs keep the connection", () => {
  const client = connect();
  last().say(HELLO, STATE);
  for (let beat = 1; beat <= 5; beat++) {
    mock.timers.tick(29_999);
    assert.equal(last().sent.length, beat - 1);
    mock.timers.tick(1);
    assert.deepEqual(last().sent.at(-1), { type: "ping", timestamp: new Date(beat * 30_000).toISOString() });
    last().say({ type: "pong", timestamp: last().sent.at(-1).timestamp });
  }
  assert.equal(client.status.link, "connected");
  assert.equal(sockets.length, 1);
});

test("a server that greets again and again gets one ping every thirty seconds", () => {
  connect();
  last().say(HELLO, { ...HELLO, status: "reconnecting" }, HELLO, STATE);
  mock.timers.tick(30_000);
  assert.equal(last().sent.length, 1);
});

test("a missing pong ends the connection after ten seconds", () => {
  const client = connect();
  const [first] = sockets;
  first.say(HELLO, STATE);
  mock.timers.tick(30_000);
  mock.timers.tick(9_999);
  assert.equal(client.status.link, "connected");
  mock.timers.tick(1);
  assert.deepEqual([client.status.link, client.status.reason], ["waiting", "no pong within 10 s"]);
  assert.equal(first.readyState, 3);
  mock.timers.tick(1000);
  assert.equal(sockets.length, 2);
});

test("a socket that was left is no longer listened to", () => {
  const client = connect();
  const [first] = sockets;
  first.say(HELLO, STATE);
  mock.timers.tick(30_000);
  mock.timers.tick(10_000);
  mock.timers.tick(1_000);
  first.say({ ...STATE, seq: 99 });
  first.drop();
  assert.equal(client.state.seq, 10);
  assert.equal(sockets.length, 2);
  assert.equal(client.status.link, "connecting");
});

test("close ends everything, and start begins again with a resume", () => {
  const client = connect();
  last().say(HELLO, STATE);
  client.close();
  mock.timers.tick(600_000);
  assert.equal(sockets.length, 1);
  assert.deepEqual([client.status.link, client.state.stale], ["closed", true]);
  assert.equal(client.start(), client);
  assert.equal(client.start(), client);
  assert.equal(sockets.length, 2);
  assert.equal(query().seq, "10");
});

test("what a socket says after it was closed changes nothing", () => {
  const client = connect();
  const [first] = sockets;
  first.say(HELLO, STATE);
  client.close();
  first.say({ ...STATE, seq: 99 });
  first.drop(1005);
  mock.timers.tick(600_000);
  assert.deepEqual([client.status.link, client.state.seq, sockets.length], ["closed", 10, 1]);
  assert.deepEqual([first.left, first.sent.length], [true, 0]);
});

test("close while waiting for the next attempt makes no attempt", () => {
  const client = connect();
  last().drop();
  client.close();
  mock.timers.tick(600_000);
  assert.deepEqual([client.status.link, sockets.length], ["closed", 1]);
});

test("close during the handshake gives the attempt up", () => {
  const client = connect();
  client.close();
  assert.equal(last().left, true);
  mock.timers.tick(600_000);
  assert.deepEqual([client.status.link, sockets.length], ["closed", 1]);
});

test("starting again after failures starts to count again", () => {
  const client = connect();
  for (let attempt = 0; attempt < 4; attempt++) {
    last().drop();
    mock.timers.tick(client.status.wait);
  }
  client.close();
  client.start();
  last().drop();
  assert.deepEqual([client.status.wait, client.status.failed], [1000, 1]);
});

test("a runtime that takes no socket is told of by start, and is a failed attempt after that", () => {
  let throwing = true;
  const client = new KstreamClient("ws://h/ws", {
    WebSocket: class extends FakeWebSocket {
      constructor(url) {
        if (throwing) throw new DOMException("blocked", "SecurityError");
        super(url);
      }
    },
  });
  const links = [];
  client.addEventListener("status", () => links.push(client.status.link));
  assert.throws(() => client.start(), /blocked/);
  assert.deepEqual([client.status.link, links], ["closed", []]);
  throwing = false;
  client.start();
  last().say(HELLO, STATE);
  last().drop();
  throwing = true;
  mock.timers.tick(1000);
  assert.deepEqual([client.status.link, client.status.wait, client.status.failed], ["waiting", 2000, 1]);
  assert.match(client.status.reason, /blocked/);
  client.retryNow();
  assert.deepEqual([client.status.wait, client.status.failed], [4000, 2]);
  throwing = false;
  mock.timers.tick(4000);
  assert.equal(client.status.link, "connecting");
});

test("whoever hears that the client connects may close it", () => {
  const client = new KstreamClient("ws://h/ws", { WebSocket: FakeWebSocket });
  client.addEventListener("status", () => client.status.link === "connecting" && client.close());
  client.start();
  assert.deepEqual([client.status.link, last().left], ["closed", true]);
  mock.timers.tick(600_000);
  assert.equal(sockets.length, 1);
});

test("status and change tell of every step, and a second close of nothing", () => {
  const client = new KstreamClient("ws://h/ws", { WebSocket: FakeWebSocket });
  let told = [];
  client.addEventListener("status", () => told.push(client.status.link));
  client.addEventListener("change", () => told.push("change"));
  client.addEventListener("message", ({ data }) => told.push(data.type));
  const tells = (act, ...expected) => {
    told = [];
    act();
    assert.deepEqual(told, expected);
  };
  tells(() => client.start(), "connecting", "change");
  tells(() => client.start());
  tells(() => last().say(HELLO), "connected", "change", "connection", "change");
  tells(() => last().say(STATE), "initial_state", "change");
  tells(() => last().say(STATE), "initial_state", "change");
  tells(() => client.subscribe(["a"]), "change");
  tells(() => last().drop(), "waiting", "change");
  tells(() => client.retryNow(), "connecting", "change");
  tells(() => client.close(), "closed", "change");
  tells(() => client.close());
});

test("an attempt can be made now, once", () => {
  const client = connect();
  last().drop();
  client.retryNow();
  client.retryNow();
  mock.timers.tick(5000);
  assert.equal(sockets.length, 2);
});

test("playback commands need a connection", () => {
  const client = connect();
  assert.equal(client.playback("pause"), false);
  last().say(HELLO);
  assert.equal(client.playback("seek", { at: "-5m" }), true);
  assert.deepEqual(last().sent, [{ type: "playback", action: "seek", at: "-5m" }]);
});

test("what is no message is an error for the user, and the connection goes on", () => {
  const client = connect();
  last().say(HELLO);
  last().onmessage({ data: "hello" });
  last().say({ type: "pod_event", action: "ADDED", data: {} }, STATE);
  assert.equal(client.errors.length, 2);
  assert.match(client.errors[1], /uid/);
  assert.equal(client.state.loaded, true);
});

test("a runtime without WebSocket may make a client, and is told what to do when it starts one", () => {
  const client = new KstreamClient("ws://h/ws", { WebSocket: null });
  assert.throws(() => client.start(), /Pass one/);
  assert.equal(client.status.link, "closed");
});

test("a WebSocket that comes to be after the client is the one that is used", () => {
  const { WebSocket } = globalThis;
  const client = new KstreamClient("ws://h/ws");
  globalThis.WebSocket = FakeWebSocket;
  client.start();
  globalThis.WebSocket = WebSocket;
  assert.equal(last().url.href, "ws://h/ws");
});

test("a server of another version of the protocol is an error for the user, once, and the connection goes on", () => {
  const client = connect();
  for (const protocol of [undefined, 1, "x", 2, 2, 3]) {
    last().say({ ...HELLO, protocol }, STATE);
    assert.equal(client.state.stale, false);
    last().drop();
    mock.timers.tick(1000);
  }
  assert.equal(client.errors.length, 2);
  assert.match(client.errors[0], /speaks version 2 of the protocol, this client version 1: .*kstream\.js/);
});

test("a status has all its fields, whatever the client is doing", () => {
  const client = new KstreamClient("ws://h/ws", { WebSocket: FakeWebSocket });
  const status = (link, reason = "", wait = 0, failed = 0) => assert.deepEqual(client.status, { link, reason, wait, failed });
  status("closed");
  client.start();
  status("connecting");
  last().say(HELLO);
  status("connected");
  last().drop(4000, "maintenance");
  const reason = "the connection was closed (code 4000: maintenance)";
  status("waiting", reason, 1000);
  client.retryNow();
  status("connecting", reason);
  last().drop();
  status("waiting", "the connection was closed (code 1006)", 2000, 1);
  client.retryNow();
  status("connecting", "the connection was closed (code 1006)", 0, 1);
  client.close();
  status("closed");
});

test("what comes after a ping is no answer to it, unless it is a pong", () => {
  const client = connect();
  last().say(HELLO, STATE);
  mock.timers.tick(30_000);
  last().say({ ...STATE, seq: 11 });
  mock.timers.tick(10_000);
  assert.deepEqual([client.status.link, client.status.reason], ["waiting", "no pong within 10 s"]);
});

test("nothing is said before the greeting, or on a socket that is closing", () => {
  const client = connect();
  last().readyState = 1;
  assert.equal(client.playback("pause"), false);
  last().say(HELLO);
  assert.equal(client.playback("pause"), true);
  last().readyState = 2;
  assert.equal(client.playback("pause"), false);
  assert.equal(last().sent.length, 1);
});

test("a pause between attempts grows from the first one, and the loss of a connection starts over", () => {
  const retries = new Reconnect();
  const next = (wait, failed) => ({ wait, failed, showError: false });
  assert.deepEqual(retries.attemptFailed(), next(1000, 1));
  assert.deepEqual(retries.attemptFailed(), next(2000, 2));
  assert.deepEqual(retries.lost(), next(1000, 0));
  assert.deepEqual(retries.attemptFailed(), next(2000, 1));
  retries.connected();
  assert.deepEqual(retries.attemptFailed(), next(1000, 1));
});
