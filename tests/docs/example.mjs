// Runs an example as a browser would: `node example.mjs FILE ID…`, where the IDs are of the elements of its page. It lies beside
// the example and the kstream.js or the package that it imports, and ends when every client that was started is live and all is drawn.
import { readFileSync } from "node:fs";

import WebSocket from "ws";

import * as packaged from "kstream";
import * as served from "./kstream.js";

class Element {
  textContent = "";
  children = [];
  replaceChildren(...children) {
    this.children = children;
  }
  get drawn() {
    return this.textContent !== "" || this.children.length > 0;
  }
}

const [example, ...ids] = process.argv.slice(2);
const elements = new Map(ids.map((id) => [id, new Element()]));
globalThis.WebSocket ??= WebSocket; // Node before 22 has none
globalThis.requestAnimationFrame = setImmediate;
globalThis.document = { getElementById: (id) => elements.get(id) ?? null, createElement: () => new Element() };
if (readFileSync(example, "utf8").includes("render(")) {
  const own = new Element(); // what the reader draws with
  elements.set("render", own);
  globalThis.render = (state) => own.replaceChildren(state);
}

const clients = [];
const done = new Promise((resolve, reject) => {
  const live = () => clients.every(({ state }) => state.loaded && !state.stale);
  const missing = () => [...elements].filter(([, element]) => !element.drawn).map(([id]) => id);
  const look = () => {
    if (live() && missing().length === 0) resolve();
  };
  // The server sends metrics for ever: a client that is live has had its time to draw when the third come.
  let metrics = 0;
  const lose = ({ data }) => {
    if (data.type === "metrics" && live() && ++metrics === 3) reject(new Error(`nothing is drawn in ${missing()}`));
  };
  for (const { KstreamClient } of [packaged, served]) {
    const { start } = KstreamClient.prototype;
    KstreamClient.prototype.start = function () {
      clients.push(this);
      this.addEventListener("change", look); // after the example's own
      this.addEventListener("message", lose);
      this.addEventListener("error", ({ error }) => reject(error));
      return start.call(this);
    };
  }
});
await import(example);
if (clients.length === 0) throw new Error("nothing was started");
await done;
for (const client of clients) client.close();
