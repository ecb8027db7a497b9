// Colours, thresholds, mappings, overrides and reductions, as Grafana applies them.
"use strict";

const DARK = MODEL.theme === "dark";
// super-light, light, plain, semi-dark, dark; the light theme takes one step more.
const HUES = {
  red: ["#FFA6B0", "#FF7383", "#F2495C", "#E02F44", "#C4162A", "#AD0317"],
  orange: ["#FFCB7D", "#FFB357", "#FF9830", "#FF780A", "#FA6400", "#E55400"],
  yellow: ["#FFF899", "#FFEE52", "#FADE2A", "#F2CC0C", "#E0B400", "#CC9D00"],
  green: ["#C8F2C2", "#96D98D", "#73BF69", "#56A64B", "#37872D", "#19730E"],
  blue: ["#C0D8FF", "#8AB8FF", "#5794F2", "#3274D9", "#1F60C4", "#1250B0"],
  purple: ["#DEB6F2", "#CA95E5", "#B877D9", "#A352CC", "#8F3BB8", "#7C2EA3"],
};
const SHADES = ["super-light-", "light-", "", "semi-dark-", "dark-"];
const CLASSIC = [
  "green", "semi-dark-yellow", "light-blue", "semi-dark-orange", "red", "blue",
  "purple", "#705DA0", "dark-green", "yellow", "#447EBC", "#C15C17", "#890F02",
  "#0A437C", "#6D1F62", "#584477",
];
const TEXT = DARK ? "rgb(204,204,220)" : "#24292e";
const FAINT = DARK ? "rgba(204,204,220,0.65)" : "rgba(36,41,46,0.75)";
const GRID = DARK ? "rgba(240,250,255,0.09)" : "rgba(0,10,23,0.09)";
const PANEL = DARK ? "#181b1f" : "#ffffff";

function paint(name) {
  if (name === "text") return TEXT;
  if (name === "transparent") return "rgba(0,0,0,0)";
  for (const [hue, tones] of Object.entries(HUES)) {
    const shade = SHADES.findIndex((one) => one + hue === name);
    if (shade >= 0) return tones[shade + (DARK ? 0 : 1)];
  }
  return name;
}

function faded(colour, share) {
  if (colour === paint("transparent")) return colour;
  const box = document.createElement("canvas").getContext("2d");
  box.fillStyle = colour;
  const plain = box.fillStyle;
  if (!plain.startsWith("#")) return plain.replace(/[\d.]+\)$/, `${share})`);
  const parts = [1, 3, 5].map((at) => parseInt(plain.slice(at, at + 2), 16));
  return `rgba(${parts.join(",")},${share})`;
}

// On a coloured ground, black or white, whichever is read more easily.
function inkOn(colour) {
  if (colour === paint("transparent")) return TEXT;
  const box = document.createElement("canvas").getContext("2d");
  box.fillStyle = colour;
  const parts = [1, 3, 5].map((at) => parseInt(box.fillStyle.slice(at, at + 2), 16));
  return parts[0] * 0.299 + parts[1] * 0.587 + parts[2] * 0.114 > 140 ? "#111217" : "#f7f8fa";
}

function matches(matcher, column) {
  const name = column.title ?? column.name;
  const either = [name, column.name];
  switch (matcher.id) {
    case "byName": return either.includes(matcher.options);
    case "byNames": return either.some((one) => matcher.options.names.includes(one));
    case "byRegexp": {
      const parts = /^\/(.*)\/([a-z]*)$/.exec(matcher.options);
      const pattern = parts ? new RegExp(parts[1], parts[2]) : new RegExp(matcher.options);
      return either.some((one) => pattern.test(one));
    }
    case "byType": return column.kind === matcher.options;
    case "byFrameRefID": return column.query === matcher.options;
    default: throw new Error(`the preview does not know the matcher ${matcher.id}`);
  }
}

// A field's configuration: the defaults, and the overrides that match, in their order.
function configure(panel, column) {
  const defaults = panel.fieldConfig?.defaults ?? {};
  const config = { ...defaults, custom: { ...(defaults.custom ?? {}) } };
  for (const override of panel.fieldConfig?.overrides ?? []) {
    if (!matches(override.matcher, column)) continue;
    for (const { id, value } of override.properties) {
      if (id.startsWith("custom.")) config.custom[id.slice(7)] = value;
      else config[id] = value;
    }
  }
  return config;
}

function titleOf(column, config) {
  return config.displayName || (column.title ?? column.name);
}

function stepsOf(config) {
  const steps = config.thresholds?.steps ?? [{ color: "green", value: null }];
  const percent = config.thresholds?.mode === "percentage";
  const low = config.min ?? 0;
  const high = config.max ?? 100;
  return steps.map(({ color, value }) => ({
    color: paint(color),
    value: value == null ? -Infinity : percent ? low + ((high - low) * value) / 100 : value,
  }));
}

function thresholdColour(value, config) {
  let colour = stepsOf(config)[0].color;
  for (const step of stepsOf(config)) if (value != null && value >= step.value) colour = step.color;
  return colour;
}

function mapping(value, config) {
  for (const { type, options } of config.mappings ?? []) {
    if (type === "value" && value != null && options[String(value)]) return options[String(value)];
    if (type === "range" && typeof value === "number") {
      const { from, to, result } = options;
      if ((from == null || value >= from) && (to == null || value <= to)) return result;
    }
    if (type === "regex" && typeof value === "string") {
      const parts = /^\/(.*)\/$/.exec(options.pattern);
      if (new RegExp(parts ? parts[1] : options.pattern).test(value)) return options.result;
    }
    if (type === "special") {
      const empty = value == null;
      if (empty && ["null", "nan", "null+nan", "empty"].includes(options.match)) return options.result;
    }
  }
  return null;
}

const CONTINUOUS = {
  "continuous-GrYlRd": ["green", "yellow", "red"],
  "continuous-RdYlGr": ["red", "yellow", "green"],
  "continuous-BlYlRd": ["dark-blue", "super-light-yellow", "dark-red"],
  "continuous-blues": ["super-light-blue", "dark-blue"],
  "continuous-reds": ["super-light-red", "dark-red"],
  "continuous-greens": ["super-light-green", "dark-green"],
  "continuous-purples": ["super-light-purple", "dark-purple"],
};

function colourOf(value, config, index = 0) {
  const mapped = mapping(value, config);
  if (mapped?.color) return paint(mapped.color);
  const mode = config.color?.mode ?? "thresholds";
  if (mode === "fixed" || mode === "shades") return paint(config.color.fixedColor ?? "green");
  if (mode.startsWith("palette")) return paint(CLASSIC[index % CLASSIC.length]);
  if (CONTINUOUS[mode]) {
    const scale = CONTINUOUS[mode];
    const share = (value - (config.min ?? 0)) / ((config.max ?? 100) - (config.min ?? 0));
    return paint(scale[Math.max(0, Math.min(scale.length - 1, Math.floor(share * scale.length)))]);
  }
  if (mode !== "thresholds") throw new Error(`the preview does not know the colour mode ${mode}`);
  return thresholdColour(value, config);
}

// The text of a value, mapped or with its unit: number and suffix.
function written(value, config) {
  const mapped = mapping(value, config);
  if (mapped?.text != null && mapped.text !== "") return [mapped.text, ""];
  if (value == null) return [config.noValue ?? "–", ""];
  return format(value, config.unit, config.decimals);
}

const CALCS = {
  lastNotNull: (values) => values.filter((one) => one != null).at(-1) ?? null,
  last: (values) => values.at(-1) ?? null,
  firstNotNull: (values) => values.find((one) => one != null) ?? null,
  first: (values) => values[0] ?? null,
  min: (values) => least(values, Math.min),
  max: (values) => least(values, Math.max),
  sum: (values) => (values.some(isNumber) ? values.reduce((a, b) => a + (b ?? 0), 0) : null),
  mean: (values) => {
    const some = values.filter(isNumber);
    return some.length ? some.reduce((a, b) => a + b, 0) / some.length : null;
  },
  count: (values) => values.length,
  range: (values) => CALCS.max(values) - CALCS.min(values),
  delta: (values) => CALCS.lastNotNull(values) - CALCS.firstNotNull(values),
  diff: (values) => CALCS.lastNotNull(values) - CALCS.firstNotNull(values),
};
CALCS.total = CALCS.sum;
const CALC_TITLES = { lastNotNull: "Last *", last: "Last", mean: "Mean", max: "Max", min: "Min", sum: "Total", total: "Total" };

const isNumber = (value) => value != null;
function least(values, choose) {
  const some = values.filter(isNumber);
  return some.length ? choose(...some) : null;
}

function reduceBy(name, values) {
  if (!CALCS[name]) throw new Error(`the preview does not know the calculation ${name}`);
  return CALCS[name](values);
}

// Everything a stat, gauge or bar gauge shows: one entry for each reduced field.
function reduced(panel) {
  const { reduceOptions = {} } = panel.options ?? {};
  const calc = reduceOptions.calcs?.[0] ?? "lastNotNull";
  const wanted = reduceOptions.fields ? new RegExp(reduceOptions.fields.replace(/^\/|\/$/g, "")) : null;
  const entries = [];
  for (const frame of panel.frames) {
    for (const column of frame.columns) {
      if (column.kind === "time") continue;
      if (wanted ? !wanted.test(column.title ?? column.name) : column.kind !== "number") continue;
      const config = configure(panel, column);
      const rows = reduceOptions.values ? column.values : [reduceBy(calc, column.values)];
      for (const value of rows) {
        entries.push({
          title: titleOf(column, config), value, config, index: entries.length,
          history: column.values,
        });
      }
    }
  }
  return entries;
}
