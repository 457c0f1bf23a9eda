// The order of the pods in a table: by namespace and name, kept by merging in slices; by any other column in one pass.

const SLICE = 2000; // comparisons between two looks at the clock: about a millisecond

/** All pods by namespace and name. What changed goes in by `refresh`, which may take several frames at 150,000 pods. */
export class NameOrder {
  /** @param {import("./pod-columns.js").PodColumns} pods */
  constructor(pods) {
    this._pods = pods;
    this.reset();
  }

  /** Forget all; what is there now comes again by `put`. */
  reset() {
    /** Slots in order. A slot that went since is still in it: `pods.uid` of it is undefined, or it is listed twice for a moment. */
    this.slots = new Uint32Array(0);
    /** @type {Set<number>} */
    this._added = new Set();
    /** @type {Set<number>} */
    this._dropped = new Set();
    /** @type {Generator<void, Uint32Array, void> | null} */
    this._work = null;
    // By what each slot is in order: a slot may be another pod's before the order knows.
    /** @type {number[]} */
    this._space = [];
    /** @type {string[]} */
    this._name = [];
    /** @type {string[]} */
    this._uid = [];
  }

  /** A pod came. @param {number} slot */
  put(slot) {
    this._added.add(slot);
  }

  /** A pod went. @param {number} slot */
  remove(slot) {
    if (!this._added.delete(slot)) this._dropped.add(slot);
  }

  /** There is work left. */
  get behind() {
    return this._work !== null || this._added.size > 0 || this._dropped.size > 0;
  }

  /**
   * Go on until it is done or `spent()` says that the time is up; true when the order is that of all pods.
   * @param {() => boolean} [spent]
   */
  refresh(spent = () => false) {
    while (this.behind) {
      if (this._work === null) {
        const [added, dropped] = [this._added, this._dropped];
        [this._added, this._dropped] = [new Set(), new Set()];
        this._work = this._merged(added, dropped);
      }
      for (;;) {
        const { done, value } = this._work.next();
        if (done) {
          this.slots = value;
          this._work = null;
          break;
        }
        if (spent()) return false;
      }
    }
    return true;
  }

  /** @param {Set<number>} added @param {Set<number>} dropped */
  *_merged(added, dropped) {
    const { texts } = this._pods.namespaces;
    const { _space: space, _name: name, _uid: uid } = this;
    for (const slot of added) {
      space[slot] = this._pods.namespace[slot];
      name[slot] = this._pods.name[slot];
      uid[slot] = String(this._pods.uid[slot]);
    }
    const before = (a, b) => {
      if (space[a] !== space[b]) return texts[space[a]] < texts[space[b]];
      return name[a] === name[b] ? uid[a] < uid[b] : name[a] < name[b];
    };
    const fresh = yield* sorted([...added], before);
    const old = this.slots;
    const merged = new Uint32Array(old.length + fresh.length);
    let length = 0;
    let next = 0;
    for (let at = 0; at < old.length; at++) {
      const slot = old[at];
      if (dropped.has(slot)) {
        dropped.delete(slot); // the same slot of another pod is further on
        continue;
      }
      while (next < fresh.length && before(fresh[next], slot)) merged[length++] = fresh[next++];
      merged[length++] = slot;
      if (at % (8 * SLICE) === 0) yield;
    }
    while (next < fresh.length) merged[length++] = fresh[next++];
    return merged.slice(0, length);
  }
}

/**
 * A merge sort that can be left and gone on with.
 * @param {number[]} slots @param {(a: number, b: number) => boolean} before
 * @returns {Generator<void, Uint32Array, void>}
 */
function* sorted(slots, before) {
  let from = Uint32Array.from(slots);
  const run = 500;
  for (let start = 0; start < from.length; start += run) {
    from.subarray(start, start + run).sort((a, b) => (a === b ? 0 : before(a, b) ? -1 : 1));
    yield;
  }
  let to = new Uint32Array(from.length);
  for (let width = run; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length);
      const end = Math.min(start + 2 * width, from.length);
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        const takeLeft = right >= end || (left < middle && !before(from[right], from[left]));
        to[at] = takeLeft ? from[left++] : from[right++];
        if (at % SLICE === 0) yield;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

/**
 * Slots of `order` by a number of each, equal ones as they are in `order`: a radix sort, some milliseconds for 150,000.
 * @param {Uint32Array} order
 * @param {(slot: number) => number} key a whole number from 0 to 2³² - 1
 * @param {boolean} [descending]
 */
export function byKey(order, key, descending = false) {
  const keys = new Uint32Array(order.length);
  let highest = 0;
  for (let at = 0; at < order.length; at++) {
    keys[at] = key(order[at]);
    if (keys[at] > highest) highest = keys[at];
  }
  if (descending) for (let at = 0; at < keys.length; at++) keys[at] = highest - keys[at];
  let [slots, values] = [Uint32Array.from(order), keys];
  for (let shift = 0; shift < 32 && (highest >>> shift || !shift); shift += 16) {
    const starts = new Uint32Array(65_537);
    for (const value of values) starts[((value >>> shift) & 0xffff) + 1] += 1;
    for (let at = 0; at < 65_536; at++) starts[at + 1] += starts[at];
    const [nextSlots, nextValues] = [new Uint32Array(slots.length), new Uint32Array(slots.length)];
    for (let at = 0; at < slots.length; at++) {
      const place = starts[(values[at] >>> shift) & 0xffff]++;
      nextSlots[place] = slots[at];
      nextValues[place] = values[at];
    }
    [slots, values] = [nextSlots, nextValues];
  }
  return slots;
}

/** For each number of an interned text its place in the order of the texts. @param {string[]} texts */
export function ranks(texts) {
  const order = texts.map((_, id) => id).sort((a, b) => (texts[a] < texts[b] ? -1 : texts[a] > texts[b] ? 1 : 0));
  const rank = new Uint32Array(texts.length);
  order.forEach((id, place) => (rank[id] = place));
  return rank;
}
