// How a recording is played: speed, pause, seek. What kstream/core/timeline/playback.py is to a server.

const TICK = 1e-6; // seconds: as far as two floats of this century are from each other, or nearly

/** Where a timeline is, and how it goes on. Times are seconds; of the recording since the Unix epoch, `now` of any clock. */
export class Player {
  /** @param {{ start: number, end: number, now: number, speed?: number, paused?: boolean }} options */
  constructor({ start, end, now, speed = 1, paused = false }) {
    this.start = start;
    this.end = Math.max(start, end);
    /** @type {"playing" | "paused" | "ended"} */
    this.state = paused ? "paused" : "playing";
    this.speed = speed; // Infinity: as fast as it goes
    this._at = start;
    this._since = now;
  }

  /** The recorded time that is shown. */
  position(now) {
    if (this.state !== "playing" || this.speed === Infinity) return this._at;
    return Math.min(this.end, this._at + Math.max(0, now - this._since) * this.speed);
  }

  /** Seconds until what happens at `upcoming` is due; null while time stands still. @returns {number | null} */
  wait(now, upcoming) {
    if (this.state !== "playing") return null;
    if (this.speed === Infinity) return 0;
    const seconds = (upcoming - this.position(now)) / this.speed;
    return seconds > TICK ? seconds : 0;
  }

  /** What happens at `time` is shown now. */
  reached(now, time) {
    if (time > this.position(now)) [this._at, this._since] = [Math.min(time, this.end), now];
  }

  play(now) {
    if (this.state === "ended") this._move(now, this.start);
    this._hold(now);
    this.state = "playing";
  }

  pause(now) {
    if (this.state !== "playing") return;
    this._hold(now);
    this.state = "paused";
  }

  setSpeed(now, speed) {
    this._hold(now);
    this.speed = speed;
  }

  /** One that had ended plays again; a paused one stays paused. */
  seek(now, time) {
    this._move(now, Math.min(Math.max(time, this.start), this.end));
    if (this.state === "ended") this.state = "playing";
  }

  finish(now) {
    this._move(now, this.end);
    this.state = "ended";
  }

  /** The data of a `playback` message. */
  describe(now) {
    return {
      state: this.state,
      speed: this.speed === Infinity ? "max" : this.speed,
      at: stamp(this.position(now)),
      start: stamp(this.start),
      end: stamp(this.end),
    };
  }

  _hold(now) {
    [this._at, this._since] = [this.position(now), now];
  }

  _move(now, time) {
    [this._at, this._since] = [time, now];
  }
}

/** RFC 3339 with milliseconds, rounded down, as every message has it. @param {number} time seconds since the Unix epoch */
export function stamp(time) {
  // As Python reads it: to the microsecond first, so that 0.57 is 570 and not 569 milliseconds.
  return new Date(Math.floor(Math.round(time * 1e6) / 1e3)).toISOString();
}

const UNITS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * What a point of a timeline says: `seq:N`, RFC 3339, or -5m and +90s from where it is; null for anything else.
 * @param {string} text @param {number} here seconds since the Unix epoch
 * @returns {{ seq: number } | { time: number } | null}
 */
export function pointOf(text, here) {
  const point = String(text).trim();
  const seq = /^seq:(\d{1,15})$/.exec(point);
  if (seq) return { seq: Number(seq[1]) };
  const away = /^([+-])((?:\d+(?:\.\d+)?(?:ms|[smhd]))+)$/.exec(point);
  if (away) {
    const parts = away[2].matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g);
    const seconds = [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit], 0);
    return { time: here + (away[1] === "+" ? seconds : -seconds) };
  }
  if (!/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(point)) return null;
  const time = Date.parse(point.toUpperCase().replace(" ", "T"));
  return Number.isNaN(time) ? null : { time: time / 1000 };
}
