"""What all panels have in common: components that write today's JSON.

What is not treated here is an option of the SDK's builder, see `sdk`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import Any, ClassVar

from grafana_foundation_sdk.builders import prometheus

from dashboards.builder import gdb
from dashboards.builder.errors import BuildError, place
from dashboards.builder.fields import (
    Names,
    Overrides,
    shape_link,
    shape_mappings,
    shape_overrides,
    shape_palette,
    shape_thresholds,
)
from dashboards.builder.sdk import Tree, apply_options, as_tree

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(slots=True, kw_only=True)
class Panel:
    """A panel that has been built.

    Attributes:
        tree: Its JSON, without a place.
        width: In columns, of 24.
        height: In rows of the grid.
        names: Which of its steps is which threshold.
        override_names: The same for its overrides.
    """

    tree: Tree
    width: int
    height: int
    names: Names = field(default_factory=dict)
    override_names: dict[int, Names] = field(default_factory=dict)


class OurPanel(gdb.PanelsItemBase):
    """What all panels have in common; no panel itself.

    Attributes:
        builder: The SDK's.
        preset: Options that hold where a definition says nothing.
        instant: Whether its queries ask for the newest values only.
        format: Of its queries' answers.
    """

    builder: ClassVar[type[Any]]
    preset: ClassVar[Mapping[str, Any]] = {}
    instant: ClassVar[bool] = False
    format: ClassVar[str | None] = None

    def gen_json_from_data(self, data: Mapping[str, Any], context: object) -> Panel:
        """Build the panel from its definition."""
        del context
        with place(f"panel {data.get('title')!r}"):
            self.check(data)
            return self.build(dict(data))

    def build(self, data: dict[str, Any]) -> Panel:
        """Build the panel.

        Raises:
            BuildError: An option is missing or not known.
        """
        width, height = data.pop("size")
        queries = data.pop("queries", [])
        fields = {name: data.pop(name) for name in _FIELDS if name in data}
        transformations = data.pop("transformations", [])
        builder = self.builder()
        apply_options(builder, {**self.preset, **data})
        tree = as_tree(builder.build())
        if queries:
            tree["datasource"] = dict(DATASOURCE)
            tree["targets"] = [
                self.shape_query(number, one) for number, one in enumerate(queries)
            ]
        if transformations:
            tree["transformations"] = transformations
        panel = Panel(tree=tree, width=width, height=height)
        shape_fields(panel, fields)
        return panel

    def check(self, data: Mapping[str, Any]) -> None:
        """Check that what every panel needs is there."""
        for name in ("id", "title", "description", "size"):
            if not data.get(name):
                message = f"it has no {name}"
                raise BuildError(message)
        if not isinstance(data["size"], list) or len(data["size"]) != len("wh"):
            message = "its size is no pair of width and height"
            raise BuildError(message)
        if not data.get("queries"):
            message = "it has no queries"
            raise BuildError(message)

    def shape_query(self, number: int, given: Mapping[str, Any]) -> Tree:
        """Shape a query.

        Args:
            number: Its place among the panel's.
            given: ``expr``, and ``legend``, ``ref`` or the SDK's options.
        """
        options = dict(given)
        if not str(options.get("expr", "")).strip():
            message = "a query is empty"
            raise BuildError(message)
        options["expr"] = options["expr"].strip()
        instant = options.pop("instant", self.instant)
        query = prometheus.Dataquery()
        apply_options(
            query,
            {
                "editor_mode": "code",
                "ref_id": options.pop("ref", ascii_uppercase[number]),
                **(
                    {"legend_format": options.pop("legend")}
                    if "legend" in given
                    else {}
                ),
                **({"format": self.format} if self.format else {}),
                **options,
            },
        )
        tree = as_tree(query.build())
        # Grafana runs both where neither is said to be off.
        tree.update({"instant": instant, "range": not instant})
        tree["datasource"] = dict(DATASOURCE)
        return dict(tree)


_FIELDS = ("colours", "data_links", "mappings", "overrides", "thresholds")


def shape_fields(panel: Panel, given: Mapping[str, Any]) -> None:
    """Put colours, thresholds, mappings and overrides into a panel."""
    config = panel.tree.setdefault("fieldConfig", {})
    defaults = config.setdefault("defaults", {})
    if "thresholds" in given:
        steps = shape_thresholds(given["thresholds"])
        defaults["thresholds"] = steps.config
        panel.names = steps.names
    mappings = dict(given.get("mappings", {}))
    if "noValue" in defaults:
        # Grafana gives nothing the colour of the first step, which may be red.
        nothing = {"text": defaults["noValue"], "color": "text"}
        mappings.setdefault(None, nothing)
    if mappings:
        defaults["mappings"] = shape_mappings(mappings)
    if "data_links" in given:
        defaults["links"] = [shape_link(one) for one in given["data_links"]]
    overrides = shape_overrides(given.get("overrides", []))
    if "colours" in given:
        for name, colour in shape_palette(given["colours"]):
            overrides.add({"id": "byName", "options": name}, {"colour": colour})
    add_overrides(panel, overrides)


def add_overrides(panel: Panel, overrides: Overrides) -> None:
    """Put overrides behind those that a panel has."""
    trees = panel.tree["fieldConfig"].setdefault("overrides", [])
    for number, names in overrides.names.items():
        panel.override_names[len(trees) + number] = names
    trees += overrides.trees
