// The client over real sockets, with the WebSocket of the package `ws`.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import WebSocket, { WebSocketServer } from "ws";

import { KstreamClient } from "../../kstream/web/static/kstream.js";

test("a client in Node connects, resumes and closes", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
  await once(server, "listening");
  const asked = [];
  server.on("connection", (socket, request) => {
    asked.push(request.url);
    const resumed = request.url.includes("seq=");
    socket.send(JSON.stringify({ type: "connection", status: "connected", epoch: "e", resumed }));
    if (resumed) return;
    const data = { nodes: [], pods: [{ uid: "p", namespace: "x", phase: "Running" }], namespaces: [] };
    socket.send(JSON.stringify({ type: "initial_state", seq: 5, data }), () => socket.terminate());
  });
  const client = new KstreamClient(`ws://127.0.0.1:${server.address().port}/ws`, { WebSocket });
  const resumed = new Promise((resolve) => {
    client.addEventListener("message", ({ data }) => data.resumed && resolve());
  });
  client.start();
  await resumed;
  assert.deepEqual(asked, ["/ws", "/ws?epoch=e&seq=5"]);
  assert.equal(client.state.pods.size, 1);
  assert.equal(client.state.stale, false);
  client.close();
  server.close();
  await once(server, "close");
});

test("closing before the connection is there is quiet", async () => {
  let socket;
  class Watched extends WebSocket {
    constructor(...given) {
      super(...given);
      socket = this;
    }
  }
  const client = new KstreamClient("ws://127.0.0.1:1/ws", { WebSocket: Watched });
  const heard = [];
  for (const type of ["status", "error"]) client.addEventListener(type, () => heard.push(client.status.link));
  client.start();
  const ended = new Promise((resolve) => socket.on("close", resolve)); // `once` would take its error for ours
  client.close();
  heard.length = 0;
  await ended;
  assert.equal(client.status.link, "closed");
  assert.deepEqual(heard, []);
});
