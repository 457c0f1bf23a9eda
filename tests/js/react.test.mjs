// The hooks, in React as it is: in a document, in StrictMode, on a server, and between two frames.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Window } from "happy-dom";
import { act, Component, createElement as h, Fragment, startTransition, StrictMode, useState } from "react";
import { renderToString } from "react-dom/server";

import { FakeWebSocket, HELLO, last, query, sockets, STATE } from "./fake-socket.mjs";
import { packaged } from "./package.mjs";

const { KstreamProvider, useCluster, useConnection, useKstreamClient, useNamespaces, useNodes, usePods } = await packaged("react");

const window = new Window({ url: "http://localhost/" });
Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true });
globalThis.navigator ??= window.navigator; // Node before 21 has none
const { createRoot, hydrateRoot } = await import("react-dom/client");

const URL_OF = "ws://h/ws";
const pod = (uid, more = {}) => ({ uid, name: uid, namespace: "shop", status: "Running", ...more });
const event = (action, data, type = "pod_event") => ({ type, action, data });
const state = (...pods) => ({ ...STATE, data: { nodes: [], namespaces: [], pods } });
const open = () => sockets.filter(({ left }) => !left);

// Frames come when a test says so.
let frames = [];
globalThis.requestAnimationFrame = (draw) => frames.push(draw);
globalThis.cancelAnimationFrame = (frame) => delete frames[frame - 1];
const frame = () =>
  act(() => {
    const due = frames;
    frames = [];
    for (const draw of due) draw?.();
  });

let root, element, complaints;
const { error: say } = console;
beforeEach(() => {
  sockets.length = 0;
  frames = [];
  complaints = [];
  console.error = (...words) => complaints.push(words.join(" "));
  globalThis.WebSocket = FakeWebSocket;
  element = document.createElement("div");
  root = createRoot(element, { onUncaughtError: (error) => complaints.push(String(error)) });
});
afterEach(() => {
  act(() => root.unmount());
  console.error = say;
  assert.deepEqual(complaints, [], "React has nothing to say");
  delete globalThis.WebSocket;
  assert.deepEqual(open(), [], "an unmounted provider has closed its socket");
});

const cluster = (props, ...children) => h(KstreamProvider, { url: URL_OF, ...props }, ...children);
const show = (what) => act(() => root.render(what));
const said = (...messages) => act(() => last().say(...messages));
const text = () => element.textContent;

/** A component that shows what a hook gives, and counts how often it was rendered. */
function shows(hook, written = String) {
  function Shown() {
    Shown.renders += 1;
    return h(Fragment, null, written(hook()));
  }
  Shown.renders = 0;
  return Shown;
}
const names = (pods) => pods.map(({ name, status }) => `${name}=${status}`).join(" ");

test("a component shows what the server says, a frame later", () => {
  show(cluster({}, h(shows(usePods, names))));
  said(HELLO, state(pod("a"), pod("b")));
  assert.equal(text(), "");
  frame();
  assert.equal(text(), "a=Running b=Running");
  said(event("MODIFIED", pod("b", { status: "Error" })), event("DELETED", pod("a")));
  frame();
  assert.equal(text(), "b=Error");
});

test("between two frames all components show the same moment, also one that comes in between", () => {
  const Count = shows(() => useCluster(({ pods }) => pods.size));
  let more;
  function Page() {
    const [shown, set] = useState(false);
    more = () => set(true);
    return h(Fragment, null, h(Count), shown && h(Count));
  }
  show(cluster({}, h(Page)));
  said(HELLO, state(pod("a")));
  frame();
  said(event("ADDED", pod("b")));
  act(() => startTransition(more));
  assert.equal(text(), "11");
  frame();
  assert.equal(text(), "22");
});

test("a component renders again when what it selects changes, and not before", () => {
  const Sick = shows(() => usePods(sick), names);
  const Nodes = shows(useNodes, ({ length }) => length);
  const Spaces = shows(useNamespaces, ({ length }) => length);
  const Status = shows(() => useCluster(({ status, pods }) => ({ link: status.link, some: pods.size > 0 })), ({ link }) => link);
  const Link = shows(useConnection, ({ link, stale, loaded }) => [link, stale, loaded].join());
  const all = [Sick, Nodes, Spaces, Status, Link];
  show(cluster({}, ...all.map((each, at) => h(each, { key: at }))));
  said(HELLO, state(pod("a"), pod("b", { status: "Error" })));
  frame();
  assert.match(text(), /^b=Error00connectedconnected,false,true$/);
  const renders = () => all.map((each) => each.renders);
  const before = renders();
  said(event("ADDED", pod("c")), event("MODIFIED", pod("a", { status: "Pending" })), { type: "metrics", data: {} });
  frame();
  assert.deepEqual(renders(), before);
  said(event("MODIFIED", pod("c", { status: "Error" })));
  frame();
  assert.deepEqual(renders().map((count, at) => count - before[at]), [1, 0, 0, 0, 0]);
  said(event("ADDED", { uid: "s", name: "shop" }, "namespace_event"), event("ADDED", { uid: "n", name: "n" }, "node_event"));
  frame();
  assert.deepEqual(renders().map((count, at) => count - before[at]), [1, 1, 1, 0, 0]);
});

const sick = ({ status }) => status === "Error";

test("how far something is the same, the component may say itself", () => {
  const Tens = shows(() => useCluster(({ pods }) => pods.size, (one, other) => Math.floor(one / 10) === Math.floor(other / 10)));
  show(cluster({}, h(Tens)));
  said(HELLO, state(...Array.from({ length: 11 }, (_, at) => pod(`p${at}`))));
  frame();
  said(event("ADDED", pod("more")));
  frame();
  assert.equal(text(), "11");
});

test("a list looks only at what has changed, and is another list only when something in it has", () => {
  const looked = [];
  const where = ({ uid, status }) => looked.push(uid) && status === "Error";
  const lists = new Set();
  const List = shows(() => usePods(where), (list) => lists.add(list) && list.length);
  show(cluster({}, h(List)));
  said(HELLO, state(...Array.from({ length: 2000 }, (_, at) => pod(`p${at}`, { status: at % 2 ? "Error" : "Running" }))));
  frame();
  looked.length = 0;
  lists.clear();
  said(event("MODIFIED", pod("p2", { status: "Pending" })));
  frame();
  assert.deepEqual([looked.length, lists.size], [512, 0]);
  said(event("MODIFIED", pod("p2", { status: "Error" })));
  frame();
  assert.deepEqual([text(), lists.size], ["1001", 1]);
});

test("in StrictMode, which mounts twice, one socket is open, and it goes on", () => {
  show(h(StrictMode, null, cluster({ namespaces: ["shop"] }, h(shows(usePods, names)))));
  assert.equal(open().length, 1);
  assert.deepEqual(query(), { namespaces: "shop" });
  said(HELLO, state(pod("a")));
  frame();
  assert.equal(text(), "a=Running");
  show(null);
  assert.equal(open().length, 0);
});

test("another URL closes one client and starts another, which begins with nothing", () => {
  const Page = h(shows(() => [usePods(), useConnection()], ([pods, { link }]) => `${names(pods)} ${link}`));
  show(cluster({ namespaces: ["shop"] }, Page));
  said(HELLO, state(pod("a")));
  frame();
  assert.equal(text(), "a=Running connected");
  show(cluster({ url: "ws://other/ws", namespaces: ["shop"] }, Page));
  assert.deepEqual(open().map(({ url }) => url.href), ["ws://other/ws?namespaces=shop"]);
  assert.equal(text(), " closed", "until the frame in which the new one is heard of");
  frame();
  assert.equal(text(), " connecting");
  said(HELLO, state(pod("z")));
  frame();
  assert.equal(text(), "z=Running connected");
});

test("another filter is asked for on the same connection, and the same one in another array is not", () => {
  const page = (filter) => cluster(filter, h(shows(usePods, names)));
  show(page({ namespaces: ["a"] }));
  said(HELLO, STATE);
  show(page({ namespaces: ["a"] }));
  assert.deepEqual(last().sent, []);
  show(page({ namespaces: [], kinds: ["pods"], labels: "app=web" }));
  assert.deepEqual(last().sent, [{ type: "subscribe", namespaces: [], kinds: ["pods"], labels: "app=web" }]);
  assert.equal(sockets.length, 1);
});

test("a server renders the page without a WebSocket, and the browser takes over what it rendered", async () => {
  delete globalThis.WebSocket;
  const page = cluster({}, h(shows(() => [useConnection(), usePods()], ([{ link, loaded }, pods]) => `${link} ${loaded} ${pods.length}`)));
  element = document.createElement("div");
  element.innerHTML = renderToString(page);
  assert.equal(text(), "closed false 0");
  assert.deepEqual(sockets, []);
  globalThis.WebSocket = FakeWebSocket;
  const hydrated = await act(() => hydrateRoot(element, page));
  said(HELLO, state(pod("a")));
  frame();
  assert.equal(text(), "connected true 1");
  act(() => hydrated.unmount());
});

test("what the user should know is told, and the client is at hand for commands", () => {
  let client;
  const Own = shows(() => (client = useKstreamClient()), () => "");
  const errors = [];
  const onError = ({ message }) => errors.push(message);
  show(cluster({ onError }, h(Own)));
  said({ ...HELLO, protocol: 2 }, STATE);
  assert.match(errors.join(), /version 2 of the protocol/);
  client.playback("pause");
  assert.deepEqual(last().sent, [{ type: "playback", action: "pause" }]);
  show(cluster({}, h(Own)));
  said({ type: "pod_event" });
  assert.equal(errors.length, 1, "who is no longer told is told nothing");
});

class Boundary extends Component {
  state = { told: "" };
  static getDerivedStateFromError = ({ message }) => ({ told: message });
  render() {
    return this.state.told || this.props.children;
  }
}

test("what cannot be is an error in words: a hook alone, a URL that is none, a filter that is a text", () => {
  const tells = (what, told) => {
    show(h(Boundary, { key: String(told) }, what));
    assert.match(text(), told);
    complaints.length = 0; // it names each error that it hands to a boundary
  };
  tells(h(shows(usePods)), /put <KstreamProvider url=…> around it/);
  tells(cluster({ url: "/ws" }), /Invalid URL/);
  tells(cluster({ namespaces: "shop" }), /give a list of names, \["shop"\]/);
});

test("where there are no frames, a timer draws", async () => {
  const { requestAnimationFrame } = globalThis;
  delete globalThis.requestAnimationFrame;
  const drawn = Promise.withResolvers?.() ?? deferred();
  show(cluster({}, h(shows(usePods, (pods) => (pods.length && drawn.resolve(), names(pods))))));
  said(HELLO, state(pod("a")));
  await act(() => drawn.promise);
  assert.equal(text(), "a=Running");
  show(null);
  globalThis.requestAnimationFrame = requestAnimationFrame;
});

function deferred() {
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}
