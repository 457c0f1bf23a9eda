// Where the page takes everything from: the recording that is in it, where there is one, else its server.
//
// A page asks the one object that it gets here, and need not know which it is.

import { Recording } from "./recording.js";
import { serverSource } from "./server-source.js";
import { clock } from "./time-scale.js";

/** @param {import("./link.js").View} view where it begins, and what of it is shown */
export async function sourceOf(view) {
  const embedded = document.querySelector('script[type="application/kstream-recording"]');
  return embedded ? recordingSource(embedded.textContent ?? "", view) : serverSource(location.href, view);
}

/** @param {string} text of the recording @param {import("./link.js").View} view */
function recordingSource(text, { namespaces, at, speed, paused }) {
  const client = new Recording(text, { namespaces, at, speed: speed || null, paused: paused || (at !== "" && !speed) });
  const { state } = client;
  return {
    client,
    shared: false,
    refused: "",
    /** @param {any} action @param {any} [options] */
    playback(action, options) {
      // It has no present; its end is what is nearest to it.
      if (action === "live") return client.playback("seek", { at: state.playback?.end });
      return client.playback(action, options);
    },
    timeline: ({ buckets = 100 } = {}) => client.timeline(buckets),
    /** @param {string} uid */
    history: (uid) => client.history(uid),
    /** @param {"pods" | "nodes" | "namespaces"} kind @param {string} uid */
    object: async (kind, uid) => state[kind].get(uid),
    /** The time of the timeline, in milliseconds since 1970: known here, and guessed from messages elsewhere. */
    time: () => client.time,
    about() {
      if (state.playback === null) return "";
      const [start, end] = [state.playback.start, state.playback.end].map((time) => clock(Date.parse(time)));
      const until = start.slice(0, 10) === end.slice(0, 10) ? end.slice(11) : end;
      return `Recording of ${state.connection?.cluster.name ?? "a cluster"}${client.redacted ? ", redacted" : ""} · ${start} to ${until} UTC`;
    },
  };
}
