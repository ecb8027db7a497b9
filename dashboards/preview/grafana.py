"""Runs a dashboard's queries as Grafana does: what is asked, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dashboards.preview.frames import (
    Frame,
    Series,
    read_series,
    shape_series,
    shape_table,
)
from dashboards.preview.intervals import (
    Span,
    choose_rate_interval,
    choose_step,
    parse_seconds,
    render_seconds,
)
from dashboards.preview.prometheus import Prometheus
from dashboards.preview.recording import SCRAPE_SECONDS
from dashboards.preview.variables import (
    Choice,
    interpolate,
    resolve_variables,
)

DEFAULT_POINTS = 600
"""Grafana takes a panel's width in pixels."""

Panel = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one query.

    Attributes:
        query: ``refId``.
        expression: What was asked, variables resolved.
        legend: ``legendFormat``, variables resolved.
        instant: Whether only the newest values were wanted.
        table: Whether a table was wanted instead of series.
        series: What came.
    """

    query: str
    expression: str
    legend: str
    instant: bool
    table: bool
    series: list[Series]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A dashboard that somebody looks at.

    Attributes:
        dashboard: Its JSON.
        server: Whom its data source stands for.
        span: What is shown.
        choices: Its variables.
        scrape_seconds: The data source's scrape interval.
    """

    dashboard: Mapping[str, Any]
    server: Prometheus
    span: Span
    choices: Mapping[str, Choice] = field(default_factory=dict)
    scrape_seconds: float = SCRAPE_SECONDS

    def scoped(self, variable: str, value: str) -> "View":
        """Return the view of a row or panel that is repeated for one value."""
        one = replace(
            self.choices[variable],
            values=(value,),
            title=value,
            all_value=None,
        )
        return replace(self, choices={**self.choices, variable: one})

    def interpolate(self, text: str, panel: Panel | None = None) -> str:
        """Put in variables, Grafana's own among them."""
        return interpolate(text, self.choices, self._builtin(panel or {}))

    def step_seconds(self, panel: Panel) -> float:
        """Return ``$__interval`` of a panel, in seconds."""
        least = self.scrape_seconds
        if panel.get("interval"):
            text = interpolate(panel["interval"], self.choices, {})
            least = parse_seconds(text)
        points = panel.get("maxDataPoints") or DEFAULT_POINTS
        return choose_step(self.span_of(panel), int(points), least)

    def span_of(self, panel: Panel) -> Span:
        """Return what a panel shows, which may have a time of its own."""
        end, seconds = self.span.end, self.span.seconds
        if panel.get("timeFrom"):
            seconds = parse_seconds(panel["timeFrom"])
        if panel.get("timeShift"):
            end -= parse_seconds(panel["timeShift"])
        return Span(end - seconds, end)

    def _builtin(self, panel: Panel) -> dict[str, str]:
        span = self.span_of(panel)
        step = self.step_seconds(panel)
        rate = choose_rate_interval(step, self.scrape_seconds)
        return {
            "__interval": render_seconds(step),
            "__interval_ms": f"{round(step * 1000)}",
            "__rate_interval": render_seconds(rate),
            "__rate_interval_ms": f"{round(rate * 1000)}",
            "__range": f"{round(span.seconds)}s",
            "__range_s": f"{round(span.seconds)}",
            "__range_ms": f"{round(span.seconds * 1000)}",
            "__from": f"{round(span.start * 1000)}",
            "__to": f"{round(span.end * 1000)}",
            "__dashboard": self.dashboard.get("title", ""),
        }

    def run(self, panel: Panel, target: Mapping[str, Any]) -> Answer:
        """Run one query of a panel.

        Raises:
            QueryError: Prometheus refuses it.
            VariableError: It names a variable that the dashboard has not.
        """
        expression = self.interpolate(target["expr"], panel)
        instant = bool(target.get("instant")) and not target.get("range")
        return Answer(
            query=target.get("refId", "A"),
            expression=expression,
            legend=self.interpolate(target.get("legendFormat") or "", panel),
            instant=instant,
            table=target.get("format") == "table",
            series=self.ask(expression, panel, instant=instant),
        )

    def ask(self, expression: str, panel: Panel, *, instant: bool) -> list[Series]:
        """Ask for the newest values, or for those of the whole span."""
        span = self.span_of(panel)
        if instant:
            return read_series(
                self.server.ask("query", query=expression, time=str(span.end))
            )
        step = self.step_seconds(panel)
        return read_series(
            self.server.ask(
                "query_range",
                query=expression,
                start=str(span.start // step * step),
                end=str(span.end // step * step),
                step=str(step),
            )
        )

    def run_all(self, panel: Panel) -> list[Answer]:
        """Run all queries of a panel that are not hidden."""
        return [self.run(panel, one) for one in find_targets(panel)]


def open_dashboard(
    dashboard: Mapping[str, Any],
    server: Prometheus,
    end: float,
    chosen: Mapping[str, list[str]] | None = None,
) -> View:
    """Open a dashboard at its own time range.

    Args:
        dashboard: Its JSON.
        server: Whom its data source stands for.
        end: What ``now`` is, in seconds since the epoch.
        chosen: Values of variables, instead of the dashboard's own choice.

    Raises:
        VariableError: A variable is not one that is known here.
        QueryError: Prometheus refuses the query of a variable.
    """
    seconds = parse_seconds(dashboard["time"]["from"])
    span = Span(end - seconds, end)
    choices = resolve_variables(dashboard, server, span, chosen)
    return View(dashboard=dashboard, server=server, span=span, choices=choices)


def find_targets(panel: Panel) -> list[Mapping[str, Any]]:
    """Find the queries of a panel that are run."""
    return [one for one in panel.get("targets") or () if not one.get("hide")]


def find_annotations(dashboard: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Find the annotations that ask Prometheus."""
    found = dashboard.get("annotations", {}).get("list", [])
    return [one for one in found if "target" in one and one["target"].get("expr")]


def shape_answers(answers: list[Answer]) -> list[Frame]:
    """Make frames of the answers to one panel's queries."""
    frames: list[Frame] = []
    for answer in answers:
        if answer.table:
            alone = len(answers) == 1
            frames.append(shape_table(answer.series, answer.query, alone=alone))
        else:
            frames += shape_series(
                answer.series, answer.query, answer.legend, answer.expression
            )
    return frames
