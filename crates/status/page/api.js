// What the server says: JSON when asked, and events as things change.

async function json(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw Object.assign(new Error(`${path}: ${answer.status}`), { status: answer.status });
  return answer.json();
}

export const targets = () => json("api/v1/targets");

export const path = ({ namespace, name, digest }) => [namespace, name, digest].map(encodeURIComponent).join("/");

export const target = (key) => json(`api/v1/targets/${path(key)}`);

const RETRY = 3000;

/** Listens until the page goes. `hello` and `reset` say that everything is to be read anew, `change` what changed. */
export function listen({ onHello, onChange, onLost }) {
  const source = new EventSource("api/v1/events");
  source.addEventListener("hello", onHello);
  source.addEventListener("reset", onHello);
  source.addEventListener("change", (message) => onChange(JSON.parse(message.data)));
  source.addEventListener("error", () => {
    onLost();
    // the browser tries again by itself, unless it was refused
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen({ onHello, onChange, onLost }), RETRY);
  });
}
