"use client";
// Hooks for React: what a client holds, as of the last frame, to be selected from.
//
// React compares what it is given, and asks for it whenever it likes; a client folds messages between two frames. So the
// components of a provider are shown one snapshot, the same for all of them, and the next one a frame later at the earliest.

import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useMemo,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from "react";
import {
  KstreamClient,
  type Kind,
  type Namespace,
  type Node,
  type Objects,
  type Pod,
  type ServerError,
  type Snapshot,
  type Status,
} from "kstream";

export interface KstreamProviderProps {
  /** Of the server: ws, wss, http or https. Another one closes the client of the first and starts anew. */
  url: string | URL;
  /** The filter; none is everything. Another one is asked for on the same connection. */
  namespaces?: readonly string[];
  kinds?: readonly Kind[];
  /** A Kubernetes label selector, for pods. */
  labels?: string;
  /** What the user should be told, as the client's event `error`. */
  onError?: (error: Error) => void;
  children?: ReactNode;
}

/** How true what is shown is, and why. */
export interface Connection extends Status {
  /** There is something to show. */
  readonly loaded: boolean;
  /** What is shown may no longer be true: dim it rather than clear it. */
  readonly stale: boolean;
  /** What is wrong and lasts, by its `fault`. */
  readonly faults: ReadonlyMap<string, ServerError>;
}

/** A client, and what its components show: its snapshot as of the last frame. */
class Shown {
  readonly client: KstreamClient;
  readonly #first: Snapshot;
  #now: Snapshot;
  readonly #listeners = new Set<() => void>();

  constructor(url: string) {
    this.client = new KstreamClient(url);
    this.#first = this.#now = this.client.snapshot();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly now = (): Snapshot => this.#now;

  /** What a server renders, and a browser until it has taken over. */
  readonly first = (): Snapshot => this.#first;

  /** Connect; what is returned disconnects. Both may be done again. */
  connect(): () => void {
    const { client } = this;
    let cancel: (() => void) | undefined;
    const draw = (): void => {
      cancel = undefined;
      this.#now = client.snapshot();
      for (const listener of this.#listeners) listener();
    };
    const later = (): void => {
      cancel ??= onceDrawn(draw);
    };
    client.addEventListener("change", later);
    client.start();
    return () => {
      client.removeEventListener("change", later);
      cancel?.();
      client.close();
    };
  }
}

function onceDrawn(draw: () => void): () => void {
  if (typeof requestAnimationFrame !== "function") {
    const timer = setTimeout(draw, 16);
    return () => clearTimeout(timer);
  }
  const frame = requestAnimationFrame(draw);
  return () => cancelAnimationFrame(frame);
}

const Context = createContext<Shown | null>(null);

/** Connects while it is mounted; the hooks below it show what the server says. Throws for a URL that is none. */
export function KstreamProvider({
  url,
  namespaces = [],
  kinds = [],
  labels = "",
  onError,
  children,
}: KstreamProviderProps): ReactElement {
  const address = String(url);
  const shown = useMemo(() => new Shown(address), [address]);
  const filter = JSON.stringify([namespaces, kinds, labels]);
  // Before the connection, so that its first URL has the filter, and nothing is missed that is to be told.
  useEffect(() => {
    const [names, kinds, labels] = JSON.parse(filter);
    shown.client.subscribe(names, { kinds, labels });
  }, [shown, filter]);
  useEffect(() => {
    if (onError === undefined) return undefined;
    const tell = ({ error }: { error: Error }): void => onError(error);
    shown.client.addEventListener("error", tell);
    return () => shown.client.removeEventListener("error", tell);
  }, [shown, onError]);
  useEffect(() => shown.connect(), [shown]);
  return createElement(Context.Provider, { value: shown }, children);
}

function useShown(): Shown {
  const shown = useContext(Context);
  if (shown === null) throw new Error("There is no KstreamProvider above this component: put <KstreamProvider url=…> around it");
  return shown;
}

/** The client itself, for what is said to a server: `playback`, `retryNow`. Its `state` changes in place: select instead. */
export function useKstreamClient(): KstreamClient {
  return useShown().client;
}

/**
 * What `select` makes of the present snapshot. The component renders again when that is another thing: of lists and plain
 * objects, when something in them is (`same` decides otherwise).
 *
 * `select` is called again for each snapshot and whenever it is another function, so it should cost little.
 */
export function useCluster<Selected>(
  select: (snapshot: Snapshot) => Selected,
  same: (before: Selected, after: Selected) => boolean = alike,
): Selected {
  const shown = useShown();
  const { now, first } = useMemo(
    () => ({ now: selected(shown.now, select, same), first: selected(shown.first, select, same) }),
    [shown, select, same],
  );
  return useSyncExternalStore(shown.subscribe, now, first);
}

/** As `useCluster(connection)`: the link, its next attempt, and whether what is shown may be old. */
export function useConnection(): Connection {
  return useCluster(connection);
}

/** The nodes for which `where` is true, or all, in the order in which they came; the same list until one of them changes. */
export function useNodes(where: (node: Node) => boolean = always): readonly Node[] {
  return useCluster(useMemo(() => listed(({ nodes }) => nodes, where), [where]));
}

/** The pods for which `where` is true, or all. Only what has changed is looked at again while `where` is the same function. */
export function usePods(where: (pod: Pod) => boolean = always): readonly Pod[] {
  return useCluster(useMemo(() => listed(({ pods }) => pods, where), [where]));
}

/** The namespaces for which `where` is true, or all. How many pods each has, `useCluster` tells: `podCounts`. */
export function useNamespaces(where: (namespace: Namespace) => boolean = always): readonly Namespace[] {
  return useCluster(useMemo(() => listed(({ namespaces }) => namespaces, where), [where]));
}

function connection({ status, loaded, stale, faults }: Snapshot): Connection {
  return { ...status, loaded, stale, faults };
}

function always(): boolean {
  return true;
}

/** Gives the same thing while what it selects is the same, as React wants it of a store. */
function selected<Selected>(
  current: () => Snapshot,
  select: (snapshot: Snapshot) => Selected,
  same: (before: Selected, after: Selected) => boolean,
): () => Selected {
  let last: { of: Snapshot; is: Selected } | undefined;
  return () => {
    const of = current();
    if (last?.of === of) return last.is;
    const is = select(of);
    last = { of, is: last !== undefined && same(last.is, is) ? last.is : is };
    return last.is;
  };
}

/** Selects a list. What it found in a part it need not look for while the part is the same. */
function listed<Resource>(
  kind: (snapshot: Snapshot) => Objects<Resource>,
  where: (item: Resource) => boolean,
): (snapshot: Snapshot) => readonly Resource[] {
  type Part = Objects<Resource>["parts"][number];
  const fits = (item: Resource | undefined): item is Resource => item !== undefined && where(item);
  let found = new Map<Part, readonly Resource[]>();
  let last: { of: Objects<Resource>; is: readonly Resource[] } | undefined;
  return (snapshot) => {
    const of = kind(snapshot);
    if (last?.of === of) return last.is;
    const known = found;
    found = new Map(of.parts.map((part) => [part, known.get(part) ?? part.filter(fits)]));
    last = { of, is: [...found.values()].flat() };
    return last.is;
  };
}

function alike(before: unknown, after: unknown): boolean {
  if (Object.is(before, after)) return true;
  if (!isPlain(before) || !isPlain(after) || Array.isArray(before) !== Array.isArray(after)) return false;
  if (Array.isArray(before) && Array.isArray(after)) {
    return before.length === after.length && before.every((item, at) => Object.is(item, after[at]));
  }
  const names = Object.keys(before);
  return (
    names.length === Object.keys(after).length &&
    names.every((name) => Object.hasOwn(after, name) && Object.is(before[name], after[name]))
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
