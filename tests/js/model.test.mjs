// The client against a cluster that changes, a server that dies and a network that is slow, in any order: one seed is one
// such story. `KSTREAM_SEED=7 node --test model.test.mjs` tells a story again, with what was done in it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { KstreamClient } from "../../kstream/web/static/kstream.js";
import { Clock, Dice, Log, NAMESPACES, Server, shows, socketOf } from "./model-world.mjs";

const SEEDS = process.env.KSTREAM_SEED ? [Number(process.env.KSTREAM_SEED)] : Array.from({ length: 600 }, (_, seed) => seed);
const STEPS = 60;
const QUIET = 120_000; // milliseconds after which a client has found its server, whatever was before
const KINDS = ["nodes", "pods", "namespaces"];
const plain = (view) => Object.fromEntries(KINDS.map((kind) => [kind, Object.fromEntries([...view[kind]].sort())]));

class Story {
  constructor(seed) {
    this.dice = new Dice(seed);
    this.clock = new Clock();
    this.sockets = [];
    this.throwing = false;
    this.calm = false;
    this.serial = 0;
    this.server = new Server(this, new Log("e0").fork({ term: "t0" }), true);
    this.last = this.server;
    this.done = [];
    for (let count = 0; count < 12; count++) this.change();
    this.wanted = this.dice.some(NAMESPACES);
    this.running = false;
    this.errors = 0;
    this.client = new KstreamClient("http://h/", {
      namespaces: this.wanted,
      resume: this.dice.chance(0.9),
      WebSocket: socketOf(this),
      fetch: null,
    });
    this.told = "";
    this.client.addEventListener("change", () => (this.told = this.shown()));
    this.client.addEventListener("status", () => this.client.status.link === "connected" && (this.errors = 0));
    this.client.addEventListener("error", () => (this.errors += 1));
    this.meddler = null;
    this.client.addEventListener("status", () => {
      const meddler = this.meddler;
      this.meddler = null;
      if (meddler) this[meddler]();
    });
    this.failure = null; // what a listener throws, the runtime keeps from us
    this.client.addEventListener("message", () => {
      try {
        this.check();
      } catch (error) {
        this.failure ??= error;
      }
    });
    this.told = this.shown();
  }

  // What may happen

  change() {
    this.serial += 1;
    this.last.change(this.dice, this.serial);
  }
  changes() {
    for (let count = this.dice.below(6); count >= 0; count--) this.change();
  }
  start() {
    const idle = this.client.status.link === "closed";
    const before = this.running;
    this.running = true; // before, since whoever hears of it may close it again
    try {
      this.client.start();
      if (idle) this.errors = 0;
    } catch (error) {
      assert.ok(this.throwing, error);
      this.running = before;
    }
  }
  close() {
    this.running = false;
    this.client.close();
  }
  retry() {
    this.client.retryNow();
  }
  subscribe() {
    this.wanted = this.dice.chance(0.2) ? [] : this.dice.some(NAMESPACES);
    this.client.subscribe(this.wanted);
  }
  drop() {
    this.sockets.at(-1)?.cut(1006);
  }
  silence() {
    this.sockets.at(-1)?.cut(1006, { silent: true });
  }
  serverStops() {
    this.server?.crash();
    this.server = null;
  }
  serverRestarts() {
    this.serverStops();
    const { log } = this.last;
    const how = this.dice.below(3);
    const term = `t${this.clock.now}-${this.serial}`;
    if (how === 0) this.last = new Server(this, log.fork({ term }), this.dice.chance(0.7));
    // A copy put back: the numbers that are lost are given again.
    if (how === 1) {
      const upTo = log.head - this.dice.below(Math.min(4, log.head));
      this.last = new Server(this, log.fork({ term, upTo }), this.dice.chance(0.7));
      this.changes();
    }
    if (how === 2) {
      this.last = new Server(this, log.fork({ term, epoch: `e${this.serial}-${this.clock.now}` }), true);
      this.changes();
    }
    this.server = this.last;
  }
  serverComes() {
    if (this.server === null) this.serverRestarts();
    this.server.hearOfCluster();
  }
  /** Whoever hears of the next status does something at once. */
  meddles() {
    this.meddler = this.dice.of(["close", "retry", "subscribe", "start"]);
  }
  throws() {
    this.throwing = !this.throwing;
  }
  moment() {
    this.clock.advance(this.dice.below(80));
  }
  seconds() {
    this.clock.advance(this.dice.below(5000));
  }
  minute() {
    this.clock.advance(20_000 + this.dice.below(60_000));
  }

  step() {
    const often = ["moment", "moment", "moment", "changes", "changes", "subscribe", "subscribe", "seconds", "start", "serverComes"];
    const seldom = ["drop", "drop", "close", "retry", "silence", "serverStops", "serverRestarts", "minute", "throws", "meddles"];
    const action = this.dice.of(this.dice.chance(0.7) ? often : seldom);
    this.done.push(action);
    this[action]();
    if (this.throwing && this.dice.chance(0.5)) this.throws();
    this.check();
    assert.equal(this.told, this.shown(), "what is shown changed without an event");
  }

  // What must be so

  shown() {
    const { state, status } = this.client;
    return `${state.version} ${state.stale} ${status.link} ${status.reason} ${status.wait} ${status.failed}`;
  }

  check() {
    if (this.failure) throw this.failure;
    const { state, status } = this.client;
    const open = this.sockets.filter((socket) => socket.readyState < 2);
    assert.ok(open.length <= 1, "two sockets are open");
    if (status.link === "closed" || status.link === "waiting") assert.equal(open.length, 0, `a socket is open while ${status.link}`);
    assert.equal(status.link === "closed", !this.running, `the link is ${status.link}`);
    // The next attempt, or the end of this one; the heartbeat, and perhaps the end of the wait for its pong.
    const timers = { closed: [0], waiting: [1], connecting: [1], connected: [1, 2] }[status.link];
    assert.ok(timers.includes(this.clock.pending), `${this.clock.pending} timers while ${status.link}`);
    assert.ok(this.errors <= 1, "the user was told of one outage twice");
    if (state.stale) return;
    for (const kind of KINDS) {
      for (const item of state[kind].values()) {
        assert.ok(shows(this.wanted, kind, item), `${kind} of ${item.namespace ?? item.name} are shown as what [${this.wanted}] lets through`);
      }
    }
    // Between two numbers (a state in parts) only the server knows what is to be held.
    if (state.seq === null) return;
    const view = this.sockets.at(-1).server.log.view(this.wanted, state.seq);
    assert.deepEqual(plain(state), plain(view), `what is held is not what event ${state.seq} left of [${this.wanted}]`);
  }

  end() {
    this.done.push("quiet");
    this.throwing = false;
    this.calm = true;
    this.meddler = null;
    this.serverComes();
    this.clock.advance(QUIET);
    this.check();
    if (this.running) this.endOpen();
    else this.endClosed();
  }
  endOpen() {
    const { state, status } = this.client;
    assert.equal(status.link, "connected");
    assert.equal(state.stale, false, "nothing happens any more, and what is held is stale");
    assert.deepEqual(plain(state), plain(this.server.log.view(this.wanted)));
    for (const name of NAMESPACES) {
      const count = [...state.pods.values()].filter((pod) => pod.namespace === name).length;
      assert.equal(state.podCount(name), count, `pods of ${name}`);
    }
    assert.equal(this.sockets.filter((socket) => socket.readyState === 1).length, 1);
    const { pings } = this.sockets.at(-1);
    const before = pings.length;
    const made = this.sockets.length;
    for (let second = 0; second < 30 && pings.length === before; second++) this.clock.advance(1000);
    this.clock.advance(10_000); // by when the pong is there
    assert.equal(this.clock.pending, 1, "there is more than the timer of one heartbeat");
    this.clock.advance(270_000);
    assert.equal(pings.length, before + 10);
    for (let beat = 1; beat < pings.length; beat++) assert.equal(pings[beat] - pings[beat - 1], 30_000);
    assert.equal(this.sockets.length, made);
  }
  endClosed() {
    assert.ok(this.sockets.every((socket) => socket.readyState === 3));
    const made = this.sockets.length;
    this.clock.advance(3_600_000);
    assert.equal(this.sockets.length, made);
  }
}

function play(seed) {
  const story = new Story(seed);
  const restore = story.clock.install();
  try {
    for (let step = 0; step < STEPS; step++) story.step();
    story.end();
  } catch (error) {
    error.message = `KSTREAM_SEED=${seed}, after ${story.done.join(", ")}, at ${story.clock.now} ms: ${error.message}`;
    throw error;
  } finally {
    restore();
  }
}

test("whatever happens in whatever order, a client ends up with the state of the filter that it wanted last", () => {
  for (const seed of SEEDS) play(seed);
});
