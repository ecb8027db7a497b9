"""Everything that the browser draws a dashboard from: its panels with their answers."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from markdown_it import MarkdownIt

from dashboards.preview.grafana import (
    DEFAULT_POINTS,
    Panel,
    View,
    find_annotations,
    find_targets,
    shape_answers,
)
from dashboards.preview.layout import Placed, lay_out
from dashboards.preview.prometheus import QueryError
from dashboards.preview.transformations import TransformationError, transform
from dashboards.preview.variables import VariableError

Json = dict[str, Any]
_HIDDEN = 2


def build_model(view: View, theme: str, *, open_rows: bool) -> Json:
    """Run all queries of a dashboard and put together what is drawn.

    Args:
        view: The dashboard with its variables.
        theme: ``dark`` or ``light``.
        open_rows: Whether collapsed rows are opened.
    """
    dashboard = view.dashboard
    placed = lay_out(view, open_rows=open_rows)
    return {
        "theme": theme,
        "title": dashboard["title"],
        "range": _say_range(view),
        "refresh": dashboard.get("refresh") or "",
        "end": view.span.end,
        "variables": [
            {
                "label": one.get("label") or one["name"],
                "value": view.choices[one["name"]].title or "None",
            }
            for one in dashboard.get("templating", {}).get("list", [])
            if one.get("hide", 0) != _HIDDEN
        ],
        "links": [one["title"] for one in dashboard.get("links", [])],
        "annotations": find_bands(view),
        "panels": [_build_panel(number, one) for number, one in enumerate(placed)],
    }


def _say_range(view: View) -> str:
    start, end = (
        datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
        for at in (view.span.start, view.span.end)
    )
    return f"{start} to {end} UTC"


def _build_panel(number: int, placed: Placed) -> Json:
    panel, view = placed.panel, placed.view
    span = view.span_of(panel)
    step = view.step_seconds(panel)
    first = span.start // step * step
    count = int((span.end - first) // step) + 1
    built: Json = {
        **{name: panel[name] for name in _TAKEN if name in panel},
        "number": number,
        "title": view.interpolate(panel.get("title", ""), panel),
        "place": {"x": placed.x, "y": placed.y, "w": placed.w, "h": placed.h},
        "hides": placed.hides,
        "start": span.start,
        "end": span.end,
        "times": [round((first + row * step) * 1000) for row in range(count)],
        "frames": [],
    }
    try:
        _fill(built, panel, view)
    except (QueryError, VariableError, TransformationError) as error:
        built["error"] = str(error)
    return built


_TAKEN = (
    "type",
    "description",
    "transparent",
    "options",
    "fieldConfig",
    "collapsed",
)


def _fill(built: Json, panel: Panel, view: View) -> None:
    if panel["type"] == "text":
        text = view.interpolate(panel["options"]["content"], panel)
        built["html"] = MarkdownIt("js-default").render(text)
    elif panel["type"] == "alertlist":
        built["alerts"] = find_alerts(view, panel)
    elif find_targets(panel):
        frames = shape_answers(view.run_all(panel))
        frames = transform(frames, panel.get("transformations") or ())
        built["frames"] = [
            {"columns": [column.as_json() for column in frame.columns]}
            for frame in frames
        ]


def find_bands(view: View) -> list[Json]:
    """Find the regions that the dashboard's annotations mark, in seconds.

    Points that are not further apart than a step become one region, as Grafana joins
    them; a value of 0 marks nothing.
    """
    bands: list[Json] = []
    for annotation in find_annotations(view.dashboard):
        if not annotation.get("enable", True):
            continue
        panel = {"interval": annotation.get("step") or ""}
        step = view.step_seconds(panel)
        expression = view.interpolate(annotation["target"]["expr"], panel)
        for series in view.ask(expression, panel, instant=False):
            marked = [at for at, value in series.points if value > 0]
            for at in marked:
                last = bands[-1] if bands and bands[-1]["series"] is series else None
                if last and at - last["end"] <= step:
                    last["end"] = at
                else:
                    bands.append(
                        {
                            "series": series,
                            "start": at,
                            "end": at,
                            "colour": annotation.get("iconColor", "red"),
                        }
                    )
    return [{name: band[name] for name in ("start", "end", "colour")} for band in bands]


def find_alerts(view: View, panel: Panel) -> list[Json]:
    """Find the alerts that an alert list shows, those that fire first."""
    options: Mapping[str, Any] = panel.get("options") or {}
    states = options.get("stateFilter") or {"firing": True}
    wanted = [name for name in ("firing", "pending") if states.get(name)]
    matchers = view.interpolate(options.get("alertInstanceLabelFilter") or "{}", panel)
    inner = matchers.strip().removeprefix("{").removesuffix("}").strip().strip(",")
    name = re.escape(view.interpolate(options.get("alertName") or "", panel))
    states_pattern = "|".join(wanted)
    selector = (
        f'ALERTS{{alertstate=~"{states_pattern}",alertname=~".*{name}.*"'
        f"{',' if inner else ''}{inner}}}"
    )
    found: list[Json] = []
    for series in view.ask(selector, {"maxDataPoints": DEFAULT_POINTS}, instant=False):
        last, step = series.points[-1][0], view.step_seconds({})
        if view.span.end - last > step:
            continue
        labels = dict(series.labels)
        labels.pop("__name__", None)
        found.append(
            {
                "name": labels.pop("alertname"),
                "state": labels.pop("alertstate"),
                "labels": labels,
                "since": series.points[0][0],
            }
        )
    found.sort(key=lambda one: (one["state"] != "firing", one["name"]))
    return found[: int(options.get("maxItems") or 20)]
