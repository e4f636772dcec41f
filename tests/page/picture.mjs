// Makes the picture of the page that the README shows: the demo's day, in its afternoon.

import { demo, launch, open } from "./support.mjs";

const FILE = new URL("../../docs/images/page.png", import.meta.url).pathname;

const browser = await launch();
const served = await demo("--speed", "40");
try {
  const { page } = await open(browser, { viewport: { width: 1280, height: 1010 }, colorScheme: "light" });
  await page.goto(served.url);
  await page.getByRole("link", { name: "chat-backend" }).click();
  await page.locator(".story li").first().waitFor();
  // by then the burst of the morning and the daily job of the afternoon have been
  await page.waitForFunction(() => /T17:/.test(document.getElementById("clock").dateTime));
  await page.screenshot({ path: FILE });
} finally {
  await browser.close();
  await served.end();
}
