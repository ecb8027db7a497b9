"""The kinds of panels, and what holds for each where a definition says nothing."""

from collections.abc import Mapping
from typing import Any, ClassVar

from grafana_foundation_sdk.builders import (
    dashboard,
    gauge,
    stat,
    statetimeline,
    text,
    timeseries,
)

from dashboards.builder.errors import BuildError
from dashboards.builder.panels import OurPanel, Panel


class TimeseriesPanel(OurPanel):
    """Lines, areas or bars over time."""

    builder = timeseries.Panel
    preset: ClassVar[Mapping[str, Any]] = {
        "color_scheme": {"mode": "palette-classic"},
        "fill_opacity": 8,
        "legend": {"display_mode": "list", "placement": "bottom", "show_legend": True},
        "line_width": 1,
        "show_points": "never",
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


class BarsPanel(OurPanel):
    """Stacked bars over time: how many, of what."""

    builder = timeseries.Panel
    preset: ClassVar[Mapping[str, Any]] = {
        **TimeseriesPanel.preset,
        "draw_style": "bars",
        "fill_opacity": 80,
        "line_width": 0,
        "stacking": {"mode": "normal", "group": "A"},
    }


class StatPanel(OurPanel):
    """Numbers of this moment: what is gone is not shown as if it were there."""

    builder = stat.Panel
    instant = True
    preset: ClassVar[Mapping[str, Any]] = {
        "color_mode": "value",
        "graph_mode": "none",
        "justify_mode": "auto",
        "no_value": "no data",
        "reduce_options": {"calcs": ["lastNotNull"]},
        "text_mode": "auto",
    }


class GaugePanel(OurPanel):
    """A share of something."""

    builder = gauge.Panel
    instant = True
    preset: ClassVar[Mapping[str, Any]] = {
        "no_value": "no data",
        "reduce_options": {"calcs": ["lastNotNull"]},
        "show_threshold_markers": True,
    }


class StateTimelinePanel(OurPanel):
    """States over time."""

    builder = statetimeline.Panel
    preset: ClassVar[Mapping[str, Any]] = {
        "color_scheme": {"mode": "thresholds"},
        "fill_opacity": 80,
        "legend": {"display_mode": "list", "placement": "bottom", "show_legend": False},
        "line_width": 0,
        "merge_values": True,
        "row_height": 0.8,
        "show_value": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    }


class TextPanel(OurPanel):
    """Words."""

    builder = text.Panel
    preset: ClassVar[Mapping[str, Any]] = {"mode": "markdown"}

    def check(self, data: Mapping[str, Any]) -> None:
        """Ask for words instead of queries."""
        if not str(data.get("content", "")).strip():
            message = "it has no content"
            raise BuildError(message)
        super().check({**data, "queries": "none needed"})


class AlertListPanel(OurPanel):
    """Alerts of all data sources that manage some, by Grafana's own panel.

    Its option for one data source wants the name and takes no variable; and in older
    Grafanas a matcher of a label that an alert lacks excludes the alert, even if it
    matches the empty text (grafana/grafana, ``alertlist/UnifiedAlertList.tsx`` and
    ``labelsMatchMatchers``). So alerts are told by labels that they have.
    """

    builder = dashboard.Panel
    preset: ClassVar[Mapping[str, Any]] = {"type": "alertlist"}

    def check(self, data: Mapping[str, Any]) -> None:
        """Ask for nothing that a query would answer."""
        super().check({**data, "queries": "none needed"})

    def build(self, data: dict[str, Any]) -> Panel:
        """Build the panel; the SDK has no builder of its options."""
        labels = data.pop("labels")
        panel = super().build(data)
        panel.tree["options"] = {
            "alertInstanceLabelFilter": labels,
            "alertName": "",
            "dashboardAlerts": False,
            "groupBy": [],
            "groupMode": "default",
            "maxItems": 20,
            "showInactiveAlerts": False,
            "sortOrder": 3,
            "stateFilter": {
                "error": True,
                "firing": True,
                "noData": False,
                "normal": False,
                "pending": True,
                "recovering": False,
            },
            "viewMode": "list",
        }
        return panel
