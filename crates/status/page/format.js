// How numbers, times and states are written.

const NONE = "–";

/** A load with as many digits as people read. */
export function amount(value) {
  if (value === null || value === undefined) return NONE;
  const size = Math.abs(value);
  const digits = size >= 1000 || size === 0 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

export const whole = (value) => (value === null || value === undefined ? NONE : value.toLocaleString("en"));

export function percent(share, digits = 1) {
  if (share === null || share === undefined) return NONE;
  return `${(share * 100).toLocaleString("en", { maximumFractionDigits: digits })}%`;
}

/** A skill with its sign: of what the other lost, +36% was avoided. */
export function skill(share) {
  if (share === null || share === undefined) return NONE;
  const rounded = Math.round(share * 100);
  return `${rounded > 0 ? "+" : rounded < 0 ? "−" : ""}${Math.abs(rounded)}%`;
}

/** A span in one or two units: 9s, 4m, 3h 20m, 5d. */
export function span(seconds) {
  const left = Math.max(0, Math.round(seconds));
  if (left < 60) return `${left}s`;
  if (left < 3600) return `${Math.floor(left / 60)}m`;
  if (left < 86400) {
    const minutes = Math.floor((left % 3600) / 60);
    return `${Math.floor(left / 3600)}h${minutes ? ` ${minutes}m` : ""}`;
  }
  return `${Math.floor(left / 86400)}d`;
}

const formats = new Map();

/** Writes times in `zone`: `clock` 15:04, `second` 15:04:05, `date` 18 Mar, `day` Wed 18 Mar. */
export function times(zone) {
  if (!formats.has(zone)) {
    const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
    const clock = format({ hour: "2-digit", minute: "2-digit" });
    const second = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
    const date = format({ day: "numeric", month: "short" });
    const day = format({ weekday: "short", day: "numeric", month: "short" });
    formats.set(zone, {
      zone,
      clock: (time) => clock.format(time),
      second: (time) => second.format(time),
      day: (time) => day.format(time),
      date: (time) => date.format(time),
    });
  }
  return formats.get(zone);
}

/** The states, as people read them, worst first. */
export const STATES = [
  ["silent", "No answer"],
  ["degraded", "Degraded"],
  ["learning", "Learning"],
  ["shadow", "Shadow"],
  ["reactive", "Reactive"],
  ["predicting", "Predicting"],
];

const names = new Map(STATES);

export const state = (name) => names.get(name) ?? name;
export const severity = (name) => STATES.findIndex(([known]) => known === name);

const EVENTS = {
  "first-seen": "First seen",
  "source-failing": "Source failing",
  "source-answering": "Source answering",
  "model-chosen": "Model chosen",
  refit: "Fitted anew",
  demoted: "Demoted",
  reinstated: "Reinstated",
  weakened: "On less",
  restored: "Restored",
  "no-answer": "No answer",
  "level-shift": "Level shift",
  "level-shift-ended": "Level shift over",
};

export const event = (kind) => EVENTS[kind] ?? kind;
