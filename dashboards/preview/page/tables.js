// Tables, texts and alert lists.
import { colorManipulator, FieldType, getFieldDisplayName, getValueFormat, renderTextPanelMarkdown, sortDataFrame } from "@grafana/data";
import { add, showNothing } from "./elements.js";
import { textOf, themeOf } from "./fields.js";

const CELLS = ["auto", "color-background", "color-text"];

export function drawTable(panel, body, frames, model) {
  let frame = frames.find(({ fields }) => fields.length);
  if (!frame?.length) return showNothing(panel, body);
  const titles = frame.fields.map((field) => getFieldDisplayName(field, frame, frames));
  for (const { displayName, desc } of panel.options?.sortBy ?? []) {
    frame = sortDataFrame(frame, titles.indexOf(displayName), desc);
  }
  const table = add(body, "table", "cells");
  const head = add(table, "tr");
  frame.fields.forEach((field, column) => {
    const cell = add(head, "th", alignmentOf(field), titles[column]);
    if (field.config.custom?.width) cell.style.width = `${field.config.custom.width}px`;
  });
  for (let row = 0; row < frame.length; row += 1) {
    const line = add(table, "tr");
    for (const field of frame.fields) drawCell(field, field.values[row], add(line, "td", alignmentOf(field)), model);
  }
}

const alignmentOf = ({ type }) => (type === FieldType.number ? "number" : "");

function drawCell(field, value, cell, model) {
  const { type = "auto" } = field.config.custom?.cellOptions ?? {};
  if (!CELLS.includes(type)) throw new Error(`the preview does not support the cell type ${type}`);
  const display = field.display(value);
  const coloured = display.text !== "" && colorManipulator.decomposeColor(display.color).values[3] !== 0;
  if (type === "color-background" && coloured) {
    cell.style.background = display.color;
    cell.style.color = themeOf(model.theme).colors.getContrastText(display.color);
  }
  if (type === "color-text" && coloured) cell.style.color = display.color;
  (field.config.links?.length ? add(cell, "a") : cell).append(textOf(display));
}

export function drawText(panel, body) {
  add(body, "div", "text").innerHTML = renderTextPanelMarkdown(panel.content); // sanitized
}

export function drawAlerts(panel, body, frames, model) {
  if (!panel.alerts.length) return showNothing(panel, body, "No alerts matching filters");
  const list = add(body, "ul", "alerts");
  for (const { name, state, labels, since } of panel.alerts) {
    const item = add(list, "li");
    const line = add(item, "div");
    add(line, "span", `state ${state}`, state);
    add(line, "b", "", name);
    add(line, "time", "", `for ${textOf(getValueFormat("dtdurations")(model.end - since, 0))}`);
    add(item, "div", "labels", Object.entries(labels).map((pair) => pair.join("=")).join("  "));
  }
}
