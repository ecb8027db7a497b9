// Places the panels on the dashboard's grid and draws each of them.
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { add } from "./elements.js";
import { getFieldDisplayName } from "@grafana/data";
import { alignSeries, resolveFrames, themeOf } from "./fields.js";
import { drawGauge, drawStat } from "./numbers.js";
import { drawAlerts, drawTable, drawText } from "./tables.js";
import { drawTimeline } from "./timeline.js";
import { drawTimeseries, stackSeries } from "./timeseries.js";

const [CELL, GAP, COLUMNS] = [30, 8, 24];
const DRAW = {
  alertlist: drawAlerts, gauge: drawGauge, stat: drawStat, "state-timeline": drawTimeline,
  table: drawTable, text: drawText, timeseries: drawTimeseries,
};

function addPill(parent, name, value, kind = "") {
  const box = add(parent, "span", `pill ${kind}`);
  for (const [tag, text] of [["b", name], ["span", value]]) if (text) add(box, tag, "", text);
}

function drawHead(model) {
  const head = add(document.body, "header");
  add(head, "h1", "", model.title);
  addPill(head, "preview, not Grafana", "", "not-grafana");
  addPill(head, "", model.range);
  const choices = add(document.body, "div", "choices");
  for (const { label, value } of model.variables) addPill(choices, label, value);
}

async function drawPanel(panel, grid, model) {
  const cell = (grid.clientWidth + GAP) / COLUMNS;
  const { x, y, w, h } = panel.place;
  const row = panel.type === "row";
  const box = add(grid, "section", row ? "row" : "panel");
  Object.assign(box.style, {
    left: `${x * cell}px`, top: `${y * (CELL + GAP)}px`,
    width: `${w * cell - GAP}px`, height: `${h * (CELL + GAP) - GAP}px`,
  });
  if (row) {
    box.append(`⌄ ${panel.title}`);
    return;
  }
  const title = add(box, "h2", "", panel.title);
  if (panel.description) add(title, "sup", "", "i");
  const body = add(box, "div", "body");
  try {
    if (panel.error) throw new Error(panel.error);
    if (!DRAW[panel.type]) throw new Error(`the preview does not support the panel type ${panel.type}`);
    DRAW[panel.type](panel, body, await resolveFrames(panel, model.theme), model);
  } catch (error) {
    body.replaceChildren();
    add(body, "div", "broken", error.message);
    console.error(`${panel.title}: ${error.stack}`);
  }
}

async function drawPage(model) {
  document.body.classList.add(model.theme);
  const { background, border, text } = themeOf(model.theme).colors;
  const colours = {
    canvas: background.canvas, panel: background.primary, field: background.secondary, edge: border.weak,
    text: text.primary, faint: text.secondary, link: text.link,
  };
  for (const [name, colour] of Object.entries(colours)) document.body.style.setProperty(`--${name}`, colour);
  drawHead(model);
  const grid = add(document.body, "main");
  const bottom = Math.max(0, ...model.panels.map(({ place }) => place.y + place.h));
  grid.style.height = `${bottom * (CELL + GAP)}px`;
  for (const panel of model.panels) await drawPanel(panel, grid, model);
  // uPlot draws in a microtask.
  requestAnimationFrame(() => requestAnimationFrame(() => { document.body.dataset.drawn = "true"; }));
}

window.preview = { alignSeries, getFieldDisplayName, resolveFrames, stackSeries }; // for tests
drawPage(window.MODEL);
