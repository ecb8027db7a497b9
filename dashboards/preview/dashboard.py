"""A dashboard with its time range and variables, and the queries of its panels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from promql_parser import parse_duration

from dashboards.preview.prometheus import Prometheus, Series
from dashboards.preview.recording import SCRAPE_SECONDS
from dashboards.preview.variables import Choice, Span, interpolate, resolve_variables

_MAX_POINTS = 600
"""Grafana takes a panel's width in pixels."""
# Up to half a day, those of `rangeUtil.roundInterval` in ``@grafana/data``.
_INTERVALS = (
    *(1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800),
    *(3_600, 7_200, 10_800, 21_600, 43_200),
)
_PLACEHOLDER = re.compile(r"\{\{\s*(.+?)\s*\}\}")

Panel = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of one query."""

    query: str
    expression: str
    legend: str
    is_table: bool
    series: list[Series]

    def title_of(self, series: Series) -> str:
        """Return the name of a series in legends."""
        return _PLACEHOLDER.sub(lambda m: series.labels.get(m[1], ""), self.legend)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An open dashboard."""

    dashboard: Mapping[str, Any]
    server: Prometheus
    span: Span
    choices: Mapping[str, Choice] = field(default_factory=dict)

    def scope(self, variable: str, value: str) -> "View":
        """Return the view of a row that is repeated for one value."""
        one = Choice(name=variable, values=(value,), is_list=True, title=value)
        return replace(self, choices={**self.choices, variable: one})

    def interpolate(self, text: str, panel: Panel | None = None) -> str:
        """Replace variables, Grafana's own included."""
        step = self.step_seconds(panel or {})
        seconds = {
            "__interval": step,
            # As Grafana's documentation of its Prometheus data source defines it.
            "__rate_interval": max(step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS),
            "__range": self.span.seconds,
        }
        builtin = {name: f"{round(value)}s" for name, value in seconds.items()}
        return interpolate(text, self.choices, builtin)

    def step_seconds(self, panel: Panel) -> float:
        """Return ``$__interval`` of a panel, in seconds."""
        interval = panel.get("interval")
        least = parse_seconds(interval) if interval else SCRAPE_SECONDS
        return max(round_interval(self.span.seconds / _MAX_POINTS), least)

    def run(self, panel: Panel, target: Mapping[str, Any]) -> Answer:
        """Run one query of a panel.

        Raises:
            QueryError: Prometheus rejects it.
            VariableError: It refers to a variable that does not exist.
        """
        expression = self.interpolate(target["expr"], panel)
        if target.get("instant"):
            series = self.server.query(expression, self.span.end)
        else:
            series = self.query_range(expression, panel)
        return Answer(
            query=target["refId"],
            expression=expression,
            legend=self.interpolate(target.get("legendFormat") or "", panel),
            is_table=target.get("format") == "table",
            series=series,
        )

    def run_all(self, panel: Panel) -> list[Answer]:
        """Run all queries of a panel that are not hidden."""
        return [self.run(panel, one) for one in find_targets(panel)]

    def query_range(self, expression: str, panel: Panel) -> list[Series]:
        """Query the whole time range, at multiples of the panel's step."""
        step = self.step_seconds(panel)
        start = self.span.start // step * step
        return self.server.query_range(expression, start, self.span.end, step)


def parse_seconds(text: str) -> float:
    """Convert ``5m``, ``1h30m`` or ``now-6h`` to seconds.

    Raises:
        ValueError: It is not a duration.
    """
    return parse_duration(text.removeprefix("now-")).total_seconds()


def round_interval(seconds: float) -> int:
    """Round to the nearest interval that Grafana uses."""
    return min(_INTERVALS, key=lambda one: (abs(one - seconds), -one))


def open_dashboard(
    dashboard: Mapping[str, Any],
    server: Prometheus,
    end: float,
    chosen: Mapping[str, list[str]] | None = None,
) -> View:
    """Open a dashboard at its own time range.

    Args:
        dashboard: Its JSON.
        server: Runs its queries.
        end: When the time range ends, in seconds since the epoch.
        chosen: Values by variable, in place of the stored ones.

    Raises:
        VariableError: A variable is not supported.
        QueryError: Prometheus rejects the query of a variable.
    """
    span = Span(end - parse_seconds(dashboard["time"]["from"]), end)
    choices = resolve_variables(dashboard, server, span, chosen)
    return View(dashboard=dashboard, server=server, span=span, choices=choices)


def find_targets(panel: Panel) -> list[Mapping[str, Any]]:
    """Return the queries of a panel that are not hidden."""
    return [one for one in panel.get("targets") or () if not one.get("hide")]


def find_annotations(dashboard: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the annotations that query Prometheus."""
    found = dashboard.get("annotations", {}).get("list", [])
    return [one for one in found if one.get("target", {}).get("expr")]
