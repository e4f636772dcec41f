// Makes the picture of the demo that the README shows: the terminal at the end of its day, drawn by the browser.

import { spawnSync } from "node:child_process";

import { BINARY, launch } from "./support.mjs";

const FILE = new URL("../../docs/images/demo.png", import.meta.url).pathname;
const COLUMNS = 112;

/** What each color is drawn in, by its number in ECMA-48; the rest of a rendition is bold and faint. */
const COLORS = { 31: "#f28b82", 32: "#5fd38d", 36: "#4fc3dc" };

/** What the demo has written to a terminal of that width. */
function played() {
  const command = `stty cols ${COLUMNS} rows 60; exec "${BINARY}" demo --fast`;
  const { stdout, status } = spawnSync("script", ["--quiet", "--flush", "--return", "--command", command, "/dev/null"], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, TERM: "xterm-256color" },
  });
  if (status !== 0) throw new Error(`the demo ended with ${status}: ${stdout.slice(-400)}`);
  return stdout;
}

/** The lines that are there at the end: those before the first picture, and from the last one on. */
function atTheEnd(output) {
  const first = output.indexOf("\u001b[?25l");
  const last = [...output.matchAll(/\u001b\[\d+A/g)].at(-1);
  const text = output.slice(0, first) + output.slice(last.index);
  // what moves the cursor or clears has done so
  return text.replace(/\u001b\[[?\d;]*[A-LN-Za-ln-z]/g, "").replaceAll("\r", "").trim();
}

function html(text) {
  const escaped = (part) => part.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  const [plain, ...painted] = text.split("\u001b[");
  const spans = painted.map((part) => {
    const [, rendition, rest] = part.match(/^([\d;]*)m(.*)$/s);
    const codes = rendition.split(";");
    const color = codes.map((code) => COLORS[code]).find(Boolean);
    const style = [
      color ? `color:${color}` : "",
      codes.includes("1") ? "font-weight:bold" : "",
      codes.includes("2") ? "opacity:.65" : "",
    ];
    return `<span style="${style.filter(Boolean).join(";")}">${escaped(rest)}</span>`;
  });
  return `<body style="margin:0"><pre style="display:inline-block;margin:0;padding:18px;background:#14181d;color:#dfe3e8;
    font:14px/17px 'DejaVu Sans Mono',monospace">${escaped(plain)}${spans.join("")}</pre>`;
}

const text = atTheEnd(played());
const browser = await launch();
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 1000 } });
  await page.setContent(html(text));
  await page.locator("pre").screenshot({ path: FILE });
} finally {
  await browser.close();
}
