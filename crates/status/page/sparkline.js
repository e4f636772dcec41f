// The last hour in the size of a word.

import { svg } from "./dom.js";

const WIDTH = 120;
const HEIGHT = 28;

/** An SVG whose path `draw` sets from percents, null where nothing is known. */
export function sparkline() {
  const path = svg("path");
  const element = svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, path);
  let drawn = null;
  const draw = (values) => {
    const text = values.join();
    if (text === drawn) return;
    drawn = text;
    const known = values.filter((value) => value !== null);
    // the whole height for a load that moves, and a calm line for one that hardly does
    const low = Math.min(...known) * 0.9;
    const high = Math.max(...known, low + 1);
    const x = (place) => (values.length < 2 ? WIDTH : (place / (values.length - 1)) * WIDTH).toFixed(1);
    const y = (value) => (HEIGHT - 2 - ((value - low) / (high - low)) * (HEIGHT - 4)).toFixed(1);
    let isDown = false;
    const parts = values.map((value, place) => {
      if (value === null) {
        isDown = false;
        return "";
      }
      const part = `${isDown ? "L" : "M"}${x(place)} ${y(value)}`;
      isDown = true;
      return part;
    });
    path.setAttribute("d", parts.join(""));
  };
  return { element, draw };
}
