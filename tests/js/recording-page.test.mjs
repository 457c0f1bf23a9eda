// The file that `kstream log page` makes (KSTREAM_FILE), opened from the disk in a Chromium (KSTREAM_CHROMIUM) that has no network.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const axe = await readFile(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const file = pathToFileURL(process.env.KSTREAM_FILE).href;
const hostile = pathToFileURL(process.env.KSTREAM_HOSTILE).href;

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.KSTREAM_CHROMIUM, args: ["--no-sandbox"] });
});
after(() => browser.close());

async function open(address, look = {}) {
  const context = await browser.newContext({ viewport: { width: 1300, height: 800 }, offline: true, ...look });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints = [];
  const asked = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  page.on("websocket", (socket) => asked.push(socket.url()));
  await page.goto(address);
  return { page, complaints, asked, close: () => context.close() };
}

const text = (page, id, wanted) =>
  page.waitForFunction(([id, wanted]) => document.getElementById(id).textContent === wanted, [id, wanted]);
const at = (page) => page.locator("#time-track").getAttribute("aria-valuetext");
const event = (page, seq) =>
  page.waitForFunction((seq) => document.getElementById("time-track").getAttribute("aria-valuetext")?.endsWith(`event ${seq}`), seq);

test("the file replays from the disk, says what it is, and asks nobody for anything", async () => {
  const { page, complaints, asked, close } = await open(`${file}?paused&at=seq:500`);
  await text(page, "time-place", "Paused");
  await text(page, "source", "Recording");
  await text(page, "tile-pods", "11");
  await text(page, "time-why", "Recording of incident · 2026-11-22 20:56:36 to 21:03:17 UTC");
  assert.equal(await page.locator("#link").isVisible(), false);
  await event(page, 500);
  assert.deepEqual(await objections(page), []);
  await page.getByRole("button", { name: "One event on" }).click();
  await event(page, 501);
  await page.getByRole("button", { name: "One event back" }).click();
  await event(page, 500);
  await page.locator("#time-track").focus();
  await page.keyboard.press("Home");
  await text(page, "tile-pods", "0");
  await page.keyboard.press("End");
  await event(page, 539);
  await page.keyboard.press("j");
  assert.match(await at(page), /event 5[0-3]\d$/);
  await page.locator("#time-speed").selectOption("max");
  await text(page, "time-place", "Paused");
  await page.keyboard.press("Escape");
  await page.locator("#time-play").click();
  await text(page, "time-place", "Ended");
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  assert.deepEqual(complaints, []);
  assert.deepEqual(asked.map((url) => url.split("?")[0].slice(0, 20)), [file.slice(0, 20)]);
  await close();
});

async function objections(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

const picture = process.env.KSTREAM_PICTURE;
test("the picture of the README is taken, where one is wanted", { skip: !picture && "KSTREAM_PICTURE is not set" }, async () => {
  const { page, close } = await open(`${file}?at=2026-11-22T20:59:05Z&pod=shop/broken-799984445-w4q6k`, { viewport: { width: 1400, height: 860 } });
  await page.locator("#drawer-history li").first().waitFor();
  await page.locator(".lane-strip span").first().waitFor();
  await text(page, "tile-pods", "41");
  await page.waitForFunction(() => document.getElementById("map-why").hidden);
  await page.screenshot({ path: picture });
  await close();
});

test("keys go to the recording, but where somebody types; on a phone, in the dark", async () => {
  const { page, close } = await open(`${file}?paused&at=seq:100`, { colorScheme: "dark", viewport: { width: 390, height: 844 } });
  await event(page, 100);
  assert.deepEqual(await objections(page), []);
  await page.keyboard.press(".");
  await event(page, 101);
  await page.keyboard.press(",");
  await event(page, 100);
  await page.fill("#search", "");
  await page.keyboard.type("k.l");
  await event(page, 100);
  assert.equal(await page.inputValue("#search"), "k.l");
  await page.locator("#pods-list").focus();
  await page.keyboard.press("k");
  await text(page, "time-place", "Playing");
  await close();
});

test("what would end a script is a text like any other", async () => {
  const { page, complaints, close } = await open(`${hostile}?paused&at=seq:2`);
  await page.locator("#pods-list .row").getByText("</script>", { exact: true }).first().waitFor();
  await page.locator("#pods-list .row").getByText("<!--<script>", { exact: true }).waitFor();
  await page.locator("#time-track").focus();
  await page.keyboard.press("End");
  await event(page, 4);
  assert.equal(await page.locator("script").count(), 2);
  assert.deepEqual(complaints, []);
  await close();
});

test("a file that is damaged says so", async () => {
  const { page, close } = await open(pathToFileURL(process.env.KSTREAM_DAMAGED).href);
  await page.getByText(/The recording in this page is damaged/).first().waitFor();
  await text(page, "link", "Not open");
  await close();
});

test("the page may run nothing else", async () => {
  const { page, complaints, close } = await open(`${file}?paused`);
  await text(page, "time-place", "Paused");
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "globalThis.ran = true";
    document.body.append(script);
    return [globalThis.ran ?? false, await fetch("https://kstream.test/").then(() => true, () => false)];
  });
  assert.deepEqual(ran, [false, false]);
  assert.ok(complaints.length >= 2 && complaints.every((each) => /Content Security Policy/.test(each)), complaints.join("\n"));
  await close();
});
