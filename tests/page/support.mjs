// What the tests share: the demo as a child process, the browser, and a page that tolerates no error.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";
import assert from "node:assert/strict";

export const BINARY = process.env.PRESCALE_BIN ?? new URL("../../target/debug/prescale", import.meta.url).pathname;
const CROWD = process.env.CROWD_BIN ?? new URL("../../target/debug/examples/crowd", import.meta.url).pathname;
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Reaches no real time: something hangs. */
export const LONGEST = 90_000;

/** Starts a program, and gives the URL that its first lines hold, and a way to end it. */
async function serve(program, flags) {
  const child = spawn(program, flags, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      const found = line.match(/http:\/\/[\d.]+:\d+/);
      if (found) resolve(found[0]);
    });
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${program} ended with ${code} before it named its address`)));
  });
  const end = async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { url, end };
}

/** `prescale demo`, which stays after its day. */
export const demo = (...flags) => serve(BINARY, ["demo", "--http-address", "127.0.0.1:0", "--stay", ...flags]);

/** The page over as many invented targets as wanted. */
export const crowd = (count) => serve(CROWD, [String(count)]);

export const launch = () => chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox", "--disable-gpu"] });

/** A page, and the errors that it has had so far. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(LONGEST);
  const errors = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  return { page, errors, close: () => context.close() };
}

/** No violation of accessibility rules, contrast included. */
export async function assertAccessible(page, what) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join("\n  ")}`);
  assert.deepEqual(told, [], what);
}

/** Nothing sticks out at the side. */
export async function assertFits(page, what) {
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(excess <= 0, `${what} is ${excess} pixels too wide`);
}
