// The page at /, in a Chromium (KSTREAM_CHROMIUM), on a real server (KSTREAM_PAGE) that tests/test_page.py feeds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.KSTREAM_CHROMIUM, args: ["--no-sandbox"] });
});
after(() => browser.close());

/** A page and what its console complained of. */
async function open(prepare = async () => {}) {
  const page = await browser.newPage({ viewport: { width: 1300, height: 800 } });
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
  await page.locator("#nodes-list .row").getByText("n1").waitFor();
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

test("pods are filtered by namespace, by trouble and by what is searched", async () => {
  const { page } = await open();
  await text(page, "pods-count", "5,003");
  await page.selectOption("#namespace", "shop");
  await text(page, "pods-count", "1 of 5,003");
  await page.selectOption("#namespace", "");
  await page.fill("#search", "crowd-123");
  await text(page, "pods-count", "11 of 5,003");
  await page.fill("#search", "");
  await page.check("#trouble");
  await text(page, "pods-count", "1 of 5,003");
  await page.close();
});

test("a name that is HTML is shown as the text that it is", async () => {
  const { page, complaints } = await open();
  await page.fill("#search", "<img");
  await text(page, "pods-count", "1 of 5,003");
  const row = page.locator("#pods-list .row", { hasText: "<img src=x onerror=alert(1)>" });
  await row.click();
  await page.locator("#detail-text").getByText("<img src=x").waitFor();
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
  await sockets[0].close({ code: 1001 });
  await page.getByText(/^Reconnecting in/).waitFor();
  await page.getByText(/The server is gone: .*1001.*What is shown is as of/).waitFor();
  assert.equal(await page.locator("body.stale").count(), 1);
  await page.getByText("Connected", { exact: true }).waitFor();
  assert.equal(await page.locator("body.stale").count(), 0);
  assert.match(sockets[1].url(), /epoch=.+&seq=\d+/);
  await page.close();
});
