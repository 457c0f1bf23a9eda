// Where the page has its messages from: the recording that is in it, where there is one, else its server.
//
// A page takes `client` and the reads from here, and need not know which it is.

import { KstreamClient } from "./kstream.js";
import { Recording } from "./recording.js";

const said = new URLSearchParams(location.search);
const namespaces = (said.get("namespaces") ?? "").split(",").filter(Boolean);
const embedded = document.querySelector('script[type="application/kstream-recording"]');

/** The recording that is in the page: it is played here, and knows no server. @type {Recording | null} */
export const recording =
  embedded &&
  new Recording(embedded.textContent ?? "", { namespaces, at: said.get("at"), speed: said.get("speed"), paused: said.has("paused") });

/** @type {KstreamClient | Recording} */
export const client = recording ?? new KstreamClient(new URL("ws", location.href), { namespaces });

/** How much happened and how much was bad, as /api/timeline answers. @param {number} [buckets] @returns {Promise<any>} */
export function timeline(buckets = 100) {
  return recording ? recording.timeline(buckets) : asked(`api/timeline?buckets=${buckets}`);
}

/** What happened to one object, as /api/objects/{uid}/history answers. @param {string} uid @returns {Promise<any>} */
export function history(uid) {
  return recording ? recording.history(uid) : asked(`api/objects/${encodeURIComponent(uid)}/history`);
}

async function asked(path) {
  const answer = await fetch(new URL(path, location.href));
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.error.message} (${told.error.details})`);
  return told;
}
