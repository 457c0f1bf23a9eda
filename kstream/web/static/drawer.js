// One object: its fields, what happened to it and what changed each time.

import { clock } from "./time-scale.js";
import { age, MOOD_NAMES, mood } from "./viewer-model.js";

const AGAIN = 3000; // milliseconds between two looks at the history of an object that changes
const MOST_VERSIONS = 200;
const element = (id) => /** @type {any} */ (document.getElementById(id));
const ONE = { pods: "Pod", nodes: "Node", namespaces: "Namespace" };

/** @typedef {{ kind: "pods" | "nodes" | "namespaces", uid: string, name: string }} Chosen */

export class Drawer {
  /**
   * @param {any} source
   * @param {{ go: (at: string) => void, show: (kind: string, name: string) => void, search: (words: string) => void,
   *   changed: (lanes: any[]) => void, now: () => number }} acts
   *   `go` to a moment, `show` another object, `search` for pods; `changed` gets the lanes of what is open; `now` in
   *   milliseconds of the timeline
   */
  constructor(source, acts) {
    this._source = source;
    this._acts = acts;
    /** @type {Chosen | null} */
    this.chosen = null;
    /** @type {any} */
    this._object = null;
    /** @type {any[] | null} */
    this._versions = null;
    this._why = "";
    this._askedAt = -Infinity;
    this._shownObject = null;
    this._opener = null;
    element("drawer-close").addEventListener("click", () => this.close());
  }

  /** @param {Chosen} chosen */
  open(chosen) {
    if (this.chosen === null) this._opener = document.activeElement;
    this.chosen = chosen;
    this._object = this._versions = this._shownObject = null;
    this._why = "";
    this._askedAt = -Infinity;
    element("drawer").hidden = false;
    element("drawer-body").scrollTop = 0;
    document.body.classList.add("drawn");
    this.refresh();
    element("drawer-title").focus();
  }

  close() {
    if (this.chosen === null) return;
    this.chosen = null;
    element("drawer").hidden = true;
    document.body.classList.remove("drawn");
    this._acts.changed([]);
    this._opener?.focus?.();
  }

  /** The object or its time may be another. */
  refresh() {
    const { chosen } = this;
    if (chosen === null) return;
    const held = this._source.client.state[chosen.kind].get(chosen.uid);
    if (held !== undefined && held !== this._held) void this._whole(chosen, held);
    this._held = held;
    if (held !== undefined) this._object ??= held;
    this._draw(held === undefined);
    const due = performance.now() - this._askedAt > AGAIN;
    if (due && (this._versions === null || held !== this._asked)) {
      this._asked = held;
      void this._ask(chosen);
    }
  }

  async _whole(chosen, held) {
    try {
      const whole = await this._source.object(chosen.kind, chosen.uid);
      if (this.chosen === chosen && this._held === held) this._object = whole ?? held;
    } catch {
      this._object = held; // what is held is shown; that the server is gone is said elsewhere
    }
    if (this.chosen === chosen) this._draw(false);
  }

  async _ask(chosen) {
    this._askedAt = performance.now();
    try {
      const { versions } = await this._source.history(chosen.uid);
      if (this.chosen !== chosen) return;
      this._versions = versions;
      this._why = "";
    } catch (error) {
      if (this.chosen !== chosen) return;
      this._versions = [];
      this._why = error.status === 404 ? "Nothing is recorded of it." : `Its history is not known: ${error.message}`;
    }
    this._drawHistory();
    this._acts.changed([{ uid: chosen.uid, name: chosen.name, status: String(this._object?.status || this._object?.phase || ""), versions: this._versions }]);
  }

  _draw(gone) {
    const chosen = /** @type {Chosen} */ (this.chosen);
    const object = this._object;
    element("drawer-kind").textContent = ONE[chosen.kind];
    element("drawer-title").textContent = chosen.name;
    const chip = element("drawer-status");
    const status = gone ? "Not there at this moment" : String(object?.status || object?.phase || "");
    chip.textContent = status;
    chip.dataset.mood = gone ? "1" : String(mood(status));
    chip.title = gone ? "" : MOOD_NAMES[mood(status)];
    if (object === null || object === this._shownObject) return;
    this._shownObject = object;
    const rows = FIELDS[chosen.kind](object, this._acts);
    element("drawer-fields").replaceChildren(...rows.flatMap(([name, value]) => fieldOf(name, value)));
    element("drawer-raw").textContent = JSON.stringify(object, null, 2);
  }

  _drawHistory() {
    const versions = this._versions ?? [];
    element("drawer-history-why").textContent = this._why || (versions.length ? "" : "Nothing is recorded of it.");
    const shown = versions.slice(-MOST_VERSIONS).reverse();
    element("drawer-history").replaceChildren(
      ...shown.map(({ seq, time, action, changes }) => {
        const item = document.createElement("li");
        const go = document.createElement("button");
        go.type = "button";
        go.textContent = clock(Date.parse(time)).slice(11);
        go.title = `Go to ${time}`;
        go.setAttribute("aria-label", `Go to ${clock(Date.parse(time))} UTC`);
        go.addEventListener("click", () => this._acts.go(`seq:${seq}`));
        const what = document.createElement("div");
        const lines = changes.length ? changes.slice(0, 12).map(changeText) : [{ ADDED: "came", DELETED: "went", MODIFIED: "changed" }[action] ?? action];
        for (const line of lines) {
          const text = document.createElement("p");
          text.textContent = line;
          if (line.startsWith("status: ")) text.dataset.mood = String(mood(String(changes.find(({ path }) => path === "status").after ?? "")));
          what.append(text);
        }
        if (changes.length > 12) what.append(Object.assign(document.createElement("p"), { textContent: `and ${changes.length - 12} more` }));
        item.append(go, what);
        return item;
      }),
    );
    if (versions.length > MOST_VERSIONS) element("drawer-history-why").textContent = `The last ${MOST_VERSIONS} of ${versions.length} versions.`;
  }
}

/** `status: Running → Error`. @param {{ path: string, before: any, after: any }} change */
export function changeText({ path, before, after }) {
  const said = (value) => {
    if (value === null || value === undefined) return "–";
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.length > 120 ? `${text.slice(0, 120)}…` : text;
  };
  return `${path}: ${said(before)} → ${said(after)}`;
}

const since = (object, acts) => {
  const born = Date.parse(object.creationTimestamp);
  return Number.isFinite(born) ? `${age((acts.now() - born) / 1000)} (${clock(born)} UTC)` : "–";
};
const link = (text, act) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = text;
  button.addEventListener("click", act);
  return button;
};
const labelText = (labels) => Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);

/** @type {Record<string, (object: any, acts: any) => [string, any][]>} */
const FIELDS = {
  pods: (pod, acts) => [
    ["Namespace", link(pod.namespace ?? "–", () => acts.show("namespaces", pod.namespace))],
    ["Node", pod.nodeName ? link(pod.nodeName, () => acts.show("nodes", pod.nodeName)) : "not yet on one"],
    ["Owner", pod.owner ? link(`${pod.owner.kind} ${pod.owner.name}`, () => acts.search(pod.owner.name)) : "–"],
    ["Phase", pod.phase ?? "–"],
    ["Age", since(pod, acts)],
    ...(pod.containers ?? []).map((each) => [
      `Container ${each.name}`,
      [each.image, `${each.state}${each.reason ? `, ${each.reason}` : ""}${each.ready ? ", ready" : ", not ready"}`, `${each.restartCount} restarts`],
    ]),
    ["Labels", labelText(pod.labels)],
  ],
  nodes: (node, acts) => [
    ["Pods", link("Show only its pods", () => acts.search(node.name))],
    ["Role", node.role ?? "–"],
    ["Capacity", Object.entries(node.capacity ?? {}).map(([name, value]) => `${name} ${value}`)],
    ["Age", since(node, acts)],
    ...(node.conditions ?? []).map(({ type, status, reason, message }) => [type, [`${status}${reason ? `, ${reason}` : ""}`, message].filter(Boolean)]),
    ["Labels", labelText(node.labels)],
  ],
  namespaces: (space, acts) => [
    ["Pods", link("Show only its pods", () => acts.search(`${space.name}/`))],
    ["Status", space.status ?? "–"],
  ],
};

function fieldOf(name, value) {
  const [term, text] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  if (Array.isArray(value)) {
    for (const line of value.length ? value : ["–"]) text.append(Object.assign(document.createElement("div"), { textContent: line }));
  } else text.append(value);
  return [term, text];
}
