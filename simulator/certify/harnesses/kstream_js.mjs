// The harness of kstream.js, for `kstream certify -- node kstream_js.mjs`, and one to begin a harness of another client with.
// KSTREAM_JS names another kstream.js than the one that kstream serves. Node before 22 has no WebSocket: the package `ws`
// is taken from where this is started.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const WebSocket = globalThis.WebSocket ?? createRequire(`${process.cwd()}/`)("ws");
const out = process.stdout;

// Time passes when it is said: the waits of a client take none, and come out exactly.
let now = 0;
let made = 0;
const timers = new Map();
const set = (action, wait, every) => timers.set(++made, { at: now + wait, action, every }) && made;
globalThis.setTimeout = (action, wait = 0) => set(action, wait, 0);
globalThis.setInterval = (action, every) => set(action, every, every);
globalThis.clearTimeout = globalThis.clearInterval = (id) => void timers.delete(id);
function advance(span) {
  const end = now + span;
  for (;;) {
    const [id, timer] = [...timers].reduce((first, each) => (each[1].at < first[1].at ? each : first), [0, { at: Infinity }]);
    if (timer.at > end) break;
    now = timer.at;
    if (timer.every) timer.at += timer.every;
    else timers.delete(id);
    timer.action();
  }
  now = end;
}

const own = new URL("../../../kstream/web/static/kstream.js", import.meta.url);
const { KstreamClient } = await import(process.env.KSTREAM_JS ? pathToFileURL(process.env.KSTREAM_JS) : own);

let client;
let shown; // what the user is told
function start(url) {
  client?.close();
  timers.clear();
  shown = null;
  client = new KstreamClient(url, { WebSocket, fetch: null }); // it would ask why it was refused, in the runtime's own time
  client.addEventListener("error", ({ error }) => (shown = error.message));
  client.addEventListener("status", () => client.status.link === "connected" && (shown = null));
  client.start();
}

function fold() {
  const { state } = client;
  const [nodes, pods, namespaces] = [state.nodes, state.pods, state.namespaces].map((held) => [...held.values()]);
  const podCounts = Object.fromEntries(namespaces.map(({ name }) => [name, state.podCount(name)]));
  const { seq, stale, asOf, metrics } = state;
  return { nodes, pods, namespaces, podCounts, seq, stale, asOf, metrics, error: shown, faults: [...state.faults.keys()] };
}

const answers = {
  can: () => ({ can: ["start", "advance", "subscribe", "resume"] }),
  fold,
  start: ({ url }) => start(url),
  advance: ({ ms }) => advance(ms),
  subscribe: ({ namespaces }) => client.subscribe(namespaces),
};

start(process.env.KSTREAM_URL);
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  out.write(`${JSON.stringify(answers[asked.ask]?.(asked) ?? {})}\n`);
}
process.exit();
