// What the model test plays with: dice, a time, a cluster with its log, a server and a network that is slow.

/** Dice that fall the same way for the same seed (mulberry32). */
export class Dice {
  constructor(seed) {
    this._state = seed >>> 0;
  }
  /** From 0 up to 1. */
  roll() {
    this._state = (this._state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this._state ^ (this._state >>> 15), 1 | this._state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  below(bound) {
    return Math.floor(this.roll() * bound);
  }
  chance(share) {
    return this.roll() < share;
  }
  of(list) {
    return list[this.below(list.length)];
  }
  some(list) {
    return list.filter(() => this.chance(0.4));
  }
}

/** Timers in the order of their instants; each sees its own, which Node's mocked ones do not. */
export class Clock {
  constructor() {
    this.now = 0;
    this._made = 0;
    this._timers = new Map();
  }
  /** How many timers wait that whoever uses the runtime's own functions has set. */
  get pending() {
    let count = 0;
    for (const { own } of this._timers.values()) count += !own;
    return count;
  }
  /** A timer of the model's own. */
  after(wait, action) {
    return this._set(wait, { action, every: 0, own: true });
  }
  _set(wait, timer) {
    const id = ++this._made;
    this._timers.set(id, { at: this.now + wait, ...timer });
    return id;
  }
  clear(id) {
    this._timers.delete(id);
  }
  advance(span) {
    const end = this.now + span;
    for (;;) {
      let next = null;
      for (const [id, timer] of this._timers) if (timer.at <= end && (next === null || timer.at < next[1].at)) next = [id, timer];
      if (next === null) break;
      const [id, timer] = next;
      this.now = timer.at;
      if (timer.every) timer.at += timer.every;
      else this._timers.delete(id);
      timer.action();
    }
    this.now = end;
  }
  /** Stand in for the timers of the runtime until the function that this returns is called. */
  install() {
    const real = [globalThis.setTimeout, globalThis.clearTimeout, globalThis.setInterval, globalThis.clearInterval];
    globalThis.setTimeout = (action, wait = 0) => this._set(wait, { action, every: 0, own: false });
    globalThis.setInterval = (action, every) => this._set(every, { action, every, own: false });
    globalThis.clearTimeout = globalThis.clearInterval = (id) => this.clear(id);
    return () => {
      [globalThis.setTimeout, globalThis.clearTimeout, globalThis.setInterval, globalThis.clearInterval] = real;
    };
  }
}

export const NAMESPACES = ["a", "b", "c", "d"];
const KINDS = ["nodes", "pods", "namespaces"];
const kindOf = (event) => `${event.type.slice(0, -"_event".length)}s`;

/** Whether a filter (a list of names; an empty one is everything) lets a resource of this kind through. */
export function shows(filter, kind, item) {
  if (kind === "nodes" || filter.length === 0) return true;
  return filter.includes(kind === "pods" ? item.namespace : item.name);
}

/** A history and the terms in which it was written; `fork` is what the next server finds. */
export class Log {
  constructor(epoch, events = [], terms = []) {
    this.epoch = epoch;
    this.events = events;
    this.terms = terms; // { term, from }: who wrote from which number on
  }
  get head() {
    return this.events.length;
  }
  fork({ epoch = this.epoch, term, upTo = this.head }) {
    const kept = epoch === this.epoch ? upTo : 0;
    const terms = this.terms.filter(({ from }) => kept && from <= kept);
    return new Log(epoch, this.events.slice(0, kept), [...terms, { term, from: kept }]);
  }
  /** Why a token cannot be gone on from; "" when it can. */
  refuses({ epoch, term, seq }) {
    if (epoch !== this.epoch) return "another epoch";
    const found = this.terms.findIndex((written) => written.term === term);
    if (found < 0) return "another term";
    const reach = this.terms[found + 1]?.from ?? this.head;
    return seq > reach ? "the end of that term is lost" : "";
  }
  /** Everything that a filter lets through, as it was after the event of this number. */
  view(filter, seq = this.head) {
    const view = Object.fromEntries(KINDS.map((kind) => [kind, new Map()]));
    for (const event of this.events.slice(0, seq)) {
      const kind = kindOf(event);
      if (event.action === "DELETED") view[kind].delete(event.data.uid);
      else if (shows(filter, kind, event.data)) view[kind].set(event.data.uid, event.data);
    }
    return view;
  }
  since(filter, seq) {
    return this.events.slice(seq).filter((event) => shows(filter, kindOf(event), event.data));
  }
  append(type, action, data) {
    this.events.push({ type, action, data, seq: this.head + 1, timestamp: "" });
  }
  /** Something happens in the cluster. */
  change(dice, serial) {
    const { nodes, pods, namespaces } = this.view([]);
    const name = dice.of(NAMESPACES);
    const space = [...namespaces.values()].find((held) => held.name === name);
    if (nodes.size === 0) return this.append("node_event", "ADDED", { uid: "n", name: "n", status: "Ready", serial });
    if (space === undefined) {
      return this.append("namespace_event", "ADDED", { uid: `s-${name}-${serial}`, name, status: "Active", podCount: 0 });
    }
    const mine = [...pods.values()].filter((pod) => pod.namespace === name);
    const pod = mine.length ? dice.of(mine) : undefined;
    const what = dice.below(10);
    if (what === 0) this.append("node_event", "MODIFIED", { ...nodes.get("n"), serial });
    else if (what === 1) {
      for (const { uid, name: gone } of mine) this.append("pod_event", "DELETED", { uid, name: gone, namespace: name });
      this.append("namespace_event", "DELETED", { uid: space.uid, name });
    } else if (what < 4 && pod) this.append("pod_event", "DELETED", { uid: pod.uid, name: pod.name, namespace: name });
    else if (what < 7 && pod) this.append("pod_event", "MODIFIED", { ...pod, phase: dice.of(["Running", "Failed"]), serial });
    else {
      const uid = `p-${serial}`;
      this.append("pod_event", "ADDED", { uid, name: uid, namespace: name, phase: "Pending", serial });
    }
  }
}

/** A server as docs/protocol.md says. `crash` ends it; the next one is another object. */
export class Server {
  constructor(world, log, ready) {
    this.world = world;
    this.log = log;
    this.ready = ready; // it has heard of its cluster: there is a state to send
    this.sessions = new Set();
  }
  get status() {
    return this.ready ? "connected" : "reconnecting";
  }
  hello(more = {}) {
    const { epoch, terms } = this.log;
    return { type: "connection", status: this.status, epoch, term: terms.at(-1).term, timestamp: "", ...more };
  }
  join(socket) {
    const session = new Session(this, socket);
    this.sessions.add(session);
    return session;
  }
  change(dice, serial) {
    this.log.change(dice, serial);
    for (const session of this.sessions) session.later();
  }
  hearOfCluster() {
    if (this.ready) return;
    this.ready = true;
    for (const session of this.sessions) {
      session.say(this.hello());
      session.later();
    }
  }
  crash() {
    for (const session of [...this.sessions]) session.socket.cut(1006);
    this.sessions.clear();
  }
}

/** One client of a server. */
class Session {
  constructor(server, socket) {
    this.server = server;
    this.socket = socket;
    this.cursor = 0;
    this.wantsState = true;
    const query = socket.url.searchParams;
    this.filter = (query.get("namespaces") ?? "").split(",").filter(Boolean);
    let reason;
    if (query.has("seq")) {
      const token = { epoch: query.get("epoch"), term: query.get("term"), seq: Number(query.get("seq")) };
      reason = server.log.refuses(token);
      if (reason === "") {
        // Whatever filter it comes with: the server knows of no other.
        this.cursor = token.seq;
        this.wantsState = false;
      }
    }
    this.say(server.hello({ resumed: !this.wantsState, ...(reason ? { reason } : {}) }));
    this.later();
  }
  say(message) {
    this.socket.down(message);
  }
  receive(message) {
    if (message.type === "ping") this.say({ type: "pong", timestamp: message.timestamp });
    if (message.type === "subscribe") {
      const { calm, dice } = this.server.world;
      if (!calm && dice.chance(0.05)) return this.say({ type: "error", error: { code: "RATE_LIMITED", message: "" }, timestamp: "" });
      this.filter = message.namespaces;
      this.wantsState = true;
      this.later();
    }
  }
  /** What is due goes out a moment later: until then another filter may be asked for, or more may happen. */
  later() {
    const { clock, dice } = this.server.world;
    clock.after(dice.below(40), () => this.server.sessions.has(this) && this.flush());
  }
  flush() {
    const { log, ready, world } = this.server;
    const { dice } = world;
    if (this.wantsState) {
      if (!ready) return;
      const state = Object.fromEntries(Object.entries(log.view(this.filter)).map(([kind, held]) => [kind, [...held.values()]]));
      const rest = dice.chance(0.2) ? state.pods.splice(dice.below(state.pods.length + 1)) : [];
      const seq = log.head;
      this.say({ type: "initial_state", data: state, timestamp: "", ...(rest.length ? {} : { seq }) });
      this.batches(rest.map((data) => ({ type: "pod_event", action: "ADDED", data, timestamp: "" })), seq);
      this.wantsState = false;
    } else {
      const missed = log.since(this.filter, this.cursor);
      if (dice.chance(0.5)) missed.forEach((event) => this.say(event));
      else this.batches(missed, log.head);
    }
    this.cursor = log.head;
  }
  batches(events, seq) {
    while (events.length) {
      const part = events.splice(0, 1 + this.server.world.dice.below(events.length));
      this.say({ type: "batch", data: part, timestamp: "", ...(events.length ? {} : { seq }) });
    }
  }
}

/** A WebSocket on a network that is slow, in order, and at times silent. `world.server` null: nobody is there. */
export function socketOf(world) {
  const { clock, dice } = world;
  return class ModelWebSocket {
    constructor(url) {
      if (world.throwing) throw new Error("this runtime takes no socket now");
      this.url = new URL(url);
      this.readyState = 0;
      this.pings = [];
      this.server = world.server;
      this.silent = false; // the network swallows everything, and tells nobody
      this._ended = false;
      this._session = null;
      this._arrives = { up: 0, down: 0 };
      world.sockets.push(this);
      if (this.server === null) this._end(1006);
      else if (!world.calm && dice.chance(0.1)) this.silent = true;
      else this._in("down", () => this._open());
    }
    _in(way, action) {
      this._arrives[way] = Math.max(this._arrives[way], clock.now + dice.below(dice.chance(0.1) ? 3000 : 60));
      clock.after(this._arrives[way] - clock.now, action);
    }
    _open() {
      if (this._ended || this.silent) return;
      if (this.server !== world.server) return this._end(1006);
      this.readyState = 1;
      this.onopen?.({});
      this._session = this.server.join(this);
    }
    down(message) {
      const data = JSON.stringify(message);
      // A page that closes a socket may still be given what was on its way.
      this._in("down", () => this.readyState !== 3 && !this.silent && this.onmessage?.({ data }));
    }
    send(text) {
      if (this.readyState === 0) throw new Error("InvalidStateError");
      if (this.readyState !== 1) return;
      const message = JSON.parse(text);
      if (message.type === "ping") this.pings.push(clock.now);
      this._in("up", () => !this.silent && this._session?.server.sessions.has(this._session) && this._session.receive(message));
    }
    close() {
      if (this.readyState < 2) this.readyState = 2;
      this._end(1005);
    }
    /** The connection ends: the page hears of it later, if ever. */
    cut(code, { silent = false } = {}) {
      this._session?.server.sessions.delete(this._session);
      if (silent) this.silent = true;
      else this._end(code);
    }
    _end(code) {
      if (this._ended) return;
      this._ended = true;
      this._session?.server.sessions.delete(this._session);
      this._in("down", () => {
        this.readyState = 3;
        if (!this.silent) this.onerror?.({});
        this.onclose?.({ code, reason: "" });
      });
    }
  };
}
