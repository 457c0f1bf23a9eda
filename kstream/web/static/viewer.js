// The page at /: the cluster as a map and as tables, where in time it is, and how true it is.

import { ClusterSharing } from "./sharing.js";
import { Drawer } from "./drawer.js";
import { PLAIN, readView, writeView } from "./link.js";
import { MapView } from "./map-view.js";
import { MessageLog } from "./message-log.js";
import { Playhead } from "./playhead.js";
import { Shown } from "./shown.js";
import { sourceOf } from "./source.js";
import { refused, standing, whyEmpty } from "./standing.js";
import { TimeBar } from "./time-bar.js";
import { put } from "./viewer-grid.js";
import { Keys } from "./viewer-keys.js";
import { Lists } from "./viewer-lists.js";
import { figure, Rate } from "./viewer-model.js";

const REFRESH = 250; // milliseconds between two drawings of what is not the map: more often than a person reads
const FLASH = 1200; // milliseconds for which a changed row stands out
const MAX_FLASHES = 500;
const SLICE = 5; // milliseconds of sorting in a frame

const element = (id) => /** @type {any} */ (document.getElementById(id));

const view = readView(location.search);
const source = await sourceOf(view);
const { client } = source;
const { state } = client;
const shown = new Shown(state, view.group);
const { pods, filter } = shown;
const playhead = new Playhead(source, view);
const rate = new Rate();
/** @type {Map<string, number>} uid → when it changed */
const flashes = new Map();
const messages = new MessageLog();
let refusedMoment = source.refused;
let retryAt = 0;

const map = new MapView(
  { root: element("map"), canvas: element("map-canvas"), spacer: element("map-spacer"), current: element("map-current"), tip: element("map-tip") },
  { pods, cells: shown.cells, filter, pick: (slot) => open("pods", pods.uid[slot]), pickBlock },
);
const lists = new Lists({
  ...{ state, pods, filter, pick: open, sorted, now: () => playhead.time },
  pickMessage: ({ message, text, time, line }) => tell(`${line.label} ${time}`, message ?? text),
  flashing: (uid) => flashes.has(uid),
});
shown.order = lists.order;
const drawer = new Drawer(source, {
  go: (at) => playhead.seek(at),
  show: (kind, name) => open(kind, [...state[kind].values()].find((each) => each.name === name)?.uid),
  search,
  changed: (lanes) => bar.lanes(lanes),
  now: () => playhead.time,
});
const bar = new TimeBar(source, playhead, () => address());

// What comes

shown.onChange = (slot, uid) => {
  map.flash(slot);
  flash(uid);
};
shown.onOther = flash;

function flash(uid) {
  if (flashes.size < MAX_FLASHES) flashes.set(uid, performance.now());
}

client.addEventListener("message", ({ data: message }) => {
  playhead.hear(message);
  if (message.type === "playback") refusedMoment = ""; // the page is where somebody wanted it
  // What follows a state that was cut is the rest of it, and no change.
  if (message.type === "batch") shown.partial || rate.add(message.data.length, performance.now() / 1000);
  else if (message.type.endsWith("_event")) rate.add(1, performance.now() / 1000);
  if (shown.hear(message)) {
    choose();
    soon();
    void bar.refresh(true);
  }
  messages.keep(message);
  if (message.type !== "pong") map.changed();
});
client.addEventListener("status", () => {
  retryAt = Date.now() + client.status.wait;
  soon(); // how true it is, is told at once
});
client.addEventListener("change", refresh);
client.addEventListener("error", ({ error }) => messages.fail(error));

// Drawing: not at all in a tab that no one sees, and less often where it takes long

let drawing = 0;
let drawnAt = -Infinity;
let cost = 0;

function refresh() {
  if (drawing) return;
  const wait = Math.max(0, drawnAt + Math.min(Math.max(REFRESH, 25 * cost), 1000) - performance.now());
  drawing = setTimeout(() => requestAnimationFrame(draw), wait);
}

/** What the user did is seen at the next frame. */
function soon() {
  clearTimeout(drawing);
  drawing = 0;
  drawnAt = -Infinity;
  refresh();
}

function draw() {
  drawing = 0;
  const began = performance.now();
  sort();
  for (const [uid, at] of flashes) if (began - at > FLASH) flashes.delete(uid);
  choose(); // what an address names may come later than the rest
  drawStanding();
  if (state.loaded) drawTiles();
  drawNamespaces();
  element("map-why").hidden = pods.count > 0;
  put(element("map-why"), pods.count ? "" : whyEmpty(state, "pods", 0));
  lists.count();
  lists.show(view.tab, view.words, messages.entries);
  put(element("messages-count"), figure(messages.received));
  drawer.refresh();
  bar.draw();
  void bar.refresh();
  address();
  drawnAt = performance.now();
  cost = drawnAt - began;
  if (flashes.size) refresh();
}

let sorting = 0;

/** The order of very many takes several frames, each a slice. */
function sort() {
  const began = performance.now();
  clearTimeout(sorting);
  sorting = 0;
  if (!lists.order.refresh(() => performance.now() - began > SLICE)) sorting = setTimeout(sort, SLICE);
}

function drawStanding() {
  const { cluster, source: kind } = state.connection ?? {};
  put(element("cluster"), cluster ? `${cluster.name}  ${cluster.version}` : "no cluster yet");
  const where = playhead.place;
  document.title = cluster ? `${cluster.name}${where.present || !source.shared ? "" : " (past)"} – kstream` : "kstream";
  const badge = element("source");
  badge.hidden = !kind;
  put(badge, !source.shared ? "Recording" : { live: "Live", replay: "Replay", simulate: "Simulation" }[kind] ?? String(kind ?? ""));
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const { text, tone, problems, old, said } = standing(client.status, state, { seconds, recording: !source.shared, partial: shown.partial });
  put(element("link"), text);
  element("link").dataset.tone = tone;
  element("link").hidden = !source.shared && client.status.link === "connected"; // the bar says how it is played
  document.body.classList.toggle("stale", state.loaded && state.stale);
    const lines = problems.map(({ code, text: what, remedy }) => [code, what, remedy]);
  if (refusedMoment) lines.push(["", `The moment of this address is not shown: ${refusedMoment}.`, "This is the present."]);
  if (old) lines.push(["", old, ""]);
  element("banner").hidden = !lines.length;
  const print = JSON.stringify(lines);
  if (element("banner-list").dataset.print !== print) {
    element("banner-list").dataset.print = print;
    element("banner-list").replaceChildren(...lines.map(problemLine));
  }
  element("retry").hidden = client.status.link !== "waiting";
  put(element("said"), where.present ? said : `${said} ${where.text}.`);
}

function problemLine([code, text, remedy]) {
  const item = document.createElement("li");
  const parts = [["strong", code], ["span", text], ["em", remedy]];
  for (const [tag, words] of parts) if (words) item.append(Object.assign(document.createElement(tag), { textContent: words }), " ");
  return item;
}

function drawTiles() {
  const [good, done, wait, ending, bad] = pods.moods;
  const totalNodes = state.nodes.size;
  let readyNodes = 0;
  for (const { status } of state.nodes.values()) readyNodes += status === "Ready" || String(status).startsWith("Ready,") ? 1 : 0;
  const figures = { bad, wait, ending, good: good + done, pods: pods.count, namespaces: state.namespaces.size, rate: rate.total(performance.now() / 1000) };
  // What may not be listed may be there: its number is the least that there is.
  const least = refused(state.faults, "pods") ? "+" : "";
  for (const [name, many] of Object.entries(figures)) {
    put(element(`tile-${name}`), figure(many) + (["namespaces", "rate"].includes(name) ? "" : least));
    element(`tile-${name}`).classList.toggle("none", many === 0);
  }
  put(element("tile-nodes"), refused(state.faults, "nodes") && !totalNodes ? "?" : `${figure(readyNodes)}/${figure(totalNodes)}`);
  element("tile-nodes").classList.toggle("short", readyNodes < totalNodes);
}

let namespacesShown = "";

function drawNamespaces() {
  const names = new Set([...state.namespaces.values()].map(({ name }) => name));
  for (const name of view.namespaces) names.add(name);
  const sorted = [...names].sort();
  const several = view.namespaces.length > 1 ? view.namespaces.join(",") : "";
  // Options are touched only when they differ: a select that is open would close.
  const present = [several, ...sorted].join("\n");
  const select = element("namespace");
  if (present !== namespacesShown) {
    namespacesShown = present;
    const options = sorted.map((name) => new Option(name, name));
    select.replaceChildren(new Option("All namespaces", ""), ...(several ? [new Option(several, several)] : []), ...options);
  }
  if (document.activeElement !== select) select.value = view.namespaces.join(",");
}

// What is looked at

function narrow() {
  filter.want({ namespaces: view.namespaces, words: view.words, trouble: view.trouble });
  for (const kind of ["pods", "nodes", "namespaces"]) lists.grids[kind].toTop();
  element("trouble").checked = view.trouble;
  element("tile-bad").setAttribute("aria-pressed", String(view.trouble));
  map.draw();
  soon();
}

/** The server is asked for more only where what is held is not enough. */
function ask() {
  const held = state.wanted;
  const wider = held.length > 0 && (!view.namespaces.length || view.namespaces.some((name) => !held.includes(name)));
  if (wider || state.wantedLabels !== view.labels.trim()) client.subscribe(wider ? [] : held, { labels: view.labels });
  void bar.refresh(true);
}

function open(kind, uid) {
  const object = state[kind].get(uid);
  if (object === undefined) return;
  map.selected = kind === "pods" ? uid : null;
  const name = kind === "pods" ? `${object.namespace}/${object.name}` : object.name;
  Object.assign(view, { pod: "", node: "", space: "", [{ pods: "pod", nodes: "node", namespaces: "space" }[kind]]: name });
  drawer.open({ kind, uid, name });
  map.draw();
  address();
}

function shut() {
  drawer.close();
  map.selected = null;
  Object.assign(view, { pod: "", node: "", space: "" });
  map.draw();
  address();
}

function pickBlock(block) {
  const named = (kind, name) => open(kind, [...state[kind].values()].find((each) => each.name === name)?.uid);
  if (shown.cells.grouping === "node") named("nodes", block.name);
  else if (shown.cells.grouping === "namespace") named("namespaces", block.name);
  else search(block.name.split("/").at(-1));
}

/** What an address names is opened once it is there. */
function choose() {
  if (drawer.chosen !== null) return;
  const slot = view.pod ? pods.find(view.pod) : -1;
  if (slot >= 0) open("pods", pods.uid[slot]);
  else if (view.node || view.space) {
    const [kind, name] = view.node ? ["nodes", view.node] : ["namespaces", view.space];
    open(kind, [...state[kind].values()].find((each) => each.name === name)?.uid);
  }
}

function search(words) {
  view.words = element("search").value = words;
  if (matchMedia("(max-width: 860px)").matches) shut();
  narrow();
}

function tab(name) {
  view.tab = name;
  for (const each of ["pods", "nodes", "namespaces", "messages"]) {
    element(`tab-${each}`).setAttribute("aria-selected", String(each === name));
    element(`tab-${each}`).tabIndex = each === name ? 0 : -1;
    element(`panel-${each}`).hidden = each !== name;
  }
  soon();
}

function sorted() {
  const { by, down } = lists.sorts.pods;
  view.sort = `${down ? "-" : ""}${by}`;
  lists.grids[view.tab].toTop();
  soon();
}

function show(how) {
  view.show = how;
  document.body.dataset.show = how;
  element("show").value = how;
}

function group(how) {
  view.group = how;
  element("group").value = how;
  shown.cells.regroup(how);
  map.draw();
}

let said = location.search;
let saidAt = 0;

/** The address is that of the view; browsers allow few changes of it. */
function address() {
  const { present, playing, speed } = playhead.place;
  const following = playhead.following;
  const at = present || following || !Number.isFinite(playhead.time) ? "" : new Date(playhead.time).toISOString();
  const pace = at && playing ? String(speed) : "";
  const moment = state.loaded ? { at, speed: pace, follow: following } : {};
  const query = writeView({ ...view, ...moment });
  if (query === said || performance.now() - saidAt < 1000) return;
  said = query;
  saidAt = performance.now();
  try {
    history.replaceState(null, "", query || location.pathname);
  } catch {
    // A page from the disk may not change its address, in some browsers: its links are those of Share.
  }
}

function tell(title, what) {
  element("detail-title").textContent = title;
  element("detail-text").textContent = messages.text(what);
  element("detail").showModal();
}

const sharing = new ClusterSharing({ source, playhead, query: (more) => writeView({ ...view, at: "", speed: "", follow: "", ...more }) });
const keys = new Keys({
  ...{ playhead, map, bar, tab },
  search: () => element("search").focus(),
  trouble: () => ((view.trouble = !view.trouble), narrow()),
  group: () => group({ node: "namespace", namespace: "owner", owner: "node" }[view.group]),
  close: () => (drawer.chosen === null ? (view.words && search(""), undefined) : shut()),
});

const acts = {
  search: ["input", ({ target }) => ((view.words = target.value), narrow())],
  namespace: ["change", ({ target }) => ((view.namespaces = target.value.split(",").filter(Boolean)), narrow(), ask())],
  labels: ["change", ({ target }) => ((view.labels = target.value.trim()), ask())],
  trouble: ["change", ({ target }) => ((view.trouble = target.checked), narrow())],
  group: ["change", ({ target }) => group(target.value)],
  show: ["change", ({ target }) => show(target.value)],
  retry: ["click", () => client.retryNow()],
  share: ["click", () => sharing.open()],
  help: ["click", () => keys.help()],
  filters: ["submit", (event) => event.preventDefault()],
  "tile-bad": ["click", () => ((view.trouble = !view.trouble), narrow())],
  "drawer-close": ["click", shut],
  "map-in": ["click", () => map.zoomBy(1)],
  "map-out": ["click", () => map.zoomBy(-1)],
  "map-fit": ["click", () => map.zoomBy(0)],
  pause: ["click", ({ currentTarget }) => (messages.hold(currentTarget), refresh())],
};
for (const [id, [event, act]] of Object.entries(acts)) element(id).addEventListener(event, act);
for (const name of ["pods", "nodes", "namespaces", "messages"]) element(`tab-${name}`).addEventListener("click", () => tab(name));
element("tabs").addEventListener("keydown", (event) => keys.tabs(event, view.tab));

Object.assign(view, { at: "", speed: "", paused: false });
lists.sorts.pods = { by: view.sort.replace("-", ""), down: view.sort.startsWith("-") };
element("search").value = view.words;
element("labels").value = view.labels;
element("labels-part").hidden = !source.shared; // a recording in a page is not filtered by labels
element("group").value = view.group;
show(view.show);
tab(view.tab);
narrow();
addEventListener("online", () => client.retryNow());
setInterval(refresh, 1000); // countdowns, ages and the rate
client.start();
