"""Answers of Prometheus as Grafana's frames: columns with names, types and labels.

After ``packages/grafana-prometheus/src/result_transformer.ts`` and
``packages/grafana-data/src/field/fieldState.ts`` of Grafana 11.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_LEGEND_PLACE = re.compile(r"\{\{\s*(.+?)\s*\}\}")
AUTO = "__auto"


@dataclass(slots=True)
class Column:
    """A field of a frame.

    Attributes:
        name: Its name, by which transformations know it.
        kind: ``time``, ``number`` or ``string``.
        values: One for each row; times in milliseconds, None for nothing.
        labels: Of the series, where it is one.
        title: What the reader sees instead of the name.
        query: The ``refId`` that it comes from.
    """

    name: str
    kind: str
    values: list[Any]
    labels: dict[str, str] = field(default_factory=dict)
    title: str | None = None
    query: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what the browser draws from."""
        return {
            "name": self.name,
            "kind": self.kind,
            "values": self.values,
            "labels": self.labels,
            "title": self.title,
            "query": self.query,
        }


@dataclass(slots=True)
class Frame:
    """A table of equally long columns.

    Attributes:
        columns: They.
        query: The ``refId`` that it comes from.
    """

    columns: list[Column]
    query: str = ""

    def find(self, name: str) -> Column | None:
        """Find a column by its name or its title."""
        for column in self.columns:
            if name in (column.name, column.title):
                return column
        return None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[0].values) if self.columns else 0

    def keep_rows(self, kept: Sequence[int]) -> "Frame":
        """Return a frame of some rows, in the order given."""
        columns = [
            Column(
                name=one.name,
                kind=one.kind,
                values=[one.values[row] for row in kept],
                labels=one.labels,
                title=one.title,
                query=one.query,
            )
            for one in self.columns
        ]
        return Frame(columns, self.query)


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer.

    Attributes:
        labels: Its labels, ``__name__`` among them where Prometheus kept it.
        points: Seconds since the epoch, and values.
    """

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


def read_series(data: Mapping[str, Any]) -> list[Series]:
    """Read what ``query`` and ``query_range`` answer.

    Args:
        data: ``resultType`` and ``result``.
    """
    match data["resultType"]:
        case "matrix":
            return [
                Series(
                    one["metric"], [(at, float(value)) for at, value in one["values"]]
                )
                for one in data["result"]
            ]
        case "vector":
            return [
                Series(one["metric"], [(one["value"][0], float(one["value"][1]))])
                for one in data["result"]
            ]
        case _:
            at, value = data["result"]
            return [Series({}, [(at, float(value))])]


def name_series(series: Series, legend: str, expression: str) -> str:
    """Name a series as its legend says.

    Args:
        series: The series.
        legend: ``legendFormat``: text with ``{{label}}``, ``__auto``, or nothing.
        expression: What an automatic name falls back to.
    """
    if legend and legend != AUTO:
        return _LEGEND_PLACE.sub(lambda m: series.labels.get(m[1], ""), legend)
    labels = {k: v for k, v in series.labels.items() if k != "__name__"}
    if not labels:
        return series.labels.get("__name__", expression)
    pairs = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return f"{series.labels.get('__name__', '')}{{{pairs}}}"


def shape_series(
    found: list[Series], query: str, legend: str, expression: str
) -> list[Frame]:
    """Make a frame of each series: a time and a value."""
    frames = []
    for series in found:
        labels = {k: v for k, v in series.labels.items() if k != "__name__"}
        title = name_series(series, legend, expression)
        times = Column("Time", "time", [round(at * 1000) for at, _ in series.points])
        values = Column(
            "Value",
            "number",
            [_plain(value) for _, value in series.points],
            labels=labels,
            title=title,
            query=query,
        )
        frames.append(Frame([times, values], query))
    return frames


def shape_table(found: list[Series], query: str, *, alone: bool) -> Frame:
    """Make one frame of an instant answer: time, labels, value.

    Args:
        found: The answer.
        query: Its ``refId``.
        alone: Whether it is the panel's only query: else the value is ``Value #A``.
    """
    rows = [(series, at, value) for series in found for at, value in series.points]
    names = sorted({name for series in found for name in series.labels})
    columns = [Column("Time", "time", [round(at * 1000) for _, at, _ in rows])]
    columns += [
        Column(name, "string", [one.labels.get(name, "") for one, _, _ in rows])
        for name in names
    ]
    columns.append(
        Column(
            "Value" if alone else f"Value #{query}",
            "number",
            [_plain(value) for _, _, value in rows],
            query=query,
        )
    )
    return Frame(columns, query)


def _plain(value: float) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if value - value == 0 else None
