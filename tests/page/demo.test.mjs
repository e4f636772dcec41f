// The page against `prescale demo`: a target appears, is opened and explained; its source goes down, and the page says so.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { assertAccessible, assertFits, demo, launch, LONGEST, open } from "./support.mjs";

let browser;
let served;

before(async () => {
  browser = await launch();
  // the source fails from one in the morning to a quarter past two, which is five seconds of the demo's time
  served = await demo("--speed", "15", "--outage", "01:00-02:15");
});

after(async () => {
  await browser?.close();
  await served?.end();
});

test("a target appears, is opened, and its source goes down and comes back", { timeout: 2 * LONGEST }, async () => {
  const { page, errors, close } = await open(browser);
  await page.goto(served.url);
  const link = page.getByRole("link", { name: "chat-backend" });
  await link.waitFor();
  await link.click();

  await page.getByRole("heading", { name: "chat-backend" }).waitFor();
  await page.locator(".story li").first().waitFor();
  const story = await page.locator(".story").innerText();
  assert.match(story, /The source said [\d.,]+ at/);
  await page.locator(".chart .band").first().waitFor({ state: "attached" });
  const band = await page.locator(".chart .band").first().getAttribute("d");
  assert.ok(band.length > 200, "a day of forecast is more than a few points");
  assert.match(await page.locator(".tiles").innerText(), /Published/);

  const trouble = page.locator(".trouble");
  await trouble.getByText("Source failing for").waitFor();
  assert.match(await page.locator(".title").innerText(), /Degraded/);
  assert.match(await page.locator(".story").innerText(), /has been failing since/);
  await trouble.waitFor({ state: "hidden" });
  const events = page.locator(".events");
  await events.getByText("Source failing").waitFor();
  await events.getByText("the source answers again after").waitFor();

  await page.locator(".events").getByText("First seen").waitFor();
  assert.match(await page.locator(".facts").innerText(), /http_requests_total/);
  assert.deepEqual(errors, []);
  await close();
});

test("the page is readable by everyone, in both themes and on a phone", { timeout: 2 * LONGEST }, async () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      const what = `${colorScheme} at ${viewport.width}`;
      const { page, errors, close } = await open(browser, { colorScheme, viewport });
      await page.goto(served.url);
      await page.locator(".rows .row").first().waitFor();
      await assertAccessible(page, `list, ${what}`);
      await assertFits(page, `list, ${what}`);
      await page.getByRole("link", { name: "chat-backend" }).click();
      await page.locator(".story li").first().waitFor();
      await assertAccessible(page, `target, ${what}`);
      await assertFits(page, `target, ${what}`);
      assert.deepEqual(errors, [], what);
      await close();
    }
  }
});

test("the keyboard alone leads to a target, through its chart, and back", { timeout: LONGEST }, async () => {
  const { page, errors, close } = await open(browser);
  await page.goto(served.url);
  await page.locator(".rows .row").first().waitFor();
  const link = page.getByRole("link", { name: "chat-backend" });
  for (let press = 0; press < 40 && !(await link.evaluate((element) => element === document.activeElement)); press += 1) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  await page.locator(".story li").first().waitFor();
  await page.locator(".chart svg").first().focus();
  await page.keyboard.press("ArrowRight");
  await page.locator(".readout:not([hidden])").first().waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".readout:not([hidden])").count(), 0);
  await page.getByRole("link", { name: "All targets" }).press("Enter");
  await page.getByRole("heading", { name: "Targets" }).waitFor();
  assert.deepEqual(errors, []);
  await close();
});
