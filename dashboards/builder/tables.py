"""Tables: a line for each value of a label, a column for each query."""

from collections.abc import Mapping
from typing import Any, ClassVar

from grafana_foundation_sdk.builders import table

from dashboards.builder.errors import BuildError, place
from dashboards.builder.fields import Overrides
from dashboards.builder.panels import OurPanel, Panel, add_overrides
from dashboards.builder.sdk import Tree


class TablePanel(OurPanel):
    """A line for each value of one label, a column for each query.

    ``join`` is the label. A column is ``label`` or ``expr``, with ``title`` and the
    properties of an override.
    """

    builder = table.Panel
    instant = True
    format = "table"
    preset: ClassVar[Mapping[str, Any]] = {
        "cell_height": "sm",
        "show_header": True,
    }

    def check(self, data: Mapping[str, Any]) -> None:
        """Ask for columns, which bring the queries."""
        if not data.get("join"):
            message = "it has no join, the label that its lines are by"
            raise BuildError(message)
        for one in data.get("columns") or ():
            if not one.get("title") or not ("label" in one or "ref" in one):
                message = "a column has a title, and a label or ref and expr"
                raise BuildError(message)
        super().check({**data, "queries": data.get("columns")})

    def build(self, data: dict[str, Any]) -> Panel:
        """Build the panel."""
        join, columns = data.pop("join"), data.pop("columns")
        sort = data.pop("sort", None)
        queries = [
            {name: one[name] for name in _OF_QUERY if name in one}
            for one in columns
            if "expr" in one
        ]
        panel = super().build({**data, "queries": queries})
        names = [_column_name(one, len(queries)) for one in columns]
        panel.tree["transformations"] = _shape_columns(
            join if len(queries) > 1 else None, names, [one["title"] for one in columns]
        )
        # The SDK writes an empty footer, which later Grafanas do not know any more.
        panel.tree.get("options", {}).pop("footer", None)
        if sort:
            panel.tree.setdefault("options", {})["sortBy"] = [
                {"displayName": sort.lstrip("-"), "desc": sort.startswith("-")}
            ]
        overrides = Overrides()
        for one in columns:
            with place(f"column {one['title']!r}"):
                properties = _shape_nothing(one)
                if properties:
                    matcher = {"id": "byName", "options": one["title"]}
                    overrides.add(matcher, properties)
        add_overrides(panel, overrides)
        return panel


_OF_QUERY = ("expr", "ref")
_OF_COLUMN = (*_OF_QUERY, "label", "title")


def _shape_nothing(column: Mapping[str, Any]) -> dict[str, Any]:
    """Return a column's properties, with what an empty cell shows.

    Without that Grafana gives it the colour of the first step.
    """
    properties = {
        name: value for name, value in column.items() if name not in _OF_COLUMN
    }
    if "label" not in column:
        colour = "transparent" if column.get("cell") == "background" else "text"
        nothing = {"text": column.get("no_value", "-"), "color": colour}
        properties["mappings"] = {None: nothing, **column.get("mappings", {})}
    return properties


def _column_name(column: Mapping[str, Any], queries: int) -> str:
    """Name the field that a column comes from, as Grafana does."""
    if "label" in column:
        return str(column["label"])
    return f"Value #{column['ref']}" if queries > 1 else "Value"


def _shape_columns(join: str | None, names: list[str], titles: list[str]) -> list[Tree]:
    steps: list[Tree] = []
    if join:
        steps.append(
            {"id": "joinByField", "options": {"byField": join, "mode": "outer"}}
        )
    steps.append(
        {"id": "filterFieldsByName", "options": {"include": {"names": list(names)}}}
    )
    organized = {
        "excludeByName": {},
        "indexByName": {name: number for number, name in enumerate(names)},
        "renameByName": dict(zip(names, titles, strict=True)),
    }
    steps.append({"id": "organize", "options": organized})
    return steps
