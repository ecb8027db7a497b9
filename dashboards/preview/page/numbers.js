// Stats and gauges.
import { textOf, reduceFrames, themeOf } from "./fields.js";
import { add, FAMILY } from "./elements.js";

export function drawStat(panel, body, frames, model) {
  const { options = {} } = panel;
  if ((options.colorMode ?? "value") !== "value" || (options.graphMode ?? "none") !== "none") {
    throw new Error("the preview only supports stats with coloured values and without a graph");
  }
  const entries = reduceFrames(panel, frames, model.theme);
  const box = add(body, "div", "values");
  for (const { display } of entries) drawStatValue(display, options, entries.length, add(box, "div", "value"), model);
}

function drawStatValue(display, { textMode = "auto", text: sizes = {} }, count, box, model) {
  const [width, height] = [box.clientWidth - 16, box.clientHeight - 8];
  const isName = textMode === "name";
  const named = isName || (textMode === "auto" && count > 1);
  if (named) {
    const name = add(box, "div", "name", display.title);
    name.style.fontSize = `${sizes.titleSize ?? fitText(display.title, width, height * 0.3, 18)}px`;
    name.style.color = isName ? display.color : themeOf(model.theme).colors.text.primary;
  }
  if (isName) return;
  const number = add(box, "div", "number", `${display.prefix ?? ""}${display.text}`);
  if (display.suffix) add(number, "small", "", display.suffix);
  number.style.color = display.color;
  number.style.fontSize = `${sizes.valueSize ?? fitText(textOf(display), width, height * (named ? 0.6 : 0.75), 56)}px`;
}

// Returns the largest size of type with which a text stays within a box.
function fitText(text, width, height, most) {
  const ctx = document.createElement("canvas").getContext("2d");
  ctx.font = `500 100px ${FAMILY}`;
  const share = width / Math.max(1, ctx.measureText(text).width);
  return Math.max(10, Math.floor(Math.min(most, height / 1.15, share * 100)));
}

export function drawGauge(panel, body, frames, model) {
  const entries = reduceFrames(panel, frames, model.theme);
  const theme = themeOf(model.theme);
  const box = add(body, "div", "values");
  for (const { display, field } of entries) {
    const [low, high] = [field.min ?? 0, field.max ?? 100];
    const shareOf = (value) => Math.max(0, Math.min(1, ((value || 0) - low) / (high - low)));
    const marks = field.thresholds.steps.map(({ value, color }, index) => (
      arc(55, index ? shareOf(value) : 0, 1, theme.visualization.getColorByName(color), 2.5)));
    const text = textOf(display);
    const one = add(box, "div", "value");
    one.innerHTML = `<svg viewBox="0 0 120 84">${arc(46, 0, 1, theme.colors.background.secondary, 13)}
      ${arc(46, 0, Math.max(0.004, shareOf(display.numeric)), display.color, 13)}${marks.join("")}
      <text x="60" y="66" text-anchor="middle" font-size="${Math.min(20, 150 / Math.max(4, text.length))}"
        font-weight="500" fill="${display.color}"></text></svg>`;
    one.querySelector("text").textContent = text;
    if (entries.length > 1) add(one, "div", "name", display.title);
  }
}

// Draws part of a ring, from lower left over the top to lower right.
function arc(radius, from, to, colour, width) {
  const [x, y] = [radius * Math.cos(Math.PI / 10), 62 + radius * Math.sin(Math.PI / 10)];
  return `<path d="M ${60 - x} ${y} A ${radius} ${radius} 0 1 1 ${60 + x} ${y}" pathLength="1" fill="none"
    stroke="${colour}" stroke-width="${width}" stroke-dasharray="0 ${from} ${to - from} 1"/>`;
}
