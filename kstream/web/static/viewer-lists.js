// The tables beside the map: pods, nodes, namespaces and messages, each with its columns and its order.

import { byKey, NameOrder, ranks } from "./pod-order.js";
import { matching } from "./pod-filter.js";
import { whyEmpty } from "./standing.js";
import { Grid, put } from "./viewer-grid.js";
import { age, figure, MOOD, mood } from "./viewer-model.js";

const element = (id) => /** @type {any} */ (document.getElementById(id));
// The worst first: not well, starting, ending, well, completed. By MOOD.
const RANK = [3, 4, 1, 2, 0];

/** node-2 is before node-10. @param {{ name: string }} item */
const natural = ({ name }) => name.replace(/\d+/g, (digits) => digits.padStart(9, "0"));

const POD_COLUMNS = [
  { id: "namespace", title: "Namespace" },
  { id: "name", title: "Name" },
  { id: "status", title: "Status" },
  { id: "ready", title: "Ready", number: true },
  { id: "restarts", title: "Restarts", number: true },
  { id: "node", title: "Node" },
  { id: "age", title: "Age", number: true },
];
const NODE_COLUMNS = [
  { id: "name", title: "Name" },
  { id: "status", title: "Status" },
  { id: "pods", title: "Pods", number: true },
  { id: "bad", title: "Not well", number: true },
  { id: "role", title: "Role" },
  { id: "zone", title: "Zone" },
];
const SPACE_COLUMNS = [
  { id: "name", title: "Name" },
  { id: "status", title: "Status" },
  { id: "pods", title: "Pods", number: true },
  { id: "bad", title: "Not well", number: true },
];
const MESSAGE_COLUMNS = [
  { id: "time", title: "Time", sorts: false },
  { id: "type", title: "Type", sorts: false },
  { id: "text", title: "What", sorts: false },
  { id: "status", title: "Status", sorts: false },
];

export class Lists {
  /**
   * @param {{ state: any, pods: import("./pod-columns.js").PodColumns, filter: import("./pod-filter.js").PodFilter,
   *   pick: (kind: any, uid: string) => void, pickMessage: (entry: any) => void, sorted: () => void, now: () => number,
   *   flashing: (uid: string) => boolean }} shown
   */
  constructor({ state, pods, filter, pick, pickMessage, sorted, now, flashing }) {
    Object.assign(this, { _state: state, _pods: pods, _filter: filter, _now: now });
    this.order = new NameOrder(pods);
    /** What each table is sorted by: a column, and whether the other way round. @type {Record<string, { by: string, down: boolean }>} */
    this.sorts = { pods: { by: "status", down: false }, nodes: { by: "status", down: false }, namespaces: { by: "bad", down: true } };
    /** @type {Uint32Array} */
    this._shown = new Uint32Array(0);
    this._found = { nodes: 0, namespaces: 0 };
    const sort = (kind) => (column) => {
      const { by, down } = this.sorts[kind];
      this.sorts[kind] = { by: column, down: by === column ? !down : ["restarts", "pods", "bad", "ready"].includes(column) };
      sorted();
    };
    const mark = (row, cell, status, how, uid) => {
      put(cell, status);
      cell.dataset.mood = String(how);
      row.classList.toggle("changed", flashing(uid));
    };
    this.grids = {
      pods: new Grid(element("pods-list"), {
        columns: POD_COLUMNS,
        label: "Pods; Enter shows all of one",
        sort: sort("pods"),
        fill(row, cells, slot) {
          put(cells[0], pods.namespaces.texts[pods.namespace[slot]]);
          put(cells[1], pods.name[slot]);
          mark(row, cells[2], pods.statusOf(slot), pods.mood[slot], String(pods.uid[slot]));
          put(cells[3], `${pods.ready[slot]}/${pods.total[slot]}`);
          put(cells[4], String(pods.restarts[slot]));
          put(cells[5], pods.nodes.texts[pods.node[slot]] || "–");
          put(cells[6], pods.born[slot] ? age(now() / 1000 - pods.born[slot]) : "–");
        },
        pick: (slot) => pick("pods", pods.uid[slot]),
        empty: () => whyEmpty(state, "pods", pods.count),
      }),
      nodes: new Grid(element("nodes-list"), {
        columns: NODE_COLUMNS,
        label: "Nodes; Enter shows all of one",
        sort: sort("nodes"),
        fill: (row, cells, uid) => {
          const node = state.nodes.get(uid);
          if (node === undefined) return;
          const id = pods.nodes.known(node.name);
          put(cells[0], node.name);
          mark(row, cells[1], String(node.status).replace(",SchedulingDisabled", ", cordoned"), mood(node.status), uid);
          put(cells[2], `${this._on.all[id] ?? 0}/${node.capacity?.pods ?? "?"}`);
          put(cells[3], String(this._on.bad[id] ?? 0));
          put(cells[4], node.role ?? "–");
          put(cells[5], node.labels?.["topology.kubernetes.io/zone"] ?? "–");
        },
        pick: (uid) => pick("nodes", uid),
        empty: () => whyEmpty(state, "nodes", state.nodes.size),
      }),
      namespaces: new Grid(element("namespaces-list"), {
        columns: SPACE_COLUMNS,
        label: "Namespaces; Enter shows all of one",
        sort: sort("namespaces"),
        fill: (row, cells, uid) => {
          const space = state.namespaces.get(uid);
          if (space === undefined) return;
          const id = pods.namespaces.known(space.name);
          put(cells[0], space.name);
          mark(row, cells[1], String(space.status), mood(space.status), uid);
          put(cells[2], String(this._in.all[id] ?? 0));
          put(cells[3], String(this._in.bad[id] ?? 0));
        },
        pick: (uid) => pick("namespaces", uid),
        empty: () => whyEmpty(state, "namespaces", state.namespaces.size),
      }),
      messages: new Grid(element("messages-list"), {
        columns: MESSAGE_COLUMNS,
        label: "Messages, newest first; Enter shows all of one",
        fill(row, cells, { time, line }) {
          put(cells[0], time);
          put(cells[1], line.label);
          put(cells[2], line.text);
          put(cells[3], line.status ?? "");
          row.dataset.tone = line.tone;
        },
        pick: pickMessage,
        empty: () => "No message has come yet.",
      }),
    };
    this._on = { all: new Uint32Array(0), bad: new Uint32Array(0) };
    this._in = this._on;
  }

  /** Counts of pods on nodes and in namespaces, in one pass. */
  count() {
    const { top, uid, node, namespace, mood: moods, nodes, namespaces } = this._pods;
    const fresh = (texts) => ({ all: new Uint32Array(texts.length), bad: new Uint32Array(texts.length) });
    const [on, inside] = [fresh(nodes.texts), fresh(namespaces.texts)];
    for (let slot = 0; slot < top; slot++) {
      if (uid[slot] === undefined) continue;
      const bad = moods[slot] === MOOD.bad ? 1 : 0;
      if (moods[slot] !== MOOD.done) on.all[node[slot]] += 1; // what has ended takes no place on its node
      on.bad[node[slot]] += bad;
      inside.all[namespace[slot]] += 1;
      inside.bad[namespace[slot]] += bad;
    }
    this._on = on;
    this._in = inside;
  }

  /** Draw one table; the counts of all. @param {string} tab @param {string} words what is searched @param {any[]} messages */
  show(tab, words, messages) {
    const state = this._state;
    const said = (found, all) => (found === all ? figure(all) : `${figure(found)} of ${figure(all)}`);
    put(element("pods-count"), said(this._filter.count, this._pods.count));
    const nodes = this._narrow("nodes", words, (node) => `${node.name} ${node.status} ${node.role ?? ""} ${node.labels?.["topology.kubernetes.io/zone"] ?? ""}`);
    const spaces = this._narrow("namespaces", words, (space) => `${space.name} ${space.status}`);
    put(element("nodes-count"), said(nodes.length, state.nodes.size));
    put(element("namespaces-count"), said(spaces.length, state.namespaces.size));
    if (tab === "pods") this._showPods();
    else if (tab === "nodes") this._showSorted("nodes", nodes, this._on, this._pods.nodes);
    else if (tab === "namespaces") this._showSorted("namespaces", spaces, this._in, this._pods.namespaces);
    else this.grids.messages.show(messages.length, (index) => messages[index]);
  }

  _narrow(kind, words, text) {
    const all = [...this._state[kind].values()];
    const matches = matching(words);
    return words.trim() ? all.filter((each) => matches(text(each))) : all;
  }

  _showPods() {
    const { by, down } = this.sorts.pods;
    const pods = this._pods;
    // Before very many are in order they are shown as they came.
    const base = this.order.slots.length * 2 < pods.count ? Uint32Array.from({ length: pods.top }, (_, slot) => slot) : this.order.slots;
    const fresh = () => ({ status: ranks(pods.statuses.texts), node: ranks(pods.nodes.texts) });
    // Ranks cost a sort of few texts, but of thousands of nodes: only when there are others.
    const known = `${pods.statuses.texts.length} ${pods.nodes.texts.length}`;
    if (this._known !== known) [this._known, this._ranks] = [known, fresh()];
    const { status, node } = this._ranks;
    const now = this._now() / 1000;
    const keys = {
      status: (slot) => RANK[pods.mood[slot]] * status.length + status[pods.status[slot]], // few: sorted in one pass
      ready: (slot) => pods.total[slot] - pods.ready[slot],
      restarts: (slot) => pods.restarts[slot],
      node: (slot) => node[pods.node[slot]],
      age: (slot) => Math.max(0, Math.floor(now - pods.born[slot])) % 2 ** 32,
    };
    // Only what is shown is sorted.
    const { matched } = this._filter;
    let shown = new Uint32Array(base.length);
    let length = 0;
    for (const slot of base) if (matched[slot] && pods.uid[slot] !== undefined) shown[length++] = slot;
    shown = shown.subarray(0, length);
    const key = keys[by];
    if (key !== undefined) shown = byKey(shown, key, down);
    else if (down) shown = shown.slice().reverse();
    this._shown = shown;
    this.grids.pods.sortedBy(by, down);
    this.grids.pods.show(length, (index) => shown[index]);
  }

  _showSorted(kind, items, counts, interned) {
    const { by, down } = this.sorts[kind];
    const id = ({ name }) => interned.known(name);
    const keys = {
      status: (item) => RANK[mood(item.status)],
      pods: (item) => counts.all[id(item)] ?? 0,
      bad: (item) => counts.bad[id(item)] ?? 0,
      role: (item) => String(item.role ?? ""),
      zone: (item) => item.labels?.["topology.kubernetes.io/zone"] ?? "",
    };
    const key = keys[by] ?? natural;
    const keyed = items.map((item) => [key(item), natural(item), item]);
    const sign = down ? -1 : 1;
    keyed.sort(([a, one], [b, other]) => (a < b ? -sign : a > b ? sign : one < other ? -1 : 1));
    this.grids[kind].sortedBy(by, down);
    this.grids[kind].show(keyed.length, (index) => keyed[index][2].uid);
  }
}
