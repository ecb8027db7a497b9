"""The positions of panels, once rows are opened and repeated."""

from collections.abc import Iterator
from dataclasses import dataclass

from dashboards.preview.dashboard import Panel, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A panel on the page: `place` is x, y, w, h in cells of the grid."""

    panel: Panel
    view: View
    place: dict[str, int]


def lay_out(view: View) -> list[Placed]:
    """Place all panels of a dashboard, those in collapsed rows included."""
    placed: list[Placed] = []
    top = 0
    for row, panels in _split(view.dashboard["panels"]):
        for scoped in _repeat(view, row):
            placed += _place(row, panels, scoped, top)
            top = max((one.place["y"] + one.place["h"] for one in placed), default=0)
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


def _repeat(view: View, row: Panel | None) -> list[View]:
    """Return a view for each value of the variable by which a row is repeated."""
    variable = (row or {}).get("repeat")
    if not variable:
        return [view]
    return [view.scope(variable, value) for value in view.choices[variable].values]


def _place(
    row: Panel | None, panels: list[Panel], view: View, top: int
) -> Iterator[Placed]:
    if row is not None:
        place = {"x": 0, "y": top, "w": 24, "h": 1}
        yield Placed(panel=row, view=view, place=place)
        top += 1
    first = min((panel["gridPos"]["y"] for panel in panels), default=0)
    for panel in panels:
        y = top + panel["gridPos"]["y"] - first
        yield Placed(panel=panel, view=view, place={**panel["gridPos"], "y": y})
