// Another filter: when it is asked for, and what of what is held outlives it.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { connect, HELLO, last, query, sockets, STATE } from "./fake-socket.mjs";

beforeEach(() => {
  sockets.length = 0;
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
});
afterEach(() => mock.timers.reset());

test("another filter is asked for, and kept for the next connection", () => {
  const client = connect({ namespaces: ["a"] });
  last().say(HELLO, STATE);
  client.subscribe(["b"]);
  assert.deepEqual(last().sent, [{ type: "subscribe", namespaces: ["b"] }]);
  assert.equal(client.state.stale, true);
  last().drop();
  mock.timers.tick(1000);
  assert.deepEqual(query(), { namespaces: "b" });
});

const subscribed = () => last().sent.filter(({ type }) => type === "subscribe").map(({ namespaces }) => namespaces.join());

test("a filter that is wanted while the client connects is asked for once the state of the first one is there", () => {
  const client = connect({ namespaces: ["a"] });
  client.subscribe(["b"]);
  last().say(HELLO);
  assert.deepEqual(subscribed(), [], "nothing would tell its state from the one that is due");
  last().say(STATE);
  assert.deepEqual([subscribed(), client.state.stale], [["b"], true]);
  last().say({ ...STATE, seq: 11 });
  assert.deepEqual([subscribed(), client.state.stale], [["b"], false]);
  last().drop();
  mock.timers.tick(1000);
  assert.deepEqual(query(), { namespaces: "b", epoch: "e 1", seq: "11" });
});

test("a filter that is wanted while a resumed client connects is asked for at the greeting", () => {
  const client = connect({ namespaces: ["a"] });
  last().say(HELLO, STATE);
  last().drop();
  mock.timers.tick(1000);
  client.subscribe(["b"]);
  last().say({ ...HELLO, resumed: true });
  assert.deepEqual([subscribed(), client.state.stale], [["b"], true]);
});

test("a filter that is wanted between two attempts is in the URL, without a resume, until the first one is wanted again", () => {
  const client = connect({ namespaces: ["a", "b"] });
  last().say(HELLO, STATE);
  last().drop();
  client.subscribe(["b"]);
  client.retryNow();
  assert.deepEqual(query(), { namespaces: "b" });
  client.subscribe(["b", "a"]);
  last().drop();
  mock.timers.tick(client.status.wait);
  assert.deepEqual(query(), { namespaces: "b,a", epoch: "e 1", seq: "10" });
});

test("of filters that are wanted while one is due only the last is asked for", () => {
  const client = connect();
  last().say(HELLO, STATE);
  for (const name of ["a", "b", "c"]) client.subscribe([name]);
  assert.deepEqual(subscribed(), ["a"]);
  last().say({ ...STATE, seq: 11 });
  assert.deepEqual([subscribed(), client.state.stale], [["a", "c"], true]);
  last().say({ ...STATE, seq: 12 });
  assert.equal(client.state.stale, false);
});

test("the same filter again asks for nothing", () => {
  const client = connect({ namespaces: ["a", "b"] });
  last().say(HELLO, STATE);
  client.subscribe(["b", "a", "b"]);
  assert.deepEqual([subscribed(), client.state.stale], [[], false]);
});

test("a subscription that the rate limit dropped is said again, and one that is no filter is not", () => {
  const client = connect();
  const refuse = (code, details) => last().say({ type: "error", error: { code, message: "", details } });
  refuse("RATE_LIMITED");
  last().say(HELLO);
  refuse("RATE_LIMITED");
  last().say(STATE);
  refuse("RATE_LIMITED");
  assert.deepEqual([subscribed(), client.state.stale], [[], false]);
  client.subscribe(["a"]);
  refuse("INVALID_MESSAGE", "type: must be one of");
  refuse("RATE_LIMITED");
  assert.deepEqual(subscribed(), ["a", "a"]);
  last().say(STATE);
  client.subscribe(["A"]);
  refuse("INVALID_MESSAGE", "namespaces: 'A' must be 1 to 63 of a-z");
  last().say({ type: "pong" });
  assert.deepEqual([subscribed(), client.state.stale], [["a", "a", "A"], true]);
  client.subscribe(["b"]);
  assert.deepEqual(subscribed(), ["a", "a", "A", "b"]);
});

test("what the URL says of the filter and of a resume is the client's to write", () => {
  const client = connect({}, "https://h/?at=-5m&namespaces=a,b&epoch=e&term=t&seq=7");
  assert.equal(last().url.href, "wss://h/ws?at=-5m&namespaces=a%2Cb");
  client.subscribe([]);
  last().drop();
  mock.timers.tick(1000);
  assert.equal(last().url.href, "wss://h/ws?at=-5m");
  const { state } = connect({}, "https://h/?namespaces=a,b&namespaces=c");
  assert.deepEqual(state.wanted, ["a", "b", "c"]);
  connect({ namespaces: ["c"] }, "wss://h/elsewhere?namespaces=a");
  assert.equal(last().url.href, "wss://h/elsewhere?namespaces=c");
});
