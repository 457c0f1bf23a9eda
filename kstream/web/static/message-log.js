// The newest messages of the server as lines, and each in whole.

import { describe, pretty } from "./viewer-model.js";

const KEPT = 500;

export class MessageLog {
  constructor() {
    /** Newest first; what a list shows while it is held is not touched. @type {{ message: any, text: string, time: string, line: any }[]} */
    this.entries = [];
    this.received = 0;
    /** @type {typeof this.entries} */
    this._all = this.entries;
    this._held = false;
  }

  /** @param {any} message */
  keep(message) {
    this.received += 1;
    // A state of 10 MB is not kept for the list: its text is made now, cut to what is shown.
    const large = message.type === "initial_state" || (message.type === "batch" && message.data.length > 100);
    this._add({
      message: large ? null : message,
      text: large ? pretty(message) : "",
      time: String(message.timestamp ?? "").slice(11, 23),
      line: describe(message),
    });
  }

  /** What the client complains of. @param {Error} error */
  fail(error) {
    this._add({ message: null, text: error.message, time: "", line: { label: "error", text: error.message, tone: "bad" } });
  }

  _add(entry) {
    this._all.unshift(entry);
    if (this._all.length > KEPT) this._all.length = KEPT;
  }

  /** What was picked, as text. @param {any} what */
  text(what) {
    return typeof what === "string" ? what : pretty(what);
  }

  /** Hold the list, or let it go on. @param {HTMLElement} button that was pressed for it */
  hold(button) {
    this._held = !this._held;
    this._all = this._held ? [...this.entries] : this._all;
    if (!this._held) this.entries = this._all;
    button.setAttribute("aria-pressed", String(this._held));
    button.textContent = this._held ? "Go on" : "Hold";
  }
}
