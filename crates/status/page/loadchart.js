// The charts of one target: its load past and ahead, the pods, and how good the forecasts were.

import { amount, percent, whole } from "./format.js";
import { chart } from "./chart.js";
import { html } from "./dom.js";

const HOUR = 3600;

/** How much is shown: hours back and ahead. */
export const WINDOWS = [["2 hours", 1, 1], ["12 hours", 6, 6], ["2 days", 24, 24]];

const key = (name, text) => html("span", {}, html("i", { class: `k-${name}`, "aria-hidden": "true" }), text);

/** The range that is shown: `back` hours of what is kept, `ahead` hours of what is forecast. */
function range(detail, now, [, back, ahead]) {
  const { history, forecast } = detail;
  const kept = history.observed.length ? history.start : now;
  const end = forecast ? forecast.at[forecast.at.length - 1] : now;
  const from = Math.max(now - back * HOUR, Math.min(kept, now - 0.25 * HOUR));
  return { from, to: Math.max(Math.min(end, now + ahead * HOUR), now + 60) };
}

/** Points of one list of the history, from `from` on. */
function past({ start, step }, values, from) {
  return values.map((value, place) => (value === null ? null : [start + place * step, value])).filter((point) => !point || point[0] >= from);
}

/** The value of a forecast's list at `time`, along straight lines. */
function between(times, values, time) {
  const right = times.findIndex((at) => at >= time);
  if (right < 0) return null;
  if (right === 0) return values[0];
  const share = (time - times[right - 1]) / (times[right] - times[right - 1]);
  return values[right - 1] + share * (values[right] - values[right - 1]);
}

export function loadChart() {
  const drawn = chart({ height: 320, format: amount });
  const legend = html("p", { class: "legend" }, key("observed", "observed"), key("expected", "forecast a lead time before"), key("published", "published"),
    key("ahead", "forecast"), key("band", "5–95% and 25–75%"), key("promised", "promised quantile"));
  const draw = (detail, zone, window) => {
    const now = Date.parse(detail.now) / 1000;
    const { history, forecast, target } = detail;
    const { from, to } = range(detail, now, window);
    // a forecast begins at its origin: what is over by now is shown as what had been forecast
    const ahead = forecast && forecast.at[forecast.at.length - 1] > now ? [now, ...forecast.at.filter((at) => at > now && at < to), to] : [];
    const read = (values, at) => between(forecast.at, values, at) ?? values[values.length - 1];
    const line = (values) => ahead.map((at) => [at, read(values, at)]);
    const band = (low, high) => ahead.map((at) => [at, read(low, at), read(high, at)]);
    const spoken = `Load of ${target.name}: observed ${amount(target.observed)}, ${amount(target.expected)} expected a lead time ahead, ${amount(target.published)} published.`;
    drawn.draw({
      from, to, now, zone, label: `${spoken} Arrow keys read the chart.`,
      bands: forecast ? [{ name: "band", points: band(forecast.p05, forecast.p95) }, { name: "band-inner", points: band(forecast.p25, forecast.p75) }] : [],
      lines: [
        { name: "promised", points: past(history, history.promised, from) },
        { name: "expected", points: past(history, history.expected, from) },
        { name: "published", points: past(history, history.published, from) },
        { name: "observed", points: past(history, history.observed, from) },
        ...(forecast ? [{ name: "promised", points: line(forecast.promised) }, { name: "ahead", points: line(forecast.p50) }] : []),
      ],
      read(time) {
        if (time <= now) {
          const place = Math.round((time - history.start) / history.step);
          const at = (values) => amount(values[place]);
          return [["observed", at(history.observed)], ["had been forecast", at(history.expected)], [`${percent(target.promised)} forecast`, at(history.promised)], ["published", at(history.published)]];
        }
        if (!forecast) return [["forecast", "–"]];
        const at = (values) => amount(between(forecast.at, values, time));
        return [["forecast", at(forecast.p50)], ["25–75%", `${at(forecast.p25)} – ${at(forecast.p75)}`], ["5–95%", `${at(forecast.p05)} – ${at(forecast.p95)}`], [`${percent(target.promised)}`, at(forecast.promised)]];
      },
    });
  };
  return { element: html("div", {}, drawn.element, legend), draw, leave: drawn.leave };
}

export function podsChart() {
  const drawn = chart({ height: 130, format: whole });
  const draw = (detail, zone, window) => {
    const now = Date.parse(detail.now) / 1000;
    const { history, forecast, target } = detail;
    const { from, to } = range(detail, now, window);
    const planned = forecast
      ? forecast.at.map((at, place) => [at, Math.max(1, Math.ceil(forecast.promised[place] / target.threshold))]).filter(([at]) => at >= now && at <= to)
      : [];
    const spoken = `Pods of ${target.name}: about ${whole(target.replicas)} now, ${whole(target.pods)} asked for.`;
    drawn.draw({
      from, to, now, zone, step: history.step, label: `${spoken} Arrow keys read the chart.`,
      areas: [{ name: "pods-area", points: past(history, history.replicas, from) }, { name: "pods-planned", points: planned }],
      read(time) {
        if (time <= now) return [["pods, estimated", whole(history.replicas[Math.round((time - history.start) / history.step)])]];
        const promised = forecast ? between(forecast.at, forecast.promised, time) : null;
        return [["pods planned", promised === null ? "–" : whole(Math.max(1, Math.ceil(promised / target.threshold)))]];
      },
    });
  };
  return { element: drawn.element, draw, leave: drawn.leave };
}

export function accuracyChart() {
  const drawn = chart({ height: 170, format: amount });
  const legend = html("p", { class: "legend" }, key("ahead", "our forecast"), key("last-value", "the last value"), key("last-week", "last week"));
  const draw = ({ accuracy, now: present }, zone) => {
    const now = Date.parse(present) / 1000;
    const hours = accuracy.hours.map((hour) => ({ ...hour, at: Date.parse(hour.at) / 1000 }));
    const from = Math.min(hours[0]?.at ?? now, now - 6 * HOUR);
    const of = (field) => hours.map((hour) => (hour[field] === null ? null : [hour.at + HOUR / 2, hour[field]]));
    drawn.draw({
      from, to: now, now, zone, label: `Mean error hour by hour: ours ${amount(accuracy.error)}, the last value ${amount(accuracy.persistenceError)}, last week ${amount(accuracy.lastWeekError)}. Arrow keys read the chart.`,
      lines: [{ name: "last-week", points: of("lastWeekError") }, { name: "last-value", points: of("persistenceError") }, { name: "ahead", points: of("error") }],
      read(time) {
        const hour = hours.find(({ at }) => time >= at && time < at + HOUR);
        return [["our error", amount(hour?.error)], ["last value", amount(hour?.persistenceError)], ["last week", amount(hour?.lastWeekError)], ["coverage", percent(hour?.coverage)]];
      },
    });
  };
  return { element: html("div", {}, drawn.element, legend), draw, leave: drawn.leave };
}
