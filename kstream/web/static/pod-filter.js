// Which pods match what is searched: a byte for each slot, made in one pass and kept as pods change.

import { MOOD } from "./viewer-model.js";

/** @typedef {{ namespaces?: readonly string[], words?: string, trouble?: boolean }} Wanted */

export class PodFilter {
  /** @param {import("./pod-columns.js").PodColumns} pods */
  constructor(pods) {
    this._pods = pods;
    /** 1 where the pod of the slot matches. */
    this.matched = new Uint8Array(1024);
    this.count = 0;
    /** Something is left out, perhaps. */
    this.active = false;
    this.want({});
  }

  /** Ask for something else: one pass over all. @param {Wanted} wanted */
  want({ namespaces = [], words = "", trouble = false }) {
    this._trouble = trouble;
    this._words = words.trim().toLowerCase().split(/\s+/).filter(Boolean);
    this._namespaces = namespaces;
    this.active = Boolean(trouble || namespaces.length || this._words.length);
    this.again();
  }

  /** All of it once more: the pods are others. */
  again() {
    this._prepare();
    const { top, uid, mood, namespace, node, status, owner, name } = this._pods;
    this._grow();
    const { matched } = this;
    matched.fill(0);
    const spaces = new Set(this._spaces);
    for (let slot = 0; slot < top; slot++) {
      if (uid[slot] === undefined || (this._trouble && mood[slot] !== MOOD.bad)) continue;
      if (!spaces.size || spaces.has(namespace[slot])) matched[slot] = 1;
    }
    // One word after another, without a call for each pod: there are very many.
    for (const by of this._by) {
      const { word } = by;
      const [inNamespace, inNode, inStatus, inOwner] = [by.namespace, by.node, by.status, by.owner].map((found) => Uint8Array.from(found, Number));
      const full = word.includes("/");
      for (let slot = 0; slot < top; slot++) {
        if (!matched[slot] || inNamespace[namespace[slot]] || inNode[node[slot]] || inStatus[status[slot]] || inOwner[owner[slot]]) continue;
        if (!name[slot].includes(word) && !(full && this._pods.fullName(slot).includes(word))) matched[slot] = 0;
      }
    }
    this.count = 0;
    for (let slot = 0; slot < top; slot++) this.count += matched[slot];
  }

  /** The pod of a slot came, changed or (then its slot is free) went. @param {number} slot */
  touch(slot) {
    this._grow();
    this._prepare();
    const now = this._pods.uid[slot] !== undefined && this._judge(slot) ? 1 : 0;
    this.count += now - this.matched[slot];
    this.matched[slot] = now;
  }

  _grow() {
    if (this.matched.length >= this._pods.top) return;
    const matched = new Uint8Array(this._pods.capacity);
    matched.set(this.matched);
    this.matched = matched;
  }

  /** What is true of a text is true of all pods that share it: looked at once for each text. */
  _prepare() {
    const { namespaces, nodes, statuses, owners } = this._pods;
    this._spaces = this._namespaces.map((name) => namespaces.known(name));
    if (!this._by || this._byWords !== this._words) {
      this._byWords = this._words;
      this._by = this._words.map((word) => ({ word, node: [], namespace: [], status: [], owner: [] }));
    }
    for (const found of this._by) {
      extend(found.namespace, namespaces.texts, found.word);
      extend(found.node, nodes.texts, found.word);
      extend(found.status, statuses.texts, found.word);
      extend(found.owner, owners.texts, found.word);
    }
  }

  /** @param {number} slot */
  _judge(slot) {
    const pods = this._pods;
    if (this._trouble && pods.mood[slot] !== MOOD.bad) return false;
    if (this._spaces.length && !this._spaces.includes(pods.namespace[slot])) return false;
    for (const { word, node, namespace, status, owner } of this._by) {
      if (namespace[pods.namespace[slot]] || node[pods.node[slot]] || status[pods.status[slot]]) continue;
      if (owner[pods.owner[slot]] || pods.name[slot].includes(word)) continue;
      // What a search looks for in a name is mostly "namespace/name".
      if (word.includes("/") && pods.fullName(slot).includes(word)) continue;
      return false;
    }
    return true;
  }
}

/** @param {boolean[]} found @param {string[]} texts @param {string} word */
function extend(found, texts, word) {
  for (let id = found.length; id < texts.length; id++) found.push(texts[id].toLowerCase().includes(word));
}

/** The same search, for nodes and namespaces: whether all words are somewhere in a text. @param {string} words @returns {(text: string) => boolean} */
export function matching(words) {
  const all = words.trim().toLowerCase().split(/\s+/);
  return (text) => {
    const low = text.toLowerCase();
    return all.every((word) => low.includes(word));
  };
}
