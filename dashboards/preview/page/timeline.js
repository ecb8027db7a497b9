// State timelines: stretches of equal state, one line for each series.
import { colorManipulator } from "@grafana/data";
import { add, FONT, showNothing } from "./elements.js";
import { alignSeries, themeOf } from "./fields.js";
import { timeTexts } from "./timeseries.js";

const STEPS = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800];

export function drawTimeline(panel, body, frames, model) {
  const found = alignSeries(panel, frames);
  if (!found.length) return showNothing(panel, body);
  if (panel.options?.showValue !== "never") throw new Error("the preview does not write values into timelines");
  const canvas = add(body, "canvas");
  const [width, height] = [canvas.width, canvas.height] = [body.clientWidth - 16, body.clientHeight - 8];
  const ctx = canvas.getContext("2d");
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  const left = Math.ceil(Math.max(...found.map(({ title }) => ctx.measureText(title).width))) + 12;
  const line = (height - 24) / found.length;
  const thickness = line * (panel.options.rowHeight ?? 0.9);
  const place = (at) => left + ((at - panel.start) / (panel.end - panel.start)) * (width - left - 8);
  const grey = themeOf(model.theme).colors.text.secondary;
  found.forEach(({ title, field, custom, values }, row) => {
    const middle = line * (row + 0.5);
    ctx.fillStyle = grey;
    ctx.textAlign = "right";
    ctx.fillText(title, left - 8, middle);
    for (const { value, from, to } of findStretches(values, panel)) {
      ctx.fillStyle = colorManipulator.alpha(field.display(value).color, (custom.fillOpacity ?? 70) / 100);
      ctx.fillRect(place(from), middle - thickness / 2, Math.max(1, place(to) - place(from)), thickness);
    }
  });
  const step = STEPS.find((one) => place(panel.start + one) - left > 90) ?? 604_800;
  const ticks = [];
  for (let at = Math.ceil(panel.start / step) * step; at < panel.end; at += step) ticks.push(at);
  ctx.fillStyle = grey;
  ctx.textAlign = "center";
  timeTexts(ticks).forEach((text, tick) => ctx.fillText(text, place(ticks[tick]), height - 9));
}

function findStretches(values, panel) {
  const step = panel.times.length > 1 ? (panel.times[1] - panel.times[0]) / 1000 : 0;
  const found = [];
  values.forEach((value, row) => {
    if (value == null) return;
    const from = panel.times[row] / 1000;
    const to = Math.min(from + step, panel.end);
    const last = found.at(-1);
    if (last?.value === value && last.to >= from) last.to = to;
    else found.push({ value, from, to });
  });
  return found;
}
