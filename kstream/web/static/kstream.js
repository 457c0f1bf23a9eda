// A client of a kstream server for browsers and Node: connects, reconnects as the contract says, folds what it gets.
//
//   import { KstreamClient } from "./kstream.js";
//   const client = new KstreamClient("ws://localhost:3001/ws", { namespaces: ["shop"] });
//   client.addEventListener("change", () => console.log(client.state.counts()));
//   client.start();
//
// Node before 22 has no WebSocket: pass one, `new KstreamClient(url, { WebSocket })`, from the package `ws`. None is needed
// before `start()`, so a server that renders pages may make clients.
// The fold is held to fixtures/messages/*.json, as is the Python client's. Types: kstream.d.ts.

export const PROTOCOL = 1; // the version that this client speaks; a server says its own in `connection`
export const FIRST_WAIT = 1000; // milliseconds between the loss of a connection and the first attempt
export const MAX_WAIT = 30_000;
export const ATTEMPTS_BEFORE_ERROR = 5;
export const HEARTBEAT_INTERVAL = 30_000;
export const HEARTBEAT_TIMEOUT = 10_000;
const MOMENTS = new Set(["INVALID_MESSAGE", "RATE_LIMITED", "WATCH_ERROR"]); // unless they have a `fault`
const FILTER = ["namespaces", "kinds", "labels", "detail"]; // parameters of the URL
const PLACED = new Set([
  ...["initial_state", "map_state", "batch", "node_event", "pod_event", "namespace_event", "map_event", "metrics", "playback"],
]);
const TIMELINE = ["at", "speed", "paused", "follow"]; // the same: where it begins
const OPENING = 10_000; // for the handshake, and again for the first message
const KINDS = ["nodes", "pods", "namespaces"];
const OF = new Map([["node_event", "nodes"], ["pod_event", "pods"], ["namespace_event", "namespaces"], ["map_event", "pods"]]);
const PART = 512; // objects in a part of what a snapshot shares with the next one

/** A message that is not of the contract's shape; `details` names the field. */
export class InvalidMessageError extends Error {
  /** @param {string} message @param {string} details */
  constructor(message, details) {
    super(`${message} (${details})`);
    this.name = "InvalidMessageError";
    this.details = details;
  }
}

/** Which objects came, changed and went, by uid: with one message, or with several that were added up, for those who draw. */
export class Changes {
  constructor() {
    /** A whole state came, so all of it is to be drawn anew; the sets tell what happened to it since. */
    this.whole = false;
    const none = () => ({ added: new Set(), changed: new Set(), removed: new Set() });
    this.nodes = none();
    this.pods = none();
    this.namespaces = none();
  }

  /** Nothing is to be drawn. */
  get empty() {
    return !this.whole && KINDS.every((kind) => !Object.values(this[kind]).some(({ size }) => size));
  }

  /** What happened later, too: for one who draws once a frame. @param {Changes} later @returns {this} */
  add(later) {
    if (later.whole) Object.assign(this, new Changes(), { whole: true });
    for (const kind of KINDS) {
      const { added, changed, removed } = later[kind];
      for (const uid of removed) this._removed(kind, uid);
      for (const uid of added) this._added(kind, uid);
      for (const uid of changed) this._changed(kind, uid);
    }
    return this;
  }

  _added(kind, uid) {
    const { added, changed, removed } = this[kind];
    if (removed.delete(uid)) changed.add(uid);
    else added.add(uid);
  }

  _changed(kind, uid) {
    const { added, changed } = this[kind];
    if (!added.has(uid)) changed.add(uid);
  }

  _removed(kind, uid) {
    const { added, changed, removed } = this[kind];
    changed.delete(uid);
    if (!added.delete(uid)) removed.add(uid);
  }
}

const WHOLE = Object.assign(new Changes(), { whole: true });

/**
 * Objects by uid that never change, in the order in which they came: a Map to read. It is made of parts, which the next one
 * shares while nothing in them has changed: so it costs what changed, not what there is.
 */
class Objects {
  constructor(places, parts, size) {
    this._places = places;
    /** Arrays of objects, and of undefined where one went; the same array as before holds the same objects. */
    this.parts = parts;
    this.size = size;
    Object.freeze(this);
  }

  get(uid) {
    const place = this._places.get(uid);
    return place === undefined ? undefined : this.parts[Math.floor(place / PART)]?.[place % PART];
  }

  has(uid) {
    return this.get(uid) !== undefined;
  }

  *values() {
    for (const part of this.parts) for (const item of part) if (item !== undefined) yield item;
  }

  *keys() {
    for (const item of this.values()) yield item.uid;
  }

  *entries() {
    for (const item of this.values()) yield [item.uid, item];
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  forEach(each, self) {
    for (const item of this.values()) each.call(self, item, item.uid, this);
  }
}

/** Makes one `Objects` after another of what is written here: a part that somebody may hold is copied before it is written to. */
class Shelf {
  constructor(items) {
    this._begin(items);
  }

  _begin(items) {
    // A place is never another's: who holds an older `Objects` may share the map.
    this._places = new Map();
    this._parts = [];
    this._own = new Set(); // parts that nobody holds
    this._size = 0;
    this._shown = null;
    for (const item of items) this.set(item.uid, item);
  }

  set(uid, item) {
    let place = this._places.get(uid);
    if (place === undefined) {
      // Those that went keep their places: once they are more than what is left, all begins anew.
      if (this._places.size > 2 * this._size + PART) this._begin([...this.shown().values()]);
      place = this._places.size;
      this._places.set(uid, place);
    }
    this._size += this._put(place, item) === undefined;
  }

  delete(uid) {
    const place = this._places.get(uid);
    if (place !== undefined) this._size -= this._put(place, undefined) !== undefined;
  }

  _put(place, item) {
    const at = Math.floor(place / PART);
    if (!this._own.has(at)) {
      this._parts[at] = this._parts[at]?.slice() ?? [];
      this._own.add(at);
    }
    const before = this._parts[at][place % PART];
    this._parts[at][place % PART] = item;
    return before;
  }

  shown() {
    if (this._shown === null || this._own.size) {
      this._shown = new Objects(this._places, this._parts.slice(), this._size);
      this._own.clear();
    }
    return this._shown;
  }
}

/**
 * What a client knows: the fold of the messages of a server. Read its fields, change none of them.
 *
 * What is held belongs to the filter that it was asked for with. It is resumed under no other, and is stale while another
 * one is wanted.
 */
export class ClusterState {
  /**
   * @param {readonly string[]} [namespaces] the filter; none is everything
   * @param {{ kinds?: Iterable<string>, labels?: string, detail?: "" | "whole" | "map" }} [more] of pods, nodes, namespaces; a label
   *   selector, for pods; `map` for pods as a map shows them, by `#number` in place of a uid
   */
  constructor(namespaces = [], more = {}) {
    /** The filter as it was wanted last. @type {readonly string[]} */
    this.wanted = [];
    /** @type {readonly string[]} */
    this.wantedKinds = [];
    this.wantedLabels = "";
    this.wantedDetail = "";
    /** @type {Map<string, any>} by uid */
    this.nodes = new Map();
    /** @type {Map<string, any>} by uid */
    this.pods = new Map();
    /** @type {Map<string, any>} by uid */
    this.namespaces = new Map();
    /** Of a map: the whole of the pods that are looked at, by `#number`. @type {ReadonlyMap<string, any>} */
    this.looked = new Map();
    /** Of a map: whose the numbers of its pods are. @type {string | null} */
    this.numbers = null;
    /** The pods of a map whose names are not whole yet, in the order in which they come. @type {any[]} */
    this._unnamed = [];
    /** The last `connection` message. @type {any} */
    this.connection = null;
    /** Data of the last `metrics`: the whole cluster, whatever the filter. @type {any} */
    this.metrics = null;
    /** Data of the last `playback`. @type {any} */
    this.playback = null;
    /** The last `error`, until what it tells is over. @type {any} */
    this.error = null;
    /** What is wrong and lasts, by its `fault`, in the order in which it was told first. @type {Map<string, any>} */
    this.faults = new Map();
    /** The time up to which the server's state is known to be complete, as it said last. @type {string | null} */
    this.asOf = null;
    /** What is held is exactly the log up to here; null when that is not known. @type {number | null} */
    this.seq = null;
    /** There is a state to show. */
    this.loaded = false;
    this._time = null; // of the timeline, as the last message said
    this._played = false; // this connection told how its timeline is played
    this._everPlayed = false;
    this._epoch = null;
    this._term = null;
    this._linked = false;
    this._awaiting = true; // what is held will be replaced by an initial_state
    /** What the server was last asked for, by the URL or a `subscribe`. @type {string | null} */
    this._asked = null;
    /** What is held was asked for with this; null where the server no longer goes on from it. @type {string | null} */
    this._held = null;
    /** @type {Map<string, number>} */
    this._podsIn = new Map();
    /** What happened to the objects with the last message. */
    this.changes = new Changes();
    this._torn = false;
    this._shelves = null; // of the objects, once somebody has asked for a snapshot
    this._counted = null; // of the same, how many pods there are in each namespace
    this._snapshot = null;
    this.want(namespaces, more);
    this.connecting();
    /** Grows with everything that can change what is shown: a cheap snapshot for UI frameworks. */
    this.version = 0;
  }

  /**
   * Another filter is wanted, the whole of it; `unsaid` and the URL of the next connection say so.
   * @param {Iterable<string>} namespaces
   * @param {{ kinds?: Iterable<string>, labels?: string, detail?: "" | "whole" | "map" }} [more]
   * @throws {TypeError} for what is no list of texts, and labels that are no text
   */
  want(namespaces, more = {}) {
    if (!isObject(more)) throw new TypeError(`The rest of a filter is ${more}: give { kinds: ["pods"], labels: "app=web" }`);
    const { kinds = [], labels = "", detail = "" } = more;
    if (!["", "whole", "map"].includes(detail)) throw new TypeError(`detail is ${String(detail)}: give "map" or "whole"`);
    if (!isText(labels)) throw new TypeError(`labels is ${String(labels)}: give a text, such as "app=web"`);
    const wanted = [namesOf("namespaces", namespaces), namesOf("kinds", kinds)];
    [this.wanted, this.wantedKinds] = wanted.map(Object.freeze);
    this.wantedLabels = labels.trim();
    this.wantedDetail = detail === "map" ? detail : "";
    const each = [this.wanted, this.wantedKinds].map((names) => [...new Set(names)].sort().join(","));
    this._wants = [...each, this.wantedDetail, this.wantedLabels].join("|");
    this.version += 1;
  }

  /** A socket is opened whose URL asks for what is wanted, and for `resume`. */
  connecting() {
    this._asked = this._wants;
  }

  /**
   * The fields of a `subscribe` that is to be sent now, once; null when there is nothing to say. While a state is due it has
   * to wait: a server that is asked again may send the state of the first filter or leave it out, and nothing tells it from
   * that of the second.
   */
  unsaid() {
    if (!this._linked || this._awaiting || this._asked === this._wants) return null;
    this._asked = this._wants;
    this._awaiting = true;
    const fields = { namespaces: this.wanted };
    if (this.wantedKinds.length) fields.kinds = this.wantedKinds;
    if (this.wantedLabels) fields.labels = this.wantedLabels;
    if (this.wantedDetail) fields.detail = this.wantedDetail;
    return fields;
  }

  /**
   * Fold one message in. Unknown types and actions change nothing; unknown fields are kept.
   * @param {any} message
   * @throws {InvalidMessageError}
   */
  apply(message) {
    if (!isObject(message) || typeof message.type !== "string") {
      throw new InvalidMessageError("A message of the server has no type", "type: must be a string");
    }
    // Of a message that was refused in the middle, what was taken of it is told with the next.
    if (!this._torn && !this.changes.empty) this.changes = new Changes();
    this._torn = true;
    this._fold(message);
    this._torn = false;
  }

  _fold(message) {
    if (PLACED.has(message.type)) {
      this._time = textOf(message.timestamp);
      // This connection has not told of a timeline before what it shows: it is on the one that all share.
      if (message.type !== "playback" && !this._played) this.playback = null;
    }
    switch (message.type) {
      case "node_event":
      case "pod_event":
      case "namespace_event":
      case "map_event":
        this._event(message);
        this.seq = seqOf(message);
        break;
      case "batch":
        // An event's own seq says nothing here: only the batch's says what is covered.
        for (const event of field(message, "data", Array.isArray, "a list")) this._event(event);
        this.seq = seqOf(message);
        break;
      case "initial_state":
        this._replace(field(message, "data", isObject, "an object"));
        this.seq = seqOf(message);
        break;
      case "map_state":
        this._map(message);
        break;
      case "map_pods":
        for (const pod of this._more(message.data)) {
          this.pods.set(pod.uid, pod);
          this._count(pod, 1);
        }
        this._anew();
        break;
      case "map_names":
        this._name(message);
        this.seq = seqOf(message);
        break;
      case "looked":
        this._look(message);
        break;
      case "connection":
        this._connected(message);
        break;
      case "metrics":
        this.metrics = field(message, "data", isObject, "an object");
        this._heardAsOf(message);
        // A moment has been shown for long enough; metrics come every ten seconds.
        if (MOMENTS.has(this.error?.code) && this.error.fault === undefined) this._over();
        break;
      case "pong":
        if (!this._heardAsOf(message)) return;
        break;
      case "playback":
        this._played = this._everPlayed = true;
        this.playback = field(message, "data", isObject, "an object");
        break;
      case "error":
        this.error = field(message, "error", isObject, "an object");
        if (typeof this.error.fault === "string") this.faults = new Map(this.faults).set(this.error.fault, this.error);
        this._refused(this.error);
        break;
      case "cleared":
        this._mended(field(message, "fault", isText, "a string"));
        if (this.error?.fault === message.fault) this._over();
        break;
      default:
        return;
    }
    this.version += 1;
  }

  /** The socket is gone: what is held is stale until the server is heard again. */
  disconnected() {
    this._linked = false;
    this.version += 1;
  }

  /** What to ask for on the next connection; null when only an initial_state will do. */
  get resume() {
    if (this._held !== this._wants || this._epoch === null || this.seq === null) return null;
    return { epoch: this._epoch, term: this._term, seq: this.seq };
  }

  /**
   * The parameters of the next connection that say which timeline, so that one who was elsewhere is there again, up to the
   * event: those of the URL, `said`, until the server told of one. None is the one that all share; with any nothing is resumed.
   * @param {Record<string, string>} said
   * @returns {Record<string, string>}
   */
  timeline(said) {
    const { playback } = this;
    if (playback === null) return this._everPlayed ? {} : said;
    if (typeof playback.id !== "string") return {};
    if (said.follow === playback.id) return { follow: playback.id };
    const place = { at: this._time ?? String(playback.at), speed: String(playback.speed) };
    if (playback.state === "paused") place.paused = "true";
    if (this._epoch !== null && this.seq !== null) {
      // Which of the events of that millisecond were seen; of another moment it says nothing.
      Object.assign(place, { epoch: this._epoch, seq: String(this.seq) });
      if (this._term !== null) place.term = this._term;
    }
    return place;
  }

  /** What is held may no longer be true: no socket, a server without its source, or a state to come. */
  get stale() {
    return !this._linked || this._awaiting || this._held !== this._wants || this.connection?.status !== "connected";
  }

  /**
   * All of this as it is now, which never changes: the same object until `version` grows. It costs as much as has changed since
   * the last one, except for the first and for the first after a whole state.
   */
  snapshot() {
    if (this._snapshot?.version === this.version) return this._snapshot;
    this._shelves ??= Object.fromEntries(KINDS.map((kind) => [kind, new Shelf(this[kind].values())]));
    this._counted ??= new Map(this._podsIn);
    const { nodes, pods, namespaces } = this._shelves;
    const { version, wanted, wantedKinds, wantedLabels, connection, metrics, playback, error, faults } = this;
    this._snapshot = Object.freeze({
      version,
      nodes: nodes.shown(),
      pods: pods.shown(),
      namespaces: namespaces.shown(),
      podCounts: this._counted,
      wanted,
      wantedKinds,
      wantedLabels,
      connection,
      metrics,
      playback,
      error,
      faults,
      asOf: this.asOf,
      seq: this.seq,
      loaded: this.loaded,
      stale: this.stale,
    });
    return this._snapshot;
  }

  /** How many pods are held of a namespace: clients count themselves. @param {string} namespace */
  podCount(namespace) {
    return this._podsIn.get(namespace) ?? 0;
  }

  /** Metrics over what is held, so within this client's filter. */
  counts() {
    const counts = { totalNodes: this.nodes.size, readyNodes: 0, totalPods: this.pods.size };
    for (const node of this.nodes.values()) counts.readyNodes += String(node.status).split(",")[0] === "Ready";
    const phases = { Running: 0, Pending: 0, Failed: 0 };
    for (const pod of this.pods.values()) phases[pod.phase] += 1; // of the others nobody asks
    return { ...counts, runningPods: phases.Running, pendingPods: phases.Pending, failedPods: phases.Failed };
  }

  _connected(message) {
    if (typeof message.status !== "string") {
      throw new InvalidMessageError("A connection message has no status", "status: must be a string");
    }
    if (!this._linked) {
      // The first of this socket; later ones only tell how the source is.
      this._linked = true;
      if (this.looked.size) this.looked = new Map(); // this socket has not been asked to tell them
      this._awaiting = message.resumed !== true;
      if (this._awaiting) this._held = null;
      this.faults = new Map(); // those that last are told again
      this.error = null;
      this._played = false;
    }
    const epoch = textOf(message.epoch);
    if (epoch !== this._epoch) {
      this._epoch = epoch;
      this.seq = null;
    }
    // What is held was told under this term from now on.
    this._term = textOf(message.term);
    if (message.status === "connected" && this.error?.fault === undefined) this._over();
    this.connection = message;
  }

  /** What `error` told is over; something else may not be. */
  _over() {
    this.error = [...this.faults.values()].at(-1) ?? null;
  }

  _mended(fault) {
    this.faults = new Map(this.faults);
    this.faults.delete(fault);
  }

  _heardAsOf({ asOf }) {
    if (typeof asOf !== "string" || asOf === this.asOf) return false;
    this.asOf = asOf;
    return true;
  }

  _map(message) {
    const data = field(message, "data", isObject, "an object");
    const numbers = field(message, "numbers", isText, "a string");
    this._unnamed = [];
    this._replace({ nodes: data.nodes, namespaces: data.namespaces, pods: this._more(data.pods) });
    this.numbers = numbers;
    this.seq = null;
  }

  /** The pods of some columns: a place in each of them is a pod. */
  _more(columns) {
    const check = (name) => field(columns, name, Array.isArray, "a list");
    if (!isObject(columns)) throw new InvalidMessageError("The pods of a map are not of the contract's shape", "pods: must be columns");
    const [number, group, node, standing] = ["number", "group", "node", "standing"].map(check);
    const [groups, nodeNames, standings] = ["groups", "nodeNames", "standings"].map(check);
    const pods = new Array(number.length);
    let [at, named, on] = [0, 0, 0];
    for (let place = 0; place < pods.length; place += 1) {
      at += number[place];
      const { namespace, prefix, owner } = groups[(named += group[place])] ?? {};
      const how = standings[standing[place]];
      const nodeName = nodeNames[(on += node[place])];
      if (!isText(prefix) || !isObject(how) || nodeName === undefined || !Number.isSafeInteger(at)) {
        throw new InvalidMessageError("The pods of a map are not of the contract's shape", `pods: the one at ${place} is none`);
      }
      const { phase, status, ready, containers, restarts } = how;
      pods[place] = { uid: `#${at}`, number: at, namespace, name: prefix, nodeName, phase, status, ready, containers, restarts, owner };
    }
    for (const pod of pods) this._unnamed.push(pod);
    return pods;
  }

  _name(message) {
    const start = field(message, "start", Number.isSafeInteger, "a number");
    const names = field(message, "names", isText, "a string").split(" ");
    const end = Math.min(names.length, this._unnamed.length - start);
    for (let place = 0; place < end; place += 1) {
      const pod = this._unnamed[start + place];
      if (this.pods.get(pod.uid) !== pod) continue; // it was looked at meanwhile
      // Whoever has a snapshot keeps it as it is.
      if (this._shelves === null) pod.name += names[place];
      else this.pods.set(pod.uid, { ...pod, name: pod.name + names[place] });
    }
    if (message.seq !== undefined) this._unnamed = [];
    this._anew();
  }

  _anew() {
    this.changes.add(WHOLE);
    this._shelves = this._counted = null;
  }

  _look(message) {
    const pods = field(message, "pods", Array.isArray, "a list");
    const gone = field(message, "gone", Array.isArray, "a list");
    this.looked = new Map();
    for (const { number, data } of pods) this._event({ type: "pod_event", action: "MODIFIED", number, data });
    for (const number of gone) this._event({ type: "map_event", action: "DELETED", data: { number } });
  }

  /** What an event of a map comes to: the thin pod, with `#number` for its uid; the whole of one that is looked at is kept. */
  _thin(event) {
    const data = field(event, "data", isObject, "an object");
    if (event.type === "map_event") return { ...data, uid: `#${field(data, "number", Number.isSafeInteger, "a number")}` };
    const { number, action } = event;
    const uid = `#${number}`;
    this.looked = new Map(this.looked);
    if (action === "DELETED") this.looked.delete(uid);
    else this.looked.set(uid, data);
    return thinOf(data, number);
  }

  _replace(data) {
    const [nodes, pods, namespaces] = KINDS.map(
      (kind) => new Map(field(data, kind, Array.isArray, "a list").map((item) => [uidOf(item), item])),
    );
    Object.assign(this, { nodes, pods, namespaces, looked: new Map(), numbers: null });
    this._podsIn = new Map();
    for (const pod of pods.values()) this._count(pod, 1);
    this._anew();
    this._awaiting = false;
    this._held = this._asked;
    this.loaded = true;
  }

  _refused({ code, details }) {
    // Only a `subscribe` without its answer lets the server's last state stand while another one is due.
    if (!this._awaiting || this._held === null) return;
    if (code === "RATE_LIMITED") {
      // Perhaps it was what the server dropped: it is said again.
      this._awaiting = false;
      this._asked = null;
    } else if (code === "INVALID_MESSAGE" && /^(namespaces|kinds|labels|detail)/.test(String(details))) {
      this._awaiting = false;
    }
  }

  _event(event) {
    const kind = OF.get(event?.type);
    if (kind === undefined) return;
    const held = this[kind];
    const told = event.type === "map_event" || Number.isSafeInteger(event.number);
    const data = told ? this._thin(event) : field(event, "data", isObject, "an object");
    const uid = uidOf(data);
    const before = held.get(uid);
    if (event.action === "DELETED") held.delete(uid);
    else if (event.action === "ADDED" || event.action === "MODIFIED") held.set(uid, data);
    else return;
    const gone = event.action === "DELETED";
    if (kind === "pods") {
      if (!gone) this._count(data, 1);
      if (before !== undefined) this._count(before, -1);
      if (gone || before?.namespace !== data.namespace) this._counted = null;
    }
    if (!gone) this.changes[before === undefined ? "_added" : "_changed"](kind, uid);
    else if (before !== undefined) this.changes._removed(kind, uid);
    if (gone) this._shelves?.[kind].delete(uid);
    else this._shelves?.[kind].set(uid, data);
  }

  _count(pod, change) {
    const namespace = String(pod.namespace);
    const left = this.podCount(namespace) + change;
    if (left) this._podsIn.set(namespace, left);
    else this._podsIn.delete(namespace);
  }
}

/** Waits of 1 s, then 2, 4, 8, … at most 30; the error is for the user after 5 failed attempts, once. */
export class Reconnect {
  constructor() {
    this.connected();
  }

  /** The server was heard, or nothing was tried yet: the next loss starts over. */
  connected() {
    this._waits = 0;
    this._failed = 0;
  }

  /** A connection that worked has ended. */
  lost() {
    this.connected();
    return this._next();
  }

  /** An attempt to connect came to nothing. */
  attemptFailed() {
    this._failed += 1;
    return this._next();
  }

  _next() {
    const wait = Math.min(FIRST_WAIT * 2 ** this._waits, MAX_WAIT);
    this._waits += 1;
    return { wait, failed: this._failed, showError: this._failed === ATTEMPTS_BEFORE_ERROR };
  }
}

/**
 * One connection to a kstream server, kept up from `start()` to `close()`.
 *
 * Events: `message` (a MessageEvent: `data` is the message, folded already), `change` (the state or the status may look
 * different), `changes` (`changes` says which objects came, changed and went with a message), `status` (`client.status`
 * changed), `error` (`error` is an Error for the user: once after 5 failed attempts in a row, when the server sent something
 * that is no message, or when it speaks another version of the protocol; trying goes on).
 */
export class KstreamClient extends EventTarget {
  /**
   * @param {string | URL} url ws, wss, http or https; query parameters are kept (`at`, `speed`, `paused` and `follow` say where it
   *   begins), but for those that the client writes itself: `namespaces`, `kinds` and `labels` there are the filter where the options give none
   * @param {{ namespaces?: readonly string[], kinds?: readonly string[], labels?: string, detail?: any, resume?: boolean, WebSocket?: any,
   *   fetch?: any }} [options]
   * @throws {TypeError} for a filter that is none
   */
  constructor(
    url,
    {
      namespaces = [],
      kinds = [],
      labels = "",
      detail = "",
      resume = true,
      WebSocket,
      fetch = globalThis.fetch,
    } = {},
  ) {
    super();
    /** @type {{ link: "connecting" | "connected" | "waiting" | "closed", reason: string, wait: number, failed: number }} */
    this.status = Object.freeze({ link: "closed", reason: "", wait: 0, failed: 0 });
    this._url = new URL(url);
    this._url.protocol = this._url.protocol.replace(/^http/, "ws");
    if (this._url.pathname === "/") this._url.pathname = "/ws";
    const said = (name) => this._url.searchParams.getAll(name).filter(Boolean).join(",");
    const names = (given, name) => {
      const list = namesOf(name, given);
      return list.length ? list : said(name).split(",").filter(Boolean);
    };
    this.state = new ClusterState(names(namespaces, "namespaces"), {
      kinds: names(kinds, "kinds"),
      labels: labels || said("labels"),
      detail: detail || said("detail"),
    });
    /** The pods of a map that are looked at, by `#number`. @type {readonly string[]} */
    this._looks = [];
    const there = TIMELINE.filter((name) => this._url.searchParams.has(name));
    this._said = Object.fromEntries(there.map((name) => [name, this._url.searchParams.get(name)]));
    for (const name of [...FILTER, ...TIMELINE, "epoch", "term", "seq", "numbers"]) this._url.searchParams.delete(name);
    this._WebSocket = WebSocket;
    this._fetch = fetch;
    /** The filter that the server was last asked about, since no socket came of it. @type {string | null} */
    this._doubted = null;
    this._mayResume = resume;
    this._retries = new Reconnect();
    /** @type {any} */
    this._socket = null;
    this._heard = false;
    /** Of the server, where it is another than ours and the user was told. @type {number | null} */
    this._foreign = null;
    this._shown = null;
    this._timers = { heartbeat: undefined, pong: undefined, retry: undefined };
  }

  /**
   * Connect, and stay connected. Throws what the runtime throws at a URL that it takes no socket for.
   * @throws {TypeError} in a runtime without WebSocket, where none was passed
   */
  start() {
    if (this.status.link !== "closed") return this;
    this._retries.connected();
    this._open();
    return this;
  }

  /** Disconnect for good; `start()` begins again. */
  close() {
    if (this.status.link === "closed") return;
    this._leave();
    this._tell({ link: "closed" });
  }

  /** Do not wait for the next attempt: try now. For a button, or the browser's `online` event. */
  retryNow() {
    if (this.status.link !== "waiting") return;
    clearTimeout(this._timers.retry);
    this._retry();
  }

  /**
   * Change the filter, the whole of it, now and for every later connection; [] is all. Its initial_state follows as soon as
   * the server can be asked, whatever the client is doing; until then what is held is stale. The same filter again asks for
   * nothing.
   * @param {Iterable<string>} [namespaces]
   * @param {{ kinds?: Iterable<string>, labels?: string, detail?: "" | "whole" | "map" }} [more]
   */
  subscribe(namespaces = [], more = {}) {
    this.state.want(namespaces, more);
    this._sayWanted();
    this._emit("change");
  }

  /**
   * Of a map, have these pods told as a whole from now on, in `state.looked`, and none of those before: `#number`, as their `uid` is.
   * At most 200; they are asked for again by itself after a lost connection.
   * @param {Iterable<string>} pods
   */
  look(pods) {
    this._looks = namesOf("pods", pods);
    this._sayLooks();
  }

  _sayLooks() {
    return this._send({ type: "look", pods: this._looks.map((uid) => Number(uid.slice(1))) });
  }

  /**
   * What is held and how the connection is, as they are now, never to change: the same object until one of them may look
   * different. For frameworks that compare.
   */
  snapshot() {
    const held = this.state.snapshot();
    const { status } = this;
    if (this._shown?.status !== status || this._shown.version !== held.version) this._shown = Object.freeze({ ...held, status });
    return this._shown;
  }

  /**
   * Go to a timeline of one's own, drive it, or come back with `live`. False when there is no connection to send it on.
   * @param {"pause" | "play" | "seek" | "step" | "live"} action
   * @param {{ speed?: number | "max", at?: string }} [options]
   */
  playback(action, options = {}) {
    return this._send({ type: "playback", action, ...options });
  }

  _open() {
    const url = new URL(this._url);
    const { resume } = this.state;
    const filter = this._filter();
    FILTER.forEach((name, at) => filter[at] && url.searchParams.set(name, filter[at]));
    const elsewhere = Object.entries(this.state.timeline(this._said));
    for (const [name, value] of elsewhere) url.searchParams.set(name, value);
    const token = this._mayResume && !elsewhere.length ? resume : null;
    if (token) {
      url.searchParams.set("epoch", token.epoch);
      if (token.term !== null) url.searchParams.set("term", token.term);
      url.searchParams.set("seq", String(token.seq));
      if (this.state.numbers !== null) url.searchParams.set("numbers", this.state.numbers);
    }
    const Socket = this._WebSocket === undefined ? globalThis.WebSocket : this._WebSocket;
    if (typeof Socket !== "function") {
      throw new TypeError("This runtime has no WebSocket. Pass one: new KstreamClient(url, { WebSocket })");
    }
    const socket = new Socket(url.href);
    this._socket = socket;
    this._timers.pong = setTimeout(() => this._lost(socket, "no answer in time"), OPENING);
    // A socket that was left may still speak: only the present one is listened to.
    socket.onmessage = ({ data }) => socket === this._socket && this._receive(socket, data);
    socket.onclose = ({ code, reason }) =>
      this._lost(socket, `the connection was closed (code ${code}${reason ? `: ${reason}` : ""})`);
    socket.onerror = () => {}; // a close event follows and says as much as a browser tells
    this.state.connecting();
    // Last, and with a socket that can be left: whoever hears of it may close the client.
    this._tell({ link: "connecting", reason: this.status.reason, failed: this.status.failed });
  }

  _filter() {
    const { wanted, wantedKinds, wantedLabels, wantedDetail } = this.state;
    return [wanted.join(","), wantedKinds.join(","), wantedLabels, wantedDetail];
  }

  _retry() {
    try {
      this._open();
    } catch (error) {
      this._wait(this._retries.attemptFailed(), String(error));
    }
  }

  _receive(socket, data) {
    let message;
    const { numbers } = this.state;
    try {
      message = JSON.parse(data);
      this.state.apply(message);
    } catch (error) {
      this._emitError(error);
      return;
    }
    if (message.type === "connection" && !this._heard) {
      this._heard = true;
      this._doubted = null;
      clearTimeout(this._timers.pong);
      this._timers.heartbeat = setInterval(() => this._ping(socket), HEARTBEAT_INTERVAL);
      this._tell({ link: "connected" });
      this._checkProtocol(message);
    } else if (message.type === "pong") {
      clearTimeout(this._timers.pong);
    }
    this._sayWanted();
    if (this.state.numbers !== numbers && numbers !== null) this._looks = []; // they were others
    const anew = message.type === "map_state" || (message.type === "connection" && message.resumed === true);
    if (anew && this._looks.length) this._sayLooks();
    this.dispatchEvent(new MessageEvent("message", { data: message }));
    const { changes } = this.state;
    if (!changes.empty) this.dispatchEvent(Object.assign(new Event("changes"), { changes }));
    this._emit("change");
  }

  /** What is added to the protocol keeps its version: another one may mean anything. It is gone on with, as well as it can be. */
  _checkProtocol({ protocol }) {
    // A server from before it was told is of the first version.
    const theirs = Number.isSafeInteger(protocol) ? protocol : 1;
    if (theirs !== PROTOCOL && theirs !== this._foreign) {
      this._emitError(
        new Error(
          `The server speaks version ${theirs} of the protocol, this client version ${PROTOCOL}: what is shown may be wrong. ` +
            "Use the client of the server's version: its /kstream.js, or that version of the npm package",
        ),
      );
    }
    this._foreign = theirs;
  }

  _ping(socket) {
    if (!this._send({ type: "ping", timestamp: new Date().toISOString() })) return;
    clearTimeout(this._timers.pong);
    this._timers.pong = setTimeout(() => this._lost(socket, "no pong within 10 s"), HEARTBEAT_TIMEOUT);
  }

  _sayWanted() {
    const fields = this.state.unsaid();
    if (fields) this._send({ type: "subscribe", ...fields });
  }

  _send(message) {
    if (!this._heard || this._socket?.readyState !== 1) return false;
    this._socket.send(JSON.stringify(message));
    return true;
  }

  _lost(socket, reason) {
    if (socket !== this._socket) return;
    const heard = this._heard;
    this._leave();
    this._wait(heard ? this._retries.lost() : this._retries.attemptFailed(), reason);
    if (!heard) void this._askWhy();
  }

  /** A page is not told why a socket was refused. Where it is the filter, a read over HTTP refuses it in words: once for each. */
  async _askWhy() {
    const asked = this.state._asked;
    const filter = this._filter().slice(0, 3); // a read has no detail
    if (!this._fetch || asked === this._doubted || !filter.some(Boolean) || !/\/ws$/.test(this._url.pathname)) return;
    this._doubted = asked;
    const url = new URL(this._url);
    url.protocol = url.protocol.replace(/^ws/, "http");
    url.pathname = url.pathname.replace(/ws$/, "api/events");
    url.search = "";
    filter.forEach((said, at) => said && url.searchParams.set(FILTER[at], said));
    url.searchParams.set("since", "seq:0");
    url.searchParams.set("until", "seq:0"); // nothing but whether the question is right
    let error;
    try {
      const answer = await this._fetch.call(globalThis, url.href);
      if (answer.status !== 400) return;
      ({ error } = await answer.json());
    } catch {
      return; // nobody answers, or not to this page
    }
    if (asked !== this._doubted || this.status.link === "closed" || !isObject(error)) return;
    const why = new InvalidMessageError(`The server refuses the filter: ${error.message}`, String(error.details));
    this._tell({ ...this.status, reason: why.message });
    this._emitError(why);
  }

  _wait({ wait, failed, showError }, reason) {
    this._timers.retry = setTimeout(() => this._retry(), wait);
    this._tell({ link: "waiting", reason, wait, failed });
    if (showError) {
      const { origin, pathname } = this._url;
      this._emitError(new Error(`Cannot reach ${origin}${pathname} after ${failed} attempts: ${reason}`));
    }
  }

  _leave() {
    clearInterval(this._timers.heartbeat);
    clearTimeout(this._timers.pong);
    clearTimeout(this._timers.retry);
    const socket = this._socket;
    this._socket = null;
    this._heard = false;
    this.state.disconnected();
    socket?.close();
  }

  _tell(status) {
    this.status = Object.freeze({ reason: "", wait: 0, failed: 0, ...status });
    this._emit("status");
    this._emit("change");
  }

  _emit(type) {
    this.dispatchEvent(new Event(type));
  }

  _emitError(error) {
    this.dispatchEvent(Object.assign(new Event("error"), { error }));
  }
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {string} what @param {unknown} given @returns {string[]} */
function namesOf(what, given) {
  // A text is a list of letters to JavaScript: each would be a name that nothing has.
  if (isText(given)) throw new TypeError(`${what} is the text "${given}": give a list of names, ["${given}"]`);
  if (typeof given?.[Symbol.iterator] !== "function") {
    throw new TypeError(`${what} is ${String(given)}: give a list of names, or [] for all`);
  }
  const names = [...given];
  if (!names.every(isText)) throw new TypeError(`${what} has ${String(names.find((name) => !isText(name)))}: names are texts`);
  return names;
}

/** What a map shows of a whole pod. */
function thinOf(pod, number) {
  const all = Array.isArray(pod.containers) ? pod.containers : [];
  return {
    uid: `#${number}`,
    number,
    namespace: pod.namespace,
    name: pod.name,
    nodeName: pod.nodeName ?? null,
    phase: pod.phase,
    status: pod.status,
    ready: all.filter(({ ready }) => ready === true).length,
    containers: all.length,
    restarts: all.reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0),
    owner: pod.owner ?? null,
  };
}

function isText(value) {
  return typeof value === "string";
}

function field(message, name, check, wanted) {
  const value = message[name];
  if (check(value)) return value;
  const kind = message.type ?? "state";
  throw new InvalidMessageError(`A ${kind} message is not of the contract's shape`, `${name}: must be ${wanted}`);
}

function uidOf(item) {
  if (typeof item?.uid === "string") return item.uid;
  throw new InvalidMessageError("A resource has no uid", "uid: must be a string");
}

function textOf(value) {
  // What is no text is as good as not told: nothing could be asked with it.
  return isText(value) ? value : null;
}

function seqOf(message) {
  // A message without a number leaves the state between two numbers: a cut state or a large batch that is not complete
  // yet. Resuming from the number before would miss what came and went since.
  return Number.isSafeInteger(message.seq) && message.seq >= 0 ? message.seq : null;
}
