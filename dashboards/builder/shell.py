"""What is around the panels: sections, variables, annotations, the dashboard."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync

from agent.suggestions import suggest
from dashboards.builder import gdb
from dashboards.builder.errors import BuildError, place
from dashboards.builder.layout import lay_out
from dashboards.builder.panels import DATASOURCE, OurPanel, Panel
from dashboards.builder.sdk import Tree, apply_options, as_tree

SCHEMA_VERSION = 39
"""Of Grafana 11.0; later ones migrate it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A dashboard that has been built.

    Attributes:
        tree: Its JSON.
        names: By panel, which of its steps is which threshold; ``overrides`` holds the
            same by override.
    """

    tree: Tree
    names: dict[int, dict[Any, Any]]


def check_kinds(items: Iterable[Mapping[str, Any]], *bases: type[Any]) -> None:
    """Check that all items are of components of ours.

    grafana-dashboard-builder has components of its own, of Grafana's past, and takes
    any other word for the name of something.

    Args:
        items: Mappings of one kind each to its options.
        bases: Our components, or what they inherit.

    Raises:
        BuildError: One is not.
    """
    classes = [one for base in bases for one in (base, *base.__subclasses__())]
    known = [gdb.get_component_type(one) for one in classes if one is not OurPanel]
    for kind in (kind for item in items for kind in item):
        if kind not in known:
            message = f"unknown component {kind!r}{suggest(kind, known)}"
            raise BuildError(message)


@dataclass(slots=True, kw_only=True)
class BuiltSection:
    """A row of the dashboard and what is below it.

    Attributes:
        row: Its JSON, without a place.
        panels: Those below it.
    """

    row: Tree
    panels: list[Panel] = field(default_factory=list)


class Section(gdb.RowsItemBase):
    """A titled row with panels."""

    def gen_json_from_data(
        self, data: Mapping[str, Any], context: object
    ) -> BuiltSection:
        """Build the row and its panels."""
        del context
        options = dict(data)
        with place(f"section {options.get('title')!r}"):
            panels = options.pop("panels", None)
            if not panels or not options.get("title") or not options.get("id"):
                message = "a section has id, title and panels"
                raise BuildError(message)
            builder = dashboard.Row(options.pop("title"))
            collapsed = bool(options.pop("collapsed", False))
            apply_options(builder, options)
            row = as_tree(builder.build())
            row["collapsed"] = collapsed
            check_kinds(panels, OurPanel)
            built = self.registry.create_component(gdb.Panels, {"panels": panels})
            return BuiltSection(row=row, panels=built.gen_json())


class QueryVariable(gdb.TemplatesItemBase):
    """A variable whose values Prometheus knows."""

    def gen_json_from_data(self, data: Mapping[str, Any], context: object) -> Tree:
        """Build the variable."""
        del context
        options = dict(data)
        name = options.pop("name")
        with place(f"variable {name!r}"):
            query = options.pop("query")
            builder = dashboard.QueryVariable(name)
            apply_options(builder, {"refresh": 2, **options})
            tree: Tree = as_tree(builder.build())
            tree["datasource"] = dict(DATASOURCE)
            tree["query"] = {"qryType": 5, "query": query, "refId": name}
            if options.get("include_all"):
                tree["current"] = {
                    "selected": True,
                    "text": ["All"],
                    "value": ["$__all"],
                }
            return _drop_noise(tree)


class DatasourceVariable(gdb.TemplatesItemBase):
    """The variable by which a data source is chosen."""

    def gen_json_from_data(self, data: Mapping[str, Any], context: object) -> Tree:
        """Build the variable."""
        del context
        options = dict(data)
        name = options.pop("name")
        with place(f"variable {name!r}"):
            builder = dashboard.DatasourceVariable(name)
            kind = options.pop("kind")
            apply_options(builder, {"regex": "", **options})
            tree = as_tree(builder.build())
            tree.update({"query": kind, "refresh": 1})
            return _drop_noise(tree)


def _drop_noise(tree: Tree) -> Tree:
    """Drop what the SDK writes on every variable and only intervals have."""
    return {key: value for key, value in tree.items() if not key.startswith("auto")}


class PromAnnotation(gdb.AnnotationsItemBase):
    """Marks of Prometheus on every panel that shows time.

    Grafana 11 reads ``expr`` at the top in places, later ones read ``target``; each
    ignores the other.
    """

    def gen_json_from_data(self, data: Mapping[str, Any], context: object) -> Tree:
        """Build the annotation."""
        del context
        options = dict(data)
        with place(f"annotation {options.get('name')!r}"):
            expr = options.pop("expr").strip()
            step = options.pop("step")
            extra = {
                key: options.pop(name)
                for name, key in _ANNOTATION.items()
                if name in options
            }
            builder = dashboard.AnnotationQuery()
            apply_options(builder, {"enable": True, "hide": False, **options})
            tree: Tree = as_tree(builder.build())
            target = {"expr": expr, "interval": step, "refId": "Anno"}
            tree.update(extra)
            tree.update({"datasource": dict(DATASOURCE), "expr": expr, "step": step})
            tree["target"] = target
            return tree


_ANNOTATION = {
    "title": "titleFormat",
    "text": "textFormat",
    "tags": "tagKeys",
}


class Dashboard(gdb.JsonGenerator):
    """The dashboard; it takes the place of grafana-dashboard-builder's own."""

    def gen_json_from_data(self, data: Mapping[str, Any], context: object) -> Built:
        """Build the dashboard."""
        del context
        options = dict(data)
        parts = {name: options.pop(name) for name in _PARTS}
        sections = [
            one for name in parts["rows"] for one in self._named(gdb.Rows, name)
        ]
        tree = as_tree(self._shell(options).build())
        tree["schemaVersion"] = SCHEMA_VERSION
        tree["annotations"] = {"list": self._all(gdb.Annotations, parts["annotations"])}
        tree["templating"] = {"list": self._all(gdb.Templates, parts["templates"])}
        tree["panels"] = lay_out([(one.row, one.panels) for one in sections])
        return Built(tree=tree, names=_collect_names(sections))

    def _all(self, kind: type[Any], names: list[str]) -> list[Tree]:
        return [one for name in names for one in self._named(kind, name)]

    def _named(self, kind: type[Any], name: str) -> list[Any]:
        with place(self.registry.place_of(kind, name)):
            component = self.registry.get_component(kind, name)
            check_kinds(component.data, *_OURS[kind])
            return list(component.gen_json())

    def _shell(self, options: dict[str, Any]) -> dashboard.Dashboard:
        builder = dashboard.Dashboard(options.pop("title"))
        span = options.pop("time")
        link = dashboard.DashboardLink("Heroku Kafka")
        apply_options(link, {**_LINK, "tags": options["tags"]})
        builder.time(span["from"], span["to"]).link(link).readonly()
        builder.tooltip(DashboardCursorSync.CROSSHAIR).timezone("browser")
        builder.uid(self.name)
        apply_options(builder, options)
        return builder


_OURS: dict[type[Any], tuple[type[Any], ...]] = {
    gdb.Annotations: (PromAnnotation,),
    gdb.Rows: (Section,),
    gdb.Templates: (QueryVariable, DatasourceVariable),
}
_PARTS = ("rows", "templates", "annotations")
_LINK = {
    "as_dropdown": False,
    "include_vars": True,
    "keep_time": True,
    "target_blank": False,
    "type": "dashboards",
}

gdb.projects.Dashboard = Dashboard


def _collect_names(sections: list[BuiltSection]) -> dict[int, dict[Any, Any]]:
    found: dict[int, dict[Any, Any]] = {}
    for panel in (panel for section in sections for panel in section.panels):
        names: dict[Any, Any] = dict(panel.names)
        if panel.override_names:
            names["overrides"] = panel.override_names
        if names:
            found[panel.tree["id"]] = names
    return found
