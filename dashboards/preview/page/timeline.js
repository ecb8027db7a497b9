// State timelines: one line of coloured time for each series.
import { colorManipulator } from "@grafana/data";
import uPlot from "uplot";
import { add, FONT, showNothing } from "./elements.js";
import { alignSeries, themeOf } from "./fields.js";
import { measureTexts, plotOptions, timeAxis } from "./timeseries.js";

export function drawTimeline(panel, body, frames, model) {
  const found = alignSeries(panel, frames);
  if (!found.length) return showNothing(panel, body);
  if (panel.options?.showValue !== "never") throw new Error("the preview does not write values into timelines");
  const theme = themeOf(model.theme);
  const middles = found.map((_, row) => row + 0.5);
  const names = {
    scale: "rows", side: 3, stroke: theme.colors.text.secondary, font: FONT, gap: 4, ticks: { show: false }, grid: { show: false },
    splits: () => middles, values: () => found.map(({ title }) => title), size: measureTexts,
  };
  const box = add(add(body, "div", "split"), "div", "chart");
  new uPlot({
    ...plotOptions(box),
    axes: [timeAxis(theme), names],
    scales: { x: { time: true, range: [panel.start, panel.end] }, rows: { range: [0, found.length], dir: -1 } },
    series: [{}, ...found.map(() => ({ scale: "rows", show: false }))],
    hooks: { draw: [(chart) => found.forEach((one, row) => drawRow(chart, panel, one, middles[row]))] },
  }, [panel.times.map((time) => time / 1000), ...found.map(({ values }) => values)], box);
}

function drawRow(chart, panel, { field, custom, values }, middle) {
  const half = (panel.options.rowHeight ?? 0.9) / 2;
  const [top, bottom] = [middle - half, middle + half].map((at) => chart.valToPos(at, "rows", true));
  const place = (time) => Math.round(chart.valToPos(Math.max(panel.start, time / 1000), "x", true));
  values.forEach((value, row) => {
    if (value == null) return;
    const [from, to] = [panel.times[row], panel.times[row + 1] ?? panel.end * 1000].map(place);
    chart.ctx.fillStyle = colorManipulator.alpha(field.display(value).color, (custom.fillOpacity ?? 70) / 100);
    chart.ctx.fillRect(from, top, to - from, bottom - top);
  });
}
