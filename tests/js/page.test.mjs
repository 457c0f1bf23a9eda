// The page at /, in a Chromium (KSTREAM_CHROMIUM), on a real server (KSTREAM_PAGE) that tests/test_page.py feeds.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

const axe = await readFile(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.KSTREAM_CHROMIUM, args: ["--no-sandbox"] });
});
after(() => browser.close());

/** A page and what its console complained of. */
async function open(prepare = async () => {}, context = browser) {
  const page = await context.newPage(context === browser ? { viewport: { width: 1300, height: 800 } } : undefined);
  page.setDefaultTimeout(10_000);
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await prepare(page);
  await page.goto(process.env.KSTREAM_PAGE);
  await page.getByText("Connected", { exact: true }).waitFor();
  return { page, complaints };
}

const text = (page, id, wanted) =>
  page.waitForFunction(([id, wanted]) => document.getElementById(id).textContent === wanted, [id, wanted]);

test("the page shows nodes, pods, counts and messages, and nothing breaks its own security policy", async () => {
  const { page, complaints } = await open();
  await text(page, "tile-nodes", "1/1");
  await text(page, "tile-pods", "5,003");
  await text(page, "pods-count", "5,003");
  await page.click("#tab-nodes");
  await page.locator("#nodes-list .row").getByText("n1").waitFor();
  await page.click("#tab-messages");
  await page.locator("#messages-list .row").getByText("state").first().waitFor();
  assert.deepEqual(complaints, []);
  await page.close();
});

test("thousands of pods are a few rows in the page, wherever it is scrolled to", async () => {
  const { page } = await open();
  await text(page, "pods-count", "5,003");
  const rows = () => page.locator("#pods-list .row").count();
  assert.ok((await rows()) < 60);
  await page.locator("#pods-list").evaluate((list) => list.scrollTo(0, list.scrollHeight));
  await page.locator("#pods-list .row").getByText("crowd-999", { exact: true }).waitFor();
  assert.ok((await rows()) < 60);
  await page.close();
});

test("one search is for pods, nodes and namespaces, and a list that shows none says why", async () => {
  const { page } = await open();
  await text(page, "pods-count", "5,003");
  await page.selectOption("#namespace", "shop");
  await text(page, "pods-count", "1 of 5,003");
  await page.waitForURL(/\?ns=shop$/);
  await page.selectOption("#namespace", "");
  await page.fill("#search", "crowd-123");
  await text(page, "pods-count", "11 of 5,003");
  await text(page, "nodes-count", "0 of 1");
  await page.click("#tab-nodes");
  await page.locator("#nodes-list .empty").getByText("Nothing matches: none of 1 nodes.").waitFor();
  await page.fill("#search", "N1");
  await text(page, "nodes-count", "1");
  assert.equal(await page.locator("#nodes-list .empty").isVisible(), false);
  await page.fill("#search", "");
  await page.click("#tile-bad");
  await text(page, "pods-count", "1 of 5,003");
  assert.equal(await page.isChecked("#trouble"), true);
  await page.close();
});

test("the tiles count what is well and what is not, and not phases; the worst is first", async () => {
  const { page } = await open();
  await text(page, "pods-count", "5,003");
  const figures = await Promise.all(["good", "wait", "ending", "bad"].map((mood) => page.locator(`#tile-${mood}`).textContent()));
  const [good, wait, ending, bad] = figures.map((figure) => Number(figure.replace(",", "")));
  assert.equal(good + wait + ending + bad, 5003);
  assert.equal(bad, 1);
  assert.equal(await page.locator("#pods-list .row").nth(1).locator("span").nth(1).textContent(), "ill");
  const header = page.getByRole("columnheader", { name: "Name", exact: true });
  await header.getByRole("button").click();
  await page.locator("#pods-list [aria-sort=ascending]", { hasText: "Name" }).waitFor();
  await page.locator("#pods-list .row").getByText("crowd-0", { exact: true }).waitFor();
  await page.close();
});

test("every row can be reached and opened by keys, and the table says how many there are", async () => {
  const { page } = await open();
  await text(page, "pods-count", "5,003");
  assert.equal(await page.locator("#pods-list").getAttribute("aria-rowcount"), "5004");
  await page.focus("#pods-list");
  const current = () => page.locator("#pods-list .row.current span").nth(1).textContent();
  const first = await current();
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await current(), first);
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  assert.equal(await current(), first, "there is nothing above the first");
  await page.keyboard.press("End");
  const last = page.locator("#pods-list .row.current");
  assert.equal(await last.getAttribute("aria-rowindex"), "5004");
  assert.equal(await last.getAttribute("id"), await page.locator("#pods-list").getAttribute("aria-activedescendant"));
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await page.locator("#drawer-title").getByText(first).waitFor();
  await page.locator("#drawer-history li").getByText("came").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#drawer").isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.id), "pods-list", "and the keys are where they were");
  await page.close();
});

test("the map is gone through by keys, and what is opened is in the address, and back", async () => {
  const { page } = await open();
  await text(page, "pods-count", "5,003");
  await page.keyboard.press("m");
  await page.keyboard.press("ArrowRight");
  assert.match(await page.locator("#map-current").textContent(), /^default\/crowd-\d+, Running, on no node$/);
  await page.keyboard.press("PageDown");
  assert.match(await page.locator("#map-current").textContent(), /^default\/ill, Failed/);
  await page.keyboard.press("Enter");
  await page.locator("#drawer-title").getByText("default/ill").waitFor();
  await page.waitForURL(/\?pod=default\/ill$/);
  const colours = await page.locator("#map-canvas").evaluate((canvas) => new Set(new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size);
  assert.ok(colours > 4, `${colours}`);
  await page.goto(`${process.env.KSTREAM_PAGE}?pod=default/ill&group=namespace&q=ill`);
  await page.locator("#drawer-title").getByText("default/ill").waitFor();
  assert.deepEqual(await page.evaluate(() => [document.getElementById("group").value, document.getElementById("search").value]), ["namespace", "ill"]);
  await page.close();
});

test("the page goes to another moment, a link leads there, others follow, and it comes home", async () => {
  const { page, complaints } = await open();
  await text(page, "pods-count", "5,003");
  const present = await page.textContent("#time-place");
  await page.keyboard.press("b");
  await page.keyboard.press("Home");
  await text(page, "time-place", "In the past, paused");
  await page.waitForURL(/\?at=/);
  await page.click("#share");
  const [link, follow] = await Promise.all(["share-link", "share-following"].map((id) => page.locator(`#${id}`).inputValue()));
  await page.keyboard.press("Escape");
  const other = await browser.newPage();
  await other.goto(link);
  await text(other, "time-place", "In the past, paused");
  await other.goto(follow);
  await text(other, "time-place", "Following, paused");
  await other.close();
  await page.keyboard.press("n");
  await text(page, "pods-count", "5,003");
  await text(page, "time-place", present);
  await page.waitForURL((url) => !url.search.includes("at="));
  await page.click("#share");
  await page.click("#share-follow");
  await page.locator("#share-following").waitFor();
  await text(page, "time-place", "In the past, paused");
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a moment that is none and a filter that is none are said, and are not a server that is gone", async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  await page.goto(`${process.env.KSTREAM_PAGE}?at=nonsense`);
  await page.locator("#banner").getByText(/The moment of this address is not shown: .*at.*This is the present/).waitFor();
  await text(page, "pods-count", "5,003");
  await page.goto(`${process.env.KSTREAM_PAGE}?labels=%3D`);
  await page.locator("#banner").getByText(/The server refuses the filter: .*labels/).waitFor();
  await page.close();
});

test("what the server may not list is not said to be absent, nor is all called well", async () => {
  const timestamp = "2025-01-24T10:00:00.000Z";
  const refused = { code: "PERMISSION_DENIED", message: "Insufficient RBAC permissions to list pods", details: "", fault: "permission:list:pods" };
  const messages = [
    { type: "connection", status: "connected", cluster: { name: "mine", version: "v1.36.0" }, epoch: "e", source: "live" },
    { type: "error", error: refused },
    { type: "initial_state", seq: 1, data: { nodes: [], pods: [], namespaces: [] } },
  ];
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  await page.routeWebSocket(/\/ws/, (socket) => {
    for (const message of messages) socket.send(JSON.stringify({ ...message, timestamp }));
    page.allow = () => socket.send(JSON.stringify({ type: "cleared", fault: "permission:list:pods", timestamp }));
  });
  await page.goto(process.env.KSTREAM_PAGE);
  await page.getByText("Connected in part", { exact: true }).waitFor();
  await page.getByRole("gridcell", { name: "The server may not list pods (RBAC), or not all of them: there may be some." }).waitFor();
  await page.getByText("Allow kstream's account to list pods (RBAC), or serve other namespaces with -n.").waitFor();
  assert.equal(await page.textContent("#tile-pods"), "0+", "there may be more");
  page.allow();
  await page.getByText("Connected", { exact: true }).waitFor();
  await page.locator("#map-why").getByText("There are no pods.").waitFor();
  await page.close();
});

test("a name that is HTML is shown as the text that it is", async () => {
  const { page, complaints } = await open();
  await page.fill("#search", "<img");
  await text(page, "pods-count", "1 of 5,003");
  const row = page.locator("#pods-list .row", { hasText: "<img src=x onerror=alert(1)>" });
  await row.click();
  await page.locator("#drawer-title").getByText("<img src=x").waitFor();
  await page.locator("#drawer-raw").getByText("<img src=x").waitFor({ state: "attached" });
  assert.equal(await page.locator("img").count(), 0);
  assert.deepEqual(complaints, []);
  await page.close();
});

test("a lost server is told, what is shown is marked stale, and the page goes on by itself", async () => {
  const sockets = [];
  const { page } = await open((page) =>
    page.routeWebSocket(/\/ws/, (socket) => {
      sockets.push(socket);
      socket.connectToServer();
    }),
  );
  await text(page, "pods-count", "5,003");
  await page.evaluate(() => {
    globalThis.said = [];
    const said = document.getElementById("said");
    new MutationObserver(() => globalThis.said.push(said.textContent)).observe(said, { childList: true, characterData: true, subtree: true });
  });
  await sockets[0].close({ code: 1001 });
  await page.getByText(/^Reconnecting in/).waitFor();
  await page.getByText(/The server is gone: .*1001/).waitFor();
  await page.locator("#banner").getByText(/What is shown is as of/).waitFor();
  assert.equal(await page.locator("body.stale").count(), 1);
  assert.equal(await page.locator("#pods-list").evaluate((list) => getComputedStyle(list).opacity), "1");
  await page.getByText("Connected", { exact: true }).waitFor();
  assert.equal(await page.locator("body.stale").count(), 0);
  const said = await page.evaluate(() => globalThis.said);
  assert.ok(said.length <= 3, said.join(" | "));
  assert.equal(said[0], "The server is gone. What is shown is stale; trying goes on.");
  assert.equal(said.at(-1), "Connected.");
  assert.match(sockets[1].url(), /epoch=.+&seq=\d+/);
  await page.close();
});

for (const [name, look] of Object.entries({
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  "a phone": { colorScheme: "dark", viewport: { width: 390, height: 844 } },
  "forced colours": { forcedColors: "active" },
})) {
  test(`axe finds nothing to object to, whatever is open (${name})`, async () => {
    const sockets = [];
    const context = await browser.newContext({ viewport: { width: 1300, height: 800 }, ...look });
    const { page } = await open(async (page) => {
      await page.routeWebSocket(/\/ws/, (socket) => {
        sockets.push(socket);
        if (sockets.length === 1) socket.connectToServer();
      });
    }, context);
    await page.evaluate(axe);
    const objections = async () =>
      (await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }))).violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`,
      );
    await text(page, "pods-count", "5,003");
    assert.deepEqual(await objections(), [], "as it comes");
    await page.locator("#pods-list .row").nth(2).click();
    await page.locator("#drawer-history li").first().waitFor();
    assert.deepEqual(await objections(), [], "with a pod open");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    assert.deepEqual(await objections(), [], "with the help open");
    await page.keyboard.press("Escape");
    await page.fill("#search", "nothing of that name");
    await page.locator("#pods-list .empty").waitFor();
    assert.deepEqual(await objections(), [], "with an empty list");
    await page.fill("#search", "");
    await sockets[0].close({ code: 1001 });
    await page.locator("body.stale").waitFor();
    assert.deepEqual(await objections(), [], "without a server");
    await context.close();
  });
}
