// A span of a log as kstream/core/timeline/columns.py writes it, read: its objects, its events, and the fold of them.

import { tone } from "./viewer-model.js";

const KINDS = ["node", "pod", "namespace"];
const FIELDS = ["name", "uid", "nodeName", "creationTimestamp"];
const ADDED = 0;
const DELETED = 1;
const EDITED = 2; // and above
const AT_LEAST = 1000; // events from one keyframe to the next
const AT_ONCE = 1000; // events until others have their turn
/** @type {Map<string, string>} there are few, and very many objects */
const TONES = new Map();

/**
 * What is in a page: gzip in base64.
 * @param {string} text
 * @returns {Promise<Columns>}
 * @throws {Error} in words, for what is none
 */
export async function unpacked(text) {
  if (typeof DecompressionStream !== "function") {
    throw new Error("This browser cannot unpack the recording: open it with Chrome 97, Firefox 113, Safari 16.4 or a newer one");
  }
  let told;
  try {
    const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    told = JSON.parse(await new Response(plain).text());
  } catch (error) {
    throw new Error("The recording in this page is damaged: it is not as it was written; take another copy of the file", { cause: error });
  }
  if (told?.kstream !== "recording" || told.version !== 1) {
    throw new Error(`The recording in this page is none that this page can read (version ${told?.version}); make the file anew with kstream log page`);
  }
  const columns = new Columns(told);
  await columns.index();
  return columns;
}

/** @typedef {{ action: "ADDED" | "MODIFIED" | "DELETED", kind: string, body: any }} Change `body` as it was before, of DELETED */

/** Objects are known by their place in the order in which they came; events by how many there are before them. */
export class Columns {
  /** @param {any} told */
  constructor(told) {
    const { added, events } = told;
    /** @type {string} */
    this.epoch = told.epoch;
    /** @type {{ name: string, version: string } | null} */
    this.cluster = told.cluster;
    /** The ids of those who wrote, and the first seq of each. @type {[string, number][]} */
    this.terms = told.terms;
    /** @type {boolean} */
    this.redacted = told.redacted;
    /** The moments between which the events are; seconds since the Unix epoch. @type {{ seq: number, time: number }} */
    this.from = told.from;
    /** @type {{ seq: number, time: number }} */
    this.to = told.to;
    /** How many events there are. @type {number} */
    this.count = events.what.length;
    this.uids = added.uid;
    this._told = told;
    this._what = events.what;
    this._nodeAt = counted(added.template, (template) => told.templates[template][2].includes(2));
    this._createdAt = counted(added.template, (template) => told.templates[template][2].includes(3));
    /** Of each event its object. */
    this.of = new Int32Array(this.count);
    /** Seconds since the Unix epoch. */
    this.times = new Float64Array(this.count);
    /** The objects that the span begins with. @type {number} */
    this.begins = added.uid.length;
    for (const what of events.what) if (what === ADDED) this.begins -= 1;
    let next = this.begins;
    let referred = 0;
    let time = told.base * told.unit;
    for (let at = 0; at < this.count; at++) {
      this.of[at] = this._what[at] === ADDED ? next++ : next - 1 - events.of[referred++];
      time += events.time[at];
      this.times[at] = time / told.unit;
    }
    /** How many objects are not well at the beginning, and how many more after each event. */
    this.unwell = 0;
    this.worse = new Int8Array(this.count);
    /** @type {{ at: number, objects: Map<number, any> }[]} */
    this._keyframes = [];
  }

  /** Reads all of it once, so that any state is near one that is known, and all is counted. Others have their turn meanwhile. */
  async index() {
    const fold = new Fold(this);
    this._keyframes = [{ at: 0, objects: new Map(fold.objects) }];
    this.unwell = [...fold.objects.values()].filter(isUnwell).length;
    while (fold.at < this.count) {
      const before = fold.objects.get(this.of[fold.at]);
      const { action, body } = fold.take();
      this.worse[fold.at - 1] = Number(action !== "DELETED" && isUnwell(body)) - Number(isUnwell(before));
      const last = /** @type {{ at: number }} */ (this._keyframes.at(-1));
      // As far from each other as a state is large: together they are no larger than the events.
      if (fold.at - last.at >= Math.max(AT_LEAST, fold.objects.size)) {
        this._keyframes.push({ at: fold.at, objects: new Map(fold.objects) });
      }
      if (fold.at % AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** The state after so many events, which goes its own way from there. @param {number} at */
  stateAt(at) {
    const near = this._keyframes.findLast((keyframe) => keyframe.at <= at);
    const fold = new Fold(this, near);
    while (fold.at < at) fold.take();
    return fold;
  }

  /** How many events there are until then, and at least `low`. @param {number} time seconds since the Unix epoch */
  reached(time, low = 0) {
    let high = this.count;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle - 1] <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** @param {number} place */
  kindOf(place) {
    return KINDS[this._template(place)[0]];
  }

  /** What it is called. @param {number} place */
  keyOf(place) {
    const { name, uid } = this._told.added;
    const [kind, namespace] = this._template(place);
    return { kind: KINDS[kind], namespace, name: name[place], uid: uid[place] };
  }

  /** The first version of it. @param {number} place */
  born(place) {
    const { base, nodes, added } = this._told;
    const [, , fields, template] = this._template(place);
    const body = { ...template };
    for (const field of fields) {
      if (field === 0) body.name = added.name[place];
      else if (field === 1) body.uid = added.uid[place];
      else if (field === 2) body.nodeName = nodes[added.node[this._nodeAt[place]]];
      else body[FIELDS[3]] = new Date((base + added.created[this._createdAt[place]]) * 1000).toISOString().replace(".000Z", "Z");
    }
    return body;
  }

  /** @param {number} at @returns {Change["action"]} */
  actionOf(at) {
    const what = this._what[at];
    return what === DELETED ? "DELETED" : what === ADDED ? "ADDED" : "MODIFIED";
  }

  /** What an event makes of its object. @param {number} at @param {any} before what that was @returns {Change} */
  change(at, before) {
    const [action, place] = [this.actionOf(at), this.of[at]];
    const kind = this.kindOf(place);
    if (action === "DELETED") return { action, kind, body: before };
    return { action, kind, body: action === "ADDED" ? this.born(place) : edited(before, this._told.edits[this._what[at] - EDITED]) };
  }

  /** The resourceVersions of these events, which ascend. @param {Iterable<number>} events */
  versions(events) {
    const { version } = this._told.events;
    const found = [];
    let [last, next] = [0, 0];
    for (const at of events) {
      for (; next <= at; next++) if (typeof version[next] === "number") last += version[next];
      found.push(typeof version[at] === "number" ? String(last) : version[at]);
    }
    return found;
  }

  _template(place) {
    return this._told.templates[this._told.added.template[place]];
  }
}

/** The objects that there are after so many events. */
export class Fold {
  /** @param {Columns} columns @param {{ at: number, objects: Map<number, any> }} [from] */
  constructor(columns, from) {
    this._columns = columns;
    this.at = from?.at ?? 0;
    /** Place → resource, in the order in which they came. @type {Map<number, any>} */
    this.objects = new Map(from?.objects);
    if (from === undefined) for (let place = 0; place < columns.begins; place++) this.objects.set(place, columns.born(place));
  }

  /** The next event. @returns {Change} */
  take() {
    const place = this._columns.of[this.at];
    const change = this._columns.change(this.at, this.objects.get(place));
    if (change.action === "DELETED") this.objects.delete(place);
    else this.objects.set(place, change.body);
    this.at += 1;
    return change;
  }
}

/** As kstream/core/timeline/wellness.py has it; nothing is known of what has no status. */
function isUnwell(body) {
  const status = body?.status;
  if (typeof status !== "string" || status === "") return false;
  let found = TONES.get(status);
  if (found === undefined) {
    if (TONES.size > 1000) TONES.clear();
    TONES.set(status, (found = tone(status)));
  }
  return found === "bad";
}

/** @param {any} value @param {[(string | number)[], any][]} edits */
function edited(value, edits) {
  for (const [path, wanted] of edits) value = put(value, path, 0, wanted);
  return value;
}

function put(value, path, depth, wanted) {
  if (depth === path.length) return wanted;
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[path[depth]] = put(value[path[depth]], path, depth + 1, wanted);
  return copy;
}

/** Of each how many of those before it are so. */
function counted(items, isSo) {
  const places = new Int32Array(items.length);
  let next = 0;
  items.forEach((item, at) => {
    places[at] = next;
    if (isSo(item)) next += 1;
  });
  return places;
}
