// Time series, through uPlot as in Grafana itself.
"use strict";

const DASH = { dash: (style) => style.dash ?? [10, 10], dot: (style) => style.dash ?? [0, 10] };
const LINES = { linear: () => uPlot.paths.linear(), smooth: () => uPlot.paths.spline(), stepAfter: () => uPlot.paths.stepped({ align: 1 }), stepBefore: () => uPlot.paths.stepped({ align: -1 }) };
const FONT = "12px Inter, Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif";

// The panel's series on one grid of times, with their configuration.
function seriesOf(panel) {
  const found = [];
  for (const frame of panel.frames) {
    const times = frame.columns.find((one) => one.kind === "time");
    for (const column of frame.columns) {
      if (!times || column.kind !== "number") continue;
      const config = configure(panel, column);
      if (config.custom.hideFrom?.viz) continue;
      const at = new Map(times.values.map((time, row) => [time, column.values[row]]));
      found.push({ column, config, at, title: titleOf(column, config) });
    }
  }
  found.forEach((one, index) => {
    const own = one.config.color?.mode;
    const byName = own === "palette-classic-by-name";
    one.raw = panel.times.map((time) => one.at.get(time) ?? null);
    const last = reduceBy("lastNotNull", one.raw);
    const place = byName ? [...one.title].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) >>> 0, 7) : index;
    one.colour = colourOf(last, { ...one.config, color: one.config.color ?? { mode: "palette-classic" } }, place);
    one.custom = one.config.custom;
    one.sign = one.custom.transform === "negative-Y" ? -1 : 1;
    one.values = one.raw.map((value) => (value == null ? null : value * one.sign));
  });
  return found;
}

// Adds up what is stacked: by group and sign. Returns the pairs to fill between.
function stack(found) {
  const tops = new Map();
  const bands = [];
  found.forEach((one, index) => {
    const mode = one.custom.stacking?.mode;
    one.drawn = one.values;
    if (!mode || mode === "none") return;
    const key = `${one.custom.stacking.group ?? "A"}${one.sign}`;
    const below = tops.get(key);
    if (below) {
      one.drawn = one.values.map((value, row) => (value ?? 0) + (below.sums[row] ?? 0));
      bands.push([index, below.index]);
    }
    tops.set(key, { index, sums: one.drawn.map((value) => value ?? 0) });
  });
  for (const one of found) {
    if (one.custom.stacking?.mode !== "percent") continue;
    const key = `${one.custom.stacking.group ?? "A"}${one.sign}`;
    const { sums } = tops.get(key);
    one.drawn = one.drawn.map((value, row) => (sums[row] ? value / sums[row] : 0));
  }
  return bands;
}

function rangeOf(found) {
  const { config } = found[0];
  return (_, low, high) => {
    let [min, max] = [low, high];
    if (min == null) [min, max] = [0, 1];
    min = Math.min(min, config.custom.axisSoftMin ?? Infinity);
    max = Math.max(max, config.custom.axisSoftMax ?? -Infinity);
    const soft = { pad: 0.1, soft: 0, mode: 3 };
    const range = uPlot.rangeNum(min, max === min ? min + 1 : max, { min: soft, max: soft });
    if (config.min != null && low >= config.min) range[0] = config.min;
    if (config.max != null && high <= config.max) range[1] = config.max;
    if (config.custom.axisCenteredZero) {
      const far = Math.max(...range.map(Math.abs));
      return [-far, far];
    }
    return range;
  };
}

function axisText(values, config) {
  const step = Math.abs((values[1] ?? 1) - (values[0] ?? 0));
  const texts = (decimals) => values.map((one) => {
    if (one == null) return "";
    const mapped = mapping(one, config);
    return mapped?.text ?? format(one, config.unit, decimals).join("");
  });
  if (config.decimals != null) return texts(config.decimals);
  for (const decimals of [0, 1, 2, 3]) {
    const found = texts(decimals);
    if (new Set(found).size === found.length || step === 0) return found;
  }
  return texts(null);
}

// Ticks at round numbers of the unit: of bytes, multiples of powers of two.
function roundSteps(config) {
  if (!["bytes", "binBps"].includes(config.unit)) return undefined;
  const steps = [];
  for (let power = 0; power < 50; power += 1) steps.push(2 ** power);
  return steps;
}

function timeText(_, splits) {
  const wide = splits.length > 1 && splits.at(-1) - splits[0] > 2 * 86400;
  return splits.map((at) => {
    const text = clock(at * 1000);
    return wide && splits[1] - splits[0] >= 43200 ? text.slice(5, 10).replace("-", "/") : wide ? `${text.slice(5, 10).replace("-", "/")} ${text.slice(11, 16)}` : text.slice(11, 16);
  });
}

function areas(chart, panel, found) {
  const { config } = found[0];
  const style = config.custom.thresholdsStyle?.mode ?? "off";
  if (!style.includes("area") && !style.includes("line") && !style.includes("dashed")) return;
  const steps = stepsOf(config);
  const { left, top, width, height } = chart.bbox;
  const place = (value) => Math.max(top, Math.min(top + height, chart.valToPos(value, scaleOf(found[0]), true)));
  chart.ctx.save();
  steps.forEach((step, index) => {
    const low = place(step.value === -Infinity ? chart.scales[scaleOf(found[0])].min : step.value);
    const high = place(steps[index + 1]?.value ?? chart.scales[scaleOf(found[0])].max);
    if (style.includes("area")) {
      chart.ctx.fillStyle = faded(step.color, 0.09);
      chart.ctx.fillRect(left, high, width, low - high);
    }
    const inside = step.value > chart.scales[scaleOf(found[0])].min && step.value < chart.scales[scaleOf(found[0])].max;
    if (inside && (style.includes("line") || style.includes("dashed"))) {
      chart.ctx.strokeStyle = faded(step.color, 0.85);
      chart.ctx.lineWidth = 1.5;
      chart.ctx.setLineDash(style.includes("dashed") ? [10, 8] : []);
      chart.ctx.beginPath();
      chart.ctx.moveTo(left, low);
      chart.ctx.lineTo(left + width, low);
      chart.ctx.stroke();
    }
  });
  chart.ctx.restore();
}

function annotations(chart) {
  const { left, top, width, height } = chart.bbox;
  const place = (at) => Math.max(left, Math.min(left + width, chart.valToPos(at, "x", true)));
  chart.ctx.save();
  for (const { start, end, colour } of MODEL.annotations) {
    const [from, to] = [place(start), place(end)];
    const painted = paint(colour);
    chart.ctx.fillStyle = faded(painted, 0.1);
    chart.ctx.fillRect(from, top, to - from, height);
    chart.ctx.strokeStyle = painted;
    chart.ctx.setLineDash([4, 4]);
    chart.ctx.lineWidth = 1;
    for (const x of new Set([from, to])) {
      chart.ctx.beginPath();
      chart.ctx.moveTo(x, top);
      chart.ctx.lineTo(x, top + height);
      chart.ctx.stroke();
    }
    chart.ctx.fillStyle = painted;
    chart.ctx.fillRect(from, top + height, Math.max(3, to - from), 4);
  }
  chart.ctx.restore();
}

const scaleOf = (one) => `y ${one.config.unit ?? ""} ${one.custom.axisPlacement === "right"}`;

function axesOf(found) {
  const axes = [{
    stroke: FAINT, font: FONT, grid: { stroke: GRID, width: 1 }, ticks: { show: false },
    values: timeText, space: 90, size: 24, gap: 4,
  }];
  const scales = new Map();
  for (const one of found) if (!scales.has(scaleOf(one))) scales.set(scaleOf(one), one);
  let number = 0;
  for (const [scale, one] of scales) {
    const right = one.custom.axisPlacement === "right" || (number > 0 && one.custom.axisPlacement !== "left");
    axes.push({
      scale, side: right ? 1 : 3, stroke: FAINT, font: FONT, gap: 4, space: 34, incrs: roundSteps(one.config),
      show: one.custom.axisPlacement !== "hidden", ticks: { show: false },
      grid: { show: !right, stroke: GRID, width: 1 },
      label: one.custom.axisLabel || undefined, labelFont: FONT, labelSize: 18, labelGap: 0,
      values: (_, splits) => axisText(splits, one.config),
      size: (chart, values) => {
        if (!values) return 40;
        chart.ctx.font = FONT;
        return Math.ceil(Math.max(...values.map((text) => chart.ctx.measureText(text).width)) / devicePixelRatio) + 12;
      },
    });
    number += 1;
  }
  return [axes, scales];
}

function lineOf(one, stacked) {
  const { custom } = one;
  const bars = custom.drawStyle === "bars";
  const width = custom.lineWidth ?? 1;
  const opacity = (custom.fillOpacity ?? 0) / 100;
  const gradient = custom.gradientMode && custom.gradientMode !== "none";
  const fill = (chart) => {
    if (!gradient) return faded(one.colour, opacity);
    const ramp = chart.ctx.createLinearGradient(0, chart.bbox.top, 0, chart.bbox.top + chart.bbox.height);
    ramp.addColorStop(0, faded(one.colour, opacity));
    ramp.addColorStop(1, faded(one.colour, opacity / 8));
    return ramp;
  };
  const dash = custom.lineStyle?.fill;
  const paths = bars ? uPlot.paths.bars({ size: [0.9, 60], align: custom.barAlignment ?? 0 }) : (LINES[custom.lineInterpolation] ?? LINES.linear)();
  return {
    scale: scaleOf(one), label: one.title, stroke: one.colour,
    width: custom.drawStyle === "points" ? 0 : width,
    fill: opacity && !(stacked && !bars) ? fill : undefined,
    dash: DASH[dash]?.(custom.lineStyle), paths: custom.drawStyle === "points" ? () => null : paths,
    spanGaps: custom.spanNulls === true,
    points: { show: custom.drawStyle === "points" || custom.showPoints === "always", size: custom.pointSize ?? 5, fill: one.colour },
  };
}

function drawTimeseries(panel, body) {
  const found = seriesOf(panel);
  if (!found.some((one) => one.values.some(isNumber))) return nothing(panel, body);
  const bands = stack(found);
  const chart = legendAround(panel, found, body);
  const [axes, scales] = axesOf(found);
  const order = found.map((_, index) => index);
  const bars = found.some((one) => one.custom.drawStyle === "bars");
  if (bars) order.reverse(); // the sums are drawn first, the lowest bar last
  const at = new Map(order.map((index, row) => [index, row + 1]));
  const stackedBelow = new Set(bands.map(([upper]) => upper));
  const options = {
    width: chart.clientWidth, height: chart.clientHeight, legend: { show: false },
    cursor: { show: false }, padding: [8, 18, 0, 0], axes,
    scales: {
      x: { time: true, range: [panel.start, panel.end] },
      ...Object.fromEntries([...scales].map(([scale, one]) => [scale, {
        range: rangeOf(found.filter((other) => scaleOf(other) === scale)),
        ...(one.custom.scaleDistribution?.type === "log" ? { distr: 3, log: one.custom.scaleDistribution.log ?? 10, range: undefined } : {}),
      }])),
    },
    series: [{}, ...order.map((index) => lineOf(found[index], stackedBelow.has(index)))],
    bands: bars ? [] : [...bands.map(([upper, lower]) => ({
      series: [at.get(upper), at.get(lower)], dir: found[upper].sign < 0 ? 1 : -1,
      fill: faded(found[upper].colour, (found[upper].custom.fillOpacity ?? 0) / 100),
    })), ...betweenLines(found, at)],
    hooks: {
      drawAxes: [(one) => areas(one, panel, found)],
      draw: [annotations],
    },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
  };
  const data = [panel.times.map((time) => time / 1000), ...order.map((index) => found[index].drawn)];
  new uPlot(options, data, chart);
}

// `fillBelowTo`: the area between a line and another one that it names.
function betweenLines(found, at) {
  return found.flatMap((one, index) => {
    const other = found.findIndex((each) => each.title === one.custom.fillBelowTo);
    if (other < 0) return [];
    return [{ series: [at.get(index), at.get(other)], fill: faded(one.colour, (one.custom.fillOpacity || 20) / 100) }];
  });
}

function legendAround(panel, found, body) {
  const { legend = {} } = panel.options ?? {};
  const right = legend.placement === "right";
  const split = add(body, "div", `split ${right ? "" : "bottom"}`);
  const chart = add(split, "div", "chart");
  if (legend.showLegend === false || legend.displayMode === "hidden") return chart;
  const shown = found.filter((one) => !one.custom.hideFrom?.legend);
  const box = add(split, "div", `legend ${legend.displayMode ?? "list"} ${right ? "right" : ""}`);
  const calcs = legend.calcs ?? [];
  const text = (one, calc) => written(reduceBy(calc, one.raw), one.config).join("");
  if (legend.displayMode === "table") {
    const table = add(box, "table");
    const head = add(table, "tr");
    add(head, "th", "", "Name");
    for (const calc of calcs) add(head, "th", "", CALC_TITLES[calc] ?? calc);
    for (const one of sorted(shown, legend)) {
      const row = add(table, "tr");
      named(add(row, "td"), one);
      for (const calc of calcs) add(row, "td", "", text(one, calc));
    }
  } else {
    for (const one of shown) {
      const item = add(box, "span");
      named(item, one);
      for (const calc of calcs) add(item, "em", "", `${CALC_TITLES[calc] ?? calc}: ${text(one, calc)}`);
    }
  }
  const most = body.clientHeight * (right ? 1 : 0.5);
  if (box.scrollHeight > most) {
    box.style.maxHeight = `${most}px`;
    box.dataset.cut = "a legend scrolls in Grafana";
  }
  return chart;
}

function sorted(shown, legend) {
  const calc = Object.keys(CALC_TITLES).find((one) => CALC_TITLES[one] === legend.sortBy);
  if (!calc) return shown;
  const sign = legend.sortDesc ? -1 : 1;
  return [...shown].sort((a, b) => sign * ((reduceBy(calc, a.raw) ?? 0) - (reduceBy(calc, b.raw) ?? 0)));
}

function named(cell, one) {
  add(cell, "i").style.background = one.colour;
  cell.append(one.title);
}
