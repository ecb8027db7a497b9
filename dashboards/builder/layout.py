"""Places panels on Grafana's grid of 24 columns, line by line."""

from dashboards.builder.errors import BuildError
from dashboards.builder.panels import Panel
from dashboards.builder.sdk import Tree

COLUMNS = 24


def lay_out(sections: list[tuple[Tree, list[Panel]]]) -> list[Tree]:
    """Place all sections below each other.

    Args:
        sections: A row and the panels below it.

    Returns:
        What the dashboard shows, in order; panels of a collapsed row are inside it.

    Raises:
        BuildError: A line has a hole or is too wide, or two panels have one id.
    """
    placed: list[Tree] = []
    top = 0
    for row, panels in sections:
        row["gridPos"] = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
        top += 1
        below = []
        for line in _split_lines(row["title"], panels):
            left = 0
            for panel in line:
                size = {"h": panel.height, "w": panel.width}
                panel.tree["gridPos"] = {**size, "x": left, "y": top}
                left += panel.width
                below.append(panel.tree)
            top += line[0].height
        row["panels"] = below if row["collapsed"] else []
        placed += [row] if row["collapsed"] else [row, *below]
    _check_ids(placed)
    return placed


def _split_lines(title: str, panels: list[Panel]) -> list[list[Panel]]:
    lines: list[list[Panel]] = [[]]
    for panel in panels:
        if sum(one.width for one in lines[-1]) >= COLUMNS:
            lines.append([])
        lines[-1].append(panel)
    for line in lines:
        width = sum(one.width for one in line)
        heights = {one.height for one in line}
        if width != COLUMNS or len(heights) != 1:
            names = ", ".join(repr(one.tree["title"]) for one in line)
            message = (
                f"section {title!r}: the line of {names} is {width} columns wide and "
                f"{' or '.join(map(str, sorted(heights)))} high; it must have "
                f"{COLUMNS} columns and one height"
            )
            raise BuildError(message)
    return lines


def _check_ids(placed: list[Tree]) -> None:
    seen: dict[int, str] = {}
    for one in [
        inner for panel in placed for inner in (panel, *panel.get("panels", []))
    ]:
        if one["id"] in seen:
            message = (
                f"{seen[one['id']]!r} and {one['title']!r} have the id {one['id']}"
            )
            raise BuildError(message)
        seen[one["id"]] = one["title"]
