// Numbers as Grafana writes them (packages/grafana-data/src/valueFormats).
"use strict";

function decimalsFor(value) {
  if (value === 0 || value % 1 === 0) return 0;
  const power = Math.floor(Math.log10(Math.abs(value)));
  let decimals = 1 - power;
  if (Math.abs(value) / 10 ** -decimals > 2.25) decimals += 1;
  return Math.max(0, Math.min(decimals, 8));
}

function fixed(value, decimals) {
  return value.toFixed(decimals ?? decimalsFor(value));
}

function scaled(factor, units, separator = " ") {
  return (value, decimals) => {
    let size = value;
    let step = 0;
    while (Math.abs(size) >= factor && step < units.length - 1) {
      size /= factor;
      step += 1;
    }
    return [fixed(size, decimals), units[step] && separator + units[step]];
  };
}

const suffixed = (text) => (value, decimals) => [fixed(value, decimals), text];
const COUNTS = ["", "K", "Mil", "Bil", "Tri"];
const IEC = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const SI = ["B", "kB", "MB", "GB", "TB", "PB"];
const counted = (unit) => (value, decimals) => {
  const [number, scale] = scaled(1000, ["", "K", "M", "B", "T"], "")(value, decimals);
  return [number, `${scale} ${unit}`];
};

const SPANS = [
  [31536000, "year"], [2628000, "month"], [604800, "week"], [86400, "day"],
  [3600, "hour"], [60, "minute"], [1, "second"], [0.001, "millisecond"],
];

function duration(value, decimals) {
  if (value === 0) return ["0", " seconds"];
  let rest = Math.abs(value);
  const parts = [];
  let left = (decimals ?? 0) + 1;
  for (const [size, name] of SPANS) {
    if (!left) break;
    if (rest >= size || parts.length) {
      const count = Math.floor(rest / size + 1e-9);
      rest -= count * size;
      if (count) parts.push(`${count} ${name}${count === 1 ? "" : "s"}`);
      left -= 1;
    }
  }
  return [parts.join(", ") || "0 seconds", value < 0 ? " ago" : ""];
}

function seconds(value, decimals) {
  const size = Math.abs(value);
  if (size === 0) return ["0", " s"];
  if (size < 1e-3) return [fixed(value * 1e6, decimals), " µs"];
  if (size < 1) return [fixed(value * 1e3, decimals), " ms"];
  if (size < 60) return [fixed(value, decimals), " s"];
  if (size < 3600) return [fixed(value / 60, decimals), " mins"];
  if (size < 86400) return [fixed(value / 3600, decimals), " hours"];
  if (size < 604800) return [fixed(value / 86400, decimals), " days"];
  if (size < 31536000) return [fixed(value / 604800, decimals), " weeks"];
  return [fixed(value / 31557600, decimals), " years"];
}

function clock(at) {
  const pad = (number) => String(number).padStart(2, "0");
  const date = new Date(at);
  const day = `${date.getUTCFullYear()}-${pad(date.getUTCMonth() + 1)}-${pad(date.getUTCDate())}`;
  return `${day} ${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}`;
}

const UNITS = {
  none: (value, decimals) => [fixed(value, decimals), ""],
  string: (value) => [String(value), ""],
  short: scaled(1000, COUNTS),
  sishort: scaled(1000, ["", "k", "M", "G", "T"]),
  locale: (value, decimals) => [
    value.toLocaleString("en-US", { maximumFractionDigits: decimals ?? decimalsFor(value) }), ""],
  percent: suffixed("%"),
  percentunit: (value, decimals) => [fixed(value * 100, decimals), "%"],
  bytes: scaled(1024, IEC),
  decbytes: scaled(1000, SI),
  Bps: scaled(1000, SI.map((unit) => `${unit}/s`)),
  binBps: scaled(1024, IEC.map((unit) => `${unit}/s`)),
  KBs: (value, decimals) => UNITS.Bps(value * 1e3, decimals),
  iops: counted("io/s"),
  ops: counted("ops/s"),
  reqps: counted("req/s"),
  rps: counted("rd/s"),
  wps: counted("wr/s"),
  cps: counted("c/s"),
  mps: counted("msg/s"),
  pps: counted("p/s"),
  cpm: counted("c/m"),
  opm: counted("ops/m"),
  rpm: counted("rd/m"),
  wpm: counted("wr/m"),
  s: seconds,
  ms: (value, decimals) => seconds(value / 1e3, decimals),
  m: (value, decimals) => seconds(value * 60, decimals),
  h: (value, decimals) => seconds(value * 3600, decimals),
  d: (value, decimals) => seconds(value * 86400, decimals),
  dtdurations: duration,
  dtdurationms: (value, decimals) => duration(value / 1e3, decimals),
  dthms: (value) => {
    const whole = Math.floor(Math.abs(value));
    const parts = [whole / 3600, (whole / 60) % 60, whole % 60];
    return [parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":"), ""];
  },
  dateTimeAsIso: (value) => [clock(value), ""],
  dateTimeFromNow: (value) => {
    const [text] = duration((MODEL.end * 1e3 - value) / 1e3, 0);
    return [text, " ago"];
  },
};

// Returns the number and what stands behind it.
function format(value, unit, decimals) {
  if (value == null) return ["", ""];
  if (typeof value === "string") return [value, ""];
  if (unit?.startsWith("suffix:")) return [fixed(value, decimals), unit.slice(7)];
  if (unit?.startsWith("prefix:")) return [unit.slice(7) + fixed(value, decimals), ""];
  const known = UNITS[unit || "none"];
  if (known) return known(value, decimals);
  return [fixed(value, decimals), ` ${unit}`];
}
