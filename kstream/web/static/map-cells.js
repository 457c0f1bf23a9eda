// Which cell of which block a pod is in. A pod that goes leaves its cell empty and nobody moves; who comes takes an empty one.

/** @typedef {"node" | "namespace" | "owner"} Grouping */
/**
 * A block: a node, a namespace, or the pods of one owner.
 * @typedef {{ id: number, name: string, section: string, cells: number[], holes: number[], live: number, room: number,
 *   mood: number, at: number }} Block `at` is its place in `blocks`; `cells` has the slot of a pod, or -1; `room` is how many cells the layout gave it; `mood` is the
 *   node's own, -1 where it has none
 */

const UNKNOWN = "";

export class MapCells {
  /** @param {import("./pod-columns.js").PodColumns} pods @param {Grouping} [grouping] */
  constructor(pods, grouping = "node") {
    this._pods = pods;
    /** @type {Grouping} */
    this.grouping = grouping;
    /** The nodes that there are: each has a block, also without pods. @type {Map<string, { section: string, mood: number }>} */
    this._nodes = new Map();
    this.regroup(grouping);
  }

  /** Everything anew, in the order of names. @param {Grouping} grouping */
  regroup(grouping) {
    this.grouping = grouping;
    /** @type {Block[]} */
    this.blocks = [];
    /** @type {(Block | undefined)[]} by the number of the interned name */
    this._byKey = [];
    this.blockOf = new Int32Array(this._pods.capacity).fill(-1);
    this.cellOf = new Int32Array(this._pods.capacity);
    /** The cells that changed since somebody emptied it: block, place, block, place, … @type {number[]} */
    this.touched = [];
    /** A block looks otherwise as a whole. */
    this.altered = true;
    /** The layout is no longer that of the blocks: there is a new one, or one is too small. */
    this.outgrown = true;
    if (grouping === "node") for (const name of this._nodes.keys()) this._block(this._pods.nodes.id(name));
    for (const slot of this._inOrder()) this.put(slot);
    this.tidy();
  }

  /** Blocks by section and name; the layout is to be made anew. Cells keep their places in their block. */
  tidy() {
    const stays = (block) => block.live > 0 || (this.grouping === "node" && this._nodes.has(block.name));
    this.blocks = this.blocks.filter(stays);
    this.blocks.sort((a, b) => order(a.section, b.section) || order(a.name, b.name));
    this._byKey = [];
    this.blocks.forEach((block, at) => {
      block.at = at;
      this._byKey[block.id] = block;
      for (const slot of block.cells) if (slot >= 0) this.blockOf[slot] = at;
    });
    this.touched = [];
    this.outgrown = true;
  }

  /** A node is there, or is another. @param {string} name @param {string} section @param {number} mood */
  node(name, section, mood) {
    this._nodes.set(name, { section, mood });
    if (this.grouping !== "node") return;
    const block = this._block(this._pods.nodes.id(name));
    if (block.mood !== mood) this.altered = true;
    block.mood = mood;
    if (block.section !== section) {
      block.section = section;
      this.outgrown = true;
    }
  }

  /** @param {string} name */
  forgetNode(name) {
    this._nodes.delete(name);
    if (this.grouping !== "node") return;
    const block = this._byKey[this._pods.nodes.id(name)];
    if (block) block.mood = -1;
    this.altered = true;
  }

  forgetNodes() {
    this._nodes.clear();
  }

  /** A pod came or changed. @param {number} slot */
  put(slot) {
    this._grow();
    const id = this._keyOf(slot);
    const at = this.blockOf[slot];
    if (at >= 0) {
      if (this.blocks[at].id === id) {
        this.touched.push(at, this.cellOf[slot]);
        return;
      }
      this.remove(slot);
    }
    const block = this._block(id);
    const cell = block.holes.pop() ?? block.cells.length;
    block.cells[cell] = slot;
    block.live += 1;
    if (cell >= block.room) this.outgrown = true;
    this.cellOf[slot] = cell;
    this.blockOf[slot] = block.at;
    this.touched.push(block.at, cell);
  }

  /** A pod went. @param {number} slot */
  remove(slot) {
    const block = this.blocks[this.blockOf[slot]];
    if (block === undefined) return;
    const cell = this.cellOf[slot];
    block.cells[cell] = -1;
    block.holes.push(cell);
    block.live -= 1;
    this.touched.push(block.at, cell);
    this.blockOf[slot] = -1;
  }

  /** What blocks are called where they are shown. @param {Block} block */
  title(block) {
    if (this.grouping === "node") return block.name || "on no node";
    if (this.grouping === "namespace") return block.name || "no namespace";
    return block.name.split("/").filter((part) => part !== "–").join(" ");
  }

  _grow() {
    if (this.blockOf.length >= this._pods.top) return;
    const [blockOf, cellOf] = [new Int32Array(this._pods.capacity).fill(-1), new Int32Array(this._pods.capacity)];
    blockOf.set(this.blockOf);
    cellOf.set(this.cellOf);
    this.blockOf = blockOf;
    this.cellOf = cellOf;
  }

  /** @param {number} slot */
  _keyOf(slot) {
    return this._pods[this.grouping][slot];
  }

  /** @param {number} id @returns {Block} */
  _block(id) {
    let block = this._byKey[id];
    if (block === undefined) {
      const { nodes, namespaces, owners } = this._pods;
      const name = { node: nodes, namespace: namespaces, owner: owners }[this.grouping].texts[id];
      const node = this.grouping === "node" ? this._nodes.get(name) : undefined;
      block = { id, name, section: node?.section ?? UNKNOWN, cells: [], holes: [], live: 0, room: 0, mood: node?.mood ?? -1, at: this.blocks.length };
      this._byKey[id] = block;
      this.blocks.push(block); // at the end, so that no other one moves
      this.outgrown = true;
    }
    return block;
  }

  /** Pods as they come; in a namespace those of one owner are neighbours. */
  _inOrder() {
    const { top, uid, owner, name } = this._pods;
    const slots = [];
    for (let slot = 0; slot < top; slot++) if (uid[slot] !== undefined) slots.push(slot);
    if (this.grouping === "namespace") slots.sort((a, b) => owner[a] - owner[b] || (name[a] < name[b] ? -1 : 1));
    return slots;
  }
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

/** What has no section is last: a pod on no node is seen at the end. @param {string} a @param {string} b */
function order(a, b) {
  if (a === b) return 0;
  if (!a || !b) return a ? -1 : 1;
  return COLLATOR.compare(a, b);
}

/** How nodes are divided: by zone, else by role, where there are at least two of them and not too many. @param {Iterable<any>} nodes */
export function sectionsOf(nodes) {
  const all = [...nodes];
  const zone = (node) => node.labels?.["topology.kubernetes.io/zone"] ?? node.labels?.["failure-domain.beta.kubernetes.io/zone"];
  const role = (node) => node.role;
  for (const of of [zone, role]) {
    const names = new Set(all.map(of));
    if (names.size > 1 && names.size <= 24) return (node) => String(of(node) ?? "elsewhere");
  }
  return () => "";
}
