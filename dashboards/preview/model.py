"""The data from which the page draws a dashboard: its panels with their answers."""

from datetime import UTC, datetime
from typing import Any

from dashboards.preview.dashboard import Answer, Panel, View, find_annotations
from dashboards.preview.layout import Placed, lay_out
from dashboards.preview.prometheus import QueryError
from dashboards.preview.variables import VariableError

Json = dict[str, Any]
_HIDDEN = 2
_COPIED = ("type", "description", "options", "fieldConfig", "transformations")


def build_model(view: View, theme: str) -> Json:
    """Run all queries of a dashboard and put together what is drawn."""
    dashboard = view.dashboard
    start, end = (
        datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
        for at in (view.span.start, view.span.end)
    )
    return {
        "theme": theme,
        "title": dashboard["title"],
        "range": f"{start} to {end} UTC",
        "end": view.span.end,
        "variables": [
            {"label": one["label"], "value": view.choices[one["name"]].title or "None"}
            for one in dashboard["templating"]["list"]
            if one.get("hide", 0) != _HIDDEN
        ],
        "annotations": _find_regions(view),
        "panels": [_build_panel(one) for one in lay_out(view)],
    }


def _build_panel(placed: Placed) -> Json:
    panel, view = placed.panel, placed.view
    span, step = view.span, view.step_seconds(panel)
    first = span.start // step * step
    count = int((span.end - first) // step) + 1
    built: Json = {
        **{name: panel[name] for name in _COPIED if name in panel},
        "title": view.interpolate(panel.get("title", ""), panel),
        "place": placed.place,
        "start": span.start,
        "end": span.end,
        "times": [round((first + row * step) * 1000) for row in range(count)],
    }
    try:
        if panel["type"] == "text":
            built["content"] = view.interpolate(panel["options"]["content"], panel)
        elif panel["type"] == "alertlist":
            built["alerts"] = _find_alerts(view, panel)
        else:
            answers = view.run_all(panel)
            built["answers"] = [_dump(one, alone=len(answers) == 1) for one in answers]
    except (QueryError, VariableError) as error:
        built["error"] = str(error)
    return built


def _dump(answer: Answer, *, alone: bool) -> Json:
    return {
        "refId": answer.query,
        "table": answer.is_table,
        "alone": alone,
        "series": [
            {
                "labels": {k: v for k, v in one.labels.items() if k != "__name__"},
                "title": answer.title_of(one),
                "points": [(round(at * 1000), _finite(n)) for at, n in one.points],
            }
            for one in answer.series
        ],
    }


def _finite(number: float) -> float | None:
    """JSON has neither NaN nor infinity."""
    return number if number - number == 0 else None


def _find_regions(view: View) -> list[Json]:
    """Find the regions that enabled annotations mark: where their value is not 0."""
    regions: list[Json] = []
    for annotation in find_annotations(view.dashboard):
        if not annotation.get("enable", True):
            continue
        panel = {"interval": annotation.get("step") or ""}
        step = view.step_seconds(panel)
        expression = view.interpolate(annotation["target"]["expr"], panel)
        for series in view.query_range(expression, panel):
            end = float("-inf")
            for at in (at for at, value in series.points if value > 0):
                if at - end > step:
                    regions.append({"start": at, "color": annotation["iconColor"]})
                end = regions[-1]["end"] = at
    return regions


def _find_alerts(view: View, panel: Panel) -> list[Json]:
    """Find the alerts that an alert list shows, firing ones first."""
    options = panel["options"]
    states = [name for name in ("firing", "pending") if options["stateFilter"][name]]
    matchers = view.interpolate(options["alertInstanceLabelFilter"], panel).strip("{}")
    selector = f'ALERTS{{alertstate=~"{"|".join(states)}",{matchers}}}'
    step = view.step_seconds(panel)
    found: list[Json] = []
    for series in view.query_range(selector, panel):
        if view.span.end - series.points[-1][0] > step:
            continue
        labels = {k: v for k, v in series.labels.items() if k != "__name__"}
        name, state = labels.pop("alertname"), labels.pop("alertstate")
        alert = {"name": name, "state": state, "since": series.points[0][0]}
        found.append({**alert, "labels": labels})
    found.sort(key=lambda one: (one["state"] != "firing", one["name"]))
    return found[: int(options["maxItems"])]
