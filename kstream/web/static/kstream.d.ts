// The messages of the protocol, made by `make generated`: `kstream schema typescript`.

/** A node, as a whole. */
export interface NodeChanged {
  type: "node_event";
  action: "ADDED" | "MODIFIED";
  /** The number of an event in the log. */
  seq: number;
  data: Node;
  timestamp: string;
}

export interface Node {
  name: string;
  uid: string;
  /** `Ready`, `NotReady` or `Unknown`, with `,SchedulingDisabled` when cordoned. */
  status: string;
  /** Its roles, joined by commas; `worker` where it has none. */
  role: string;
  capacity: Capacity;
  conditions: NodeCondition[];
  labels: Record<string, string>;
  creationTimestamp: string | null;
}

/** What a node offers; "0m", "0", "0" before it has said. */
export interface Capacity {
  /** In millicores: `4000m`. */
  cpu: string;
  /** In the largest binary unit that is exact: `8Gi`. */
  memory: string;
  pods: string;
}

export interface NodeCondition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

/** A node is gone. */
export interface NodeDeleted {
  type: "node_event";
  action: "DELETED";
  /** The number of an event in the log. */
  seq: number;
  data: Deleted;
  timestamp: string;
}

/** A node or a namespace that is gone. */
export interface Deleted {
  uid: string;
  name: string;
}

export type NodeEventMessage = NodeChanged | NodeDeleted;

/** A pod, as a whole. */
export interface PodChanged {
  type: "pod_event";
  action: "ADDED" | "MODIFIED";
  /** The number of an event in the log. */
  seq: number;
  data: Pod;
  timestamp: string;
  /** On a map: the pod is looked at. */
  number?: number;
}

export interface Pod {
  name: string;
  uid: string;
  namespace: string;
  /** null until it is scheduled. */
  nodeName: string | null;
  phase: string;
  /** The STATUS column of `kubectl get pods`. */
  status: string;
  /** Those that kubectl's READY column counts. */
  containers: Container[];
  labels: Record<string, string>;
  creationTimestamp: string | null;
  /** Its controller, null where it has none; a Deployment stands for its ReplicaSets. Not in recordings made before it was told. */
  owner?: Owner | null;
}

export interface Container {
  name: string;
  /** As in the spec of the pod. */
  image: string;
  ready: boolean;
  restartCount: number;
  state: "running" | "waiting" | "terminated";
  /** Why it is in that state; null where there is no reason. */
  reason: string | null;
}

export interface Owner {
  kind: string;
  name: string;
}

/** A pod is gone, or the filter no longer lets it through. */
export interface PodDeleted {
  type: "pod_event";
  action: "DELETED";
  /** The number of an event in the log. */
  seq: number;
  data: DeletedPod;
  timestamp: string;
  /** On a map: the pod is looked at. */
  number?: number;
}

/** A pod that is gone, or no longer matches. */
export interface DeletedPod {
  uid: string;
  name: string;
  namespace: string;
}

export type PodEventMessage = PodChanged | PodDeleted;

/** A namespace, as a whole. */
export interface NamespaceChanged {
  type: "namespace_event";
  action: "ADDED" | "MODIFIED";
  /** The number of an event in the log. */
  seq: number;
  data: Namespace;
  timestamp: string;
}

export interface Namespace {
  name: string;
  uid: string;
  /** `Active` or `Terminating`. */
  status: string;
  /** Of the pods that are shown. Left out where `kinds` has no pods. */
  podCount?: number;
}

/** A namespace is gone. */
export interface NamespaceDeleted {
  type: "namespace_event";
  action: "DELETED";
  /** The number of an event in the log. */
  seq: number;
  data: Deleted;
  timestamp: string;
}

export type NamespaceEventMessage = NamespaceChanged | NamespaceDeleted;

/** A pod, as far as a map shows it. */
export interface MapChanged {
  type: "map_event";
  action: "ADDED" | "MODIFIED";
  /** The number of an event in the log. */
  seq: number;
  data: ThinPod;
  timestamp: string;
}

/** What a map shows of a pod. */
export interface ThinPod {
  /** By which a map knows a pod; never that of another. */
  number: number;
  namespace: string;
  name: string;
  nodeName: string | null;
  phase: string;
  status: string;
  /** Containers that are ready. */
  ready: number;
  containers: number;
  /** Of all its containers. */
  restarts: number;
  owner: Owner | null;
}

/** A pod is gone from a map. */
export interface MapDeleted {
  type: "map_event";
  action: "DELETED";
  /** The number of an event in the log. */
  seq: number;
  data: Numbered;
  timestamp: string;
}

/** A pod of a map that is gone. */
export interface Numbered {
  /** By which a map knows a pod; never that of another. */
  number: number;
}

export type MapEventMessage = MapChanged | MapDeleted;

export type EventMessage = NodeEventMessage | PodEventMessage | NamespaceEventMessage | MapEventMessage;

/** The first of a connection, and again when the source is lost, is found, or becomes known. */
export interface ConnectionMessage {
  type: "connection";
  /** `reconnecting`: something of what is shown does not follow the cluster. */
  status: "connected" | "reconnecting";
  timestamp: string;
  cluster: Cluster;
  /** The id of the event log. */
  epoch: string;
  /** Who writes the log now; resumes are asked for with it. */
  term: string;
  source: "live" | "replay" | "simulate";
  /** The version of the protocol. */
  protocol: number;
  /** In the first one: what was missed follows, and no state. */
  resumed?: boolean;
  /** Why a resume was refused. */
  reason?: string;
  /** In the first one. */
  limits?: RateLimits;
}

export interface Cluster {
  name: string;
  version: string;
}

/** How much a client is sent at most, and may send. */
export interface RateLimits {
  messagesPerMinute: number;
  burst: number;
}

/** The whole state: what was known before is replaced. */
export interface InitialStateMessage {
  type: "initial_state";
  data: State;
  timestamp: string;
  /** The last event that it contains; a state that is cut has none. */
  seq?: number;
  /** That of the `subscribe` that it answers. */
  id?: string | number;
}

/** All that a filter lets through. */
export interface State {
  nodes: Node[];
  pods: Pod[];
  namespaces: Namespace[];
}

/** The state of a map, but for the names of its pods: what was known before is replaced. */
export interface MapStateMessage {
  type: "map_state";
  /** Whose the numbers are; resumes are asked for with it. */
  numbers: string;
  data: Map;
  timestamp: string;
  /** That of the `subscribe` that it answers. */
  id?: string | number;
}

/** All that a filter lets through, pods as a map shows them. */
export interface Map {
  nodes: Node[];
  namespaces: Namespace[];
  pods: PodColumns;
}

export interface PodColumns {
  groups: PodGroup[];
  nodeNames: (string | null)[];
  standings: Standing[];
  number: number[];
  /** Steps of places in `groups`. */
  group: number[];
  /** Steps of places in `nodeNames`. */
  node: number[];
  /** Places in `standings`. */
  standing: number[];
}

/** Pods whose names begin alike. */
export interface PodGroup {
  namespace: string;
  /** Of their names: the rest of each comes in `map_names`. */
  prefix: string;
  owner: Owner | null;
}

/** How pods are that are alike in it. */
export interface Standing {
  phase: string;
  status: string;
  ready: number;
  containers: number;
  restarts: number;
}

/** More pods of a `map_state`. */
export interface MapPodsMessage {
  type: "map_pods";
  data: PodColumns;
  timestamp: string;
}

/** The rest of the names of the pods of a `map_state` and its `map_pods`, in their order. */
export interface MapNamesMessage {
  type: "map_names";
  /** The place of the first of them among all pods. */
  start: number;
  /** With a space between two. */
  names: string;
  timestamp: string;
  /** Only the last part has it: the state is whole. */
  seq?: number;
}

/** Answers a `look`: these pods are told as a whole from now on. */
export interface LookedMessage {
  type: "looked";
  /** Of these pods all is told up to here. */
  seq: number;
  pods: LookedPod[];
  /** Numbers of no pod that is there and may be seen. */
  gone: number[];
  timestamp: string;
  /** That of the `look`. */
  id?: string | number;
}

export interface LookedPod {
  /** By which a map knows a pod; never that of another. */
  number: number;
  data: Pod;
}

/** Events that waited, in the order of the log, at most one for an object. */
export interface BatchMessage {
  type: "batch";
  data: EventMessage[];
  timestamp: string;
  /** All up to here is covered; only the last of several parts has it. */
  seq?: number;
}

/** Now and then. */
export interface MetricsMessage {
  type: "metrics";
  data: Metrics;
  timestamp: string;
  /** Up to when what the client has is known to be complete; left out while that is not known. */
  asOf?: string;
}

/** Counts over the whole cluster, whatever the filter. */
export interface Metrics {
  totalNodes: number;
  readyNodes: number;
  totalPods: number;
  runningPods: number;
  pendingPods: number;
  failedPods: number;
}

/** Something is wrong. */
export interface ErrorMessage {
  type: "error";
  error: ServerError;
  timestamp: string;
}

/** What is wrong, for a person to read. */
export interface ServerError {
  code: ErrorCode;
  message: string;
  details: string;
  /** It lasts until a `cleared` with the same; without it is a moment. */
  fault?: string;
  /** Seconds; with RATE_LIMITED. */
  retryAfter?: number;
}

export type ErrorCode = "CONNECTION_FAILED" | "PERMISSION_DENIED" | "INVALID_KUBECONFIG" | "CLUSTER_UNREACHABLE" | "WATCH_ERROR" | "RATE_LIMITED" | "INVALID_MESSAGE";

/** What the `error` with this `fault` told is over. */
export interface ClearedMessage {
  type: "cleared";
  fault: string;
  timestamp: string;
}

/** Answers a `ping`. */
export interface PongMessage {
  type: "pong";
  /** That of the ping, as it was; the server's time without one. */
  timestamp: string;
  /** Up to when what the client has is known to be complete; left out while that is not known. */
  asOf?: string;
}

/** The timeline was paused, moved, or changed its speed. */
export interface PlaybackMessage {
  type: "playback";
  data: Playback;
  timestamp: string;
}

/** How a timeline is played. */
export interface Playback {
  state: "playing" | "paused" | "ended" | "live";
  speed: number | "max";
  at: string;
  start: string;
  end: string;
  /** Of a private timeline: others ride on it with `follow=ID`. */
  id?: string;
}

export type ServerMessage =
  | ConnectionMessage
  | InitialStateMessage
  | MapStateMessage
  | MapPodsMessage
  | MapNamesMessage
  | LookedMessage
  | NodeEventMessage
  | PodEventMessage
  | NamespaceEventMessage
  | MapEventMessage
  | BatchMessage
  | MetricsMessage
  | ErrorMessage
  | ClearedMessage
  | PongMessage
  | PlaybackMessage;

/** The pods of a map that are told as a whole from now on, instead of those before (PROTOCOL 33). */
export interface Look {
  type: "look";
  pods: number[];
  id?: string | number | null;
}

/** `timestamp` is echoed as it is; a client may leave it out. */
export interface Ping {
  type: "ping";
  timestamp?: string | null;
}

/** What a client asks of its timeline (PROTOCOL 27). */
export interface PlaybackCommand {
  type: "playback";
  action: "pause" | "play" | "seek" | "step" | "live";
  speed?: number | "max" | null;
  at?: string | null;
}

/** The client's filter from now on (PROTOCOL 16, 30): what is left out, or empty, is no restriction. */
export interface Subscribe {
  type: "subscribe";
  namespaces?: string[] | null;
  kinds?: string[] | null;
  labels?: string | null;
  detail?: string | null;
  id?: string | number | null;
}

export type ClientMessage = Ping | Subscribe | Look | PlaybackCommand;

// The client in kstream.js.

export type Kind = "pods" | "nodes" | "namespaces";

/** What a filter may ask for beside namespaces: objects of these kinds only; of pods those that a label selector matches. */
export interface MoreFilter {
  kinds?: Iterable<Kind>;
  labels?: string;
  /** `map`: of each pod what a map shows of it (`MapPod`). */
  detail?: "" | "whole" | "map";
}

/** What `pods` has where a map was asked for; `uid` is `#` and the number. */
export type MapPod = ThinPod & { readonly uid: string };

export interface ResumeToken {
  epoch: string;
  term: string | null;
  seq: number;
}

/** The version of the protocol that this client speaks. */
export const PROTOCOL: number;

/** Milliseconds. */
export const FIRST_WAIT: number;
export const MAX_WAIT: number;
export const ATTEMPTS_BEFORE_ERROR: number;
export const HEARTBEAT_INTERVAL: number;
export const HEARTBEAT_TIMEOUT: number;

export class InvalidMessageError extends Error {
  constructor(message: string, details: string);
  /** Names the field. */
  readonly details: string;
}

/** Uids. */
export interface KindChanges {
  readonly added: ReadonlySet<string>;
  readonly changed: ReadonlySet<string>;
  readonly removed: ReadonlySet<string>;
}

/** Which objects came, changed and went with one message, or with several that were added up. */
export class Changes {
  /** A whole state came, so all of it is to be drawn anew; the sets tell what happened to it since. */
  readonly whole: boolean;
  readonly nodes: KindChanges;
  readonly pods: KindChanges;
  readonly namespaces: KindChanges;
  /** Nothing is to be drawn. */
  readonly empty: boolean;
  /** What happened later, too: for one who draws once a frame. */
  add(later: Changes): this;
}

/** Objects by uid that never change, in the order in which they came. */
export interface Objects<Resource> extends ReadonlyMap<string, Resource> {
  /** Arrays of objects, and of undefined where one went; the same array as in an earlier snapshot holds the same objects. */
  readonly parts: readonly (readonly (Resource | undefined)[])[];
}

/** A `ClusterState` as it was once, which never changes. */
export interface ClusterSnapshot {
  readonly version: number;
  readonly nodes: Objects<Node>;
  readonly pods: Objects<Pod>;
  readonly namespaces: Objects<Namespace>;
  /** How many pods are held of a namespace, by its name; one without pods is not in it. */
  readonly podCounts: ReadonlyMap<string, number>;
  readonly wanted: readonly string[];
  readonly wantedKinds: readonly string[];
  readonly wantedLabels: string;
  readonly connection: ConnectionMessage | null;
  readonly metrics: Metrics | null;
  readonly playback: Playback | null;
  readonly error: ServerError | null;
  readonly faults: ReadonlyMap<string, ServerError>;
  readonly asOf: string | null;
  readonly seq: number | null;
  readonly loaded: boolean;
  readonly stale: boolean;
}

/** The same, and how the connection was. */
export interface Snapshot extends ClusterSnapshot {
  readonly status: Status;
}

/** What a client knows: the fold of the messages of a server. What is held belongs to the filter that it was asked for with. */
export class ClusterState {
  /** The filter; none is everything. */
  constructor(namespaces?: readonly string[], more?: MoreFilter);
  /** The filter as it was wanted last. */
  readonly wanted: readonly string[];
  readonly wantedKinds: readonly string[];
  readonly wantedLabels: string;
  readonly wantedDetail: "" | "map";
  readonly nodes: ReadonlyMap<string, Node>;
  /** On a map each is a `MapPod`. */
  readonly pods: ReadonlyMap<string, Pod>;
  /** Of a map: the whole of the pods that are looked at, by `#number`. */
  readonly looked: ReadonlyMap<string, Pod>;
  /** Of a map: whose the numbers of its pods are. */
  readonly numbers: string | null;
  readonly namespaces: ReadonlyMap<string, Namespace>;
  readonly connection: ConnectionMessage | null;
  readonly metrics: Metrics | null;
  readonly playback: Playback | null;
  /** The last error, until what it tells is over. */
  readonly error: ServerError | null;
  /** What is wrong and lasts, by its `fault`. */
  readonly faults: ReadonlyMap<string, ServerError>;
  /** The time up to which the server's state is known to be complete, as it said last. */
  readonly asOf: string | null;
  /** What is held is exactly the log up to here; null when that is not known. */
  readonly seq: number | null;
  /** There is a state to show. */
  readonly loaded: boolean;
  /** Grows with everything that can change what is shown. */
  readonly version: number;
  /** What happened to the objects with the last message. */
  readonly changes: Changes;
  /** What to ask for on the next connection; null when only an `initial_state` will do. */
  readonly resume: ResumeToken | null;
  /** What is held may no longer be true. */
  readonly stale: boolean;
  apply(message: ServerMessage): void;
  /** What the URL of the next connection says of the timeline, where the first one said `said`. */
  timeline(said: Readonly<Record<string, string>>): Record<string, string>;
  disconnected(): void;
  /** Another filter is wanted, the whole of it; what is held is stale until its state came. */
  want(namespaces: Iterable<string>, more?: MoreFilter): void;
  /** A socket is opened whose URL asks for `wanted`, and for `resume`. */
  connecting(): void;
  /** The fields of a `subscribe` to send now, once; null when there is nothing to say, or while a state is due. */
  unsaid(): { namespaces: readonly string[]; kinds?: readonly string[]; labels?: string; detail?: string } | null;
  /** All of this as it is now, which never changes: the same object until `version` grows. It costs as much as has changed. */
  snapshot(): ClusterSnapshot;
  podCount(namespace: string): number;
  counts(): Metrics;
}

export interface Retry {
  /** Milliseconds. */
  wait: number;
  failed: number;
  /** True once in a row of failures. */
  showError: boolean;
}

export class Reconnect {
  connected(): void;
  lost(): Retry;
  attemptFailed(): Retry;
}

export interface Status {
  readonly link: "connecting" | "connected" | "waiting" | "closed";
  /** Why the last connection or attempt ended. */
  readonly reason: string;
  /** Milliseconds until the next attempt, while `waiting`. */
  readonly wait: number;
  /** Attempts in a row that came to nothing. */
  readonly failed: number;
}

export interface ClientOptions {
  /** The filter; none is what the URL says, or everything. */
  namespaces?: readonly string[];
  kinds?: readonly Kind[];
  /** A Kubernetes label selector, for pods. */
  labels?: string;
  /** `map`: of each pod what a map shows of it (`MapPod`). */
  detail?: "" | "whole" | "map";
  /** Ask for what was missed rather than for everything; true by default. */
  resume?: boolean;
  /** For runtimes without one (Node before 22): the class from the package `ws`. Needed by `start()`, not before. */
  WebSocket?: unknown;
  /** Asks why a socket was refused, which a WebSocket does not tell; that of the runtime by default, null for none. */
  fetch?: typeof globalThis.fetch | null;
}

export interface ClientEvents {
  /** `data` is the message, which is in `state` already. */
  message: MessageEvent<ServerMessage>;
  /** The state or the status may look different. */
  change: Event;
  /** Which objects came, changed and went with a message. */
  changes: Event & { readonly changes: Changes };
  /** `client.status` changed. */
  status: Event;
  /**
   * For the user: five attempts failed (once in an outage), the server refuses the filter (once for each), it sent what is
   * no message, or speaks another version of the protocol. Trying goes on.
   */
  error: Event & { readonly error: Error };
}

export class KstreamClient extends EventTarget {
  /** Throws a TypeError for a filter that is no list of texts. */
  constructor(url: string | URL, options?: ClientOptions);
  readonly state: ClusterState;
  readonly status: Status;
  /** What is held and how the connection is, never to change: the same object until one of them may look different. */
  snapshot(): Snapshot;
  /** Throws what the runtime throws at a URL that it takes no socket for, and a TypeError where there is no WebSocket. */
  start(): this;
  close(): void;
  retryNow(): void;
  /** Another filter, the whole of it, whatever the client is doing; the same one again asks for nothing. */
  subscribe(namespaces?: Iterable<string>, more?: MoreFilter): void;
  /** Of a map, have these pods, by `#number` and at most 200, told as a whole from now on, and none of those before. */
  look(pods: Iterable<string>): void;
  /** Go to a timeline of one's own, drive it, or come back with `live`. False when there is no connection to send it on. */
  playback(
    action: "pause" | "play" | "seek" | "step" | "live",
    options?: { speed?: number | "max"; at?: string },
  ): boolean;
  addEventListener<Name extends keyof ClientEvents>(
    type: Name,
    listener: (event: ClientEvents[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Name extends keyof ClientEvents>(
    type: Name,
    listener: (event: ClientEvents[Name]) => void,
    options?: boolean | EventListenerOptions,
  ): void;
}
