// Keys that work anywhere on the page, and the help that lists them.

const element = (id) => /** @type {any} */ (document.getElementById(id));
const SKIP = 10_000; // milliseconds of the timeline
const TABS = ["pods", "nodes", "namespaces", "messages"];

export class Keys {
  /** @param {{ playhead: any, map: any, bar: any, tab: (name: string) => void, search: () => void, trouble: () => void, group: () => void, close: () => void }} acts */
  constructor(acts) {
    this._acts = acts;
    const { playhead, map } = acts;
    /** @type {Record<string, () => void>} */
    this._keys = {
      "?": () => this.help(),
      "/": acts.search,
      m: () => element("map").focus(),
      t: () => element(`${this._tab()}-list`).focus(),
      x: acts.trouble,
      g: acts.group,
      k: () => playhead.toggle(),
      j: () => playhead.skip(-SKIP),
      l: () => playhead.skip(SKIP),
      n: () => playhead.live(),
      ",": () => playhead.back(),
      ".": () => playhead.step(),
      b: () => element("time-track").focus(),
      "+": () => map.zoomBy(1),
      "=": () => map.zoomBy(1),
      "-": () => map.zoomBy(-1),
      0: () => map.zoomBy(0),
      1: () => acts.tab("pods"),
      2: () => acts.tab("nodes"),
      3: () => acts.tab("namespaces"),
      4: () => acts.tab("messages"),
      Escape: acts.close,
    };
    addEventListener("keydown", (event) => this._press(event));
  }

  help() {
    element("keys").showModal();
  }

  _tab() {
    return TABS.find((name) => element(`tab-${name}`).getAttribute("aria-selected") === "true") ?? "pods";
  }

  /** @param {KeyboardEvent} event */
  _press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]")) return;
    const { target } = event;
    const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (typing && event.key !== "Escape") return;
    const act = Object.hasOwn(this._keys, event.key) ? this._keys[event.key] : undefined;
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  /** Arrow keys go from tab to tab. @param {KeyboardEvent} event @param {string} now */
  tabs(event, now) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = TABS[(TABS.indexOf(now) + step + TABS.length) % TABS.length];
    event.preventDefault();
    this._acts.tab(next);
    element(`tab-${next}`).focus();
  }
}
