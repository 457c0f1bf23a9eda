// Against a real kstream server at KSTREAM_URL, which tests/test_foreign_clients.py starts, feeds and stops.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import WebSocket from "ws";

import { KstreamClient } from "../../kstream/web/static/kstream.js";

const url = process.env.KSTREAM_URL;

/** The messages of a socket, one after the other. */
function reader(socket) {
  const queue = [];
  let wake = () => {};
  socket.on("message", (data, binary) => {
    assert.equal(binary, false);
    queue.push(JSON.parse(data));
    wake();
  });
  return async () => {
    while (queue.length === 0) await new Promise((resolve) => (wake = resolve));
    return queue.shift();
  };
}

test("ws gets connection and initial_state, compressed, and its ping answered", async () => {
  const socket = new WebSocket(url);
  const next = reader(socket);
  await once(socket, "open");
  assert.match(socket.extensions, /permessage-deflate/);
  const connection = await next();
  assert.deepEqual([connection.type, connection.status], ["connection", "connected"]);
  const state = await next();
  assert.equal(state.type, "initial_state");
  assert.deepEqual(Object.keys(state.data).sort(), ["namespaces", "nodes", "pods"]);
  socket.send(JSON.stringify({ type: "ping", timestamp: "here and now" }));
  let message;
  do message = await next();
  while (message.type !== "pong");
  assert.equal(message.timestamp, "here and now");
  socket.close();
  await once(socket, "close");
});

test("ws without compression works as well", async () => {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const next = reader(socket);
  await next();
  assert.equal((await next()).type, "initial_state");
  assert.equal(socket.extensions, "");
  socket.close();
  await once(socket, "close");
});

test("ws is closed with 1003 for binary input", async () => {
  const socket = new WebSocket(url);
  await once(socket, "open");
  socket.send(Buffer.from([1, 2, 3]));
  const [code] = await once(socket, "close");
  assert.equal(code, 1003);
});

test("ws is refused with 400 for a namespace that is none", async () => {
  const socket = new WebSocket(`${url}?namespaces=Not_One`);
  const [error] = await new Promise((resolve) => socket.on("error", (...seen) => resolve(seen)));
  assert.match(error.message, /400/);
});

test("kstream.js ends up with the server's state after churn and dropped sockets", async () => {
  let socket;
  class Dropping extends WebSocket {
    constructor(...args) {
      super(...args);
      socket = this;
    }
  }
  const client = new KstreamClient(url, { WebSocket: Dropping });
  const resumed = [];
  client.addEventListener("message", ({ data }) => data.type === "connection" && resumed.push(data.resumed));
  client.start();
  const until = async (condition) => {
    while (!condition()) await once(client, "change");
  };
  await until(() => client.state.loaded);
  socket.terminate();
  await until(() => client.status.link === "waiting");
  await until(() => client.status.link === "connected");
  await until(() => [...client.state.pods.values()].some(({ name }) => name === "the-last"));
  assert.deepEqual(resumed, [false, true]);
  const answer = await fetch(url.replace(/^ws/, "http").replace(/ws$/, "api/state"));
  const state = await answer.json();
  const byUid = (items) => [...items].sort((a, b) => (a.uid < b.uid ? -1 : 1));
  assert.deepEqual(byUid(client.state.pods.values()), byUid(state.data.pods));
  assert.deepEqual(byUid(client.state.nodes.values()), byUid(state.data.nodes));
  assert.equal(client.state.seq, state.seq);
  client.close();
});
