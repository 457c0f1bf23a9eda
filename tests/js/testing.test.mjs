// kstream/testing with the kstream of the PATH, and with programs that are none.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { folder, packaged } from "./package.mjs";

const { replay, simulate } = await packaged("testing");

const program = (script) => [process.execPath, "-e", script, "--"];
// As kstream, but for the cluster: it tells what it was asked, and ends when it should.
const SERVES = `
  const called = process.argv.slice(1).join(" ");
  const server = require("node:http").createServer(async (request, answer) => {
    const { method, url } = request;
    const body = Buffer.concat(await request.toArray()).toString();
    answer.end(JSON.stringify({ data: { asked: { called, method, url, body } } }));
  });
  server.listen(0, "127.0.0.1", () => {
    const page = "http://127.0.0.1:" + server.address().port + "/";
    console.log(JSON.stringify({ page, websocket: page }));
  });
  process.stdin.resume().on("end", () => process.exit());`;

/** A script of its own that has `simulate` and `server`; what it prints first, and the process. */
async function parent(options, then) {
  const from = JSON.stringify(pathToFileURL(`${folder}/testing.js`).href);
  const script = `const { simulate } = await import(${from}); const server = await simulate(${JSON.stringify(options)}); ${then}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return [line, child];
}

/** Until nobody answers there any more. */
async function gone(page) {
  for (;;) {
    try {
      await (await fetch(page)).arrayBuffer();
    } catch {
      return;
    }
  }
}

test("a simulation is where it is told to be, and does what it is told", async () => {
  const simulation = await simulate({ scenario: "node-failure", at: "1m" });
  const node = async () => (await simulation.state()).nodes.find(({ name }) => name === "node-3").status;
  assert.match(simulation.page, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.equal(simulation.websocket, simulation.page.replace("http", "ws") + "ws");
  assert.equal(await node(), "Ready");
  const { elapsed, paused } = await simulation.step("20s");
  assert.deepEqual([elapsed, paused, await node()], [80, true, "NotReady"]);
  assert.equal((await simulation.act("cordon", "node-2")).injected, 1);
  assert.equal((await simulation.act("scale", "shop/web", { replicas: 7 })).injected, 2);
  assert.equal((await simulation.seek("1m30.5s")).elapsed, 90.5);
  assert.equal((await simulation.seek(91)).elapsed, 91);
  await assert.rejects(simulation.seek("10s"), /91 s into its scenario and does not go back to 10s/);
  await assert.rejects(simulation.seek("soon"), /soon is no span of time: write 90s or 1m30s/);
  await assert.rejects(simulation.act("cordon", "node-99"), /node-99/);
  assert.equal((await simulation.speed("max")).speed, "max");
  assert.equal((await simulation.play()).paused, false);
  assert.equal((await simulation.pause()).paused, true);
  await simulation.step();
  await simulation.stop();
  await simulation.stop();
  await assert.rejects(simulation.status(), /simulate --scenario=node-failure .* ended with exit code 0/);
});

test("a recording is played, and taken to another moment", async () => {
  const recording = await replay("a.db", { command: program(SERVES), from: "seq:100", speed: 2 });
  const asked = async (answer) => (await answer).asked;
  assert.match((await asked(recording.status())).called, /^replay a\.db --speed=2 --from=seq:100 --start-paused --port=0/);
  const commands = [recording.seek("+1m"), recording.step(), recording.play(), recording.play(20), recording.pause()];
  const bodies = await Promise.all(commands.map(async (each) => JSON.parse((await asked(each)).body)));
  assert.deepEqual(bodies, [
    { action: "seek", at: "+1m" },
    { action: "step" },
    { action: "play" },
    { action: "play", speed: 20 },
    { action: "pause" },
  ]);
  const { method, url } = await asked(recording.pause());
  assert.deepEqual([method, url], ["POST", "/api/playback"]);
  await recording.stop();
});

test("who started it and is killed leaves nothing behind", async () => {
  const [page, child] = await parent({ command: program(SERVES) }, "console.log(server.page); setInterval(() => {}, 2 ** 30)");
  child.kill("SIGKILL");
  await gone(page);
});

test("who forgets to stop it ends all the same", async () => {
  const [page, child] = await parent({ command: program(SERVES) }, "console.log(server.page)");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  await gone(page);
});

test("what does not begin is an error with what it said", async () => {
  const says = program("console.error(process.argv.slice(1).join(' ')); process.exit(3)");
  const options = { command: says, allowOrigin: ["http://a", "http://b"], options: ["--fault", "mute"] };
  const serving = "--port=0 --output=json --end-with-stdin --allow-origin=http://a --allow-origin=http://b --fault mute";
  const told = async (starting) => (await starting.then(assert.fail, (error) => error)).message.split("\n");
  const words = `simulate --seed=7 --nodes=3 --speed=max ${serving}`;
  assert.deepEqual(await told(simulate({ ...options, nodes: 3, seed: 7, speed: "max", paused: false })), [
    `${says.join(" ")} ${words} ended with exit code 3`,
    words,
  ]);
  assert.equal((await told(replay("a.db", { ...options, to: "-5m" }))).at(-1), `replay a.db --to=-5m --start-paused ${serving}`);
  assert.match(String(await told(simulate({ command: "no-such-kstream" }))), /pip install kstream/);
  assert.match(String(await told(simulate({ command: [] }))), /command is empty/);
});

test("what says no address, or not in time, is ended", async () => {
  const ends = "process.stdin.resume().on('end', () => process.exit());";
  await assert.rejects(simulate({ command: program(`${ends} console.log("x".repeat(70_000))`) }), /says no address on its stdout/);
  await assert.rejects(simulate({ command: program(`${ends} console.log("{")`) }), /JSON/);
  await assert.rejects(simulate({ command: program(ends), timeout: 1 }), /is not ready after 1 ms/);
});

test("what the package says it has is there, the same for import and for require", async () => {
  const require = createRequire(`${folder}/`);
  const { exports, dependencies } = require("kstream/package.json");
  assert.equal(dependencies, undefined);
  const entries = Object.entries(exports).filter(([, { import: has }]) => has);
  assert.deepEqual(entries.map(([name]) => name), [".", "./react", "./testing"]);
  for (const [name, { import: imported, require: required }] of entries) {
    for (const file of [...Object.values(imported), ...Object.values(required)]) assert.ok(existsSync(`${folder}/${file}`), file);
    const module = await packaged(imported.default.slice(2, -".js".length));
    const common = require(name.replace(".", "kstream"));
    assert.deepEqual(Object.keys(common).sort(), Object.keys(module).sort());
  }
});
