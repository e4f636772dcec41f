// All targets: searched, filtered, sorted. Only the rows in sight are in the document.

import { amount, percent, severity, skill, span, state, STATES, whole } from "./format.js";
import { html, write } from "./dom.js";
import { key } from "./store.js";
import { path } from "./api.js";
import { sparkline } from "./sparkline.js";

const COLUMNS = [
  { id: "name", label: "Target", of: (t) => `${t.name}\u0000${t.namespace}`, isText: true },
  { id: "state", label: "State", of: (t) => severity(t.state), ascending: true },
  { id: "trend", label: "Last hour" },
  { id: "observed", label: "Observed", of: (t) => t.observed, cell: (t) => amount(t.observed) },
  { id: "expected", label: "Forecast", title: "Expected a lead time ahead", of: (t) => t.expected, cell: (t) => amount(t.expected) },
  { id: "published", label: "Published", title: "The value that KEDA gets", of: (t) => t.published, cell: (t) => amount(t.published) },
  { id: "pods", label: "Pods", title: "Pods that the published value asks for", of: (t) => t.pods, cell: (t) => whole(t.pods) },
  { id: "model", label: "Model", of: (t) => t.model ?? "", isText: true, isWide: true, cell: (t) => t.model ?? "–" },
  { id: "skill", label: "Skill", title: "How much less than the last value the forecasts lately lost, a lead time ahead", of: (t) => t.skillOverPersistence, isWide: true, cell: (t) => skill(t.skillOverPersistence) },
  { id: "coverage", label: "Coverage", title: "Share of the loads within the 99% forecast", of: (t) => t.coverage99, isWide: true, cell: (t) => percent(t.coverage99) },
];

const OVERSCAN = 8;

// what was chosen outlives a visit to a target
const chosen = { search: "", state: null, sort: "name", ascending: true };

export function listView(store) {
  const search = html("input", {
    class: "search", type: "search", placeholder: "Search name, namespace, model, reason", "aria-label": "Search targets", value: chosen.search,
    oninput: () => { chosen.search = search.value; arrange(); },
  });
  const chips = html("div", { class: "chips", role: "group", "aria-label": "Show" });
  const select = html("select", { "aria-label": "Sort by", onchange: () => sortBy(select.value) },
    COLUMNS.filter((column) => column.of).map((column) => html("option", { value: column.id }, column.label)));
  const heads = COLUMNS.map((column) => html("div", {
    role: "columnheader", class: `${column.isText || !column.cell ? "" : "number"} ${column.isWide ? "wide-only" : ""} ${column.id}`,
    title: column.title,
  }, column.of ? html("button", { type: "button", onclick: () => sortBy(column.id) }, column.label) : html("span", { class: "quiet" }, column.label)));
  const rows = html("div", { class: "rows", role: "rowgroup" });
  const table = html("div", { class: "list", role: "table", "aria-label": "Targets" },
    html("div", { role: "rowgroup" }, html("div", { class: "row head", role: "row", "aria-rowindex": "1" }, heads)), rows);
  const empty = html("div", { class: "list empty", hidden: true });
  const found = html("p", { class: "visually-hidden", role: "status" });
  const element = html("div", {},
    html("div", { class: "controls" }, html("h1", {}, "Targets"), chips, html("label", { class: "sorting" }, "Sort by ", select), search),
    found, table, empty);

  let order = [];
  let height = 0;
  const shown = new Map();

  function sortBy(id) {
    const column = COLUMNS.find((known) => known.id === id);
    const first = column.isText || column.ascending;
    chosen.ascending = chosen.sort === id ? !chosen.ascending : Boolean(first);
    chosen.sort = id;
    arrange();
  }

  /** Which targets are shown, in which order. */
  function arrange() {
    const words = chosen.search.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = (t) => {
      const text = `${t.namespace}/${t.name} ${t.model ?? ""} ${t.demoted ? `demoted ${t.demoted}` : ""} ${t.reasonText} ${t.mode} ${t.error ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    };
    const all = [...store.targets.values()].filter(matches);
    const column = COLUMNS.find((known) => known.id === chosen.sort);
    const wanted = chosen.state ? all.filter((t) => t.state === chosen.state) : all;
    const decorated = wanted.map((t) => ({ key: key(t), by: column.of(t) }));
    const sign = chosen.ascending ? 1 : -1;
    decorated.sort((a, b) => {
      // what is not known comes last, whichever way
      if (a.by === null || b.by === null) return (a.by === null) - (b.by === null) || (a.key < b.key ? -1 : 1);
      return a.by < b.by ? -sign : a.by > b.by ? sign : a.key < b.key ? -1 : 1;
    });
    order = decorated.map((one) => one.key);
    drawChips(all);
    heads.forEach((head, place) => {
      const { id, of } = COLUMNS[place];
      if (of) head.setAttribute("aria-sort", id !== chosen.sort ? "none" : chosen.ascending ? "ascending" : "descending");
    });
    select.value = chosen.sort;
    table.setAttribute("aria-rowcount", order.length + 1);
    table.hidden = order.length === 0;
    empty.hidden = order.length > 0;
    if (order.length === 0) drawEmpty();
    write(found, `${order.length} of ${store.targets.size} targets`);
    measure();
    draw();
  }

  function drawChips(all) {
    const counts = new Map();
    for (const t of all) counts.set(t.state, (counts.get(t.state) ?? 0) + 1);
    const wanted = [[null, "All", all.length], ...STATES.filter(([id]) => counts.has(id) || id === chosen.state).map(([id, label]) => [id, label, counts.get(id) ?? 0])];
    const signature = JSON.stringify([wanted, chosen.state]);
    if (chips.dataset.drawn === signature) return;
    chips.dataset.drawn = signature;
    const focused = [...chips.children].indexOf(document.activeElement);
    chips.replaceChildren(...wanted.map(([id, label, count]) => html("button", {
      type: "button", class: "chip", "aria-pressed": String(chosen.state === id), onclick: () => { chosen.state = id; arrange(); },
    }, label, " ", html("span", { class: "count" }, whole(count)))));
    if (focused >= 0) chips.children[Math.min(focused, chips.children.length - 1)].focus();
  }

  function drawEmpty() {
    const [title, text] = store.targets.size > 0
      ? ["No target matches", "Search for something else, or show all of them."]
      : store.connection === "live"
        ? ["KEDA has asked for no target yet", "Targets appear here as soon as a ScaledObject with an external trigger points at this scaler."]
        : ["Reading the targets", "One moment."];
    empty.replaceChildren(html("h2", {}, title), html("p", {}, text));
  }

  /** Rows have one height, which the style sheet says. */
  function measure() {
    if (shown.size === 0 && order.length > 0) place(order[0], 0);
    const first = shown.values().next().value;
    height = first?.element.offsetHeight ?? 0;
    rows.style.height = `${height * order.length}px`;
  }

  /** Has the rows in sight, and some around them, in the document. */
  function draw() {
    if (!height) return;
    const above = -rows.getBoundingClientRect().top;
    const from = Math.max(0, Math.floor(above / height) - OVERSCAN);
    const to = Math.min(order.length, Math.ceil((above + innerHeight) / height) + OVERSCAN);
    const inSight = new Set(order.slice(from, to));
    for (const [known, row] of shown) {
      // who has the focus keeps it
      if (!inSight.has(known) && !(row.element.contains(document.activeElement) && order.includes(known))) {
        row.element.remove();
        shown.delete(known);
      }
    }
    for (let index = from; index < to; index += 1) place(order[index], index);
  }

  function place(id, index) {
    let row = shown.get(id);
    if (!row) {
      row = makeRow(store.targets.get(id));
      shown.set(id, row);
      rows.append(row.element);
    }
    row.update(store.targets.get(id), store.now);
    row.element.style.transform = `translateY(${height * index}px)`;
    row.element.setAttribute("aria-rowindex", index + 2);
  }

  let isDue = false;
  const soon = () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      draw();
    });
  };
  const resized = () => {
    measure();
    draw();
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", resized);
  store.addEventListener("change", arrange);
  store.addEventListener("connection", arrange);

  return {
    element,
    enter: arrange,
    leave() {
      removeEventListener("scroll", soon);
      removeEventListener("resize", resized);
      store.removeEventListener("change", arrange);
      store.removeEventListener("connection", arrange);
    },
  };
}

function makeRow(target) {
  const link = html("a", { href: `#/${path(target)}` }, target.name);
  const note = html("small");
  const badge = html("span", { class: "state" });
  const demoted = html("span", { class: "state demoted", hidden: true }, "Demoted");
  const spark = sparkline();
  const cells = COLUMNS.slice(3).map((column) => html("div", {
    role: "cell", class: `cell ${column.id} ${column.isText ? "" : "number"} ${column.isWide ? "wide-only" : ""}`, "data-label": column.label,
  }));
  const element = html("div", { class: "row", role: "row" },
    html("div", { role: "cell", class: "cell who" }, link, note),
    html("div", { role: "cell", class: "cell how" }, badge, demoted),
    html("div", { role: "cell", class: "cell trend" }, spark.element),
    cells);
  let last = null;
  const update = (t, now) => {
    const age = t.observedAt && now ? (now - Date.parse(t.observedAt)) / 1000 : null;
    const late = age !== null && age > 120 ? ` · last load ${span(age)} ago` : "";
    write(note, `${t.namespace}${late}`);
    if (t === last) return;
    last = t;
    write(badge, state(t.state));
    badge.className = `state ${t.state}`;
    badge.title = t.error ?? t.reasonText;
    demoted.hidden = !t.demoted;
    demoted.title = t.demoted ? `${t.model} stands in for ${t.demoted}, whose forecasts came out worse` : "";
    spark.draw(t.sparkline);
    COLUMNS.slice(3).forEach((column, place) => write(cells[place], column.cell(t)));
    cells.forEach((cell) => {
      if (cell.classList.contains("skill")) cell.classList.toggle("below", t.skillOverPersistence !== null && t.skillOverPersistence < 0);
    });
  };
  return { element, update };
}
