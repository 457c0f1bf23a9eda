// Where the page takes everything from, when it is a server: the socket, and the reads over HTTP.

import { KstreamClient } from "./kstream.js";
import { socketQuery } from "./link.js";

/**
 * @param {string} address of the page
 * @param {import("./link.js").View} view
 */
export async function serverSource(address, view) {
  const read = (path, parameters) => answerOf(new URL(path, address), parameters);
  // A socket does not tell a page why it was refused. A moment that is none, or that is no longer kept, is found out before.
  const refused = view.at ? await read("api/state", { at: view.at, kinds: "namespaces" }).then(() => "", (error) => (error.status === 400 || error.status === 410 ? error.message : "")) : "";
  const url = new URL("ws", address);
  url.search = new URLSearchParams(socketQuery(refused ? { ...view, at: "" } : view)).toString();
  const client = new KstreamClient(url, { namespaces: view.namespaces, labels: view.labels });
  const { state } = client;
  const filter = () => ({ namespaces: state.wanted.join(","), labels: state.wantedLabels });

  return {
    client,
    /** What of the address was refused. */
    refused,
    time: undefined,
    /** What there is to say of where all of it is from. */
    about: () => "",
    /** There are others, who may follow. */
    shared: true,
    /** @param {"pause" | "play" | "seek" | "step" | "live"} action @param {{ speed?: number | "max", at?: string }} [options] */
    playback: (action, options) => client.playback(action, options),
    /** As `/api/timeline` answers. @param {{ from?: string, to?: string, buckets?: number }} [span] */
    timeline: ({ from, to, buckets = 100 } = {}) => read("api/timeline", { from, to, buckets: String(buckets), ...filter() }),
    /** As `/api/objects/{uid}/history` answers. @param {string} uid */
    history: (uid) => read(`api/objects/${encodeURIComponent(uid)}/history`),
    /**
     * All fields of an object: those that are held, or the whole pod where only the figures of its containers were sent.
     * @param {"pods" | "nodes" | "namespaces"} kind @param {string} uid
     */
    async object(kind, uid) {
      const held = state[kind].get(uid);
      if (kind !== "pods" || held === undefined || Array.isArray(held.containers)) return held;
      const at = state.seq === null ? undefined : `seq:${state.seq}`;
      const { data } = await read("api/state", { at, kinds: "pods", namespaces: held.namespace });
      return data.pods.find((pod) => pod.uid === uid) ?? held;
    },
  };
}

/** @param {URL} address @param {Record<string, string | undefined>} [parameters] */
async function answerOf(address, parameters = {}) {
  address.search = "";
  for (const [name, value] of Object.entries(parameters)) if (value) address.searchParams.set(name, value);
  let answer;
  try {
    answer = await fetch(address);
  } catch {
    throw new Error("The server does not answer. It is asked again when it is there.");
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  const { message = `the server answered ${answer.status}`, details = "" } = said.error ?? {};
  throw Object.assign(new Error(details ? `${message} (${details})` : message), { status: answer.status });
}
