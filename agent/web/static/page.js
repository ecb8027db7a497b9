// Keeps the page up to date: takes over its live parts, which the server has rendered
// and escaped, and draws the charts. It asks nobody but the agent.
"use strict";

const EVERY_MS = 5000;
const GIVE_UP_MS = 10000;
const PALETTE = ["#3b7dd8", "#d9822b", "#2f9e66", "#b04fbf", "#c2413b", "#5a8f8f", "#8a6d3b", "#7a7ad8"];
const CHARTS = [
  ["load_avg_1m", "Load per CPU, 1 minute", (v) => v.toPrecision(3)],
  ["memory_used_ratio", "Memory used", (v) => `${(v * 100).toFixed(0)} %`, 1],
  ["bytes_in_per_second", "Bytes in", perSecond],
  ["bytes_out_per_second", "Bytes out", perSecond],
  ["write_iops", "Write operations per second", (v) => v.toPrecision(3)],
  ["read_iops", "Read operations per second", (v) => v.toPrecision(3)],
];
const drawn = new Map();

function perSecond(value) {
  for (const [size, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) {
    if (Math.abs(value) >= size) return `${(value / size).toFixed(1)} ${unit}/s`;
  }
  return `${value.toFixed(0)} B/s`;
}

async function get(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(GIVE_UP_MS) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

async function refresh() {
  try {
    const [page, clusters] = await Promise.all([get("/"), get("/api/clusters")]);
    takeOver(new DOMParser().parseFromString(await page.text(), "text/html"));
    draw(await clusters.json());
    document.getElementById("offline").hidden = true;
  } catch {
    document.getElementById("offline").hidden = false;
  }
  setTimeout(refresh, EVERY_MS);
}

function takeOver(fresh) {
  const clusters = document.getElementById("clusters");
  for (const next of fresh.getElementById("clusters").children) {
    if (!document.getElementById(next.id)) clusters.append(document.importNode(next, true));
  }
  for (const old of [...clusters.children]) {
    if (!fresh.getElementById(old.id)) old.remove();
  }
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    // What somebody is in stays as it is until they leave it.
    if (!next || next.innerHTML === part.innerHTML || part.contains(document.activeElement)) continue;
    const scrolled = [...part.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
    part.replaceChildren(...next.childNodes);
    part.querySelectorAll(".scroll").forEach((one, at) => { one.scrollLeft = scrolled[at] ?? 0; });
  }
}

function draw({ now, step, clusters }) {
  for (const { cluster, brokers } of clusters) {
    const named = brokers.filter(({ broker }) => broker !== null)
      .sort((a, b) => Number(a.broker) - Number(b.broker));
    for (const [gauge, title, show, most] of CHARTS) {
      const series = named.map(({ history }) => history[gauge]);
      if (!series.some((points) => points.some((point) => point !== null))) continue;
      const count = series[0].length;
      const last = Math.floor(now / step) * step;
      const times = Array.from({ length: count }, (_, at) => last - (count - 1 - at) * step);
      showChart({ cluster, gauge, title, show, most }, named.map(({ broker }) => broker), [times, ...series]);
    }
  }
}

function showChart({ cluster, gauge, title, show, most }, brokers, data) {
  const key = `${cluster} ${gauge} ${brokers}`;
  let chart = drawn.get(key);
  if (!chart || !chart.figure.isConnected) {
    const old = [...drawn].find(([other]) => other.startsWith(`${cluster} ${gauge} `));
    const figure = old && old[1].figure.isConnected ? old[1].figure : newFigure(cluster, title);
    if (old) {
      old[1].plot.destroy();
      drawn.delete(old[0]);
    }
    chart = { figure, plot: new uPlot(options(figure, brokers, show, most), data, figure) };
    drawn.set(key, chart);
  } else {
    chart.plot.setData(data);
  }
  const newest = brokers.map((broker, at) => {
    const value = data[at + 1].findLast((point) => point !== null);
    return `broker ${broker} ${value === undefined ? "nothing" : show(value)}`;
  });
  chart.figure.setAttribute("aria-label", `${title} of ${cluster}: ${newest.join(", ")}`);
}

function newFigure(cluster, title) {
  const figure = document.createElement("figure");
  figure.setAttribute("role", "img");
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  figure.append(caption);
  document.getElementById(`charts-${cluster}`).append(figure);
  new ResizeObserver(() => {
    for (const { figure: own, plot } of drawn.values()) {
      if (own === figure && plot.width !== figure.clientWidth) plot.setSize(size(figure));
    }
  }).observe(figure);
  return figure;
}

function size(figure) {
  return { width: Math.max(figure.clientWidth, 200), height: 150 };
}

function options(figure, brokers, show, most) {
  const style = getComputedStyle(document.documentElement);
  const paint = (name) => () => resolve(style.getPropertyValue(name));
  const axis = { stroke: paint("--muted"), grid: { stroke: paint("--line"), width: 1 }, ticks: { stroke: paint("--line"), width: 1 } };
  return {
    ...size(figure),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), most ?? (high || 1) * 1.1] } },
    axes: [axis, { ...axis, size: 92, values: (_, ticks) => ticks.map(show) }],
    series: [
      { label: "time" },
      ...brokers.map((broker, at) => ({
        label: `broker ${broker}`,
        stroke: PALETTE[at % PALETTE.length],
        width: 1.5,
        spanGaps: false,
        value: (_, value) => (value === null || value === undefined ? "" : show(value)),
      })),
    ],
  };
}

// A canvas knows nothing of light-dark(): an element resolves it.
function resolve(colour) {
  const probe = document.createElement("span");
  probe.style.color = colour;
  document.body.append(probe);
  const resolved = getComputedStyle(probe).color;
  probe.remove();
  return resolved;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const { plot } of drawn.values()) plot.redraw(false);
});
refresh();
