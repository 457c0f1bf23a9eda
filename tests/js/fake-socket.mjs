// A WebSocket that does what a test says, and a client on it. `sockets` has all that were made since a test emptied it.
import { KstreamClient } from "../../kstream/web/static/kstream.js";

export const sockets = [];

export class FakeWebSocket {
  constructor(url) {
    this.url = new URL(url);
    this.readyState = 0;
    this.sent = [];
    sockets.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
    this.left = true;
  }
  // What a server does:
  say(...messages) {
    this.readyState = 1;
    for (const message of messages) this.onmessage({ data: JSON.stringify(message) });
  }
  drop(code = 1006, reason = "") {
    this.readyState = 3;
    if (code === 1006) this.onerror({ type: "error" }); // as a browser tells it
    this.onclose({ code, reason });
  }
}

export const HELLO = { type: "connection", status: "connected", epoch: "e 1", resumed: false };
export const STATE = { type: "initial_state", seq: 10, data: { nodes: [], pods: [], namespaces: [] } };
export const last = () => sockets.at(-1);
export const query = () => Object.fromEntries(last().url.searchParams);

export function connect(options = {}, url = "http://localhost:3001/") {
  const client = new KstreamClient(url, { WebSocket: FakeWebSocket, fetch: null, ...options });
  client.errors = [];
  client.addEventListener("error", ({ error }) => client.errors.push(error.message));
  return client.start();
}
