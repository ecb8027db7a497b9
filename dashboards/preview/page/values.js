// Stats, gauges and bar gauges.
"use strict";

function widthOf(text, size) {
  const ink = document.createElement("canvas").getContext("2d");
  ink.font = `500 ${size}px Inter, Helvetica Neue, Arial, Liberation Sans, DejaVu Sans, sans-serif`;
  return ink.measureText(text).width;
}

// The largest size of type with which a text stays within a box.
function fit(text, width, height, most) {
  const size = Math.min(most, height / 1.15, (width / Math.max(1, widthOf(text, 100))) * 100);
  return Math.max(10, Math.floor(size));
}

function drawStat(panel, body) {
  const entries = reduced(panel);
  const options = panel.options ?? {};
  if (!entries.length) entries.push(empty(panel));
  const wide = body.clientWidth > body.clientHeight * 1.2;
  const across = options.orientation === "vertical" || (options.orientation !== "horizontal" && wide);
  const box = add(body, "div", `values ${across ? "" : "vertical"}`);
  for (const entry of entries) drawOneStat(entry, options, entries.length, add(box, "div", "value"));
}

function empty(panel) {
  const config = { ...(panel.fieldConfig?.defaults ?? {}), custom: {} };
  return { title: "", value: null, config: { noValue: "No data", ...config }, index: 0, history: [] };
}

function drawOneStat({ title, value, config, index, history }, options, count, box) {
  const colour = colourOf(value, { ...config, color: config.color ?? { mode: "thresholds" } }, index);
  const [number, unit] = written(value, config);
  const ground = (options.colorMode ?? "value").startsWith("background");
  if (ground) box.style.background = colour;
  const ink = ground ? inkOn(colour) : options.colorMode === "none" ? TEXT : colour;
  const mode = options.textMode ?? "auto";
  const showName = mode === "name" || mode === "value_and_name" || (mode === "auto" && count > 1);
  const [width, height] = [box.clientWidth - 16, box.clientHeight - 8];
  if (showName) {
    const name = add(box, "div", "name", title);
    name.style.color = ground ? ink : TEXT;
    name.style.fontSize = `${options.text?.titleSize ?? fit(title, width, height * 0.3, 18)}px`;
  }
  if (mode !== "name" && mode !== "none") {
    const shown = add(box, "div", "number", number);
    add(shown, "small", "", unit);
    shown.style.color = ink;
    const share = showName ? 0.6 : 0.75;
    shown.style.fontSize = `${options.text?.valueSize ?? fit(number + unit, width, height * share, 56)}px`;
  }
  if ((options.graphMode ?? "area") === "area") sparkline(history, ground ? ink : colour, box);
}

function sparkline(history, colour, box) {
  const some = history.filter(isNumber);
  if (some.length < 3) return;
  const canvas = add(box, "canvas");
  const [width, height] = [box.clientWidth, Math.round(box.clientHeight * 0.4)];
  canvas.width = width;
  canvas.height = height;
  canvas.style.height = `${height}px`;
  const ink = canvas.getContext("2d");
  const [low, high] = [Math.min(...some, 0), Math.max(...some)];
  const place = (value) => height - 2 - ((value - low) / (high - low || 1)) * (height - 6);
  ink.beginPath();
  some.forEach((value, row) => ink.lineTo((row / (some.length - 1)) * width, place(value)));
  ink.strokeStyle = faded(colour, 0.9);
  ink.lineWidth = 1;
  ink.stroke();
  ink.lineTo(width, height);
  ink.lineTo(0, height);
  ink.fillStyle = faded(colour, 0.2);
  ink.fill();
}

function shareOf(value, config) {
  const [low, high] = [config.min ?? 0, config.max ?? (config.unit === "percentunit" ? 1 : 100)];
  return Math.max(0, Math.min(1, ((value ?? low) - low) / (high - low)));
}

function drawGauge(panel, body) {
  const entries = reduced(panel);
  if (!entries.length) return nothing(panel, body);
  const box = add(body, "div", "values");
  for (const { title, value, config, index } of entries) {
    const one = add(box, "div", "value");
    const colour = colourOf(value, { ...config, color: config.color ?? { mode: "thresholds" } }, index);
    const text = written(value, config).join("");
    const marks = panel.options?.showThresholdMarkers === false ? "" : thresholdArcs(config);
    const size = Math.min(20, 150 / Math.max(4, text.length));
    one.innerHTML = `<svg viewBox="0 0 120 84" preserveAspectRatio="xMidYMid meet">
      <path d="${arc(46, 0, 1)}" fill="none" stroke="${DARK ? "#2b2e36" : "#e4e5e7"}" stroke-width="13"/>
      <path d="${arc(46, 0, Math.max(0.004, shareOf(value, config)))}" fill="none" stroke="${colour}" stroke-width="13"/>
      ${marks}
      <text x="60" y="66" text-anchor="middle" font-size="${size}" font-weight="500" fill="${colour}"></text></svg>`;
    one.querySelector("text").textContent = text;
    if (entries.length > 1 || title) add(one, "div", "name", entries.length > 1 ? title : "");
  }
}

// From lower left over the top to lower right: three quarters of a circle are too much
// for a flat box, so a little more than half, as Grafana draws it.
function arc(radius, from, to) {
  const point = (share) => {
    const angle = Math.PI * (1.1 - share * 1.2);
    return `${(60 + radius * Math.cos(angle)).toFixed(2)} ${(62 - radius * Math.sin(angle)).toFixed(2)}`;
  };
  const large = (to - from) * 1.2 > 1 ? 1 : 0;
  return `M ${point(from)} A ${radius} ${radius} 0 ${large} 1 ${point(to)}`;
}

function thresholdArcs(config) {
  const steps = stepsOf(config);
  return steps.map((step, index) => {
    const from = step.value === -Infinity ? 0 : shareOf(step.value, config);
    const to = index + 1 < steps.length ? shareOf(steps[index + 1].value, config) : 1;
    if (to <= from) return "";
    return `<path d="${arc(55, from, to)}" fill="none" stroke="${step.color}" stroke-width="2.5"/>`;
  }).join("");
}

function drawBarGauge(panel, body) {
  const entries = reduced(panel);
  if (!entries.length) return nothing(panel, body);
  const box = add(body, "div", "bars");
  const top = Math.max(...entries.map(({ value }) => value ?? 0)) || 1;
  const mode = panel.options?.displayMode ?? "gradient";
  for (const { title, value, config, index } of entries) {
    const fitted = { ...config, max: config.max ?? (config.unit === "percentunit" ? 1 : top) };
    const row = add(box, "div", "bar");
    add(row, "span", "name", title);
    const colour = colourOf(value, { ...fitted, color: config.color ?? { mode: "thresholds" } }, index);
    const track = add(row, "span", "track");
    if (mode === "lcd") lcd(track, value, fitted);
    else {
      const bar = add(track, "i");
      bar.style.width = `${shareOf(value, fitted) * 100}%`;
      bar.style.background = mode === "gradient" ? `linear-gradient(90deg, ${faded(colour, 0.35)}, ${colour})` : faded(colour, 0.75);
    }
    const number = add(row, "span", "number", written(value, config).join(""));
    number.style.color = colour;
  }
  align(box);
}

function lcd(track, value, config) {
  for (let cell = 0; cell < 30; cell += 1) {
    const share = (cell + 0.5) / 30;
    const low = config.min ?? 0;
    const bar = add(track, "i");
    bar.style.flex = "1";
    const colour = thresholdColour(low + share * (config.max - low), config);
    bar.style.background = faded(colour, share <= shareOf(value, config) ? 0.95 : 0.12);
  }
}

// Names and numbers of all bars take the same room.
function align(box) {
  for (const part of [".name", ".number"]) {
    const all = [...box.querySelectorAll(part)];
    const width = Math.min(260, Math.max(...all.map((one) => one.scrollWidth)) + 2);
    for (const one of all) one.style.width = `${width}px`;
  }
}
