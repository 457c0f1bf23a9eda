// What is shown of the cluster, kept in step with the fold: columns, cells, filter and order, message by message.

import { MapCells, sectionsOf } from "./map-cells.js";
import { PodColumns } from "./pod-columns.js";
import { PodFilter } from "./pod-filter.js";
import { mood } from "./viewer-model.js";

export class Shown {
  /** @param {any} state a ClusterState @param {"node" | "namespace" | "owner"} group */
  constructor(state, group) {
    this._state = state;
    this.pods = new PodColumns();
    this.cells = new MapCells(this.pods, group);
    this.filter = new PodFilter(this.pods);
    /** What the order of pods is told: set by whoever keeps one. @type {import("./pod-order.js").NameOrder | null} */
    this.order = null;
    /** A slot whose pod came or changed is told here. @type {(slot: number, uid: string) => void} */
    this.onChange = () => {};
    /** The same of nodes and namespaces. @type {(uid: string) => void} */
    this.onOther = () => {};
    this._section = sectionsOf([]);
    /** A state is coming in parts (it was more than a message may have), and not all of it is there. */
    this.partial = false;
  }

  /** A message that the state has folded in. @param {any} message @returns {boolean} whether all of it is another */
  hear(message) {
    const { type } = message;
    if (type === "initial_state") {
      this._reset();
      return true;
    }
    if (this.partial && this._state.seq !== null && type !== "metrics") this._complete();
    if (type === "batch") for (const event of message.data) this._event(event);
    else if (type.endsWith("_event")) this._event(message);
    return false;
  }

  /**
   * Another state, of which most is as it was: what is gone goes, what is there is put in, so that nobody moves on the map
   * who did not in the cluster.
   */
  _reset() {
    const { pods: held } = this._state;
    this.partial = this._state.seq === null;
    // A pod of another filter or cluster has no place that it could keep.
    let kept = 0;
    for (const uid of held.keys()) kept += this.pods.slots.has(uid) ? 1 : 0;
    const expected = this.partial ? held.size : Math.max(held.size, this.pods.count);
    if (kept * 2 < expected || !this.pods.count) return this._anew();
    if (!this.partial) this._leave();
    this._nodes();
    for (const pod of held.values()) this._put(pod, false);
  }

  /** All parts are there: what is in none of them is gone. */
  _complete() {
    this.partial = false;
    this._leave();
  }

  _leave() {
    for (const uid of [...this.pods.slots.keys()]) if (!this._state.pods.has(uid)) this._gone(uid);
  }

  _anew() {
    this.pods.clear();
    this.order?.reset();
    for (const pod of this._state.pods.values()) this.order?.put(this.pods.put(pod));
    this._nodes();
    this.cells.regroup(this.cells.grouping);
    this.filter.again();
  }

  _nodes() {
    const nodes = this._state.nodes;
    this._section = sectionsOf(nodes.values());
    this.cells.forgetNodes();
    for (const node of nodes.values()) this._node(node);
  }

  _node(node) {
    this.cells.node(node.name, this._section(node), mood(node.status));
  }

  /** @param {any} event */
  _event({ type, action, data }) {
    if (type === "pod_event") {
      if (action === "DELETED") this._gone(data.uid);
      else this._put(data, true);
    } else if (type === "node_event") {
      if (action === "DELETED") this.cells.forgetNode(data.name);
      else if (this._state.nodes.has(data.uid)) this._node(data);
      this.onOther(data.uid);
    } else if (type === "namespace_event") this.onOther(data.uid);
  }

  _put(pod, told) {
    const count = this.pods.count;
    const before = this.pods.slots.get(pod.uid);
    const print = before === undefined ? "" : this._print(before);
    const slot = this.pods.put(pod);
    if (this.pods.count > count) this.order?.put(slot);
    this.cells.put(slot);
    this.filter.touch(slot);
    if (told || (before !== undefined && print !== this._print(slot))) this.onChange(slot, pod.uid);
  }

  /** What of a pod can be seen. */
  _print(slot) {
    const { status, mood: moods, ready, restarts, node } = this.pods;
    return `${status[slot]} ${moods[slot]} ${ready[slot]} ${restarts[slot]} ${node[slot]}`;
  }

  _gone(uid) {
    const slot = this.pods.remove(uid);
    if (slot < 0) return;
    this.cells.remove(slot);
    this.order?.remove(slot);
    this.filter.touch(slot);
  }
}
