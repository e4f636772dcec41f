// The frame of the page: which view is shown, the clock, and whether the server is still there.

import { listView } from "./list.js";
import { targetView } from "./target.js";
import { times } from "./format.js";
import { Store } from "./store.js";
import { write } from "./dom.js";

const main = document.getElementById("main");
const store = new Store();
let view = null;

/** `#/` is the list, `#/namespace/name/digest` one target. */
function route() {
  const parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  return parts.length === 3 ? { namespace: parts[0], name: parts[1], digest: parts[2] } : null;
}

function show(isFirst) {
  // `#main` is the skip link's, and no other place
  if (location.hash === "#main") return;
  const key = route();
  view?.leave();
  view = key ? targetView(store, key) : listView(store);
  document.title = key ? `${key.name} · Prescale` : "Prescale";
  main.replaceChildren(view.element);
  view.enter?.();
  if (!isFirst) main.focus({ preventScroll: true });
}

const clock = document.getElementById("clock");
const connection = document.getElementById("connection");
const lost = document.getElementById("lost");
const utc = times("UTC");
const WORDS = { live: "Live", lost: "Connection lost", connecting: "Connecting" };

function tick() {
  if (store.now === null) return;
  write(clock, `${utc.day(store.now)} ${utc.second(store.now)} UTC`);
  clock.dateTime = new Date(store.now).toISOString();
}

store.addEventListener("change", tick);
store.addEventListener("connection", () => {
  write(connection, WORDS[store.connection]);
  connection.parentElement.classList.toggle("live", store.connection === "live");
  connection.parentElement.classList.toggle("lost", store.connection === "lost");
  const since = store.now === null ? "" : ` This is what was known at ${utc.second(store.now)} UTC.`;
  write(lost, store.connection === "lost" ? `The server does not answer.${since}` : "");
  lost.hidden = store.connection !== "lost";
});

addEventListener("hashchange", () => show(false));
show(true);
store.start();
