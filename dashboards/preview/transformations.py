"""Grafana's transformations of frames, as far as the dashboards use them.

After ``packages/grafana-data/src/transformations/transformers`` of Grafana 11.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dashboards.preview.frames import Column, Frame

Options = Mapping[str, Any]


class TransformationError(Exception):
    """A transformation is not known here."""


def transform(frames: list[Frame], steps: Sequence[Mapping[str, Any]]) -> list[Frame]:
    """Apply a panel's transformations in their order.

    Args:
        frames: The answers to its queries.
        steps: ``transformations`` of the panel.

    Raises:
        TransformationError: One of them is not known.
    """
    for step in steps:
        if step.get("disabled"):
            continue
        try:
            apply = _STEPS[step["id"]]
        except KeyError:
            message = f"the preview does not know the transformation {step['id']!r}"
            raise TransformationError(message) from None
        frames = apply(frames, step.get("options") or {})
    return frames


def _merge(frames: list[Frame], options: Options) -> list[Frame]:
    """Put rows together that are equal in all columns that the frames share."""
    del options
    frames = [frame for frame in frames if frame.columns]
    if not frames:
        return []
    shared = [
        column.name
        for column in frames[0].columns
        if all(frame.find(column.name) for frame in frames)
    ]
    return [_join(frames, shared, keep_all=True)]


def _join_by_field(frames: list[Frame], options: Options) -> list[Frame]:
    name = options.get("byField") or "Time"
    frames = [frame for frame in frames if frame.find(name)]
    if not frames:
        return []
    return [_join(frames, [name], keep_all=options.get("mode", "outer") != "inner")]


def _join(frames: list[Frame], shared: list[str], *, keep_all: bool) -> Frame:
    keys: dict[tuple[Any, ...], None] = {}
    tables: list[dict[tuple[Any, ...], int]] = []
    for frame in frames:
        found = [_find(frame, name).values for name in shared]
        table = {key: row for row, key in enumerate(zip(*found, strict=True))}
        tables.append(table)
        keys.update(dict.fromkeys(table))
    wanted = [key for key in keys if keep_all or all(key in one for one in tables)]
    columns = [
        Column(name, _find(frames[0], name).kind, [key[place] for key in wanted])
        for place, name in enumerate(shared)
    ]
    for number, (frame, table) in enumerate(zip(frames, tables, strict=True), 1):
        for column in frame.columns:
            if column.name in shared:
                continue
            taken = any(column.name == one.name for one in columns)
            columns.append(
                Column(
                    name=f"{column.name} {number}" if taken else column.name,
                    kind=column.kind,
                    values=[
                        column.values[table[key]] if key in table else None
                        for key in wanted
                    ],
                    labels=column.labels,
                    title=column.title,
                    query=column.query,
                )
            )
    return Frame(columns)


def _find(frame: Frame, name: str) -> Column:
    column = frame.find(name)
    if column is None:
        message = f"there is no field {name!r}"
        raise TransformationError(message)
    return column


def _organize(frames: list[Frame], options: Options) -> list[Frame]:
    """Leave out, order and rename; it wants one frame."""
    excluded = {
        name for name, out in (options.get("excludeByName") or {}).items() if out
    }
    included = {
        name for name, kept in (options.get("includeByName") or {}).items() if kept
    }
    order = options.get("indexByName") or {}
    titles = options.get("renameByName") or {}
    shaped = []
    for frame in frames:
        kept = [
            column
            for column in frame.columns
            if column.name not in excluded
            and column.title not in excluded
            and (not included or column.name in included)
        ]
        kept.sort(key=lambda column: order.get(column.name, len(order) + 1_000))
        for column in kept:
            title = titles.get(column.name) or titles.get(column.title or "")
            if title:
                column.title = title
        shaped.append(Frame(kept, frame.query))
    return shaped


def _filter_fields(frames: list[Frame], options: Options) -> list[Frame]:
    include, exclude = options.get("include") or {}, options.get("exclude") or {}

    def stays(column: Column) -> bool:
        names = (column.name, column.title)
        if any(name in exclude.get("names", ()) for name in names):
            return False
        if not include:
            return True
        pattern = include.get("pattern")
        matched = pattern and re.search(pattern.strip("/"), column.title or column.name)
        return bool(matched) or any(name in include.get("names", ()) for name in names)

    return [
        Frame([column for column in frame.columns if stays(column)], frame.query)
        for frame in frames
    ]


def _sort_by(frames: list[Frame], options: Options) -> list[Frame]:
    (rule,) = options.get("sort") or [{}]
    return [_sorted(frame, rule) for frame in frames]


def _sorted(frame: Frame, rule: Mapping[str, Any]) -> Frame:
    column = frame.find(rule.get("field", ""))
    if column is None:
        return frame
    values = column.values
    known = [row for row in range(frame.rows) if values[row] is not None]
    unknown = [row for row in range(frame.rows) if values[row] is None]
    known.sort(key=lambda row: values[row], reverse=bool(rule.get("desc")))
    return frame.keep_rows(known + unknown)


def _limit(frames: list[Frame], options: Options) -> list[Frame]:
    most = int(options.get("limitField", 10))
    return [frame.keep_rows(range(min(most, frame.rows))) for frame in frames]


def _labels_to_fields(frames: list[Frame], options: Options) -> list[Frame]:
    """Make columns of labels, one frame of each series."""
    value_label = options.get("valueLabel")
    shaped = []
    for frame in frames:
        columns: list[Column] = []
        for column in frame.columns:
            if column.kind != "number":
                columns.append(column)
                continue
            columns += [
                Column(name, "string", [value] * frame.rows)
                for name, value in column.labels.items()
                if name != value_label
            ]
            name = column.labels.get(str(value_label), column.name)
            columns.append(Column(name, "number", column.values, query=column.query))
        shaped.append(Frame(columns, frame.query))
    return shaped


_REDUCERS: dict[str, Callable[[list[float]], float | None]] = {
    "lastNotNull": lambda values: values[-1] if values else None,
    "max": lambda values: max(values, default=None),
    "min": lambda values: min(values, default=None),
    "sum": lambda values: sum(values) if values else None,
    "mean": lambda values: sum(values) / len(values) if values else None,
    "count": lambda values: float(len(values)),
}
_REDUCER_TITLES = {
    "lastNotNull": "Last *",
    "max": "Max",
    "min": "Min",
    "sum": "Total",
    "mean": "Mean",
    "count": "Count",
}


def _reduce(frames: list[Frame], options: Options) -> list[Frame]:
    """Make one row of each series."""
    columns = [
        column
        for frame in frames
        for column in frame.columns
        if column.kind == "number"
    ]
    shaped = [
        Column("Field", "string", [column.title or column.name for column in columns])
    ]
    if options.get("labelsToFields"):
        names = sorted({name for column in columns for name in column.labels})
        shaped += [
            Column(name, "string", [column.labels.get(name, "") for column in columns])
            for name in names
        ]
    for name in options.get("reducers", ["max"]):
        reducer = _REDUCERS[name]
        values = [
            reducer([value for value in column.values if value is not None])
            for column in columns
        ]
        shaped.append(Column(_REDUCER_TITLES[name], "number", values))
    return [Frame(shaped)]


def _rename_by_regex(frames: list[Frame], options: Options) -> list[Frame]:
    pattern = re.compile(options["regex"].strip("/"))
    renamed = re.sub(r"\$(\d)", r"\\\1", options["renamePattern"])
    for frame in frames:
        for column in frame.columns:
            column.title = pattern.sub(renamed, column.title or column.name)
    return frames


_ARITHMETIC: dict[str, Callable[[float, float], float | None]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right if right else None,
}


def _calculate(frames: list[Frame], options: Options) -> list[Frame]:
    if options.get("mode") != "binary":
        message = "the preview only calculates with two fields"
        raise TransformationError(message)
    binary = options["binary"]
    operate = _ARITHMETIC[binary["operator"]]
    for frame in frames:
        left, right = (_operand(frame, binary[side]) for side in ("left", "right"))
        values = [
            None if one is None or other is None else operate(one, other)
            for one, other in zip(left, right, strict=True)
        ]
        title = options.get("alias") or f"{binary['left']} {binary['operator']}"
        frame.columns.append(Column(title, "number", values))
    return frames


def _operand(frame: Frame, operand: object) -> list[Any]:
    if isinstance(operand, Mapping):
        operand = operand.get("fixed") or operand.get("matcher", {}).get("options")
    column = frame.find(str(operand))
    return column.values if column else [float(str(operand))] * frame.rows


_STEPS: dict[str, Callable[[list[Frame], Options], list[Frame]]] = {
    "merge": _merge,
    "joinByField": _join_by_field,
    "seriesToColumns": _join_by_field,
    "organize": _organize,
    "filterFieldsByName": _filter_fields,
    "sortBy": _sort_by,
    "limit": _limit,
    "labelsToFields": _labels_to_fields,
    "reduce": _reduce,
    "renameByRegex": _rename_by_regex,
    "calculateField": _calculate,
}
