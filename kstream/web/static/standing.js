// How true what is shown is, in words: the link, the timeline, and of each thing that is wrong what to do about it.

import { figure } from "./viewer-model.js";

const REFUSED = "The server refuses the filter"; // as kstream.js says it

/** @typedef {{ code: string, text: string, remedy: string }} Problem */

/**
 * @param {{ link: string, reason: string, failed: number }} status of the client
 * @param {any} state of the client, a ClusterState
 * @param {{ seconds?: number, recording?: boolean, partial?: boolean }} [more] until the next attempt; whether it is a recording in a file;
 *   whether a part of the state is still to come
 * @returns {{ text: string, tone: "good" | "wait" | "bad", problems: Problem[], old: string, said: string }}
 *   `old` says how old what is shown is, where it may not be true; `said` is for those who listen, without a countdown
 */
export function standing({ link, reason, failed }, state, { seconds = 0, recording = false, partial = false } = {}) {
  const gone = link === "waiting" || (link === "connecting" && failed > 0);
  const lost = state.connection?.status === "reconnecting";
  const partly = refused(state.faults);
  /** @type {[string, "good" | "wait" | "bad"]} */
  const [text, tone] =
    link === "closed" ? ["Not open", "bad"]
    : link === "waiting" ? [`Reconnecting in ${seconds} s`, "bad"]
    : link === "connecting" ? [failed ? "Reconnecting" : "Connecting", "wait"]
    : recording ? ["Recording", "good"]
    : lost ? ["Stale", "wait"]
    : state.stale ? ["Waiting for a state", "wait"]
    : partial ? [`${figure(state.pods.size)} pods so far`, "wait"]
    : partly ? ["Connected in part", "wait"]
    : ["Connected", "good"];
  const problems = [];
  if (gone && reason.startsWith(REFUSED)) {
    problems.push({ code: "INVALID_MESSAGE", text: `${reason}.`, remedy: remedy("INVALID_MESSAGE", "", undefined) });
  } else if (gone) {
    const still = failed >= 5 ? ` ${failed} attempts failed; trying goes on.` : "";
    problems.push({
      code: "",
      text: `The server is gone: ${reason}.${still}`,
      remedy: "See that kstream runs and can be reached from here. This page comes back by itself.",
    });
  }
  if (link === "closed" && reason) problems.push({ code: "", text: `${reason}.`, remedy: recording ? "Make the file anew with “kstream log page”." : "" });
  // Without a server its faults of then may be over: nothing more is said of them.
  const wrong = gone ? [] : state.faults.size ? [...state.faults.values()] : state.error ? [state.error] : [];
  for (const error of wrong) problems.push(problem(error));
  if (!gone && lost && !problems.length) {
    problems.push({ code: "", text: "Not all that is shown follows the cluster.", remedy: "kstream tries again by itself." });
  }
  const old = state.loaded && state.stale && !recording ? `What is shown is as of ${state.asOf === null ? "an unknown time" : `${state.asOf.slice(0, 19).replace("T", " ")} UTC`}.` : "";
  const now = partial && text.endsWith("so far") ? "A large state is coming in parts." : `${text}.`;
  const first = gone && !reason.startsWith(REFUSED) ? "The server is gone. What is shown is stale; trying goes on." : [now, ...problems.map((each) => each.text)].join(" ");
  return { text, tone, problems, old, said: first };
}

/** Whether the server may not see something, or something of a kind. @param {Map<string, any>} faults */
export function refused(faults, what = "") {
  return [...faults.keys()].some((fault) => {
    const [about, , resource] = fault.split(":");
    return about === "permission" && (!what || resource === what);
  });
}

/** @param {any} error @returns {Problem} */
function problem({ code, message, details, fault, retryAfter }) {
  const text = `${message}${details ? ` (${details})` : ""}.`;
  return { code: String(code), text: text.replace(/\.\.$/, "."), remedy: remedy(String(code), String(fault ?? ""), retryAfter) };
}

/** @param {string} code @param {string} fault @param {number | undefined} retryAfter */
function remedy(code, fault, retryAfter) {
  const [about, verb, resource, namespace] = fault.split(":");
  switch (code) {
    case "PERMISSION_DENIED":
      return about === "permission"
        ? `Allow kstream's account to ${verb} ${resource}${namespace ? ` in ${namespace}` : ""} (RBAC), or serve other namespaces with -n.`
        : "Give kstream's account the right to get, list and watch (RBAC).";
    case "CONNECTION_FAILED":
      return "See that the API server runs and can be reached from where kstream runs: “kstream check” says what is wrong. Trying goes on.";
    case "CLUSTER_UNREACHABLE":
      return "What is shown is what was last known; kstream goes on trying. “kstream check” says what is wrong.";
    case "INVALID_KUBECONFIG":
      return "Mend the kubeconfig, or start kstream with --kubeconfig or --context.";
    case "WATCH_ERROR":
      if (about === "log") return "See that the disk of the event log has room and may be written to. What happens meanwhile is taken up again.";
      return about === "recorder" ? "If it lasts, start kstream anew." : "It was repaired; nothing is to be done.";
    case "RATE_LIMITED":
      return `This page asked too often; it may again${retryAfter ? ` in ${retryAfter} s` : " soon"}.`;
    case "INVALID_MESSAGE":
      return "Ask for something else: correct the filter, or the address of this page.";
    default:
      return "";
  }
}

const SOURCES = { live: "Live", replay: "Replay", simulate: "Simulation" };

/**
 * Where in time what is shown is.
 * @param {any} state
 * @param {{ following?: boolean, recording?: boolean }} [more] whose timeline it is, where it is not one's own
 * @returns {{ text: string, present: boolean, playing: boolean, own: boolean, speed: number | string, ended: boolean }}
 *   `present` is the timeline that all share, `own` a private one
 */
export function place({ connection, playback }, { following = false, recording = false } = {}) {
  const name = SOURCES[connection?.source] ?? "Live";
  const shared = !recording && (playback === null || typeof playback.id !== "string");
  const how = playback?.state ?? "live";
  const speed = playback?.speed ?? 1;
  const ended = how === "ended";
  const playing = how === "playing" || how === "live";
  const pace = typeof speed === "number" && speed !== 1 ? ` ×${speed}` : speed === "max" ? " at full speed" : "";
  const what = ended ? "ended" : playing ? `playing${pace}` : "paused";
  if (shared) {
    const text = how === "live" || connection?.source !== "replay" ? name : `${name}, ${what}`;
    return { text, present: true, playing, own: false, speed, ended };
  }
  if (recording) return { text: what[0].toUpperCase() + what.slice(1), present: false, playing, own: true, speed, ended };
  const whose = following ? "Following, " : "In the past, ";
  return { text: `${whose}${what}`, present: false, playing, own: !following, speed, ended };
}

/**
 * Why a list shows none.
 * @param {any} state @param {"pods" | "nodes" | "namespaces"} what @param {number} all how many there are without what is searched
 */
export function whyEmpty(state, what, all) {
  if (!state.loaded) return "No state has come yet.";
  if (all) return `Nothing matches: none of ${figure(all)} ${what}.`;
  if (refused(state.faults, what)) return `The server may not list ${what} (RBAC), or not all of them: there may be some.`;
  return state.stale ? `No ${what} are known; what is shown may be out of date.` : `There are no ${what}.`;
}
