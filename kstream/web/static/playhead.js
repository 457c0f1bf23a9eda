// Where in time the page is, and what is said to the source to be elsewhere: one seek at a time, the last one wins.

import { place } from "./standing.js";

const PATIENCE = 4000; // milliseconds after which a seek that nothing answered is not waited for

export class Playhead {
  /**
   * @param {any} source @param {{ follow: string }} view
   * @param {() => number} [now] milliseconds, of a clock that only goes forward
   */
  constructor(source, view, now = () => performance.now()) {
    this._source = source;
    this._follow = view.follow;
    this._now = now;
    /** The time of the timeline as it was last heard, in milliseconds since 1970; NaN before anything was. */
    this.heard = NaN;
    this._heardAt = 0;
    /** @type {string | null} the seek to come when the one that is on its way is there */
    this._next = null;
    this._sentAt = -Infinity;
  }

  get place() {
    const { playback } = this._source.client.state;
    const following = Boolean(this._follow) && playback?.id === this._follow;
    return place(this._source.client.state, { following, recording: !this._source.shared });
  }

  /** The timeline that is followed, while it is. */
  get following() {
    const { playback } = this._source.client.state;
    return this._follow && playback?.id === this._follow ? this._follow : "";
  }

  /** A message came. @param {any} message */
  hear({ type, timestamp, data }) {
    if (type === "pong" || type === "cleared") return;
    const time = Date.parse(timestamp);
    if (Number.isFinite(time) && type !== "error" && type !== "connection") {
      this.heard = type === "playback" && Number.isFinite(Date.parse(data.at)) ? Date.parse(data.at) : time;
      this._heardAt = this._now();
    }
    if (type === "initial_state" || type === "error") this._arrived();
  }

  /** The time of the timeline now, as far as what was last heard tells; it stands while nothing may be true. */
  get time() {
    if (this._source.time) return this._source.time();
    const { state, status } = this._source.client;
    const { playing, speed, ended } = this.place;
    if (!playing || ended || state.stale || status.link !== "connected" || typeof speed !== "number") return this.heard;
    const on = Math.min((this._now() - this._heardAt) * speed, 12_000 * Math.max(1, speed));
    const last = Date.parse(state.playback?.end);
    const time = this.heard + on;
    return Number.isFinite(last) && !this.place.present ? Math.min(time, last) : time;
  }

  /** Go to a moment; from the present the page stands still first, so that what is looked at stays. @param {string} at */
  seek(at) {
    if (this._now() - this._sentAt < PATIENCE) {
      this._next = at;
      return;
    }
    if (this.place.present) this._source.playback("pause");
    this._sentAt = this._now();
    // A recording answers before this goes on.
    if (!this._source.playback("seek", { at })) this._sentAt = -Infinity;
  }

  _arrived() {
    this._sentAt = -Infinity;
    const next = this._next;
    this._next = null;
    if (next !== null) this.seek(next);
  }

  toggle() {
    this._source.playback(this.place.playing && !this.place.ended ? "pause" : "play");
  }

  step() {
    this._source.playback("step");
  }

  /** One event back. */
  back() {
    const { seq } = this._source.client.state;
    if (seq === null || seq < 1) return;
    if (this.place.playing && !this.place.present) this._source.playback("pause");
    this.seek(`seq:${seq - 1}`);
  }

  /** So many milliseconds on, or back. @param {number} span */
  skip(span) {
    if (Number.isFinite(this.time)) this.seek(new Date(this.time + span).toISOString());
  }

  /** @param {string} speed a number, or `max` */
  pace(speed) {
    this._source.playback(this.place.playing ? "play" : "pause", { speed: speed === "max" ? "max" : Number(speed) });
  }

  live() {
    this._next = null;
    this._sentAt = -Infinity;
    this._source.playback("live");
  }
}
