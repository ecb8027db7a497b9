// Frames, transformations, units, reducers and overrides: all by Grafana's own package.
import {
  applyFieldOverrides, createTheme, FieldConfigOptionsRegistry, fieldMatchers, fieldReducers,
  FieldType, formattedValueToString, getFieldDisplayName, getFieldDisplayValues,
  standardTransformers, standardTransformersRegistry, toDataFrame, transformDataFrame,
} from "@grafana/data";

const PROPERTIES = ["color", "decimals", "links", "mappings", "max", "min", "noValue", "thresholds", "unit"];
// What the drawings of this folder honour; anything else is an error, not a difference.
const CUSTOM = [
  "axisSoftMax", "axisSoftMin", "cellOptions", "drawStyle", "fillOpacity", "lineStyle", "lineWidth",
  "showPoints", "stacking", "thresholdsStyle", "width",
];
const asItem = (id, path, isCustom) => ({
  id, path, isCustom, name: id, process: (value) => value, shouldApply: () => true,
});
const REGISTRY = new FieldConfigOptionsRegistry(() => [
  ...PROPERTIES.map((name) => asItem(name, name, false)),
  ...CUSTOM.map((name) => asItem(`custom.${name}`, name, true)),
]);
// By id: two names stand for joinByField.
const TRANSFORMERS = new Map(Object.values(standardTransformers).map((one) => [one.id, one]));
standardTransformersRegistry.setInit(() => [...TRANSFORMERS].map(([id, one]) => ({
  id, name: one.name, transformation: () => Promise.resolve(one),
})));

const THEMES = {};
export const themeOf = (mode) => (THEMES[mode] ??= createTheme({ colors: { mode } }));
export const textOf = formattedValueToString;
const same = (text) => text;

// Returns the frames of a panel, each field with its configuration and `display`.
export async function resolveFrames(panel, mode) {
  const frames = (panel.answers ?? []).flatMap((answer) => (answer.table ? [tableOf(answer)] : seriesOf(answer)));
  const fieldConfig = panel.fieldConfig ?? { defaults: {}, overrides: [] };
  for (const { id } of panel.transformations ?? []) known(standardTransformersRegistry, id, "transformation");
  for (const id of Object.keys(fieldConfig.defaults)) if (id !== "custom") known(REGISTRY, id, "property");
  for (const id of Object.keys(fieldConfig.defaults.custom ?? {})) known(REGISTRY, `custom.${id}`, "property");
  for (const { matcher, properties } of fieldConfig.overrides) {
    known(fieldMatchers, matcher.id, "matcher");
    for (const { id } of properties) known(REGISTRY, id, "property");
  }
  const data = await new Promise((resolve, reject) => {
    transformDataFrame(panel.transformations ?? [], frames, { interpolate: same }).subscribe({ next: resolve, error: reject });
  });
  return applyFieldOverrides({
    data, fieldConfig, fieldConfigRegistry: REGISTRY, replaceVariables: same, theme: themeOf(mode), timeZone: "utc",
  });
}

function known(registry, id, kind) {
  if (!registry.getIfExists(id)) throw new Error(`the preview does not support the ${kind} ${id}`);
}

function seriesOf({ refId, series }) {
  return series.map(({ labels, title, points }) => toDataFrame({
    refId,
    fields: [
      { name: "Time", type: FieldType.time, values: points.map(([at]) => at) },
      { name: "Value", type: FieldType.number, labels, config: { displayNameFromDS: title }, values: points.map(([, value]) => value) },
    ],
  }));
}

// An instant answer as a table: one column for each label, and `Value #refId`.
function tableOf({ refId, alone, series }) {
  const names = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].sort();
  return toDataFrame({
    refId,
    fields: [
      { name: "Time", type: FieldType.time, values: series.map(({ points }) => points[0][0]) },
      ...names.map((name) => ({ name, type: FieldType.string, values: series.map(({ labels }) => labels[name] ?? "") })),
      { name: alone ? "Value" : `Value #${refId}`, type: FieldType.number, values: series.map(({ points }) => points[0][1]) },
    ],
  });
}

// Returns what a stat or a gauge shows: a value for each field.
export function reduceFrames(panel, data, mode) {
  const { reduceOptions = { calcs: ["lastNotNull"] } } = panel.options ?? {};
  for (const calc of reduceOptions.calcs) known(fieldReducers, calc, "reducer");
  return getFieldDisplayValues({
    data, reduceOptions, fieldConfig: panel.fieldConfig, replaceVariables: same, theme: themeOf(mode), timeZone: "utc",
  });
}

// Returns the panel's series on one grid of times, empty ones left out.
export function alignSeries(panel, frames) {
  const found = [];
  for (const frame of frames) {
    const times = frame.fields.find((field) => field.type === FieldType.time);
    for (const field of frame.fields) {
      if (field.type !== FieldType.number) continue;
      const at = new Map(times.values.map((time, row) => [time, field.values[row]]));
      found.push({
        field, config: field.config, custom: field.config.custom ?? {}, title: getFieldDisplayName(field, frame, frames),
        values: panel.times.map((time) => at.get(time) ?? null),
      });
    }
  }
  return found.some(({ values }) => values.some((value) => value != null)) ? found : [];
}
