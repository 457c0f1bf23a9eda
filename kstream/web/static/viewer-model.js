// Words for what the page shows: statuses and how well they are, ages, one line for a message.

const GOOD = new Set(["Running", "Completed", "Succeeded", "Ready", "Active"]);
const PASSING = new Set(["Pending", "ContainerCreating", "PodInitializing", "Terminating", "SchedulingDisabled"]);
const INIT_PROGRESS = /^Init:\d+\/\d+$/;

/** `good`, `wait` or `bad`, as the server judges it (fixtures/statuses.json). @param {string} status */
export function tone(status) {
  if (!status) return "wait"; // nothing is known of it yet
  const words = String(status).split(",");
  if (words.every((word) => GOOD.has(word))) return "good";
  return words.every((word) => GOOD.has(word) || PASSING.has(word) || INIT_PROGRESS.test(word)) ? "wait" : "bad";
}

/** How an object is, finer than its tone: what a map has colours and marks for. */
export const MOOD = Object.freeze({ good: 0, done: 1, wait: 2, ending: 3, bad: 4 });
export const MOOD_NAMES = Object.freeze(["well", "completed", "starting", "ending", "not well"]);

/** One of `MOOD`, of a status alone. @param {string} status */
export function mood(status) {
  const words = String(status ?? "").split(",");
  const found = tone(status);
  if (found === "bad") return MOOD.bad;
  if (words.includes("Terminating")) return MOOD.ending;
  if (found === "wait") return MOOD.wait;
  return words.every((word) => word === "Completed" || word === "Succeeded") ? MOOD.done : MOOD.good;
}

/** As kubectl prints an age: `42s`, `5m10s`, `3h12m`, `2d4h`, `12d`. @param {number} seconds */
export function age(seconds) {
  if (!Number.isFinite(seconds)) return "";
  const total = Math.max(0, Math.floor(seconds));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(total / unit));
  const and = (rest, unit) => (rest ? `${rest}${unit}` : "");
  if (total < 120) return `${total}s`;
  if (minutes < 10) return `${minutes}m${and(total % 60, "s")}`;
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return `${hours}h${and(minutes % 60, "m")}`;
  if (hours < 48) return `${hours}h`;
  if (days < 8) return `${days}d${and(hours % 24, "h")}`;
  return `${days}d`;
}

/**
 * The containers of a pod in figures: of the whole pod, or of one that was sent with the figures alone.
 * @param {any} pod
 */
export function containers(pod) {
  if (!Array.isArray(pod.containers)) {
    const [ready, total] = String(pod.ready ?? "0/0").split("/").map(Number);
    return { ready: ready || 0, total: total || 0, restarts: Number(pod.restarts) || 0 };
  }
  let ready = 0;
  let restarts = 0;
  for (const container of pod.containers) {
    ready += container.ready === true;
    restarts += container.restartCount ?? 0;
  }
  return { ready, total: pod.containers.length, restarts };
}

const FIGURES = new Intl.NumberFormat("en");

/** `150,000`. @param {number} number */
export const figure = (number) => FIGURES.format(number);

const several = (count, noun) => `${figure(count)} ${noun}${count === 1 ? "" : "s"}`;
const fullName = (data) => (data.namespace ? `${data.namespace}/${data.name}` : String(data.name ?? data.uid));
const SIGNS = { ADDED: "+", MODIFIED: "~", DELETED: "−" };

/** One line for a message: a label, a text, a tone, and the status of what changed. @param {any} message */
export function describe(message) {
  const { type, data } = message;
  switch (type) {
    case "node_event":
    case "pod_event":
    case "namespace_event": {
      const text = `${SIGNS[message.action] ?? "?"} ${fullName(data)}`;
      const status = data.status ?? "";
      return { label: type.slice(0, -"_event".length), text, status, tone: status ? tone(status) : "gone" };
    }
    case "initial_state": {
      const parts = ["nodes", "pods", "namespaces"].map((kind) => several(data[kind].length, kind.slice(0, -1)));
      return { label: "state", text: parts.join(", "), tone: "info" };
    }
    case "batch": {
      const actions = { ADDED: 0, MODIFIED: 0, DELETED: 0 };
      for (const event of data) if (Object.hasOwn(actions, event.action)) actions[event.action] += 1;
      const split = Object.entries(actions).filter(([, count]) => count).map(([action, count]) => SIGNS[action] + count);
      return { label: "batch", text: `${several(data.length, "event")}  ${split.join(" ")}`, tone: "info" };
    }
    case "connection":
      return {
        label: message.status,
        text: [message.cluster?.name, message.cluster?.version, message.resumed && "resumed"].filter(Boolean).join("  "),
        tone: message.status === "connected" ? "good" : "wait",
      };
    case "metrics":
      return { label: type, text: `${data.readyNodes}/${data.totalNodes} nodes, ${data.runningPods}/${data.totalPods} pods running`, tone: "quiet" };
    case "error": {
      const { code, message: text, details } = message.error;
      return { label: type, text: `${code}  ${text}${details ? ` (${details})` : ""}`, tone: "bad" };
    }
    case "cleared":
      return { label: type, text: String(message.fault), tone: "good" };
    case "playback":
      return { label: type, text: `${data.state}  ${data.at}  ×${data.speed}`, tone: "info" };
    default:
      return { label: type, text: "", tone: "quiet" };
  }
}

/** The message as text, cut to what a person would scroll through. @param {any} message */
export function pretty(message, limit = 20_000) {
  const { data } = message;
  let shown = message;
  if (message.type === "initial_state") {
    const cut = ([kind, items]) => [kind, items.length > 20 ? [...items.slice(0, 20), `… ${items.length - 20} more`] : items];
    shown = { ...message, data: Object.fromEntries(Object.entries(data).map(cut)) };
  } else if (message.type === "batch" && data.length > 100) {
    shown = { ...message, data: [...data.slice(0, 100), `… ${data.length - 100} more`] };
  }
  const text = JSON.stringify(shown, null, 2);
  return text.length > limit ? `${text.slice(0, limit)}\n…` : text;
}

/** How many events there were in the last minute, by whole seconds. */
export class Rate {
  constructor() {
    this._seconds = new Map();
  }

  /** @param {number} count @param {number} now seconds */
  add(count, now) {
    const second = Math.floor(now);
    this._seconds.set(second, (this._seconds.get(second) ?? 0) + count);
  }

  /** @param {number} now seconds */
  total(now) {
    let sum = 0;
    for (const [second, count] of this._seconds) {
      if (second <= now - 60) this._seconds.delete(second);
      else sum += count;
    }
    return sum;
  }
}
