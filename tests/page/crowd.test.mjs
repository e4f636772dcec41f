// Two thousand targets: there at once, scrolled, searched, sorted. And a server that goes away.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertAccessible, crowd, launch, LONGEST, open } from "./support.mjs";

const COUNT = 2000;
const ROWS = ".rows .row";

let browser;
let served;

before(async () => {
  browser = await launch();
  served = await crowd(COUNT);
});

after(async () => {
  await browser?.close();
  await served?.end();
});

test("two thousand targets are there, and the last one is a scroll away", { timeout: LONGEST }, async (t) => {
  const { page, errors, close } = await open(browser);
  // the files of the page are in the browser, as for whoever has looked before; what is told is how long the list takes
  await page.goto(served.url);
  await page.locator(ROWS).first().waitFor();
  await page.reload({ waitUntil: "commit" });
  await page.locator(ROWS).first().waitFor();
  t.diagnostic(`the list was there after ${Math.round(await page.evaluate(() => performance.now()))} ms`);
  assert.equal(await page.locator(".list[role=table]").getAttribute("aria-rowcount"), String(COUNT + 1));
  assert.ok((await page.locator(ROWS).count()) < 80, "only the rows in sight are in the document");

  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.locator(`${ROWS}[aria-rowindex="${COUNT + 1}"]`).waitFor();
  assert.ok((await page.locator(ROWS).count()) < 80);
  assert.deepEqual(errors, []);
  await close();
});

test("search, states and columns find a target among many", { timeout: LONGEST }, async () => {
  const { page, errors, close } = await open(browser);
  await page.goto(served.url);
  await page.locator(ROWS).first().waitFor();
  const rowCount = async () => Number(await page.locator(".list[role=table]").getAttribute("aria-rowcount")) - 1;

  await page.getByLabel("Search targets").fill("target-0042");
  assert.equal(await rowCount(), 1);
  assert.match(await page.locator(ROWS).innerText(), /target-0042/);
  await page.getByLabel("Search targets").fill("nothing of the kind");
  await page.getByText("No target matches").waitFor();
  await page.getByLabel("Search targets").fill("");

  await page.getByRole("button", { name: /^Degraded/ }).click();
  const degraded = await rowCount();
  assert.ok(degraded > 0 && degraded < COUNT);
  assert.deepEqual([...new Set(await page.locator(`${ROWS} .state:not(.demoted)`).allInnerTexts())], ["Degraded"]);
  await page.getByRole("button", { name: /^All/ }).click();

  const observed = async () => (await page.locator(`${ROWS} .observed`).allInnerTexts()).slice(0, 12).map((text) => Number(text.replace(",", "")));
  await page.getByRole("columnheader", { name: "Observed" }).getByRole("button").click();
  const falling = await observed();
  assert.deepEqual(falling, [...falling].sort((a, b) => b - a));
  await page.getByRole("columnheader", { name: "Observed" }).getByRole("button").click();
  assert.equal(await page.getByRole("columnheader", { name: "Observed" }).getAttribute("aria-sort"), "ascending");
  await assertAccessible(page, "a sorted list");
  assert.deepEqual(errors, []);
  await close();
});

test("a demotion, the price of a shortage, what forecasts cost and a shadow are told", { timeout: LONGEST }, async () => {
  const own = await crowd(20);
  const { page, errors, close } = await open(browser);
  await page.goto(own.url);
  await page.locator(ROWS).first().waitFor();
  // 4 is demoted, 6 in shadow; both have been there for a day
  await page.getByLabel("Search targets").fill("demoted ridge");
  assert.deepEqual(await page.locator(`${ROWS} a`).allInnerTexts(), ["target-0004", "target-0014"]);
  assert.equal(await page.locator(`${ROWS} .demoted:visible`).count(), 2);
  await page.getByLabel("Search targets").fill("target-0014");
  await page.getByRole("link", { name: "target-0014" }).click();
  await page.locator(".story li").first().waitFor();
  assert.match(await page.locator(".title").innerText(), /Model demoted/);
  assert.match(await page.locator(".story").innerText(), /persistence stands in for ridge/);
  assert.match(await page.locator(".tiles").innerText(), /Coverage of 99%\s+9[\d.]+%/);
  await page.getByText(/The SLO of 99.5% comes to a price of [\d.]+ pods/).first().waitFor();
  const table = await page.getByRole("table").filter({ hasText: "Pod-hours" }).innerText();
  assert.match(table, /With forecasts/);
  assert.match(table, /Reactive/);
  await assertAccessible(page, "a demoted target");

  await page.getByRole("link", { name: "All targets" }).click();
  await page.getByLabel("Search targets").fill("target-0006");
  await page.getByRole("link", { name: "target-0006" }).click();
  await page.getByText(/Without the shadow mode [\d.,]+ would have been published/).waitFor();
  assert.match(await page.locator(".tiles").innerText(), /without shadow/);
  assert.match(await page.getByRole("table").filter({ hasText: "Pod-hours" }).innerText(), /not applied/);
  assert.deepEqual(errors, []);
  await close();
  await own.end();
});

test("a server that goes away is missed, and what was known stays", { timeout: LONGEST }, async () => {
  const own = await crowd(5);
  const { page, close } = await open(browser);
  await page.goto(own.url);
  await page.locator(ROWS).first().waitFor();
  await own.end();
  await page.getByRole("alert").getByText("The server does not answer").waitFor();
  assert.equal(await page.locator(ROWS).count(), 5);
  await assertAccessible(page, "a page that lost its server");
  await close();
});
