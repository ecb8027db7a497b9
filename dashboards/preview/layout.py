"""The positions of panels, once rows are opened and repeated."""

from collections.abc import Iterator
from dataclasses import dataclass

from dashboards.preview.dashboard import Panel, View

COLUMNS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A panel on the page.

    Attributes:
        panel: Its JSON.
        view: The dashboard, with the value for which the panel is repeated.
        x: Column, of 24.
        y: Row.
        w: Width in columns.
        h: Height in rows.
    """

    panel: Panel
    view: View
    x: int
    y: int
    w: int
    h: int


def lay_out(view: View) -> list[Placed]:
    """Place all panels of a dashboard, those in collapsed rows included."""
    placed: list[Placed] = []
    top = 0
    for row, panels in _split(view.dashboard["panels"]):
        for scoped in _repeat(view, row):
            placed += _place(row, panels, scoped, top)
            top = max((one.y + one.h for one in placed), default=0)
    return placed


def _split(panels: list[Panel]) -> list[tuple[Panel | None, list[Panel]]]:
    """Split panels into rows; those above the first row have none."""
    sections: list[tuple[Panel | None, list[Panel]]] = [(None, [])]
    for panel in panels:
        if panel["type"] == "row":
            sections.append((panel, list(panel.get("panels") or ())))
        else:
            sections[-1][1].append(panel)
    return sections


def _repeat(view: View, row: Panel | None) -> Iterator[View]:
    """Yield a view for each value of the variable by which a row is repeated."""
    variable = (row or {}).get("repeat")
    if not variable:
        yield view
        return
    for value in view.choices[variable].values:
        yield view.scope(variable, value)


def _place(
    row: Panel | None, panels: list[Panel], view: View, top: int
) -> Iterator[Placed]:
    if row is not None:
        yield Placed(panel=row, view=view, x=0, y=top, w=COLUMNS, h=1)
        top += 1
    first = min((panel["gridPos"]["y"] for panel in panels), default=0)
    for panel in panels:
        x, y, w, h = (panel["gridPos"][name] for name in "xywh")
        yield Placed(panel=panel, view=view, x=x, y=top + y - first, w=w, h=h)
