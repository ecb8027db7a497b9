// State timelines: stretches of equal state, one line for each series.
"use strict";

function drawTimeline(panel, body) {
  const found = statesOf(panel);
  if (!found.some((one) => one.raw.some(isNumber))) return nothing(panel, body);
  const box = legendOfStates(panel, found, body);
  const canvas = add(box, "canvas");
  const [width, height] = [box.clientWidth, box.clientHeight];
  canvas.width = width;
  canvas.height = height;
  const ink = canvas.getContext("2d");
  ink.font = FONT;
  const left = Math.ceil(Math.max(...found.map((one) => ink.measureText(one.title).width))) + 12;
  const line = (height - 24) / found.length;
  const thick = line * (panel.options?.rowHeight ?? 0.9);
  const place = (at) => left + ((at / 1000 - panel.start) / (panel.end - panel.start)) * (width - left - 8);
  found.forEach((one, row) => {
    const middle = line * row + line / 2;
    ink.fillStyle = FAINT;
    ink.textBaseline = "middle";
    ink.textAlign = "right";
    ink.fillText(one.title, left - 8, middle);
    for (const { value, from, to } of stretches(one.raw, panel)) {
      const [x, wide] = [place(from), place(to) - place(from)];
      const colour = colourOf(value, one.config, row);
      ink.fillStyle = faded(colour, (one.config.custom.fillOpacity ?? 70) / 100);
      ink.fillRect(x, middle - thick / 2, Math.max(1, wide), thick);
      const text = written(value, one.config).join("");
      if ((panel.options?.showValue ?? "auto") !== "never" && ink.measureText(text).width + 10 < wide && thick > 14) {
        ink.textAlign = panel.options?.alignValue === "center" ? "center" : "left";
        ink.fillStyle = inkOn(blend(colour, (one.config.custom.fillOpacity ?? 70) / 100));
        ink.fillText(text, ink.textAlign === "center" ? x + wide / 2 : x + 5, middle);
      }
    }
  });
  timeAxis(ink, panel, place, height);
}

function blend(colour, share) {
  const read = (name) => {
    const box = document.createElement("canvas").getContext("2d");
    box.fillStyle = name;
    return [1, 3, 5].map((at) => parseInt(box.fillStyle.slice(at, at + 2), 16));
  };
  const [over, under] = [read(colour), read(PANEL)];
  return `#${over.map((part, at) => Math.round(part * share + under[at] * (1 - share)).toString(16).padStart(2, "0")).join("")}`;
}

function statesOf(panel) {
  const found = [];
  for (const frame of panel.frames) {
    const times = frame.columns.find((one) => one.kind === "time");
    for (const column of frame.columns) {
      if (!times || column.kind === "time") continue;
      const config = configure(panel, column);
      const at = new Map(times.values.map((time, row) => [time, column.values[row]]));
      found.push({ config, title: titleOf(column, config), raw: panel.times.map((time) => at.get(time) ?? null) });
    }
  }
  return found;
}

function stretches(values, panel) {
  const step = panel.times.length > 1 ? panel.times[1] - panel.times[0] : 0;
  const found = [];
  values.forEach((value, row) => {
    const at = panel.times[row];
    const last = found.at(-1);
    if (value == null) return;
    if (last && last.value === value && last.to >= at) last.to = at + step;
    else found.push({ value, from: at, to: at + step });
  });
  for (const one of found) one.to = Math.min(one.to, panel.end * 1000);
  return found;
}

function timeAxis(ink, panel, place, height) {
  const spans = [60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800];
  const wide = place(panel.end * 1000) - place(panel.start * 1000);
  const step = spans.find((one) => (wide * one) / (panel.end - panel.start) > 90) ?? 604800;
  const splits = [];
  for (let at = Math.ceil(panel.start / step) * step; at < panel.end; at += step) splits.push(at);
  ink.fillStyle = FAINT;
  ink.textAlign = "center";
  timeText(null, splits).forEach((text, row) => ink.fillText(text, place(splits[row] * 1000), height - 9));
}

function legendOfStates(panel, found, body) {
  const { legend = {} } = panel.options ?? {};
  const split = add(body, "div", "split bottom");
  const chart = add(split, "div", "chart");
  if (legend.showLegend === false || legend.displayMode === "hidden") return chart;
  const box = add(split, "div", "legend list");
  const seen = new Map();
  for (const one of found) {
    for (const value of one.raw) {
      if (value != null) seen.set(written(value, one.config).join(""), colourOf(value, one.config));
    }
  }
  for (const [title, colour] of seen) named(add(box, "span"), { title, colour });
  return chart;
}
