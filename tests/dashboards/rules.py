"""What every dashboard must be like: each rule yields what offends it.

The first ones are those of grafana/dashboard-linter (``lint/rules.go``), under its names;
``dashboards/.lint`` says which of them are waived. The others are our own.
"""

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from dashboards.builder import BuildError
from dashboards.builder.catalogue import find_names, parse_expression
from tests.dashboards.packaged import (
    Tree,
    all_panels,
    annotations,
    panels,
    properties,
    texts,
    variables,
    walk,
)

Rule = Callable[[Tree], Iterator[str]]

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WITHOUT_QUERIES = {"text", "alertlist"}
# Of packages/grafana-data/src/valueFormats/categories.ts, those that are used here.
UNITS = {
    "Bps", "bytes", "cpm", "cps", "d", "iops", "locale", "mps", "none", "percentunit",
    "reqps", "s", "short",
}  # fmt: skip
LABEL_VALUES = re.compile(r"label_values\((?:(?P<selector>.+),\s*)?\w+\)")
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:[:.][^}]*)?\})")
LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
OVER_TIME = {"rate", "irate", "increase"}


def targets(tree: Tree) -> Iterator[tuple[Tree, Tree]]:
    for panel in panels(tree):
        for target in panel.get("targets", ()):
            yield panel, target


def nodes(expression: str) -> Iterator[tuple[Any, str | None]]:
    """Yield the parts of PromQL, each with the function that it is an argument of."""
    waiting: list[tuple[Any, str | None]] = [(parse_expression(expression), None)]
    while waiting:
        node, function = waiting.pop()
        yield node, function
        for name in ("vector_selector", "expr", "param", "lhs", "rhs"):
            inner = getattr(node, name, None)
            if inner is not None:
                waiting.append((inner, function if name != "expr" else None))
        waiting += [(one, node.func.name) for one in getattr(node, "args", None) or ()]


def template_datasource(tree: Tree) -> Iterator[str]:
    found = [one for one in variables(tree) if one["type"] == "datasource"]
    if [(one["name"], one["label"], one["query"]) for one in found] != [
        ("datasource", "Data source", "prometheus")
    ]:
        yield f"the data source is chosen by {found}"


def template_label_promql(tree: Tree) -> Iterator[str]:
    for one in variables(tree):
        if one["type"] != "query":
            continue
        match = LABEL_VALUES.fullmatch(one["query"]["query"])
        try:
            find_names(match["selector"] if match else "")
        except BuildError as error:
            yield f"${one['name']}: {error}"


def template_on_time_change_reload(tree: Tree) -> Iterator[str]:
    for one in variables(tree):
        if one["type"] == "query" and one["refresh"] != 2:
            yield f"${one['name']} is not asked for again"


def panel_datasource(tree: Tree) -> Iterator[str]:
    for panel, target in targets(tree):
        if panel["datasource"] != DATASOURCE or target["datasource"] != DATASOURCE:
            yield f"{panel['title']}: not the chosen data source"
    for one in [*annotations(tree), *variables(tree)]:
        if one.get("datasource", DATASOURCE) != DATASOURCE:
            yield f"{one['name']}: not the chosen data source"


def panel_title_description(tree: Tree) -> Iterator[str]:
    for panel in panels(tree):
        if not panel.get("title") or len(panel.get("description", "")) < 20:
            yield f"{panel.get('title')!r}: no title or no description"


def panel_units(tree: Tree) -> Iterator[str]:
    for panel in panels(tree):
        if panel["type"] in WITHOUT_QUERIES:
            continue
        defaults = panel["fieldConfig"]["defaults"]
        if panel["type"] != "table" and "unit" not in defaults:
            yield f"{panel['title']}: no unit"
        for unit in properties(panel, "unit"):
            if unit not in UNITS:
                yield f"{panel['title']}: unknown unit {unit!r}"


def panel_no_targets(tree: Tree) -> Iterator[str]:
    for panel in panels(tree):
        if panel["type"] not in WITHOUT_QUERIES and not panel.get("targets"):
            yield f"{panel['title']}: no queries"


def target_promql(tree: Tree) -> Iterator[str]:
    expressions = [target["expr"] for _, target in targets(tree)]
    expressions += [one["target"]["expr"] for one in annotations(tree)]
    for expression in expressions:
        try:
            parse_expression(expression)
        except BuildError as error:
            yield str(error)


def target_rate_interval(tree: Tree) -> Iterator[str]:
    """Instant queries are waived: they have no step to follow."""
    for panel, target in targets(tree):
        if target["instant"]:
            continue
        windows = re.findall(
            r"\b(i?rate|increase)\([^\[\]]*\[([^]]+)\]", target["expr"]
        )
        for function, window in windows:
            if window not in ("$__rate_interval", "$__range"):
                yield f"{panel['title']}: {function} over {window}"


def target_counter_agg(tree: Tree) -> Iterator[str]:
    for panel, target in targets(tree):
        for node, function in nodes(target["expr"]):
            if type(node).__name__ != "VectorSelector":
                continue
            if (node.name or "").endswith("_total") and function not in OVER_TIME:
                yield f"{panel['title']}: {node.name} as it stands"


def uneditable(tree: Tree) -> Iterator[str]:
    if tree.get("editable") is not False:
        yield "it can be edited"


LINTER: dict[str, Rule] = {
    "template-datasource-rule": template_datasource,
    "template-label-promql-rule": template_label_promql,
    "template-on-time-change-reload-rule": template_on_time_change_reload,
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_title_description,
    "panel-units-rule": panel_units,
    "panel-no-targets-rule": panel_no_targets,
    "target-promql-rule": target_promql,
    "target-rate-interval-rule": target_rate_interval,
    "target-counter-agg-rule": target_counter_agg,
    "uneditable-dashboard": uneditable,
}


def ids_are_unique(tree: Tree) -> Iterator[str]:
    ids = [panel["id"] for panel in all_panels(tree)]
    for one in {one for one in ids if ids.count(one) > 1}:
        yield f"{one} is the id of several panels"
    for panel, _ in targets(tree):
        refs = [target["refId"] for target in panel["targets"]]
        if len(refs) != len(set(refs)):
            yield f"{panel['title']}: a refId twice"


def layout_has_no_overlap_and_no_hole(tree: Tree) -> Iterator[str]:
    cells: list[tuple[int, int]] = []
    for panel in tree["panels"]:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            yield f"{panel['title']} does not fit"
        cells += [
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        ]
    for one, other in combinations(tree["panels"], 2):
        if overlap(one["gridPos"], other["gridPos"]):
            yield f"{one['title']} and {other['title']} overlap"
    height = max(down for _, down in cells) + 1
    if len(set(cells)) != 24 * height:
        yield f"there are {24 * height - len(set(cells))} empty cells"


def overlap(one: Tree, other: Tree) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "w"), ("y", "h"))
    )


def each_variable_is_defined(tree: Tree) -> Iterator[str]:
    known = {one["name"] for one in variables(tree)}
    for text in texts(tree):
        for plain, braced in VARIABLE.findall(text):
            name = plain or braced
            if name not in known and not name.startswith("__"):
                yield f"${name} in {text!r}"
    for name in {panel["repeat"] for panel in all_panels(tree) if "repeat" in panel}:
        if name not in known:
            yield f"repeated by ${name}"


def each_variable_is_used(tree: Tree) -> Iterator[str]:
    rest = [tree["panels"], tree["annotations"], *variables(tree)]
    used = {a or b for text in texts(rest) for a, b in VARIABLE.findall(text)}
    for one in variables(tree):
        if one["name"] not in used:
            yield f"${one['name']} has no effect"


def gauges_of_two_agents_count_once(tree: Tree) -> Iterator[str]:
    """Each gauge of a cluster goes through max (or one that picks) before any sum."""
    for panel, target in targets(tree):
        for node, _ in nodes(target["expr"]):
            if type(node).__name__ != "AggregateExpr" or str(node.op) not in (
                "sum",
                "avg",
                "count",
            ):
                continue
            inner = node.expr
            while type(inner).__name__ in ("ParenExpr", "Call"):
                inner = inner.expr if hasattr(inner, "expr") else inner.args[0]
            inner = getattr(inner, "vector_selector", inner)
            matchers = getattr(getattr(inner, "matchers", None), "matchers", ())
            name = getattr(inner, "name", None) or ""
            if name != "ALERTS" and any(one.name == "addon" for one in matchers):
                yield f"{panel['title']}: {node.op} over {name} of all agents"


def legends_name_labels_that_are_left(tree: Tree) -> Iterator[str]:
    for panel, target in targets(tree):
        wanted = set(LEGEND.findall(target.get("legendFormat", "")))
        grouped = re.findall(r"\bby \(([^)]*)\)", target["expr"])
        left = {one.strip() for group in grouped for one in group.split(",")}
        if grouped and not wanted <= left:
            yield f"{panel['title']}: {', '.join(wanted - left)}"
        if target.get("format") != "table" and not target.get("legendFormat"):
            yield f"{panel['title']}: no legend"


def numbers_say_what_no_data_means(tree: Tree) -> Iterator[str]:
    for panel in panels(tree):
        defaults = panel["fieldConfig"].get("defaults", {})
        if panel["type"] in ("stat", "gauge") and not defaults.get("noValue"):
            yield f"{panel['title']}: nothing to say when there is nothing"


def annotations_are_in_both_forms(tree: Tree) -> Iterator[str]:
    for one in annotations(tree):
        target = one["target"]
        if (one["expr"], one["step"]) != (target["expr"], target["interval"]):
            yield one["name"]


def links_lead_to_the_others(tree: Tree) -> Iterator[str]:
    wanted = {
        "type": "dashboards",
        "tags": tree["tags"],
        "keepTime": True,
        "includeVars": True,
    }
    for link in tree["links"]:
        if {name: link[name] for name in wanted} != wanted:
            yield f"{link}"
    if not tree["links"] or tree["tags"] != ["heroku-kafka"]:
        yield "no link to the others"


def data_links_keep_time_and_choice(tree: Tree) -> Iterator[str]:
    known = ("heroku-kafka-broker", "heroku-kafka-events")
    for part in walk(tree["panels"]):
        url = part.get("url") if isinstance(part, dict) else None
        if url is None:
            continue
        if not url.startswith(tuple(f"/d/{uid}?" for uid in known)):
            yield f"{url} leads to none of ours"
        for kept in ("datasource:queryparam", "addon:queryparam", "__url_time_range"):
            if f"${{{kept}}}" not in url:
                yield f"{url} loses {kept}"


def all_look_alike(tree: Tree) -> Iterator[str]:
    wanted = {"graphTooltip": 1, "timezone": "browser", "schemaVersion": 39}
    for name, value in wanted.items():
        if tree.get(name) != value:
            yield f"{name} is {tree.get(name)}"
    if not tree.get("refresh") or not tree.get("description"):
        yield "no refresh or no description"


OURS: dict[str, Rule] = {
    rule.__name__.replace("_", "-"): rule
    for rule in (
        ids_are_unique,
        layout_has_no_overlap_and_no_hole,
        each_variable_is_defined,
        each_variable_is_used,
        gauges_of_two_agents_count_once,
        legends_name_labels_that_are_left,
        numbers_say_what_no_data_means,
        annotations_are_in_both_forms,
        links_lead_to_the_others,
        data_links_keep_time_and_choice,
        all_look_alike,
    )
}
RULES = {**LINTER, **OURS}
