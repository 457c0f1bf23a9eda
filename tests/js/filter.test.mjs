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
  assert.equal(last().url.href, "wss://h/ws?namespaces=a%2Cb&at=-5m");
  client.subscribe([]);
  last().drop();
  mock.timers.tick(1000);
  assert.equal(last().url.href, "wss://h/ws?at=-5m");
  const { state } = connect({}, "https://h/?namespaces=a,b&namespaces=c");
  assert.deepEqual(state.wanted, ["a", "b", "c"]);
  connect({ namespaces: ["c"] }, "wss://h/elsewhere?namespaces=a");
  assert.equal(last().url.href, "wss://h/elsewhere?namespaces=c");
});

test("what is no list of names is refused in words, and changes nothing", () => {
  for (const [options, said] of [
    [{ namespaces: "shop" }, 'namespaces is the text "shop": give a list of names, ["shop"]'],
    [{ kinds: "pods" }, 'kinds is the text "pods": give a list of names, ["pods"]'],
    [{ namespaces: null }, "namespaces is null: give a list of names, or [] for all"],
    [{ namespaces: ["shop", 7] }, "namespaces has 7: names are texts"],
    [{ labels: ["app=web"] }, 'labels is app=web: give a text, such as "app=web"'],
  ]) {
    assert.throws(() => connect(options), new TypeError(said));
  }
  const client = connect({ namespaces: ["a"] });
  const version = client.state.version;
  for (const [args, said] of [
    [[null], "namespaces is null: give a list of names, or [] for all"],
    [["shop"], 'namespaces is the text "shop": give a list of names, ["shop"]'],
    [[["b"], null], 'The rest of a filter is null: give { kinds: ["pods"], labels: "app=web" }'],
    [[["b"], { kinds: "pods" }], 'kinds is the text "pods": give a list of names, ["pods"]'],
  ]) {
    assert.throws(() => client.subscribe(...args), new TypeError(said));
  }
  assert.deepEqual([client.state.wanted, client.state.version], [["a"], version]);
});

test("a set of names is as good as a list", () => {
  connect({ namespaces: new Set(["b", "a"]), kinds: new Set(["pods"]) });
  assert.deepEqual(query(), { namespaces: "b,a", kinds: "pods" });
});

/** A `fetch` that answers so, and what it was asked. */
function answering(status, body) {
  const asked = [];
  const fetch = async (url) => {
    asked.push(url);
    if (status === 0) throw new TypeError("fetch failed");
    return { status, json: async () => body };
  };
  return { asked, fetch };
}
const settled = () => new Promise((done) => setImmediate(done));
const REFUSED = { error: { code: "INVALID_MESSAGE", message: "There is no such kind", details: "kinds: 'foo' must be one of" } };

test("a filter that the server refuses at the connection is told in its words, once", async () => {
  const { asked, fetch } = answering(400, REFUSED);
  const client = connect({ kinds: ["foo"], fetch }, "http://h:1/cluster/ws?at=-5m");
  last().drop();
  await settled();
  assert.deepEqual(asked, ["http://h:1/cluster/api/events?kinds=foo&since=seq%3A0&until=seq%3A0"]);
  const said = "The server refuses the filter: There is no such kind (kinds: 'foo' must be one of)";
  assert.deepEqual([client.errors, client.status.reason, client.status.link], [[said], said, "waiting"]);
  mock.timers.tick(client.status.wait);
  last().drop();
  await settled();
  assert.equal(asked.length, 1);
  client.subscribe([], { labels: "a in (" });
  mock.timers.tick(client.status.wait);
  last().drop();
  await settled();
  assert.equal(asked.length, 2);
});

test("nothing is said of a filter where nobody answers, it is right, or there is none", async () => {
  for (const [status, options] of [[0, { kinds: ["pods"] }], [200, { kinds: ["pods"] }], [400, {}]]) {
    const { fetch } = answering(status, REFUSED);
    const client = connect({ ...options, fetch });
    last().drop();
    await settled();
    assert.deepEqual([client.errors, client.status.reason], [[], "the connection was closed (code 1006)"]);
  }
});

test("who has left, or wants another filter, is not told of the one before", async () => {
  const { fetch } = answering(400, REFUSED);
  const client = connect({ kinds: ["foo"], fetch });
  last().drop();
  client.close();
  await settled();
  assert.deepEqual(client.errors, []);
});
