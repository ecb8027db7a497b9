// Puts the panels where the dashboard's grid wants them, and has each one drawn.
"use strict";

const CELL = 30;
const GAP = 8;
const COLUMNS = 24;
const DRAW = {
  timeseries: drawTimeseries, "state-timeline": drawTimeline, stat: drawStat, gauge: drawGauge,
  bargauge: drawBarGauge, table: drawTable, text: drawText, alertlist: drawAlerts,
};

function add(parent, tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name.trim();
  if (text) made.textContent = text;
  parent.append(made);
  return made;
}

function nothing(panel, body, text) {
  const box = add(body, "div", "nothing", panel.fieldConfig?.defaults?.noValue ?? text ?? "No data");
  box.dataset.empty = "true";
}

function pill(parent, name, value, kind = "") {
  const box = add(parent, "span", `pill ${kind}`);
  if (name) add(box, "b", "", name);
  if (value) add(box, "span", "", value);
}

function drawHead() {
  const head = add(document.body, "header");
  add(head, "h1", "", MODEL.title);
  pill(head, "preview, not Grafana", "", "not-grafana");
  pill(head, "", MODEL.range);
  if (MODEL.refresh) pill(head, "↻", MODEL.refresh);
  const choices = add(document.body, "div", "choices");
  for (const { label, value } of MODEL.variables) pill(choices, label, value);
  const links = add(choices, "div", "links");
  for (const title of MODEL.links) pill(links, "", title);
}

function drawPanel(panel, grid) {
  const cell = (grid.clientWidth + GAP) / COLUMNS;
  const { x, y, w, h } = panel.place;
  const row = panel.type === "row";
  const box = add(grid, "section", row ? `row ${panel.collapsed ? "closed" : ""}` : "panel");
  box.id = `panel-${panel.number}`;
  box.style.left = `${x * cell}px`;
  box.style.top = `${y * (CELL + GAP)}px`;
  box.style.width = `${w * cell - GAP}px`;
  box.style.height = `${h * CELL + (h - 1) * GAP}px`;
  if (row) {
    add(box, "span", "", panel.title);
    if (panel.hides) add(box, "small", "", `(${panel.hides} panels)`);
    return;
  }
  if (panel.transparent) box.classList.add("clear");
  if (panel.title) {
    const title = add(box, "h2", "", panel.title);
    if (panel.description) add(title, "i", "", "i");
  }
  const body = add(box, "div", "body");
  if (!panel.title) body.style.paddingTop = "8px";
  try {
    if (panel.error) throw new Error(panel.error);
    if (!DRAW[panel.type]) throw new Error(`the preview does not know the panel type ${panel.type}`);
    DRAW[panel.type](panel, body);
  } catch (error) {
    body.replaceChildren();
    add(body, "div", "broken", error.message);
    console.error(`${panel.title}: ${error.stack}`);
  }
}

function drawPage() {
  document.body.classList.add(MODEL.theme);
  drawHead();
  const grid = add(document.body, "main");
  const bottom = Math.max(0, ...MODEL.panels.map(({ place }) => place.y + place.h));
  grid.style.height = `${bottom * (CELL + GAP)}px`;
  for (const panel of MODEL.panels) drawPanel(panel, grid);
  // uPlot draws in a microtask.
  requestAnimationFrame(() => requestAnimationFrame(() => { document.body.dataset.drawn = "true"; }));
}

drawPage();
