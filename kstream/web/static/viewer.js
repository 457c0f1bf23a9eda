// The page at /: the live messages of this server, and the cluster that they add up to; or a recording, from its file.

import { playbar } from "./playbar.js";
import { client, recording } from "./source.js";
import { put, WindowedList } from "./viewer-list.js";
import { age, containers, describe, pretty, Rate, Sorted, tone } from "./viewer-model.js";

const KEPT_MESSAGES = 500;
const REFRESH = 200; // milliseconds between two drawings: more often than a person reads
const FLASH = 1200; // milliseconds for which a changed row stands out
const MAX_FLASHES = 500;
const SOURCES = { live: "Live", replay: "Replay", simulate: "Simulation" };

const element = (id) => /** @type {any} */ (document.getElementById(id));

const state = client.state;

// What is shown, kept in step with the fold

const pods = new Sorted((pod) => `${pod.namespace}\0${pod.name}`);
const nodes = new Sorted((node) => node.name);
const rate = new Rate();
/** @type {Map<string, number>} uid → when it changed */
const flashes = new Map();
/** @type {{ message: any, text: string, time: string, line: any }[]} newest first */
let messages = [];
let received = 0;
let paused = false;
let namespacesShown = "";
let lastTime = 0; // of the timeline, in milliseconds; ages count from there, since a replay is not now

client.addEventListener("message", ({ data: message }) => {
  received += 1;
  const time = Date.parse(message.timestamp);
  if (Number.isFinite(time) && message.type !== "pong") lastTime = time;
  if (message.type === "initial_state") {
    pods.reset(state.pods.values());
    nodes.reset(state.nodes.values());
  } else if (message.type === "batch") {
    for (const event of message.data) follow(event);
    rate.add(message.data.length, performance.now() / 1000);
  } else if (message.type.endsWith("_event")) {
    follow(message);
    rate.add(1, performance.now() / 1000);
  }
  keep(message);
});

function follow({ type, action, data }) {
  const sorted = type === "pod_event" ? pods : type === "node_event" ? nodes : null;
  if (sorted === null) return;
  if (action === "DELETED") sorted.remove(data.uid);
  else {
    sorted.put(data);
    if (flashes.size < MAX_FLASHES) flashes.set(data.uid, performance.now());
  }
}

function keep(message) {
  // A state of 10 MB is not kept for the list: its text is made now, cut to what the dialog shows.
  const large = message.type === "initial_state" || message.type === "batch";
  const entry = {
    message: large ? null : message,
    text: large ? pretty(message) : "",
    time: String(message.timestamp ?? "").slice(11, 23),
    line: describe(message),
  };
  messages.unshift(entry);
  if (messages.length > KEPT_MESSAGES) messages.length = KEPT_MESSAGES;
}

// Lists

const podsOn = new Map();

const podList = new WindowedList(element("pods-list"), {
  cells: 7,
  rowHeight: 30,
  fill(row, cells, { uid }) {
    const pod = state.pods.get(uid);
    if (pod === undefined) return;
    const { ready, restarts } = containers(pod);
    put(cells[0], pod.namespace);
    put(cells[1], pod.name);
    put(cells[2], ready);
    put(cells[3], statusOf(pod));
    put(cells[4], String(restarts));
    put(cells[5], pod.nodeName ?? "–");
    put(cells[6], age((lastTime - Date.parse(pod.creationTimestamp)) / 1000));
    mark(row, cells[3], uid, statusOf(pod));
  },
  pick: ({ uid }) => detail("Pod", JSON.stringify(state.pods.get(uid), null, 2)),
  name: ({ uid }) => uid,
  empty: () => empty("pods", pods.rows.length),
});

const nodeList = new WindowedList(element("nodes-list"), {
  cells: 3,
  rowHeight: 30,
  fill(row, cells, { uid }) {
    const node = state.nodes.get(uid);
    if (node === undefined) return;
    put(cells[0], node.name);
    put(cells[1], String(node.status).replace(",SchedulingDisabled", ", cordoned"));
    put(cells[2], `${podsOn.get(node.name) ?? 0}/${node.capacity?.pods ?? "?"}`);
    mark(row, cells[1], uid, node.status);
  },
  pick: ({ uid }) => detail("Node", JSON.stringify(state.nodes.get(uid), null, 2)),
  name: ({ uid }) => uid,
  empty: () => empty("nodes", nodes.rows.length),
});

const messageList = new WindowedList(element("messages-list"), {
  cells: 4,
  rowHeight: 26,
  fill(row, cells, { time, line }) {
    put(cells[0], time);
    put(cells[1], line.label);
    put(cells[2], line.text);
    put(cells[3], line.status ?? "");
    row.dataset.tone = line.tone;
  },
  pick: ({ message, text, time, line }) => detail(`${line.label} ${time}`, message ? pretty(message) : text),
});

/** Whether the server may not see something, or something of a kind. */
function refused(what = "") {
  return [...state.faults.keys()].some((fault) => {
    const [about, , resource] = fault.split(":");
    return about === "permission" && (!what || resource === what);
  });
}

/** Why a list shows none. */
function empty(what, all) {
  if (!state.loaded) return "No state has come yet.";
  if (all) return `Nothing matches: none of ${count(all)} ${what}.`;
  if (refused(what)) return `The server may not list ${what} (RBAC), or not all of them: there may be some.`;
  return state.stale ? `No ${what} are known; what is shown may be out of date.` : `There are no ${what}.`;
}

function mark(row, cell, uid, status) {
  cell.dataset.tone = tone(status);
  row.classList.toggle("changed", flashes.has(uid));
}

function statusOf(pod) {
  return String(pod.status ?? pod.phase ?? "");
}

function detail(title, text) {
  element("detail-title").textContent = title;
  element("detail-text").textContent = text;
  element("detail").showModal();
}

// Drawing: at most every REFRESH milliseconds, and not at all in a tab that no one sees

let drawing = 0;
let drawnAt = -Infinity;

function refresh() {
  if (drawing) return;
  const wait = Math.max(0, drawnAt + REFRESH - performance.now());
  drawing = setTimeout(() => requestAnimationFrame(draw), wait);
}

function draw() {
  drawing = 0;
  drawnAt = performance.now();
  for (const [uid, at] of flashes) if (drawnAt - at > FLASH) flashes.delete(uid);
  drawLink();
  drawCounts();
  drawNamespaces();
  drawLists();
  if (flashes.size) refresh();
}

function drawLists() {
  podsOn.clear();
  for (const pod of state.pods.values()) {
    if (pod.nodeName && pod.phase !== "Succeeded" && pod.phase !== "Failed") {
      podsOn.set(pod.nodeName, (podsOn.get(pod.nodeName) ?? 0) + 1);
    }
  }
  const all = pods.refresh();
  drawTones(all);
  const shown = filtered(all);
  element("pods-count").textContent = counted(shown, all);
  podList.show(shown);
  const allNodes = nodes.refresh();
  const search = searched("nodes-search");
  const shownNodes = search ? allNodes.filter(({ uid }) => matches(state.nodes.get(uid), search)) : allNodes;
  element("nodes-count").textContent = counted(shownNodes, allNodes);
  nodeList.show(shownNodes);
  element("messages-count").textContent = count(received);
  if (!paused) messageList.show(messages);
}

function counted(shown, all) {
  return shown === all ? count(all.length) : `${count(shown.length)} of ${count(all.length)}`;
}

function searched(id) {
  return element(id).value.trim().toLowerCase();
}

function matches(node, search) {
  return node !== undefined && `${node.name} ${node.status} ${node.role ?? ""}`.toLowerCase().includes(search);
}

/** @type {Map<string, string>} a status → its tone: there are few, and very many pods */
const tones = new Map();

function toneOf(status) {
  let found = tones.get(status);
  if (found === undefined) {
    if (tones.size > 1000) tones.clear();
    found = tone(status);
    tones.set(status, found);
  }
  return found;
}

function drawTones(rows) {
  if (!state.loaded) return;
  const many = { good: 0, wait: 0, bad: 0 };
  for (const { uid } of rows) {
    const pod = state.pods.get(uid);
    if (pod !== undefined) many[toneOf(statusOf(pod))] += 1;
  }
  for (const [mood, number] of Object.entries(many)) {
    element(`tile-${mood}`).textContent = count(number);
    element(`tile-${mood}`).classList.toggle("none", number === 0);
  }
}

function filtered(rows) {
  const namespace = element("namespace").value;
  const search = searched("search");
  const trouble = element("trouble").checked;
  if (!namespace && !search && !trouble) return rows;
  return rows.filter(({ uid }) => {
    const pod = state.pods.get(uid);
    if (pod === undefined || (namespace && pod.namespace !== namespace)) return false;
    if (trouble && toneOf(statusOf(pod)) === "good") return false;
    return !search || `${pod.name} ${statusOf(pod)} ${pod.nodeName ?? ""}`.toLowerCase().includes(search);
  });
}

function drawCounts() {
  if (!state.loaded) return;
  const { totalNodes, readyNodes, totalPods } = state.counts();
  element("tile-nodes").textContent = `${count(readyNodes)}/${count(totalNodes)}`;
  element("tile-pods").textContent = count(totalPods);
  element("tile-namespaces").textContent = count(state.namespaces.size);
  element("tile-rate").textContent = count(rate.total(performance.now() / 1000));
}

function drawNamespaces() {
  const names = [...state.namespaces.values()].map(({ name }) => name).sort();
  const select = element("namespace");
  // Options are touched only when they differ: a select that is open would close.
  const present = names.join("\n");
  if (present !== namespacesShown) {
    namespacesShown = present;
    const chosen = select.value;
    if (chosen && !names.includes(chosen)) names.push(chosen);
    select.replaceChildren(new Option("All namespaces", ""), ...names.map((name) => new Option(name, name)));
    select.value = chosen;
  }
  // Where no pods are watched nobody knows how many there are.
  const counted = state.pods.size > 0 || [...state.namespaces.values()].some((space) => "podCount" in space);
  for (const option of select.options) {
    const { value } = option;
    if (value) put(option, counted ? `${value} (${count(state.podCount(value))})` : value);
  }
}

function drawLink() {
  const { link, reason, failed } = client.status;
  const { connection, error } = state;
  const cluster = connection?.cluster;
  element("cluster").textContent = cluster ? `${cluster.name}  ${cluster.version}` : "no cluster yet";
  document.title = cluster ? `${cluster.name} – kstream` : "kstream";
  const source = element("source");
  source.hidden = !connection?.source;
  source.textContent = recording ? "Recording" : (SOURCES[connection?.source] ?? connection?.source ?? "");

  const lost = connection?.status === "reconnecting";
  const pill = element("link");
  pill.hidden = recording !== null && link === "connected"; // the bar says how it is played
  const [text, mood] =
    link === "waiting" ? [`Reconnecting in ${Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))} s`, "bad"]
    : link === "connecting" ? ["Connecting", "wait"]
    : link === "closed" ? ["Not open", "bad"]
    : lost ? ["Stale", "wait"]
    : state.stale ? ["Waiting for a state", "wait"]
    : refused() ? ["Connected in part", "wait"]
    : ["Connected", "good"];
  put(pill, text);
  pill.dataset.tone = mood;
  document.body.classList.toggle("stale", state.loaded && state.stale);

  const wrong = state.faults.size ? [...state.faults.values()] : error ? [error] : [];
  const said = wrong.map(({ message, details }) => `${message}${details ? ` (${details})` : ""}.`).join(" ");
  const problem =
    link === "waiting" || (link === "connecting" && failed) ? `The server is gone: ${reason}.${failed >= 5 ? ` ${failed} attempts failed; trying goes on.` : ""}`
    : lost ? `Not all that is shown follows the cluster.${said ? ` ${said}` : ""}`
    : wrong.length ? `${wrong[0].code}: ${said}`
    : link === "closed" ? `${reason}.`
    : "";
  element("banner").hidden = !problem;
  const old = state.loaded && state.stale ? ` What is shown is as of ${state.asOf === null ? "an unknown time" : `${state.asOf.slice(11, 19)} UTC`}.` : "";
  put(element("banner-text"), problem + (problem ? old : ""));
  element("retry").hidden = link !== "waiting";

  // Said aloud when it changes, and not each second of a countdown.
  const gone = link === "waiting" || (link === "connecting" && failed);
  put(element("said"), gone ? "The server is gone. What is shown is stale; trying goes on." : `${text}. ${problem}`);
}

function count(number) {
  return number.toLocaleString("en");
}

// What the user does

let retryAt = 0;
client.addEventListener("status", () => {
  retryAt = Date.now() + client.status.wait;
});
client.addEventListener("change", refresh);
for (const [id, list] of [["namespace", "pods-list"], ["search", "pods-list"], ["trouble", "pods-list"], ["nodes-search", "nodes-list"]]) {
  element(id).addEventListener("input", () => {
    element(list).scrollTop = 0;
    refresh();
  });
}
element("filters").addEventListener("submit", (event) => event.preventDefault());
element("retry").addEventListener("click", () => client.retryNow());
element("pause").addEventListener("click", ({ currentTarget: button }) => {
  paused = !paused;
  if (paused) messages = [...messages]; // the list keeps what it shows; new messages go into the copy
  button.setAttribute("aria-pressed", String(paused));
  button.textContent = paused ? "Resume" : "Pause";
  refresh();
});
addEventListener("online", () => client.retryNow());
setInterval(refresh, 1000); // countdowns and the rate
if (recording) playbar(recording, document.body);
client.start();
