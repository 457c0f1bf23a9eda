// What a page costs the browser: `node page.mjs STATIC CHROMIUM PODS NODES RATE SECONDS PLAYWRIGHT` prints one line of JSON.
// The page is served from the folder STATIC and fed by a socket of this process; there is no kstream in it.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";

const [folder, executablePath, ...rest] = process.argv.slice(2);
const [pods, nodes, rate, seconds] = rest.slice(0, 4).map(Number);
const require = createRequire(join(rest[4], "package.json"));
const { chromium } = require("playwright-core");
const { WebSocketServer } = require("ws");

const START = Date.parse("2025-01-24T10:00:00Z");
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const PART = 8000; // pods in a message: less than 10 MB
const BEAT = 65; // milliseconds between two batches, as the server has it

let seed = 1;
const random = (limit) => (seed = (seed * 48271) % 2147483647) % limit;
const timestamp = () => new Date(START + performance.now()).toISOString();
const node = (number) => ({
  ...{ name: `node-${number}`, uid: `n-${number}`, status: number % 500 ? "Ready" : "NotReady", role: "worker" },
  capacity: { cpu: "8000m", memory: "32Gi", pods: "110" },
  conditions: ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"].map((type) => ({ type, status: "False", reason: "Known", message: "kubelet has sufficient memory available" })),
  labels: { "kubernetes.io/hostname": `node-${number}`, "topology.kubernetes.io/zone": `zone-${number % 3}` },
  creationTimestamp: "2025-01-23T10:00:00Z",
});
const STATUSES = ["Running", "Running", "Running", "Error", "CrashLoopBackOff"];
const pod = (number, status = number % 700 ? "Running" : "CrashLoopBackOff") => ({
  ...{ name: `service-${number % 900}-7d5b78bf5d-${number.toString(36).padStart(5, "x")}`, uid: `c68f3352-5292-40cb-9d84-${String(number).padStart(12, "0")}` },
  ...{ namespace: `team-${number % 80}`, nodeName: `node-${number % nodes}`, phase: "Running", status },
  containers: [{ name: "main", image: "registry.example/shop/service:1.0", ready: status === "Running", restartCount: number % 3, state: "running", reason: null }],
  labels: { app: `service-${number % 900}`, "pod-template-hash": "7d5b78bf5d" },
  creationTimestamp: "2025-01-23T10:00:00Z",
  owner: { kind: "Deployment", name: `service-${number % 900}` },
});

const http = createServer(async (request, response) => {
  const { pathname: asked } = new URL(request.url, "http://localhost");
  const pathname = asked === "/" ? "/index.html" : asked;
  if (pathname === "/api/timeline") return response.end(JSON.stringify({ buckets: [] }));
  try {
    const body = await readFile(join(folder, pathname));
    response.setHeader("Content-Type", TYPES[extname(pathname)] ?? "text/plain");
    response.end(body);
  } catch {
    response.statusCode = 404;
    response.end();
  }
});
const sockets = new WebSocketServer({ server: http });
let churning = false;
sockets.on("connection", (socket) => {
  const say = (message) => socket.send(JSON.stringify({ ...message, timestamp: timestamp() }));
  say({ type: "connection", status: "connected", cluster: { name: "bench", version: "v1.36.2" }, epoch: "e", term: "t", source: "live", resumed: false });
  const list = (count, of) => Array.from({ length: count }, (_, number) => of(number));
  say({ type: "initial_state", data: { nodes: list(nodes, node), pods: [], namespaces: list(80, (number) => ({ name: `team-${number}`, uid: `s-${number}`, status: "Active" })) } });
  let seq = 0;
  const event = (number, status) => ({ type: "pod_event", action: "MODIFIED", seq: ++seq, data: pod(number, status) });
  for (let first = 0; first < pods; first += PART) {
    const data = list(Math.min(PART, pods - first), (offset) => ({ ...event(first + offset), action: "ADDED" }));
    say({ type: "batch", data, ...(first + PART >= pods ? { seq } : {}) });
  }
  setInterval(() => {
    if (!churning || socket.readyState !== 1) return;
    const data = list(Math.round((rate * BEAT) / 1000), () => event(random(pods), STATUSES[random(STATUSES.length)]));
    say({ type: "batch", data, seq });
  }, BEAT);
});
await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1400, height: 860 } });
page.setDefaultTimeout(120_000);
const devtools = await page.context().newCDPSession(page);
await page.goto(`http://127.0.0.1:${http.address().port}/`);
const shown = (text) => page.waitForFunction((wanted) => document.getElementById("pods-count").textContent === wanted, text);
await shown(pods.toLocaleString("en"));
await page.waitForTimeout(3000); // whatever is put in order once
const timing = {};

/** What the main thread computes while `act` goes on: CPU time, so that others on the machine do not count; in milliseconds. */
async function traced(act) {
  await browser.startTracing(page, { categories: ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "__metadata"] });
  await act();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const main = new Set(traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(({ pid, tid }) => `${pid} ${tid}`));
  const mine = traceEvents.filter(({ pid, tid }) => main.has(`${pid} ${tid}`));
  const tasks = mine.filter(({ name, ph }) => ph === "X" && name === "RunTask").map(({ ts, tdur = 0 }) => ({ ts, cost: tdur / 1000 }));
  const frames = mine.filter(({ name }) => name === "FireAnimationFrame").map(({ ts }) => ts).sort((a, b) => a - b);
  return { tasks, frames };
}

churning = true;
await page.evaluate(() => {
  const loop = () => requestAnimationFrame(loop);
  loop();
});
await page.waitForTimeout(1000);
{
  const { tasks, frames } = await traced(() => page.waitForTimeout(seconds * 1000));
  // Of each frame, what was computed since the one before it.
  const costs = new Array(frames.length).fill(0);
  for (const { ts, cost } of tasks) {
    let [low, high] = [0, frames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (frames[middle] <= ts) low = middle + 1;
      else high = middle;
    }
    if (low > 0) costs[low - 1] += cost;
  }
  costs.sort((a, b) => a - b);
  timing.frame = costs[Math.floor(costs.length * 0.95)];
}

const search = (words) =>
  page.evaluate(
    (text) =>
      new Promise((resolve) => {
        const field = document.getElementById("search");
        const count = document.getElementById("pods-count");
        const began = performance.now();
        const before = count.textContent;
        const seen = new MutationObserver(() => {
          if (count.textContent === before) return;
          seen.disconnect();
          resolve(performance.now() - began);
        });
        seen.observe(count, { childList: true, characterData: true, subtree: true });
        field.value = text;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }),
    words,
  );
churning = false;
await page.waitForTimeout(500);
const words = ["team-7", "service-12", "crash", "node-49", "x1a", "", "service-899", "zzz"];
const { tasks } = await traced(async () => {
  for (const each of words) await search(each);
});
timing.search = tasks.reduce((sum, { cost }) => sum + cost, 0) / words.length;

await devtools.send("HeapProfiler.enable");
await devtools.send("HeapProfiler.collectGarbage");
await page.waitForTimeout(500);
await devtools.send("HeapProfiler.collectGarbage");
const { usedSize, backingStorageSize = 0, embedderHeapUsedSize = 0 } = await devtools.send("Runtime.getHeapUsage");
timing.memory = usedSize + backingStorageSize + embedderHeapUsedSize;
await browser.close();
http.closeAllConnections();
sockets.close();
http.close();
console.log(JSON.stringify(timing));
process.exit(0);
