// The pods of the page as columns of numbers: 150,000 of them are filtered, sorted and painted without touching an object.

import { containers, MOOD, mood } from "./viewer-model.js";

/** Texts that many pods share, as small numbers. Number 0 is the empty text. */
export class Interned {
  constructor() {
    /** @type {Map<string, number>} */
    this._ids = new Map([["", 0]]);
    this.texts = [""];
  }

  /** @param {string} text */
  id(text) {
    let id = this._ids.get(text);
    if (id === undefined) {
      id = this.texts.length;
      this._ids.set(text, id);
      this.texts.push(text);
    }
    return id;
  }

  /** The number of a text that may be unknown: -1. @param {string} text */
  known(text) {
    return this._ids.get(text) ?? -1;
  }
}

const COLUMNS = {
  mood: Uint8Array,
  status: Uint16Array,
  namespace: Uint32Array,
  node: Uint32Array,
  owner: Uint32Array,
  ready: Uint16Array,
  total: Uint16Array,
  restarts: Uint32Array,
  born: Float64Array, // seconds since 1970; 0 is not known
};
const MOST_STATUSES = 60_000; // a column of 16 bits; a status that comes later is shown as "…"

/**
 * Each pod has a slot, from when it comes until it goes; a slot may then be another pod's. What is read of a pod: uid,
 * namespace, name, nodeName, status, owner, creationTimestamp, and of its containers ready, total and restarts.
 */
export class PodColumns {
  constructor() {
    this.count = 0;
    /** One more than the highest slot in use. */
    this.top = 0;
    this.statuses = new Interned();
    this.namespaces = new Interned();
    this.nodes = new Interned();
    this.owners = new Interned();
    /** Mood of each status, by its number. @type {number[]} */
    this._moods = [mood("")];
    this.clear();
  }

  clear() {
    this.count = 0;
    this.top = 0;
    /** @type {Map<string, number>} */
    this.slots = new Map();
    /** @type {(string | undefined)[]} undefined where the slot is free */
    this.uid = [];
    /** @type {string[]} */
    this.name = [];
    /** @type {number[]} */
    this._free = [];
    /** How many pods are in each mood. */
    this.moods = new Int32Array(5);
    this._resize(1024);
  }

  /** @param {number} capacity */
  _resize(capacity) {
    for (const [name, Column] of Object.entries(COLUMNS)) {
      const column = new Column(capacity);
      if (this[name] !== undefined && this.top) column.set(this[name].subarray(0, this.top));
      /** @type {any} */ (this)[name] = column;
    }
    this.capacity = capacity;
  }

  /** @param {any} pod @returns {number} its slot */
  put(pod) {
    let slot = this.slots.get(pod.uid);
    if (slot === undefined) {
      slot = this._free.pop() ?? this.top++;
      if (slot >= this.capacity) this._resize(this.capacity * 2);
      this.slots.set(pod.uid, slot);
      this.count += 1;
    } else {
      this.moods[this.mood[slot]] -= 1;
    }
    this.uid[slot] = pod.uid;
    this.name[slot] = String(pod.name ?? pod.uid);
    const text = String(pod.status || pod.phase || "");
    const status = this.statuses.texts.length < MOST_STATUSES ? this.statuses.id(text) : Math.max(this.statuses.known(text), 0);
    if (status >= this._moods.length) this._moods.push(mood(text));
    const { ready, total, restarts } = containers(pod);
    let how = this._moods[status];
    // A pod that runs and is not ready serves nobody yet, or no longer.
    if (how === MOOD.good && ready < total) how = MOOD.wait;
    this.mood[slot] = how;
    this.moods[how] += 1;
    this.status[slot] = status;
    this.namespace[slot] = this.namespaces.id(String(pod.namespace ?? ""));
    this.node[slot] = this.nodes.id(pod.nodeName ?? "");
    this.owner[slot] = this.owners.id(ownerOf(pod));
    this.ready[slot] = ready;
    this.total[slot] = total;
    this.restarts[slot] = restarts;
    this.born[slot] = Date.parse(pod.creationTimestamp) / 1000 || 0;
    return slot;
  }

  /** @param {string} uid @returns {number} the slot that it had, -1 where it was not there */
  remove(uid) {
    const slot = this.slots.get(uid);
    if (slot === undefined) return -1;
    this.slots.delete(uid);
    this.uid[slot] = undefined;
    this.moods[this.mood[slot]] -= 1;
    this._free.push(slot);
    this.count -= 1;
    return slot;
  }

  /** @param {number} slot */
  statusOf(slot) {
    return this.statuses.texts[this.status[slot]];
  }

  /** `shop/web-1`. @param {number} slot */
  fullName(slot) {
    return `${this.namespaces.texts[this.namespace[slot]]}/${this.name[slot]}`;
  }

  /** The slot of `shop/web-1`, -1 where there is none: it looks at all. @param {string} fullName */
  find(fullName) {
    const [space, ...rest] = fullName.split("/");
    const namespace = this.namespaces.known(space);
    const name = rest.join("/");
    for (let slot = 0; slot < this.top; slot++) {
      if (this.namespace[slot] === namespace && this.name[slot] === name && this.uid[slot] !== undefined) return slot;
    }
    return -1;
  }

  /** One line about a pod, for a tooltip and for those who listen. @param {number} slot */
  sentence(slot) {
    const node = this.nodes.texts[this.node[slot]];
    const ready = this.total[slot] ? `, ${this.ready[slot]} of ${this.total[slot]} ready` : "";
    const restarts = this.restarts[slot] ? `, ${this.restarts[slot]} restarts` : "";
    return `${this.fullName(slot)}, ${this.statusOf(slot) || "no status"}${ready}${restarts}, ${node ? `on ${node}` : "on no node"}`;
  }
}

/** `shop/Deployment/web`; a pod without an owner, or of a recording that does not tell it, goes by its name. @param {any} pod */
function ownerOf(pod) {
  const { kind, name } = pod.owner ?? {};
  return name ? `${pod.namespace ?? ""}/${kind}/${name}` : `${pod.namespace ?? ""}/–/${stem(pod)}`;
}

/** What pods of one workload have in common: `web` of `web-7d5b78bf5d-l9vsw`. @param {any} pod */
function stem({ name = "", labels }) {
  const hash = labels?.["pod-template-hash"];
  const at = hash ? name.indexOf(`-${hash}`) : -1;
  return at > 0 ? name.slice(0, at) : name.replace(/(-\d+|-[a-z0-9]{5})$/, "");
}
