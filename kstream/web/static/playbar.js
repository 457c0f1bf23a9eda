// The bar with which a recording is played: what it is of, play and pause, steps, speed, and where in it.
//
// It speaks to `client` as to any, by `playback` and `state`: whoever has another one leaves this out.

import { put } from "./viewer-list.js";

const SPEEDS = ["0.5", "1", "2", "5", "10", "30", "60", "300", "1000", "max"];
const SKIP = "10s";
const TURNS = 1000; // parts of the slider
const STATES = { playing: "Playing", paused: "Paused", ended: "Ended", live: "Live" };

/**
 * @param {import("./recording.js").Recording} client
 * @param {HTMLElement} host the bar is put at its end
 */
export function playbar(client, host) {
  const bar = made("section", { id: "playbar", "aria-label": "Playback" });
  const what = made("p", { id: "playbar-what" });
  const back = made("button", { type: "button", title: "Previous event (,)", "aria-label": "Previous event" }, "‹");
  const play = made("button", { type: "button", id: "playbar-play", title: "Play or pause (k)" }, "Play");
  const step = made("button", { type: "button", title: "Next event (.)", "aria-label": "Next event" }, "›");
  const slider = made("input", { type: "range", id: "playbar-at", min: "0", max: String(TURNS), step: "1", "aria-label": "Moment of the recording" });
  const time = made("output", { id: "playbar-time" }, "–");
  const state = made("span", { id: "playbar-state", class: "pill" }, "Opening");
  const speedLabel = made("label", {}, "Speed ");
  const speed = made("select", { id: "playbar-speed" });
  for (const value of SPEEDS) speed.append(new Option(value === "max" ? "max" : `${value}×`, value));
  speed.value = "1";
  speedLabel.append(speed);
  bar.append(what, back, play, step, slider, time, speedLabel, state);
  host.append(bar);

  const told = () => client.state.playback;
  const span = () => {
    const { start, end } = told();
    return [Date.parse(start), Date.parse(end)];
  };

  function draw() {
    const now = told();
    for (const each of [back, play, step, slider, speed]) /** @type {any} */ (each).disabled = !now;
    if (!now) return;
    const [start, end] = span();
    const at = Number.isNaN(client.time) ? start : client.time;
    put(what, `Recording of ${client.state.connection?.cluster.name ?? "a cluster"}${client.redacted ? ", redacted" : ""} · ${day(start)} ${clock(start)} to ${day(start) === day(end) ? "" : `${day(end)} `}${clock(end)} UTC`);
    put(play, now.state === "playing" ? "Pause" : now.state === "ended" ? "Play again" : "Play");
    put(state, STATES[now.state] ?? now.state);
    state.dataset.tone = now.state === "playing" ? "good" : "wait";
    put(time, `${day(at)} ${clock(at)}`);
    slider.value = String(end > start ? Math.round(((at - start) / (end - start)) * TURNS) : TURNS);
    slider.setAttribute("aria-valuetext", `${day(at)} ${clock(at)} UTC, event ${client.state.seq ?? "?"}`);
    if (![...speed.options].some(({ value }) => value === String(now.speed))) speed.append(new Option(`${now.speed}×`, String(now.speed)));
    if (document.activeElement !== speed) speed.value = String(now.speed);
  }

  const toggle = () => client.playback(told()?.state === "playing" ? "pause" : "play");
  const previous = () => {
    client.playback("pause");
    client.playback("seek", { at: `seq:${Math.max(0, (client.state.seq ?? 1) - 1)}` });
  };

  play.addEventListener("click", toggle);
  step.addEventListener("click", () => client.playback("step"));
  back.addEventListener("click", previous);
  slider.addEventListener("input", () => {
    const [start, end] = span();
    client.playback("seek", { at: new Date(start + ((end - start) * Number(slider.value)) / TURNS).toISOString() });
  });
  speed.addEventListener("change", () => {
    const wanted = speed.value === "max" ? "max" : Number(speed.value);
    // A speed alone is no command: it goes with the one that changes nothing.
    client.playback(told()?.state === "playing" ? "play" : "pause", { speed: wanted });
  });
  const keys = {
    k: toggle,
    ",": previous,
    ".": () => client.playback("step"),
    j: () => client.playback("seek", { at: `-${SKIP}` }),
    l: () => client.playback("seek", { at: `+${SKIP}` }),
  };
  document.addEventListener("keydown", (event) => {
    const typing = /** @type {HTMLElement} */ (event.target).closest("input:not([type=range]), select, textarea, dialog");
    if (typing || event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });

  client.addEventListener("change", draw);
  client.addEventListener("error", (event) => {
    put(what, /** @type {any} */ (event).error.message);
    put(state, "Not playing");
    state.dataset.tone = "bad";
    bar.setAttribute("role", "alert");
  });
  setInterval(draw, 200); // the time goes on where nothing happens
  draw();
}

function made(name, attributes, text = "") {
  const element = /** @type {any} */ (document.createElement(name));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

const day = (time) => new Date(time).toISOString().slice(0, 10);
const clock = (time) => new Date(time).toISOString().slice(11, 19);
