"""Which panels are where, once rows and panels are repeated and rows opened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.preview.grafana import Panel, View

COLUMNS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A panel on the page.

    Attributes:
        panel: Its JSON.
        view: The dashboard as this panel sees it, repeated values put in.
        x: Column, of 24.
        y: Row.
        w: Width in columns.
        h: Height in rows.
        hides: How many panels a closed row hides.
    """

    panel: Panel
    view: View
    x: int
    y: int
    w: int
    h: int
    hides: int = 0


@dataclass(frozen=True, slots=True)
class _Section:
    """A row with its panels; the panels above the first row have none."""

    row: Panel | None
    panels: list[Panel]


def lay_out(view: View, *, open_rows: bool) -> list[Placed]:
    """Place all panels of a dashboard.

    Args:
        view: The dashboard with its variables.
        open_rows: Whether collapsed rows are opened.
    """
    placed: list[Placed] = []
    top = 0
    for section in _split(view.dashboard["panels"]):
        for scoped in _repeat(view, section.row):
            below = list(_place(section, scoped, top, open_rows=open_rows))
            placed += below
            top = max((one.y + one.h for one in below), default=top)
    return placed


def _split(panels: list[Panel]) -> list[_Section]:
    sections = [_Section(None, [])]
    for panel in panels:
        if panel["type"] == "row":
            sections.append(_Section(panel, list(panel.get("panels") or ())))
        else:
            sections[-1].panels.append(panel)
    return sections


def _repeat(view: View, repeated: Panel | None) -> Iterator[View]:
    """Yield a view for each value of the variable that something is repeated by."""
    variable = (repeated or {}).get("repeat")
    if not variable:
        yield view
        return
    for value in view.choices[variable].values:
        yield view.scoped(variable, value)


def _place(
    section: _Section, view: View, top: int, *, open_rows: bool
) -> Iterator[Placed]:
    closed = False
    first = min((panel["gridPos"]["y"] for panel in section.panels), default=0)
    if section.row is not None:
        closed = bool(section.row.get("collapsed")) and not open_rows
        hides = len(section.panels) if closed else 0
        yield Placed(
            panel=section.row, view=view, x=0, y=top, w=COLUMNS, h=1, hides=hides
        )
        top += 1
    if closed:
        return
    down = 0
    for panel in section.panels:
        grid = panel["gridPos"]
        views = list(_repeat(view, panel))
        for number, scoped in enumerate(views):
            x, lower, width = _spread(panel, number, len(views))
            yield Placed(
                panel=panel,
                view=scoped,
                x=x,
                y=top + grid["y"] - first + lower + down,
                w=width,
                h=grid["h"],
            )
        if len(views) > 1:
            down += _spread(panel, len(views) - 1, len(views))[1]


def _spread(panel: Panel, number: int, count: int) -> tuple[int, int, int]:
    """Return column, rows further down, and width of a repeated panel."""
    grid: Mapping[str, Any] = panel["gridPos"]
    if count == 1 and not panel.get("repeat"):
        return grid["x"], 0, grid["w"]
    if panel.get("repeatDirection") == "v":
        return grid["x"], number * grid["h"], grid["w"]
    across = min(count, int(panel.get("maxPerRow") or 4))
    width = COLUMNS // across
    return number % across * width, number // across * grid["h"], width
