// A recording that is in the page itself, played: what KstreamClient is to a server, without one.
//
//   const client = new Recording(document.getElementById("recording").textContent);
//   client.addEventListener("change", () => console.log(client.state.counts()));
//   client.start();
//
// The same state, events and commands; and the reads of a log that a server answers over HTTP.

import { unpacked } from "./columns.js";
import { ClusterState } from "./kstream.js";
import { Player, pointOf, stamp } from "./player.js";
import { historyOf, timelineOf } from "./recording-reads.js";

/** @typedef {import("./columns.js").Columns} Columns */

const TOGETHER = 50; // milliseconds: what is due within them is shown at once
const LONGEST = 10_000; // milliseconds from one look at the clock to the next, and from one `metrics` to the next
const ALONE = 10; // events at once that are messages of their own; more are a batch
const AT_ONCE = 5000; // events until the page has its turn
const MOST_BUCKETS = 2000;

/**
 * Events: `message`, `change`, `status` and `error`, as those of KstreamClient.
 */
export class Recording extends EventTarget {
  /**
   * @param {string} text of the recording: what `kstream log page` writes
   * @param {{ namespaces?: readonly string[], kinds?: readonly import("./kstream.js").Kind[], at?: string | null, speed?: string | null, paused?: boolean,
   *   now?: () => number, later?: (act: () => void, milliseconds: number) => any, cancel?: (timer: any) => void }} [options]
   *   where it begins, and how it is played; `now` is a clock in milliseconds
   * @throws {TypeError} for a filter that is none
   */
  constructor(
    text,
    {
      namespaces = [],
      kinds = [],
      at = null,
      speed = null,
      paused = false,
      now = () => performance.now(),
      later = (act, milliseconds) => setTimeout(act, milliseconds),
      cancel = (timer) => clearTimeout(timer),
    } = {},
  ) {
    super();
    /** @type {{ link: "connecting" | "connected" | "waiting" | "closed", reason: string, wait: number, failed: number }} */
    this.status = Object.freeze({ link: "closed", reason: "", wait: 0, failed: 0 });
    this.state = new ClusterState(namespaces, { kinds });
    this._text = text;
    this._begins = { at, speed, paused };
    this._now = () => now() / 1000;
    this._later = later;
    this._cancel = cancel;
    this._timer = undefined;
    this._begun = 0; // how often: who was closed meanwhile does not go on
    /** @type {Columns | null} */
    this._columns = null;
    /** @type {Player | null} */
    this._player = null;
    this._fold = null;
    this._steps = 0;
    /** The one that was told last. @type {string | null} */
    this._term = null;
    this._counted = -Infinity; // when the last `metrics` was told
  }

  /** Unpack it, and play. */
  start() {
    if (this.status.link !== "closed") return this;
    this._tell({ link: "connecting" });
    void this._begin((this._begun += 1));
    return this;
  }

  close() {
    if (this.status.link === "closed") return;
    this._begun += 1;
    this._cancel(this._timer);
    this._player = null;
    this._term = null;
    this.state.disconnected();
    this._tell({ link: "closed" });
  }

  /** There is nobody to wait for. */
  retryNow() {}

  /** @param {Iterable<string>} [namespaces] @param {import("./kstream.js").MoreFilter} [more] */
  subscribe(namespaces = [], more = {}) {
    if (more.labels) throw new TypeError("A recording in a page is filtered by namespaces and kinds, not by labels");
    this.state.want(namespaces, more);
    if (this._player && this.state.unsaid()) this._show();
    this._emit("change");
  }

  /**
   * As KstreamClient has it; there is no `live`. False while nothing is played.
   * @param {"pause" | "play" | "seek" | "step" | "live"} action
   * @param {{ speed?: number | "max", at?: string }} [options]
   */
  playback(action, { speed, at } = {}) {
    const player = this._player;
    if (!player) return false;
    const wanted = speed === undefined ? undefined : speedOf(speed);
    if (wanted === null) return this._refuse(...noSpeed(speed));
    if (action === "live") return this._refuse("A recording has no present", "action: live: use play, pause, seek and step");
    const goal = action === "seek" ? this._goal(at ?? "") : null;
    if (action === "seek" && !goal) return true; // and was refused
    if (wanted !== undefined) player.setSpeed(this._now(), wanted);
    if (action !== "step") this._steps = 0;
    if (action === "pause") player.pause(this._now());
    else if (action === "step") this._step(player);
    else if (goal) this._go(goal);
    else if (player.state === "ended") this._go({ events: 0, time: player.start }, () => player.play(this._now()));
    else player.play(this._now());
    this._say();
    this._tick();
    return true;
  }

  /** The moment that is shown, in milliseconds since the Unix epoch; NaN before there is one. */
  get time() {
    return this._player ? this._player.position(this._now()) * 1000 : NaN;
  }

  /** It tells what happened and not to whom. */
  get redacted() {
    return this._columns?.redacted ?? false;
  }

  /** How much happened and how much was bad, as /api/timeline answers. @param {number} [buckets] */
  async timeline(buckets = 100) {
    if (!(Number.isInteger(buckets) && buckets > 0 && buckets <= MOST_BUCKETS)) {
      throw new RangeError(`buckets: ${buckets} must be a number from 1 to ${MOST_BUCKETS}`);
    }
    return timelineOf(this._known(), buckets);
  }

  /** What happened to one object, as /api/objects/{uid}/history answers. @param {string} uid */
  async history(uid) {
    return historyOf(this._known(), uid);
  }

  async _begin(turn) {
    try {
      this._columns ??= await unpacked(this._text);
    } catch (error) {
      if (turn === this._begun) this._fail(error);
      return;
    }
    if (turn !== this._begun) return;
    const { from, to } = this._columns;
    const { at, speed, paused } = this._begins;
    this._player = new Player({ start: from.time, end: to.time, now: this._now(), speed: speedOf(speed) ?? 1, paused });
    this.state.connecting();
    this._fold = this._columns.stateAt(0);
    this._connect();
    this._tell({ link: "connected" });
    if (speed && speedOf(speed) === null) this._refuse(...noSpeed(speed));
    const goal = at ? this._goal(at, at.trim().startsWith("-") ? to.time : from.time) : null;
    if (goal) this._go(goal);
    else this._show();
    this._say();
    this._tick();
  }

  _fail(error) {
    this._tell({ link: "closed", reason: error.message });
    this.dispatchEvent(Object.assign(new Event("error"), { error }));
  }

  _known() {
    if (!this._columns) throw new Error("The recording is not unpacked yet; wait for its first initial_state");
    return this._columns;
  }

  /** @returns {{ events: number, time: number } | null} null where it was refused */
  _goal(point, here = this._player.position(this._now())) {
    const columns = this._columns;
    const found = pointOf(point, here);
    if (!found) {
      // A URL's + is a space to whoever reads it.
      const lost = !point.includes("+") && pointOf(point.trimEnd().replaceAll(" ", "+"), here);
      const remedy = lost ? "in a URL, write + as %2B" : "give 2026-01-24T10:00:00Z, -5m, +90s or seq:N";
      this._refuse("That is no point of a timeline", `at: ${JSON.stringify(point)}: ${remedy}`);
      return null;
    }
    const { from, to } = columns;
    if ("time" in found) {
      // Times are told in whole milliseconds, rounded down: who asks for the end that was told means the very end.
      const isEnd = Math.abs(found.time - to.time) < 0.001 && stamp(found.time) === stamp(to.time);
      const time = isEnd ? to.time : found.time;
      return { events: columns.reached(time), time };
    }
    if (found.seq > to.seq) {
      this._refuse("That event is not there", `at: ${JSON.stringify(point)}: the last one is seq:${to.seq}`);
      return null;
    }
    const events = Math.max(found.seq - from.seq, 0);
    return { events, time: events ? columns.times[events - 1] : from.time };
  }

  _go({ events, time }, move = () => this._player.seek(this._now(), time)) {
    move();
    this._fold = this._columns.stateAt(events);
    this._connect();
    this._show();
  }

  _step(player) {
    player.pause(this._now());
    if (player.state === "paused") this._steps += 1;
  }

  /** What is due, and again when more is. */
  _tick() {
    this._cancel(this._timer);
    const { _player: player, _fold: fold, _columns: columns } = this;
    const due = [];
    while (fold.at < columns.count && due.length < AT_ONCE) {
      const time = this._upcoming();
      if (this._steps) this._steps -= 1;
      else if (player.wait(this._now(), time) !== 0) break;
      player.reached(this._now(), time);
      due.push(this._event());
    }
    this._send(due);
    if (this._player !== player) return; // whoever heard it has closed this
    if (fold.at === columns.count && player.wait(this._now(), player.end) === 0) {
      player.finish(this._now());
      this._say();
      this._count();
    } else if (this._now() - this._counted >= LONGEST / 1000) this._count();
    const wait = player.wait(this._now(), this._upcoming());
    const milliseconds = wait === null ? LONGEST : Math.max(wait * 1000, due.length < AT_ONCE ? TOGETHER : 0);
    this._timer = this._later(() => this._tick(), Math.min(milliseconds, LONGEST));
  }

  /** When something is due next. At the end all of it is, whatever a clock that went back says of it. */
  _upcoming() {
    const { count, times } = this._columns;
    return this._fold.at < count ? Math.min(times[this._fold.at], this._player.end) : this._player.end;
  }

  /** The next event as a message, and its object. */
  _event() {
    const { _fold: fold, _columns: columns } = this;
    const at = fold.at;
    const place = columns.of[at];
    const { action, kind, body } = fold.take();
    const { uid, name, namespace } = columns.keyOf(place);
    const data = action !== "DELETED" ? body : kind === "pod" ? { uid, name, namespace } : { uid, name };
    const message = { type: `${kind}_event`, action, seq: columns.from.seq + at + 1, data, timestamp: stamp(columns.times[at]) };
    return { message, shown: this._shows(kind, kind === "pod" ? namespace : name) };
  }

  /** What is due, each as it is or all as a batch. @param {{ message: any, shown: boolean }[]} due */
  _send(due) {
    for (let at = 0; at < due.length; ) {
      // A writer's first event is told under its term.
      const until = due.findIndex(({ message }, place) => place > at && this._termAt(message.seq) !== this._termAt(due[at].message.seq));
      const part = due.slice(at, until < 0 ? due.length : until);
      at += part.length;
      const seq = part[part.length - 1].message.seq;
      this._connect(seq);
      const shown = part.filter((each) => each.shown).map(({ message }) => message);
      if (shown.length && shown.length <= ALONE) shown.forEach((message) => this._tellOf(message));
      else if (shown.length) this._tellOf({ type: "batch", data: joined(shown), seq, timestamp: shown[shown.length - 1].timestamp });
    }
  }

  _shows(kind, namespace) {
    const { wanted, wantedKinds } = this.state;
    if (wantedKinds.length && !wantedKinds.includes(`${kind}s`)) return false;
    return kind === "node" || !wanted.length || wanted.includes(namespace);
  }

  /** The whole state, as an `initial_state`. */
  _show() {
    const { from } = this._columns;
    const { wanted } = this.state;
    /** @type {{ nodes: any[], pods: any[], namespaces: any[] }} */
    const data = { nodes: [], pods: [], namespaces: [] };
    const pods = new Map();
    for (const [place, body] of this._fold.objects) {
      const { kind, name, namespace } = this._columns.keyOf(place);
      if (kind === "pod") pods.set(namespace, (pods.get(namespace) ?? 0) + 1);
      if (this._shows(kind, kind === "pod" ? namespace : name)) data[`${kind}s`].push(body);
    }
    const counted = this._shows("pod", wanted[0] ?? ""); // who is shown no pods is told no number of them
    data.namespaces = data.namespaces.map(({ podCount, ...space }) => (counted ? { ...space, podCount: pods.get(space.name) ?? 0 } : space));
    this._tellOf({ type: "initial_state", data, seq: from.seq + this._fold.at, timestamp: this._stamp() });
    this._count();
  }

  /** Of which history it is; told again where another one wrote on. */
  _connect(seq = this._columns.from.seq + this._fold.at) {
    const { epoch, cluster } = this._columns;
    const term = this._termAt(seq);
    if (term === this._term) return;
    this._term = term;
    const { name, version } = cluster ?? { name: "unknown", version: "unknown" };
    const said = { epoch, term, source: "replay", resumed: false };
    this._tellOf({ type: "connection", status: "connected", cluster: { name, version }, ...said, timestamp: this._stamp() });
  }

  _termAt(seq) {
    const { terms } = this._columns;
    return (terms.findLast(([, first]) => first <= seq) ?? terms[0])[0];
  }

  /** The whole cluster, whatever is shown of it. */
  _count() {
    this._counted = this._now();
    const counting = new ClusterState();
    for (const [place, body] of this._fold.objects) counting[`${this._columns.kindOf(place)}s`].set(place, body);
    this._tellOf({ type: "metrics", data: counting.counts(), asOf: this._stamp(), timestamp: this._stamp() });
  }

  /** How it is played. */
  _say() {
    this._tellOf({ type: "playback", data: this._player.describe(this._now()), timestamp: this._stamp() });
  }

  _refuse(message, details) {
    this._tellOf({ type: "error", error: { code: "INVALID_MESSAGE", message, details }, timestamp: this._stamp() });
    return true;
  }

  _stamp() {
    return stamp(this._player.position(this._now()));
  }

  _tellOf(message) {
    this.state.apply(message);
    this.dispatchEvent(new MessageEvent("message", { data: message }));
    this._emit("change");
  }

  _tell(status) {
    this.status = Object.freeze({ reason: "", wait: 0, failed: 0, ...status });
    this._emit("status");
    this._emit("change");
  }

  _emit(type) {
    this.dispatchEvent(new Event(type));
  }
}

/** Recorded seconds in one second; null for what is none. */
function speedOf(given) {
  if (given === "max") return Infinity;
  const speed = given === null || given === "" ? NaN : Number(given);
  return speed >= 0.1 && speed <= 1000 ? speed : null;
}

/** @returns {[string, string]} */
function noSpeed(given) {
  return ["That is no speed", `speed: ${given}: give a number from 0.1 to 1000, or "max"`];
}

/** At most one event for each object: the latest state wins, what came and went unseen is nothing (PROTOCOL 6). */
function joined(events) {
  const last = new Map();
  for (const event of events) {
    const uid = `${event.type} ${event.data.uid}`;
    const before = last.get(uid);
    last.delete(uid);
    if (event.action === "DELETED" && before?.action === "ADDED") continue;
    last.set(uid, event.action === "MODIFIED" && before?.action === "ADDED" ? { ...event, action: "ADDED" } : event);
  }
  return [...last.values()].sort((one, other) => one.seq - other.seq);
}
