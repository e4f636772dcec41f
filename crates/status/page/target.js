// One target: what it is, will be and was, and why.

import * as api from "./api.js";
import { accuracyChart, loadChart, podsChart, WINDOWS } from "./loadchart.js";
import { amount, event, percent, skill, span, state, times, whole } from "./format.js";
import { html, svg, write } from "./dom.js";
import { key as keyOf } from "./store.js";

/** Between two readings of one target. */
const PACE = 1000;

let shownWindow = WINDOWS[1];

export function targetView(store, key) {
  const id = keyOf(key);
  const badge = html("span", { class: "state" });
  const demoted = html("span", { class: "state demoted", hidden: true }, "Model demoted");
  const note = html("p", { class: "quiet" });
  const trouble = html("p", { class: "trouble", role: "status", hidden: true });
  const tiles = html("dl", { class: "tiles" });
  const story = html("ol", { class: "story" });
  const load = loadChart();
  const pods = podsChart();
  const accuracy = accuracyChart();
  const windows = html("div", { class: "segments", role: "group", "aria-label": "Time shown" });
  const plan = html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Plan over the next day" });
  const models = html("div");
  const comparison = html("div");
  const events = html("ol", { class: "events" });
  const facts = html("dl", { class: "facts" });
  const answer = html("p");
  const sections = html("div", { hidden: true }, trouble, tiles,
    html("div", { class: "grid" },
      html("section", { class: "card wide" }, html("div", { class: "chart-head" }, html("h2", {}, "Load"), windows), load.element,
        html("h2", {}, "Pods"), pods.element),
      html("section", { class: "card two-thirds" }, html("h2", {}, "Why"), story),
      html("section", { class: "card third" }, html("h2", {}, "KEDA was told"), answer, html("h2", {}, "Events"), html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Events" }, events)),
      html("section", { class: "card half" }, html("h2", {}, "How good the forecasts were"), html("p", { class: "lead" }, "Mean error of what was forecast a lead time ahead, hour by hour"), accuracy.element, models,
        html("h2", {}, "What the forecasts cost and save"), comparison),
      html("section", { class: "card half" }, html("h2", {}, "Plan over the next day"), html("p", { class: "lead" }, "The highest load of each hour, and the pods for it"), plan),
      html("section", { class: "card wide" }, html("h2", {}, "Metadata as understood"), facts)));
  const missing = html("div", { class: "list empty", hidden: true }, html("h2", {}, "KEDA does not ask for this target"),
    html("p", {}, "It may have been removed, or its trigger changed: another trigger is another target."));
  const element = html("article", {},
    html("a", { class: "back", href: "#/" }, "← All targets"),
    html("div", { class: "title" }, html("h1", {}, key.name), badge, demoted, note), missing, sections);

  let detail = null;
  let isReading = false;
  let isOutdated = false;
  let hasLeft = false;

  async function read() {
    if (isReading) {
      isOutdated = true;
      return;
    }
    isReading = true;
    try {
      detail = await api.target(key);
      if (!hasLeft) draw();
    } catch (error) {
      if (error.status === 404 && !hasLeft) {
        missing.hidden = false;
        sections.hidden = true;
      }
    }
    setTimeout(() => {
      isReading = false;
      if (isOutdated && !hasLeft) {
        isOutdated = false;
        read();
      }
    }, PACE);
  }

  function drawWindows() {
    windows.replaceChildren(...WINDOWS.map((window) => html("button", {
      type: "button", "aria-pressed": String(window === shownWindow), onclick: (pressed) => {
        shownWindow = window;
        [...windows.children].forEach((button) => button.setAttribute("aria-pressed", String(button === pressed.currentTarget)));
        draw();
      },
    }, window[0])));
  }

  function draw() {
    missing.hidden = true;
    sections.hidden = false;
    const { target } = detail;
    const zone = times(detail.metadata.timezone);
    const now = Date.parse(detail.now);
    write(badge, state(target.state));
    badge.className = `state ${target.state}`;
    write(note, `${target.namespace} · ${target.mode === "predict" ? "publishes its forecast" : target.mode === "shadow" ? "shadow: records its forecast, publishes what is observed" : "reactive: publishes what is observed"} · times in ${zone.zone}`);
    drawTrouble(target, now);
    drawTiles(target, now);
    changed(story, detail.story, () => detail.story.map((sentence) => html("li", {}, sentence)));
    load.draw(detail, zone, shownWindow);
    pods.draw(detail, zone, shownWindow);
    accuracy.draw(detail, zone);
    changed(plan, detail.plan, () => [planTable(detail.plan, zone)]);
    demoted.hidden = !target.demoted;
    changed(models, detail.verdict, () => [modelTable(detail.verdict)]);
    changed(comparison, [detail.comparison, target.price], () => comparisonOf(detail));
    changed(events, detail.events, () => detail.events.map(({ at, kind, text }) => html("li", {},
      html("time", { datetime: at }, zone.day(Date.parse(at)) === zone.day(now) ? zone.second(Date.parse(at)) : `${zone.date(Date.parse(at))} ${zone.clock(Date.parse(at))}`),
      html("div", {}, html("span", { class: "kind" }, event(kind)), ` – ${text}`))));
    changed(facts, detail.metadata, () => factsOf(detail.metadata));
    write(answer, detail.answer?.text ?? "KEDA has asked for no value yet.");
  }

  function drawTrouble(target, now) {
    trouble.hidden = !target.error;
    const since = target.error ? span((now - Date.parse(target.errorSince)) / 1000) : "";
    changed(trouble, [target.error, since], () => [html("strong", {}, `Source failing for ${since}: `), target.error ?? ""]);
  }

  function drawTiles(target, now) {
    const age = target.observedAt ? `${span((now - Date.parse(target.observedAt)) / 1000)} ago` : "not yet";
    const origin = target.forecastOrigin ? `by ${target.model}, ${span((now - Date.parse(target.forecastOrigin)) / 1000)} old` : "none";
    const all = [
      ["Observed", amount(target.observed), age],
      [`Forecast in ${detail.metadata.leadTime}`, amount(target.expected), origin, "ahead"],
      [target.price === null ? `At most (${percent(target.promised)})` : `To hold ${percent(target.promised)}`, amount(target.forecast), "until Ready", "ahead"],
      ["Published", amount(target.published), target.shadow === null ? target.reason.replaceAll("_", " ") : `without shadow ${amount(target.shadow)}`, "out"],
      ["Pods asked for", whole(target.pods), target.replicas === null ? "" : `about ${whole(target.replicas)} by now`],
      ["Coverage of 99%", percent(target.coverage99), `of 90%: ${percent(target.coverage90)}`],
      ["Beside last value", skill(target.skillOverPersistence), "of its loss avoided"],
      ["Beside last week", skill(target.skillOverLastWeek), "of its loss avoided"],
    ];
    if (tiles.children.length === 0) {
      tiles.append(...all.map(([, , , name]) => html("div", { class: `tile ${name ?? ""}` }, html("dt"), html("dd"), html("dd", { class: "note" }))));
    }
    all.forEach(([label, value, small], place) => {
      const [dt, dd, extra] = tiles.children[place].children;
      write(dt, label);
      write(dd, value);
      write(extra, small);
    });
  }

  const drawn = new Map();
  /** Makes the children of a part anew where what they show changed: the rest keeps its place and its focus. */
  function changed(part, shown, make) {
    const text = JSON.stringify(shown);
    if (drawn.get(part) === text) return;
    drawn.set(part, text);
    part.replaceChildren(...make());
  }

  const onChange = ({ detail: keys }) => {
    if (keys === null || keys.has(id)) read();
  };
  store.addEventListener("change", onChange);
  drawWindows();

  return {
    element,
    enter: read,
    leave() {
      hasLeft = true;
      store.removeEventListener("change", onChange);
      [load, pods, accuracy].forEach((one) => one.leave());
    },
  };
}

function planTable(hours, zone) {
  if (hours.length === 0) return html("p", { class: "quiet" }, "There is no forecast to plan by.");
  const most = Math.max(...hours.map((hour) => hour.pods), 1);
  return html("table", { class: "table" },
    html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "From"), html("th", { scope: "col", class: "number" }, "Expected"),
      html("th", { scope: "col", class: "number" }, "Promised"), html("th", { scope: "col", class: "number" }, "Pods"), html("td", { class: "number" }))),
    html("tbody", {}, hours.map((hour) => html("tr", {}, html("td", {}, zone.clock(Date.parse(hour.from))),
      html("td", { class: "number" }, amount(hour.expected)), html("td", { class: "number" }, amount(hour.promised)),
      html("td", { class: "number" }, whole(hour.pods)),
      html("td", { class: "number bar-cell" }, svg("svg", { class: "bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
        svg("rect", { width: (100 * hour.pods) / most, height: 8, rx: 1 })))))));
}

function modelTable(verdict) {
  if (!verdict) return html("p", { class: "quiet" }, "No model was chosen yet.");
  const why = html("p", { class: "lead" }, `${verdict.model} forecasts: ${verdict.reason}.`);
  if (verdict.scores.length === 0) return why;
  return html("div", {}, why, html("table", { class: "table" },
    html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "On the target’s past"), html("th", { scope: "col", class: "number" }, "Quantile loss"), html("th", { scope: "col", class: "number" }, "Mean error"))),
    html("tbody", {}, verdict.scores.map((score) => html("tr", { class: score.model === verdict.model ? "in-force" : "" }, html("td", {}, score.model),
      html("td", { class: "number" }, amount(score.quantileLoss)), html("td", { class: "number" }, amount(score.absoluteError)))))));
}

function comparisonOf({ comparison, target, metadata }) {
  const price = target.price === null ? [] : [html("p", { class: "lead" }, `The ${metadata.serviceLevel.replace("slo", "SLO of")} comes to a price of ${amount(target.price)} pods for a moment of shortage.`)];
  if (!comparison) return [...price, html("p", { class: "quiet" }, metadata.mode === "reactive" ? "No forecast is made." : "Nothing was compared yet.")];
  const { seconds, allowed, predictive, reactive } = comparison;
  const row = (name, fleet) => html("tr", {}, html("td", {}, name),
    html("td", { class: "number" }, amount(fleet.podHours)), html("td", { class: "number" }, amount((fleet.podHours * 3600) / seconds)),
    html("td", { class: "number" }, span(fleet.shortSeconds)),
    html("td", { class: `number ${allowed !== null && fleet.short > allowed ? "over" : ""}` }, percent(fleet.short, 2)));
  const head = (name) => html("th", { scope: "col", class: "number" }, name);
  return [...price,
    html("table", { class: "table" },
      html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "Fleet"), head("Pod-hours"), head("Mean pods"), head("Short"), head("Share"))),
      html("tbody", {}, row(metadata.mode === "shadow" ? "With forecasts, not applied" : "With forecasts", predictive), row("Reactive", reactive))),
    html("p", { class: "lead" }, `Over ${span(seconds)} of load, by estimate${allowed === null ? "" : `; the SLO allows ${percent(allowed, 2)}`}.`)];
}

function factsOf(metadata) {
  const fact = (name, value) => (value === null || value === undefined || value === "" ? [] : [html("dt", {}, name), html("dd", {}, value)]);
  const names = (list) => (list.length ? `${list.join(", ")} (values not shown)` : null);
  return [
    html("dt", { class: "query" }, "query"), html("dd", { class: "query" }, html("pre", {}, metadata.query)),
    ...fact("replicasQuery", metadata.replicasQuery), ...fact("serverAddress", metadata.serverAddress ?? "the scaler’s default"),
    ...fact("threshold", `${amount(metadata.threshold)} a pod`), ...fact("activationThreshold", amount(metadata.activationThreshold)),
    ...fact("leadTime", metadata.leadTime), ...fact("service level", `${metadata.serviceLevel}, the ${percent(metadata.quantile, 2)} quantile`),
    ...fact("historyTimeWindow", metadata.historyTimeWindow), ...fact("queryStep", metadata.queryStep), ...fact("mode", metadata.mode),
    ...fact("hpaTolerance", percent(metadata.hpaTolerance)), ...fact("season", metadata.season.length ? metadata.season.join(", ") : null),
    ...fact("model", metadata.model), ...fact("timezone", metadata.timezone), ...fact("credentials", metadata.credentials),
    ...fact("customHeaders", names(metadata.customHeaders)), ...fact("queryParameters", names(metadata.queryParameters)),
    ...fact("namespace", metadata.namespace), ...fact("ignoreNullValues", String(metadata.ignoreNullValues)),
    ...fact("unsafeSsl", metadata.unsafeSsl ? "true" : null), ...fact("timeout", metadata.timeout ?? "the scaler’s default"),
  ];
}
