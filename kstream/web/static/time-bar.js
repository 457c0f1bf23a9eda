// The bar under everything: what happened when, where the page is, and a lane for each object that is selected.

import { bars, barText, clock, lane, placeOf, ticks, timeAt } from "./time-scale.js";
import { MOOD_NAMES } from "./viewer-model.js";

const AGAIN = 10_000; // milliseconds between two looks at what happened meanwhile
const PART = 0.01; // of the span, for an arrow key
const MOST_LANES = 4;
const MOST_BARS = 400; // of a lane
const BUCKET = 5; // pixels

const element = (id) => /** @type {any} */ (document.getElementById(id));

export class TimeBar {
  /** @param {any} source @param {import("./playhead.js").Playhead} playhead @param {() => void} moved the address is another */
  constructor(source, playhead, moved) {
    this._source = source;
    this._playhead = playhead;
    this._track = element("time-track");
    this._canvas = element("time-canvas");
    this._context = this._canvas.getContext("2d");
    /** @type {ReturnType<typeof bars>} */
    this._bars = [];
    this._askedAt = -Infinity;
    this._asking = false;
    /** The moment that is dragged to. @type {number | null} */
    this._dragged = null;
    /** @type {{ uid: string, name: string, status: string, versions: any[] }[]} */
    this._lanes = [];
    this._moved = moved;
    this._what = 0; // grows with what is painted
    this._painted = { start: NaN, end: NaN, width: 0, what: -1 };
    this._listen();
    this._wide = this._track.clientWidth;
    new ResizeObserver(() => {
      this._what += 1;
      this._wide = this._track.clientWidth; // to ask in each drawing would lay out the page each time
      this.draw();
    }).observe(this._track);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this._what += 1;
      this.draw();
    });
  }

  /** The whole span that there is. */
  get span() {
    const { playback } = this._source.client.state;
    const times = [this._playhead.time, this._bars[0]?.from, this._bars.at(-1)?.to, Date.parse(playback?.start), Date.parse(playback?.end)].filter(Number.isFinite);
    return { start: Math.min(...times), end: Math.max(...times), width: this._wide };
  }

  /** Ask what happened, if that was some time ago; `now` when it is another log or filter. */
  async refresh(now = false) {
    if (this._asking || document.hidden) return;
    if (!now && performance.now() - this._askedAt < AGAIN) return;
    this._asking = true;
    this._askedAt = performance.now();
    try {
      // What a replay has not played yet is not told: the buckets are of the part that is.
      const { start, end, width } = this.span;
      const known = end > start ? placeOf({ start, end, width }, this._known()) : width;
      const buckets = Math.min(Math.max(Math.floor(known / BUCKET), 10), 400);
      const answer = await this._source.timeline({ buckets });
      this._bars = bars(answer.buckets);
      element("time-why").textContent = this._bars.some(({ events }) => events) ? this._source.about() : "Nothing has happened yet.";
    } catch (error) {
      element("time-why").textContent = `What happened when is not known: ${error.message}`;
    } finally {
      this._asking = false;
      this._what += 1;
      this.draw();
    }
  }

  /** Up to when the source tells what happened. */
  _known() {
    const { connection } = this._source.client.state;
    return connection?.source === "replay" && this._playhead.place.present ? this._playhead.time : Infinity;
  }

  /** Objects to show lanes of. @param {{ uid: string, name: string, status: string, versions: any[] }[]} lanes */
  lanes(lanes) {
    this._lanes = lanes.slice(0, MOST_LANES);
    this._what += 1;
    this.draw();
  }

  /** The head goes where it has to be; the rest is painted where it would look otherwise. */
  draw() {
    this._words();
    const span = this.span;
    const { start, end, width } = span;
    const x = placeOf(span, this._shown);
    element("time-head").style.transform = `translateX(${x}px)`;
    element("time-future").style.width = `${Math.max(0, width - x)}px`;
    const before = this._painted;
    const pixels = (time) => (end > start ? (Math.abs(time) / (end - start)) * width : 0);
    const moved = Math.max(pixels(end - before.end), pixels(start - before.start));
    if (before.what === this._what && before.width === width && !(moved >= 1)) return;
    this._painted = { ...span, what: this._what };
    this._paint(span);
    this._drawLanes(span);
  }

  /** @param {import("./time-scale.js").Span} span */
  _paint({ start, end, width }) {
    const scale = globalThis.devicePixelRatio || 1;
    const height = this._track.clientHeight;
    if (!width || !height) return;
    const context = this._context;
    if (this._canvas.width !== Math.round(width * scale) || this._canvas.height !== Math.round(height * scale)) {
      Object.assign(this._canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!Number.isFinite(start)) return;
    const style = getComputedStyle(this._track);
    const colour = (name) => style.getPropertyValue(name);
    const [floor, high] = [height - 16, height - 20];
    const at = (time) => placeOf({ start, end, width }, time);
    for (const bar of this._bars) {
      const [left, right] = [at(bar.from), at(bar.to)];
      const wide = Math.max(1, right - left - 1);
      context.fillStyle = colour("--bar");
      context.fillRect(left, floor - bar.all * high, wide, bar.all * high);
      context.fillStyle = colour("--bar-node");
      context.fillRect(left, floor - bar.nodes * high, wide, bar.nodes * high);
      if (!bar.bad) continue;
      context.fillStyle = colour("--bad-cell");
      context.fillRect(left, floor - bar.bad * high * 0.6, Math.max(wide, right - left), bar.worse ? 4 : 2);
      context.globalAlpha = 0.22;
      context.fillRect(left, floor - bar.bad * high * 0.6, right - left, bar.bad * high * 0.6);
      context.globalAlpha = 1;
    }
    context.fillStyle = colour("--line");
    context.fillRect(0, floor, width, 1);
    context.font = `11px ${style.fontFamily}`;
    for (const { time, text } of ticks({ start, end, width })) {
      const x = at(time);
      context.fillStyle = colour("--line");
      context.fillRect(x, floor, 1, 4);
      context.fillStyle = colour("--quiet");
      const wide = context.measureText(text).width;
      context.fillText(text, Math.min(Math.max(0, x - wide / 2), width - wide), height - 2);
    }
  }

  get _shown() {
    return this._dragged ?? this._playhead.time;
  }

  /** What is not drawn: the controls, and what the slider says of itself. */
  _words() {
    const { text, present, playing, speed, ended } = this._playhead.place;
    const put = (id, words) => element(id).textContent !== words && (element(id).textContent = words);
    put("time-place", text);
    put("time-clock", `${clock(this._shown)} UTC`);
    element("time").dataset.place = present || !this._source.shared ? "present" : "past";
    element("time-live").disabled = present;
    element("time-live").hidden = !this._source.shared;
    const going = playing && !ended;
    put("time-play", going ? "❚❚" : "▶");
    element("time-play").setAttribute("aria-label", going ? "Pause" : "Play");
    const pace = element("time-speed");
    const said = String(speed);
    if (document.activeElement !== pace && pace.value !== said) {
      if (![...pace.options].some(({ value }) => value === said)) pace.append(new Option(`×${said}`, said));
      pace.value = said;
    }
    const { start, end } = this.span;
    const part = end > start ? Math.round(((this._shown - start) / (end - start)) * 1000) / 10 : 100;
    this._track.setAttribute("aria-valuenow", String(Number.isFinite(part) ? part : 100));
    this._track.setAttribute("aria-valuetext", `${clock(this._shown)} UTC, ${text}, event ${this._source.client.state.seq ?? "unknown"}`);
  }

  _drawLanes(span) {
    const holder = element("time-lanes");
    holder.hidden = !this._lanes.length;
    const made = this._lanes.map(({ name, status, versions }) => {
      const row = document.createElement("div");
      row.className = "lane";
      const title = document.createElement("span");
      title.className = "lane-name";
      title.textContent = name;
      const strip = document.createElement("div");
      strip.className = "lane-strip";
      const states = lane(versions, { ...span, status }).slice(-MOST_BARS);
      for (const state of states) {
        const piece = document.createElement("span");
        const [left, right] = [placeOf(span, state.from), placeOf(span, state.to)];
        piece.style.left = `${left}px`;
        piece.style.width = `${Math.max(2, right - left)}px`;
        piece.dataset.mood = String(state.mood);
        piece.title = `${state.status}: ${clock(state.from)} to ${clock(state.to).slice(11)}`;
        if (right - left > 34) piece.textContent = state.status;
        strip.append(piece);
      }
      const last = states.at(-1);
      strip.setAttribute("role", "img");
      strip.setAttribute("aria-label", last ? `${states.length} states; the last one is ${last.status}, ${MOOD_NAMES[last.mood]}` : "nothing is recorded of it");
      row.append(title, strip);
      return row;
    });
    holder.replaceChildren(...made);
  }

  _listen() {
    const track = this._track;
    const point = (event) => timeAt(this.span, event.clientX - track.getBoundingClientRect().left);
    track.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      track.setPointerCapture(event.pointerId);
      this._drag(point(event));
    });
    track.addEventListener("pointermove", (event) => {
      if (track.hasPointerCapture(event.pointerId)) this._drag(point(event));
      else this._tip(event, point(event));
    });
    track.addEventListener("pointerleave", () => (element("time-tip").hidden = true));
    track.addEventListener("lostpointercapture", () => {
      this._dragged = null;
      this._moved();
    });
    track.addEventListener("keydown", (event) => this._key(event));
    const does = {
      "time-live": () => this._playhead.live(),
      "time-play": () => this._playhead.toggle(),
      "time-back": () => this._playhead.back(),
      "time-step": () => this._playhead.step(),
      "time-worse": () => this._toWorse(),
    };
    for (const [id, does_] of Object.entries(does)) element(id).addEventListener("click", does_);
    element("time-speed").addEventListener("change", ({ target }) => this._playhead.pace(target.value));
  }

  _drag(time) {
    this._dragged = time;
    element("time-tip").hidden = true;
    this.go(time);
    this.draw();
  }

  /** @param {number} time the right end is the present, where time goes on */
  go(time) {
    const { start, end, width } = this.span;
    const { connection } = this._source.client.state;
    const grows = connection?.source === "live" || connection?.source === "simulate";
    if (grows && placeOf({ start, end, width }, time) >= width - 2) this._playhead.live();
    else this._playhead.seek(new Date(time).toISOString());
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const { start, end } = this.span;
    const steps = { ArrowLeft: -PART, ArrowDown: -PART, ArrowRight: PART, ArrowUp: PART, PageDown: -10 * PART, PageUp: 10 * PART };
    if (event.key === "End") this._playhead.live();
    else if (event.key === "Home") this._playhead.seek(new Date(start).toISOString());
    else if (Object.hasOwn(steps, event.key)) this.go(this._playhead.time + steps[event.key] * (end - start));
    else return;
    event.preventDefault();
  }

  /** Before the next bucket in which something got worse; after the last one to the first. */
  _toWorse() {
    const worse = this._bars.filter((bar) => bar.worse);
    const next = worse.find(({ from }) => from > this._playhead.time + 1) ?? worse[0];
    if (next) this._playhead.seek(new Date(next.to).toISOString());
  }

  _tip(event, time) {
    const tip = element("time-tip");
    const bar = this._bars.find(({ from, to }) => time >= from && time < to);
    tip.textContent = bar ? barText(bar) : clock(time);
    tip.hidden = false;
    const x = event.clientX - this._track.getBoundingClientRect().left;
    tip.style.transform = `translateX(${Math.max(0, Math.min(x - tip.offsetWidth / 2, this._track.clientWidth - tip.offsetWidth))}px)`;
  }
}
