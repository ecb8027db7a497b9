// Time series, drawn with uPlot as in Grafana.
import { colorManipulator, dateTimeFormat, getFieldSeriesColor } from "@grafana/data";
import uPlot from "uplot";
import { add, FONT, showNothing } from "./elements.js";
import { alignSeries, textOf, themeOf } from "./fields.js";

const { alpha } = colorManipulator;
const scaleOf = ({ config }) => `y ${config.unit ?? ""}`;

export function drawTimeseries(panel, body, frames, model) {
  const found = alignSeries(panel, frames);
  if (!found.length) return showNothing(panel, body);
  const theme = themeOf(model.theme);
  for (const one of found) one.colour = getFieldSeriesColor(one.field, theme).color;
  const below = stackSeries(found);
  const chart = addLegend(panel, found, body);
  const scales = Map.groupBy(found, scaleOf);
  // Of stacked bars the highest sum is drawn first, the lowest last.
  const order = found.map((_, index) => index);
  const bars = found.some(({ custom }) => custom.drawStyle === "bars");
  if (bars) order.reverse();
  const place = (index) => order.indexOf(index) + 1;
  new uPlot({
    ...plotOptions(chart),
    axes: [timeAxis(theme), ...[...scales].map(([scale, [one]], number) => valueAxis(scale, one, number, theme))],
    scales: {
      x: { time: true, range: [panel.start, panel.end] },
      ...Object.fromEntries([...scales].map(([scale, members]) => [scale, { range: rangeOf(members[0]) }])),
    },
    series: [{}, ...order.map((index) => lineOf(found[index], below.has(index)))],
    bands: bars ? [] : [...below].map(([upper, lower]) => ({
      series: [place(upper), place(lower)], dir: -1, fill: fillOf(found[upper]),
    })),
    hooks: {
      drawAxes: [(chart) => drawThresholds(chart, found[0], theme)],
      draw: [(chart) => drawAnnotations(chart, model.annotations, theme)],
    },
  }, [panel.times.map((time) => time / 1000), ...order.map((index) => found[index].drawn)], chart);
}

export const plotOptions = (box) => ({
  width: box.clientWidth, height: box.clientHeight, padding: [8, 18, 0, 0], legend: { show: false }, cursor: { show: false },
  tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
});

// Adds up what is stacked. Returns which series lies below which.
export function stackSeries(found) {
  const tops = new Map();
  const below = new Map();
  found.forEach((one, index) => {
    one.drawn = one.values;
    const { mode = "none", group } = one.custom.stacking ?? {};
    if (mode === "none") return;
    if (mode !== "normal") throw new Error(`the preview does not support the stacking ${mode}`);
    const top = tops.get(group);
    if (top !== undefined) {
      one.drawn = one.values.map((value, row) => (value ?? 0) + (found[top].drawn[row] ?? 0));
      below.set(index, top);
    }
    tops.set(group, index);
  });
  return below;
}

function rangeOf({ config, custom }) {
  return (_, low, high) => {
    const min = Math.min(low ?? 0, custom.axisSoftMin ?? Infinity);
    const max = Math.max(high ?? 1, custom.axisSoftMax ?? -Infinity);
    const soft = { pad: 0.1, soft: 0, mode: 3 };
    const range = uPlot.rangeNum(min, max === min ? min + 1 : max, { min: soft, max: soft });
    if (low >= config.min) range[0] = config.min;
    if (high <= config.max) range[1] = config.max;
    return range;
  };
}

// Writes ticks with as few decimals as keep them apart.
function tickTexts(values, field) {
  const texts = (decimals) => values.map((value) => (value == null ? "" : textOf(field.display(value, decimals))));
  const { decimals } = field.config;
  if (decimals != null) return texts(decimals);
  return [0, 1, 2].map(texts).find((found) => new Set(found).size === found.length) ?? texts(3);
}

function timeTexts(seconds) {
  const days = seconds.length > 1 && seconds.at(-1) - seconds[0] > 2 * 86_400;
  return seconds.map((at) => dateTimeFormat(at * 1000, { format: days ? "MM/DD HH:mm" : "HH:mm", timeZone: "utc" }));
}

export const timeAxis = (theme) => ({
  stroke: theme.colors.text.secondary, font: FONT, grid: { stroke: theme.colors.border.weak, width: 1 },
  ticks: { show: false }, values: (_, splits) => timeTexts(splits), space: 90, size: 24, gap: 4,
});

const valueAxis = (scale, one, number, theme) => ({
  scale, side: number ? 1 : 3, stroke: theme.colors.text.secondary, font: FONT, gap: 4, space: 34,
  // Ticks of bytes stand at powers of two.
  incrs: one.config.unit === "bytes" ? Array.from({ length: 50 }, (_, power) => 2 ** power) : undefined,
  ticks: { show: false }, grid: { show: !number, stroke: theme.colors.border.weak, width: 1 },
  values: (_, splits) => tickTexts(splits, one.field),
  size: measureTexts,
});

export function measureTexts(chart, texts) {
  if (!texts) return 40;
  chart.ctx.font = FONT;
  return Math.ceil(Math.max(...texts.map((text) => chart.ctx.measureText(text).width)) / devicePixelRatio) + 12;
}

const fillOf = ({ colour, custom }) => alpha(colour, (custom.fillOpacity ?? 0) / 100);

function lineOf(one, stacked) {
  const { custom, colour } = one;
  const bars = custom.drawStyle === "bars";
  return {
    scale: scaleOf(one), label: one.title, stroke: colour, width: custom.lineWidth ?? 1,
    fill: custom.fillOpacity && (bars || !stacked) ? fillOf(one) : undefined,
    dash: custom.lineStyle?.fill === "dash" ? custom.lineStyle.dash : undefined,
    paths: bars ? uPlot.paths.bars({ size: [0.9, 60] }) : uPlot.paths.linear(), points: { show: false },
  };
}

function drawThresholds(chart, one, theme) {
  const { mode = "off" } = one.custom.thresholdsStyle ?? {};
  if (!["off", "dashed"].includes(mode)) throw new Error(`the preview does not support the thresholds style ${mode}`);
  const { left, width } = chart.bbox;
  const { min, max } = chart.scales[scaleOf(one)];
  for (const { value, color } of mode === "off" ? [] : one.config.thresholds.steps) {
    if (value <= min || value >= max) continue;
    const y = chart.valToPos(value, scaleOf(one), true);
    strokeLine(chart.ctx, alpha(theme.visualization.getColorByName(color), 0.85), 1.5, [10, 8], [left, y], [left + width, y]);
  }
}

function drawAnnotations(chart, annotations, theme) {
  const { left, top, width, height } = chart.bbox;
  const place = (at) => Math.max(left, Math.min(left + width, chart.valToPos(at, "x", true)));
  for (const { start, end, color } of annotations) {
    const [from, to] = [place(start), place(end)];
    const colour = theme.visualization.getColorByName(color);
    chart.ctx.fillStyle = alpha(colour, 0.1);
    chart.ctx.fillRect(from, top, to - from, height);
    for (const x of new Set([from, to])) strokeLine(chart.ctx, colour, 1, [4, 4], [x, top], [x, top + height]);
    chart.ctx.fillStyle = colour;
    chart.ctx.fillRect(from, top + height, Math.max(3, to - from), 4);
  }
}

function strokeLine(ctx, strokeStyle, lineWidth, dash, from, to) {
  ctx.save();
  Object.assign(ctx, { strokeStyle, lineWidth });
  ctx.setLineDash(dash);
  ctx.stroke(new Path2D(`M ${from} L ${to}`));
  ctx.restore();
}

function addLegend(panel, found, body) {
  const split = add(body, "div", "split");
  const chart = add(split, "div", "chart");
  const { showLegend = true, displayMode = "list", placement = "bottom" } = panel.options?.legend ?? {};
  if (!showLegend || displayMode !== "list" || placement !== "bottom") throw new Error("the preview only supports lists below as legends");
  const box = add(split, "div", "legend");
  for (const { title, colour } of found) {
    const item = add(box, "span");
    add(item, "i").style.background = colour;
    item.append(title);
  }
  box.style.maxHeight = `${body.clientHeight / 2}px`;
  return chart;
}
