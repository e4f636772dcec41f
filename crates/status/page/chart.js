// Charts over time, in SVG: scales, axes, lines with gaps, bands, and a cursor that reads the numbers out.

import { html, svg } from "./dom.js";

const LEFT = 46;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 22;

/** Round numbers from 0 (or below) to at least `most`, about `count` of them. */
export function niceTicks(least, most, count = 4) {
  const range = Math.max(most - least, 1e-9);
  const raw = range / count;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * size).find((candidate) => candidate >= raw);
  const ticks = [];
  for (let tick = Math.floor(least / step) * step; tick < most + step; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

const TIME_STEPS = [300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** Full hours (or parts of them) by the clock of `zone`, at most `count`. */
export function timeTicks(from, to, count, zone) {
  const step = TIME_STEPS.find((candidate) => (to - from) / candidate <= count) ?? 86400;
  const shift = offset(from, zone);
  const ticks = [];
  for (let tick = Math.ceil((from + shift) / step) * step - shift; tick <= to; tick += step) ticks.push(tick);
  return ticks;
}

/** Seconds that the clock of `zone` is ahead of UTC at `time`. */
function offset(time, zone) {
  const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" }).formatToParts(time * 1000);
  const of = (type) => Number(parts.find((part) => part.type === type).value);
  return Math.round((Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute")) / 1000 - time) / 900) * 900;
}

/**
 * A chart that `draw` fills: `{ from, to, now, lines, bands, areas, zone, label }`, times in Unix seconds. Lines are lists of
 * `[time, value]`, null where a line is broken; bands `[time, low, high]`. `read(time)` gives what the cursor says.
 */
export function chart({ height, format, minimum = 0 }) {
  const plot = svg("svg", { role: "img", tabindex: "0" });
  const readout = html("div", { class: "readout", hidden: true });
  const element = html("div", { class: "chart" }, plot, readout);
  let spec = null;
  let cursor = null;

  function draw(next) {
    spec = next;
    const width = Math.max(280, element.clientWidth || 800);
    const { from, to, now, zone } = spec;
    plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    plot.setAttribute("aria-label", spec.label);
    const values = [
      ...(spec.lines ?? []).flatMap((line) => line.points.filter(Boolean).map((point) => point[1])),
      ...(spec.bands ?? []).flatMap((band) => band.points.map((point) => point[2])),
      ...(spec.areas ?? []).flatMap((area) => area.points.filter(Boolean).map((point) => point[1])),
    ];
    const ticks = niceTicks(Math.min(minimum, ...values), Math.max(minimum + 1e-6, ...values), height > 180 ? 4 : 2);
    const [bottom, top] = [ticks[0], ticks[ticks.length - 1]];
    const x = (time) => LEFT + ((time - from) / (to - from || 1)) * (width - LEFT - RIGHT);
    const y = (value) => TOP + (1 - (value - bottom) / (top - bottom || 1)) * (height - TOP - BOTTOM);
    const floor = y(bottom);
    const parts = ticks.flatMap((tick) => [
      svg("line", { class: tick === bottom ? "axis" : "grid-line", x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick) }),
      svg("text", { x: LEFT - 7, y: y(tick) + 4, "text-anchor": "end" }, format(tick)),
    ]);
    for (const tick of timeTicks(from, to, Math.max(2, Math.floor(width / 90)), zone.zone)) {
      const text = zone.clock(tick * 1000);
      const shown = text === "00:00" ? zone.day(tick * 1000) : text;
      parts.push(svg("text", { x: Math.min(width - RIGHT - 14, Math.max(LEFT + 6, x(tick))), y: height - 5, "text-anchor": "middle" }, shown));
    }
    for (const { name, points } of spec.bands ?? []) {
      if (points.length < 2) continue;
      const upper = points.map(([time, , high]) => `${x(time).toFixed(1)} ${y(high).toFixed(1)}`);
      const lower = points.map(([time, low]) => `${x(time).toFixed(1)} ${y(low).toFixed(1)}`).reverse();
      parts.push(svg("path", { class: name, d: `M${[...upper, ...lower].join("L")}Z` }));
    }
    for (const { name, points } of spec.areas ?? []) {
      for (const run of runs(points)) {
        const steps = run.flatMap(([time, value], place) => {
          const until = run[place + 1]?.[0] ?? time + (spec.step ?? 60);
          return [`${x(time).toFixed(1)} ${y(value).toFixed(1)}`, `${x(Math.min(until, to)).toFixed(1)} ${y(value).toFixed(1)}`];
        });
        const end = x(Math.min(to, run[run.length - 1][0] + (spec.step ?? 60))).toFixed(1);
        parts.push(svg("path", { class: name, d: `M${x(run[0][0]).toFixed(1)} ${floor}L${steps.join("L")}L${end} ${floor}Z` }));
      }
    }
    for (const { name, points } of spec.lines ?? []) {
      const text = runs(points).map((run) => `M${run.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}`);
      parts.push(svg("path", { class: name, d: text.join("") }));
    }
    if (now > from && now < to) {
      parts.push(svg("line", { class: "now", x1: x(now), x2: x(now), y1: TOP, y2: floor }));
      parts.push(svg("text", { x: x(now) + 5, y: TOP + 9 }, "now"));
    }
    plot.replaceChildren(...parts);
    point(cursor);
  }

  /** Puts the cursor at a share of the plot's width, or takes it away. */
  function point(share) {
    cursor = share;
    plot.querySelector(".cursor")?.remove();
    readout.hidden = share === null || !spec?.read;
    if (readout.hidden) return;
    const time = spec.from + share * (spec.to - spec.from);
    const width = plot.viewBox.baseVal.width;
    const x = LEFT + share * (width - LEFT - RIGHT);
    plot.append(svg("line", { class: "cursor", x1: x, x2: x, y1: TOP, y2: height - BOTTOM }));
    const said = spec.read(time);
    const day = spec.zone.day(time * 1000);
    readout.replaceChildren(
      html("strong", {}, `${day} ${spec.zone.clock(time * 1000)}`),
      html("dl", {}, said.flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, value)])),
    );
    const place = (x / width) * element.clientWidth;
    const isRight = place > element.clientWidth / 2;
    readout.style.left = isRight ? "auto" : `${place + 12}px`;
    readout.style.right = isRight ? `${element.clientWidth - place + 12}px` : "auto";
  }

  const shareOf = (event) => {
    const box = plot.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * plot.viewBox.baseVal.width;
    return Math.min(1, Math.max(0, (x - LEFT) / (plot.viewBox.baseVal.width - LEFT - RIGHT)));
  };
  plot.addEventListener("pointermove", (event) => spec && point(shareOf(event)));
  plot.addEventListener("pointerdown", (event) => spec && point(shareOf(event)));
  plot.addEventListener("pointerleave", () => point(null));
  plot.addEventListener("blur", () => point(null));
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.01, ArrowRight: 0.01, PageUp: 0.1, PageDown: -0.1 }[event.key];
    if (event.key === "Escape") point(null);
    if (!step || !spec) return;
    event.preventDefault();
    const start = (spec.now - spec.from) / (spec.to - spec.from);
    point(Math.min(1, Math.max(0, (cursor ?? start) + step)));
  });
  const watch = new ResizeObserver(() => spec && draw(spec));
  watch.observe(element);
  return { element, draw, leave: () => watch.disconnect() };
}

/** The parts of a line between its gaps. */
function runs(points) {
  const found = [];
  let run = [];
  for (const point of points) {
    if (point) run.push(point);
    else if (run.length) {
      found.push(run);
      run = [];
    }
  }
  if (run.length) found.push(run);
  return found;
}
