// A simulated cluster or a recording for the tests of a frontend, in a process of its own that ends with the one that
// started it: from Playwright, Vitest or node:test alike.

import { spawn, type ChildProcess } from "node:child_process";
import type { InitialStateMessage, Playback } from "kstream";

export interface StartOptions {
  /** How kstream is called, with the words that go before its own: `kstream` of the PATH if it is not said. */
  command?: string | readonly string[];
  /** Where the pages come from that connect, such as `http://localhost:5173`; those of kstream itself always may. */
  allowOrigin?: string | readonly string[];
  /** Further options of the command, as they are typed: `["--fault", "drop:after=10"]`. */
  options?: readonly string[];
  /** Milliseconds until there is a state to show; 60,000 if it is not said. */
  timeout?: number;
}

export interface SimulationOptions extends StartOptions {
  /** A shipped scenario or a YAML file; the tour if it is not said. */
  scenario?: string;
  seed?: number;
  nodes?: number;
  pods?: number;
  /** Background events in a second of simulated time. */
  churn?: number;
  /** Simulated seconds in one second. */
  speed?: number | "max";
  /** So long into the scenario, such as `"1m"`. */
  at?: string;
  /** It stands still until it is told to go on: true if it is not said. */
  paused?: boolean;
}

export interface ReplayOptions extends StartOptions {
  /** Recorded seconds in one second. */
  speed?: number | "max";
  /** The span that is played: RFC 3339, `seq:N`, `+90s` or `-5m`. */
  from?: string;
  to?: string;
  /** It stands still until it is told to go on: true if it is not said. */
  paused?: boolean;
}

/** Where a simulation is. */
export interface SimulationStatus {
  scenario: string;
  seed: number;
  time: string;
  /** Simulated seconds since it began. */
  elapsed: number;
  paused: boolean;
  speed: number | "max";
  changes: number;
  injected: number;
}

/** A kstream server in a process of its own, until `stop()`, or until this process ends, however it does. */
class Server {
  /** `http://127.0.0.1:PORT/` */
  readonly page: string;
  /** `ws://127.0.0.1:PORT/ws` */
  readonly websocket: string;
  readonly #process: Process;

  /** @internal */
  constructor(process: Process) {
    this.#process = process;
    ({ page: this.page, websocket: this.websocket } = process.address);
  }

  /** What there is now: the `data` of an `initial_state`. */
  async state(): Promise<InitialStateMessage["data"]> {
    return (await this.ask("api/state")).data;
  }

  /** Ends the process; again, it is ended already. */
  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** @internal */
  protected async ask(path: string, body?: object): Promise<any> {
    const posted = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    let answer: Response;
    try {
      answer = await fetch(this.page + path, body === undefined ? {} : posted);
    } catch (error) {
      throw this.#process.failure(`does not answer: ${String(error)}`);
    }
    const said = await answer.json();
    if (answer.ok) return said;
    const { message, details } = said.error;
    throw new Error(details ? `${message}: ${details}` : message);
  }
}

/** A simulated cluster. What is asked of it is done, and in its log, when the answer is there. */
class Simulation extends Server {
  /** What can befall a cluster: `act("kill-node", "node-3")`, `act("scale", "shop/web", { replicas: 20 })`. */
  async act(action: string, target?: string, more: Readonly<Record<string, unknown>> = {}): Promise<SimulationStatus> {
    return this.ask("api/sim/do", { do: action, ...(target === undefined ? {} : { target }), ...more });
  }

  /** Let so much simulated time pass, a text such as `"20s"` or seconds; to the next change if it is not said. It stands still then. */
  async step(by?: string | number): Promise<SimulationStatus> {
    return this.act("step", undefined, by === undefined ? {} : { by });
  }

  /** Let time pass until so far into the scenario: `"3m"`, or seconds. A simulation does not go back. */
  async seek(to: string | number): Promise<SimulationStatus> {
    const wanted = seconds(to);
    const { elapsed } = await this.status();
    if (wanted < elapsed) {
      throw new Error(`The simulation is ${elapsed} s into its scenario and does not go back to ${to}: start another one`);
    }
    // A step has whole milliseconds.
    return this.step(Math.round((wanted - elapsed) * 1000) / 1000);
  }

  async play(): Promise<SimulationStatus> {
    return this.act("play");
  }

  async pause(): Promise<SimulationStatus> {
    return this.act("pause");
  }

  /** Simulated seconds in one second, from here on. */
  async speed(speed: number | "max"): Promise<SimulationStatus> {
    return this.act("speed", undefined, { speed });
  }

  async status(): Promise<SimulationStatus> {
    return this.act("status");
  }
}

/** A recording that is played, for all who watch. */
class Replay extends Server {
  /** Go to a moment: RFC 3339, `seq:N`, or `+90s` and `-5m` from where it is. */
  async seek(at: string): Promise<Playback> {
    return this.#drive({ action: "seek", at });
  }

  /** One event more; it stands still then. */
  async step(): Promise<Playback> {
    return this.#drive({ action: "step" });
  }

  async play(speed?: number | "max"): Promise<Playback> {
    return this.#drive({ action: "play", ...(speed === undefined ? {} : { speed }) });
  }

  async pause(): Promise<Playback> {
    return this.#drive({ action: "pause" });
  }

  async status(): Promise<Playback> {
    return this.#drive();
  }

  async #drive(command?: object): Promise<Playback> {
    return (await this.ask("api/playback", command)).data;
  }
}

export type { Replay, Simulation };

/** A simulated cluster that has a state to show: the same every time for the same options. */
export async function simulate(options: SimulationOptions = {}): Promise<Simulation> {
  const { paused = true, scenario, seed, nodes, pods, churn, speed, at } = options;
  const words = [...said({ scenario, seed, nodes, pods, churn, speed, at }), ...(paused ? ["--paused"] : [])];
  return new Simulation(await Process.start("simulate", words, options));
}

/** The recording of a file, with a state to show. */
export async function replay(file: string, options: ReplayOptions = {}): Promise<Replay> {
  const { paused = true, speed, from, to } = options;
  const words = [file, ...said({ speed, from, to }), ...(paused ? ["--start-paused"] : [])];
  return new Replay(await Process.start("replay", words, options));
}

function said(options: Readonly<Record<string, string | number | undefined>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}

const UNITS: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1, ms: 0.001 };

function seconds(span: string | number): number {
  if (typeof span === "number") return span;
  if (!/^(\d+(\.\d+)?(d|h|ms|m|s))+$/.test(span)) throw new TypeError(`${span} is no span of time: write 90s or 1m30s`);
  let sum = 0;
  for (const [, amount, unit] of span.matchAll(/([\d.]+)([a-z]+)/g)) sum += Number(amount) * UNITS[unit!]!;
  return sum;
}

interface Address {
  readonly page: string;
  readonly websocket: string;
}

const KEPT = 16_384; // characters of what it said last on stderr
const LINE = 65_536; // characters of its first line, at most
const LAST = 10_000; // milliseconds for an orderly end

/**
 * `kstream …` as a child: it ends when its stdin does, so it outlives nobody.
 * @internal
 */
class Process {
  address: Address = { page: "", websocket: "" };
  readonly #child: ChildProcess;
  readonly #called: string;
  readonly #ended: Promise<void>;
  #stderr = "";
  /** How it ended; null while it runs. */
  #end: string | null = null;

  private constructor(program: string, words: readonly string[]) {
    this.#called = [program, ...words].join(" ");
    this.#child = spawn(program, words, { stdio: "pipe", windowsHide: true });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT);
    });
    this.#child.stdin!.on("error", () => {}); // it is gone: its end says so
    this.#ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#end ??= how;
        resolve();
      };
      this.#child.once("error", (error) => end(`could not be started: ${error.message}`));
      this.#child.once("close", (code, signal) => end(`ended with ${signal ?? `exit code ${code}`}`));
    });
  }

  /** Throws an Error that has what the process said on stderr, where it ends before it is ready, or is not in time. */
  static async start(name: string, words: readonly string[], options: StartOptions): Promise<Process> {
    const { command = "kstream", allowOrigin = [], options: more = [], timeout = 60_000 } = options;
    const [program, ...first] = [command].flat();
    if (program === undefined) throw new TypeError("command is empty: give the words that call kstream");
    const origins = [allowOrigin].flat().map((origin) => `--allow-origin=${origin}`);
    const serving = ["--port=0", "--output=json", "--end-with-stdin", ...origins, ...more];
    const process = new Process(program, [...first, name, ...words, ...serving]);
    const late = AbortSignal.timeout(timeout);
    try {
      process.address = JSON.parse(await process.#or(process.#line(), late));
      await process.#or(process.#ready(late), late);
    } catch (error) {
      const failure = process.failure(late.aborted ? `is not ready after ${timeout} ms` : String(error));
      await process.stop();
      throw failure;
    }
    process.#leave();
    return process;
  }

  /** What is wrong with it: how it ended, or else `what`; and what it said. */
  failure(what: string): Error {
    const hint = /ENOENT/.test(this.#end ?? "") ? "; install it (pip install kstream), or give `command`" : "";
    const told = this.#stderr.trim();
    return new Error(`${this.#called} ${this.#end ?? what}${hint}${told && `\n${told}`}`);
  }

  async stop(): Promise<void> {
    if (this.#end !== null) return;
    this.#child.ref();
    this.#child.stdin!.end();
    const killed = setTimeout(() => this.#child.kill("SIGKILL"), LAST);
    await this.#ended;
    clearTimeout(killed);
  }

  /** `done`, unless it ends or time is up before. */
  async #or<Result>(done: Promise<Result>, late: AbortSignal): Promise<Result> {
    const over = new Promise<never>((_, reject) => {
      late.addEventListener("abort", () => reject(late.reason), { once: true });
      void this.#ended.then(() => reject(new Error(this.#end ?? "")));
    });
    over.catch(() => {}); // of no interest once it is done
    return Promise.race([done, over]);
  }

  #line(): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = "";
      this.#child.stdout!.setEncoding("utf8").on("data", (more: string) => {
        if (text.length > LINE || text.includes("\n")) return; // it is read all the same: nobody shall wait for us
        text += more;
        if (text.length > LINE) reject(new Error("says no address on its stdout"));
        else if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
      });
    });
  }

  async #ready(late: AbortSignal): Promise<void> {
    while (!late.aborted && this.#end === null) {
      const { ok } = await fetch(`${this.address.page}readyz`, { signal: late });
      if (ok) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Whoever forgets to stop it is not kept from ending by it. */
  #leave(): void {
    this.#child.unref();
    for (const pipe of this.#child.stdio) (pipe as unknown as { unref?: () => void } | null)?.unref?.();
  }
}
