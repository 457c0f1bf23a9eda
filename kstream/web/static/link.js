// A link is the view: what of the page is in its address, and back.

/**
 * @typedef {{ namespaces: string[], labels: string, at: string, speed: string, paused: boolean, follow: string, pod: string, node: string,
 *   space: string, group: "node" | "namespace" | "owner", words: string, trouble: boolean, sort: string, tab: string, show: string }} View
 *   `pod` is `namespace/name`; `at` is empty in the present, `paused` is said of a recording that is in a page; `sort` is a column, with `-` before it for the other way
 */

const GROUPS = ["node", "namespace", "owner"];
const TABS = ["pods", "nodes", "namespaces", "messages"];
const SHOWS = ["both", "map", "table"];
const LONGEST = 2000; // characters of one value: what is longer was not written by this page

/** @type {View} */
export const PLAIN = Object.freeze({
  ...{ namespaces: [], labels: "", at: "", speed: "", paused: false, follow: "", pod: "", node: "", space: "" },
  ...{ group: "node", words: "", trouble: false, sort: "status", tab: "pods", show: "both" },
});

/** What an address asks for; what it does not say or what is not known is as in `PLAIN`. @param {string} search @returns {View} */
export function readView(search) {
  const said = new URLSearchParams(search);
  const text = (name) => (said.get(name) ?? "").slice(0, LONGEST);
  const oneOf = (name, known, plain) => (known.includes(text(name)) ? text(name) : plain);
  // `namespaces` is what the page was asked with before it had `ns`.
  const namespaces = [...said.getAll("ns"), ...said.getAll("namespaces")].join(",").slice(0, LONGEST);
  return {
    namespaces: namespaces.split(",").map((name) => name.trim()).filter(Boolean),
    ...{ labels: text("labels"), at: text("at"), speed: text("speed"), follow: text("follow") },
    paused: said.has("paused"),
    ...{ pod: text("pod"), node: text("node"), space: text("namespace"), words: text("q") },
    group: /** @type {any} */ (oneOf("group", GROUPS, PLAIN.group)),
    trouble: said.has("trouble") && text("trouble") !== "false",
    sort: /^-?[a-z]+$/.test(text("sort")) ? text("sort") : PLAIN.sort,
    tab: oneOf("tab", TABS, PLAIN.tab),
    show: oneOf("show", SHOWS, PLAIN.show),
  };
}

/** The query of a view, with its `?`; empty for the plain one. @param {Partial<View>} view */
export function writeView(view) {
  const { namespaces, labels, at, speed, follow, pod, node, space, group, words, trouble, sort, tab, show } = { ...PLAIN, ...view };
  const said = new URLSearchParams();
  const say = (name, value, plain = "") => value !== plain && said.set(name, value);
  say("at", at);
  say("speed", speed);
  say("follow", follow);
  say("ns", namespaces.join(","));
  say("labels", labels);
  say("q", words);
  if (trouble) said.set("trouble", "");
  say("pod", pod);
  say("node", node);
  say("namespace", space);
  say("group", group, PLAIN.group);
  say("sort", sort, PLAIN.sort);
  say("tab", tab, PLAIN.tab);
  say("show", show, PLAIN.show);
  const query = said
    .toString()
    .replaceAll("%2F", "/")
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replace(/=(?=&|$)/g, "");
  return query ? `?${query}` : "";
}

/** The query of the socket for a view: where its timeline begins. A moment of a link stands still unless it says a speed. @param {View} view */
export function socketQuery({ at, speed, paused, follow }) {
  if (follow) return { follow };
  if (!at) return {};
  return speed && !paused ? { at, speed } : { at, paused: "true" };
}
