// Tables, text, alert lists.
"use strict";

function drawTable(panel, body) {
  const frame = panel.frames.find((one) => one.columns.length) ?? { columns: [] };
  const columns = frame.columns.map((column) => ({ column, config: configure(panel, column) }))
    .filter(({ config }) => !config.custom.hidden);
  const count = columns[0]?.column.values.length ?? 0;
  if (!count) return nothing(panel, body);
  const table = add(body, "table", "cells");
  if (panel.options?.showHeader !== false) {
    const head = add(table, "tr");
    for (const { column, config } of columns) {
      add(head, "th", alignment(column, config), titleOf(column, config));
    }
  }
  for (const row of rowOrder(panel, columns, count)) {
    const line = add(table, "tr");
    for (const { column, config } of columns) drawCell(column, config, row, add(line, "td", alignment(column, config)));
  }
  for (const [place, { config }] of columns.entries()) {
    if (config.custom.width) table.rows[0].cells[place].style.width = `${config.custom.width}px`;
  }
  if (body.scrollHeight > body.clientHeight + 1) body.dataset.cut = "a table scrolls in Grafana";
}

function alignment(column, config) {
  const align = config.custom.align ?? "auto";
  if (align === "center") return "center";
  return align === "right" || (align === "auto" && column.kind === "number") ? "number" : "";
}

function rowOrder(panel, columns, count) {
  const rows = Array.from({ length: count }, (_, row) => row);
  for (const { displayName, desc } of panel.options?.sortBy ?? []) {
    const found = columns.find(({ column, config }) => titleOf(column, config) === displayName);
    if (!found) continue;
    const { values } = found.column;
    rows.sort((a, b) => (desc ? -1 : 1) * (values[a] > values[b] ? 1 : values[a] < values[b] ? -1 : 0));
  }
  return rows;
}

function drawCell(column, config, row, cell) {
  const value = column.values[row];
  const kind = config.custom.cellOptions?.type ?? config.custom.displayMode ?? "auto";
  const time = column.kind === "time" && !config.unit;
  const text = time ? clock(value) : written(value, { ...config, noValue: config.noValue ?? "" }).join("");
  const colour = value == null && !mapping(value, config) ? TEXT : colourOf(value, config);
  if (kind === "gauge" && value != null) return drawCellGauge(value, config, colour, text, cell);
  if (kind === "color-background" && value != null) {
    cell.style.background = config.custom.cellOptions.mode === "gradient" ? `linear-gradient(120deg, ${faded(colour, 0.85)}, ${colour})` : colour;
    cell.style.color = inkOn(colour);
  }
  if (kind === "color-text") cell.style.color = colour;
  const place = config.links?.length ? add(cell, "a") : cell;
  place.append(text);
}

function drawCellGauge(value, config, colour, text, cell) {
  const box = add(cell, "div", "gauge");
  const track = add(box, "u");
  const bar = add(track, "i");
  bar.style.width = `${shareOf(value, config) * 100}%`;
  bar.style.background = config.custom.cellOptions.mode === "gradient" ? `linear-gradient(90deg, ${faded(colour, 0.35)}, ${colour})` : colour;
  add(box, "span", "", text).style.color = colour;
}

function drawText(panel, body) {
  const box = add(body, "div", "text");
  box.innerHTML = panel.html; // rendered from Markdown without HTML of its own
}

function drawAlerts(panel, body) {
  if (!panel.alerts.length) return nothing(panel, body, "No alerts matching filters");
  const list = add(body, "ul", "alerts");
  for (const { name, state, labels, since } of panel.alerts) {
    const item = add(list, "li");
    const line = add(item, "div");
    add(line, "span", "state", state).style.background = state === "firing" ? "#d10e5c" : "#e08400";
    add(line, "b", "", name);
    add(line, "time", "", `for ${duration(MODEL.end - since, 0).join("")}`);
    add(item, "div", "labels", Object.entries(labels).map((pair) => pair.join("=")).join("  "));
  }
}
