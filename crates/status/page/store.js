// What is known of all targets, kept true by the server's events.

import * as api from "./api.js";

export const key = ({ namespace, name, digest }) => `${namespace}/${name}/${digest}`;

/** The targets by key, the server's time, and how the connection is. */
export class Store extends EventTarget {
  targets = new Map();
  now = null;
  connection = "connecting";

  start() {
    api.listen({
      onHello: () => this.readAll(),
      onChange: (change) => this.take(change),
      onLost: () => this.connected("lost"),
    });
  }

  async readAll() {
    try {
      const { now, targets } = await api.targets();
      this.targets = new Map(targets.map((target) => [key(target), target]));
      this.now = Date.parse(now);
      this.connected("live");
      this.tell(null);
    } catch {
      this.connected("lost");
    }
  }

  take({ now, changed, gone }) {
    for (const target of changed) this.targets.set(key(target), target);
    for (const target of gone) this.targets.delete(key(target));
    this.now = Date.parse(now);
    this.connected("live");
    this.tell(new Set([...changed, ...gone].map(key)));
  }

  connected(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    this.dispatchEvent(new Event("connection"));
  }

  /** `keys` are those that changed; null says all of them. */
  tell(keys) {
    this.dispatchEvent(new CustomEvent("change", { detail: keys }));
  }
}
