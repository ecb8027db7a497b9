// Keeps the page up to date: takes over the parts that have changed, which the server has
// rendered and escaped, and draws the charts. It asks no other host for anything.
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
const POINTS = 360;
const drawn = new Map();
const charted = new Map(); // clusters that have been near the window: their points, up to a step
const postponed = new Map(); // newer parts, by id, that wait for the focus to leave the old ones
let cursor = "";

const nearby = new IntersectionObserver((entries) => {
  const names = entries.filter((one) => one.isIntersecting).map((one) => nameOf(one.target))
    .filter((name) => !charted.has(name));
  for (const name of names) charted.set(name, { last: NaN, step: NaN, points: new Map() });
  if (names.length) update(names, "").catch(() => setTimeout(retry, EVERY_MS, names));
}, { rootMargin: "3000px" });

function retry(names) {
  for (const name of names) {
    charted.delete(name);
    const section = document.getElementById(`cluster-${name}`);
    if (!section) continue;
    nearby.unobserve(section);
    nearby.observe(section);
  }
}

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
  if (!document.hidden) {
    try {
      const next = document.getElementById("now").dataset.next;
      const query = new URLSearchParams(location.search);
      query.set("since", next);
      const page = await get(`/?${query}`);
      const changed = takeOver(new DOMParser().parseFromString(await page.text(), "text/html"));
      const now = Number(document.getElementById("now").dataset.now);
      writeAges(now);
      if (changed.some((cluster) => charted.has(cluster))) await update([...charted.keys()], cursor);
      moveOn(now);
      document.getElementById("offline").hidden = true;
    } catch {
      document.getElementById("offline").hidden = false;
    }
  }
  setTimeout(refresh, EVERY_MS);
}

// Takes over a whole page, or the parts of it that have changed; returns the clusters in it.
function takeOver(fresh) {
  const clusters = document.getElementById("clusters");
  const sections = [...fresh.getElementById("clusters").children];
  for (const next of sections) {
    if (document.getElementById(next.id)) continue;
    const added = document.importNode(next, true);
    clusters.insertBefore(added, [...clusters.children].find((one) => one.id > added.id) ?? null);
    nearby.observe(added);
  }
  if (fresh.getElementById("main")) {
    for (const old of [...clusters.children]) {
      if (fresh.getElementById(old.id)) continue;
      charted.delete(nameOf(old));
      old.remove();
    }
  }
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id) ?? postponed.get(part.id);
    if (!next) continue;
    Object.assign(part.dataset, next.dataset);
    // A part with the keyboard focus stays as it is until the focus leaves it.
    if (part.contains(document.activeElement)) {
      postponed.set(part.id, next);
      continue;
    }
    postponed.delete(part.id);
    const scrolled = [...part.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
    part.replaceChildren(...next.childNodes);
    part.querySelectorAll(".scroll").forEach((one, at) => { one.scrollLeft = scrolled[at] ?? 0; });
  }
  return sections.map(nameOf);
}

function nameOf(section) {
  return section.id.slice("cluster-".length);
}

function writeAges(now) {
  for (const one of document.querySelectorAll("[data-age]")) {
    const at = Number(one.dataset.age);
    const seconds = Math.max(now - at, 0);
    const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"]].find(([size]) => seconds >= size) ?? [1, "s"];
    one.textContent = at > 0 ? `${Math.round(seconds / size)} ${unit} ago` : "never";
  }
}

// Fetches the points of some clusters: all of them, or those after a cursor.
async function update(names, since) {
  let after = "", next;
  do {
    const query = new URLSearchParams({ cluster: names, after, since });
    const answer = await (await get(`/api/clusters?${query}`)).json();
    next ??= answer.next;
    for (const cluster of answer.clusters) merge(answer, cluster);
    after = answer.after;
  } while (after !== null);
  if (since || !cursor) cursor = next;
}

function merge({ now, step, full }, { cluster, brokers }) {
  const last = Math.floor(now / step);
  const kept = full ? undefined : charted.get(cluster);
  const points = new Map();
  for (const { broker, history } of brokers) {
    if (broker === null) continue;
    const old = kept?.points.get(broker);
    points.set(broker, Object.fromEntries(Object.entries(history).map(
      ([gauge, fresh]) => [gauge, extend(old?.[gauge] ?? [], fresh, last - (kept?.last || last))],
    )));
  }
  charted.set(cluster, { last, step, points });
  draw(cluster);
}

// Appends points to older ones; their last is as many steps later as given.
function extend(old, fresh, steps) {
  const overlap = fresh.length - steps;
  const kept = overlap >= 0
    ? old.slice(0, Math.max(old.length - overlap, 0))
    : [...old, ...Array(-overlap).fill(null)];
  return [...kept, ...fresh].slice(-POINTS);
}

// Lets the charts of clusters without new samples move on with the time.
function moveOn(now) {
  for (const [cluster, { last, step, points }] of charted) {
    const steps = Math.floor(now / step) - last;
    if (!(steps > 0)) continue;
    for (const gauges of points.values()) {
      for (const gauge of Object.keys(gauges)) gauges[gauge] = extend(gauges[gauge], Array(steps).fill(null), steps);
    }
    charted.set(cluster, { last: last + steps, step, points });
    draw(cluster);
  }
}

function draw(cluster) {
  const { last, step, points } = charted.get(cluster);
  const named = [...points].sort(([a], [b]) => Number(a) - Number(b));
  for (const [gauge, title, show, most] of CHARTS) {
    const count = Math.max(...named.map(([, gauges]) => gauges[gauge].length));
    const series = named.map(([, gauges]) => extend(Array(count).fill(null), gauges[gauge], 0));
    if (!series.some((one) => one.some((point) => point !== null))) continue;
    const times = Array.from({ length: count }, (_, at) => (last - (count - 1 - at)) * step);
    showChart({ cluster, gauge, title, show, most }, named.map(([broker]) => broker), [times, ...series]);
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
for (const section of document.getElementById("clusters").children) nearby.observe(section);
setTimeout(refresh, EVERY_MS);
