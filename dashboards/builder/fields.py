"""Thresholds, colours, mappings and overrides of a panel's fields."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.alerting.thresholds import packaged_thresholds
from agent.suggestions import suggest
from dashboards.builder.errors import BuildError, place
from dashboards.builder.sdk import Tree

BASE = "base"
"""What the colour below all thresholds is called."""

Names = dict[int, str]
"""The threshold of each step."""

PALETTES = {
    "levels": {"FATAL": "purple", "ERROR": "red", "WARN": "orange"},
    "urgencies": {
        "critical": "red",
        "warning": "orange",
        "info": "blue",
        "noise": "text",
    },
}
"""The same thing has the same colour on every panel."""

_COLOURS = {"text", "transparent"} | {
    f"{shade}{hue}"
    for hue in ("red", "orange", "yellow", "green", "blue", "purple")
    for shade in ("", "super-light-", "light-", "semi-dark-", "dark-")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Where a colour begins.

    Attributes:
        config: Grafana's.
        names: Which step is which threshold.
    """

    config: Tree
    names: Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What differs for some fields.

    Attributes:
        trees: Grafana's.
        names: Which step of which override is which threshold.
    """

    trees: list[Tree] = field(default_factory=list)
    names: dict[int, Names] = field(default_factory=dict)

    def add(self, matcher: Tree, properties: Mapping[str, Any]) -> None:
        """Add what holds for the fields that match.

        Raises:
            BuildError: A property is not known.
        """
        written = []
        for name, value in properties.items():
            key, shaped, names = shape_property(name, value)
            if names:
                self.names[len(self.trees)] = names
            written.append({"id": key, "value": shaped})
        self.trees.append({"matcher": matcher, "properties": written})


def check_colour(name: Any) -> str:
    """Check that Grafana knows a colour by its name, and so has it for both themes.

    Raises:
        BuildError: It does not.
    """
    if name not in _COLOURS:
        message = f"{name!r} is no colour of Grafana's"
        raise BuildError(message)
    return str(name)


def shape_thresholds(given: Any) -> Steps:
    """Look up the thresholds.

    Args:
        given: By colour, ``base`` for the first and the name of a threshold for others.

    Raises:
        BuildError: A threshold does not exist, or the steps do not rise.
    """
    if not isinstance(given, Mapping) or next(iter(given.values()), None) != BASE:
        message = f"thresholds are like 'green: {BASE}, red: load.critical'"
        raise BuildError(message)
    known = packaged_thresholds()
    steps: list[Tree] = []
    names: Names = {}
    for number, (colour, name) in enumerate(given.items()):
        value = None
        if number:
            if name not in known.values:
                raise BuildError(_unknown_threshold(name, known.values))
            value = known.number(name)
            value = int(value) if value.is_integer() else value
            names[number] = name
            if number > 1 and not steps[-1]["value"] < value:
                message = f"the threshold {name} is not above the one before it"
                raise BuildError(message)
        steps.append({"color": check_colour(colour), "value": value})
    return Steps(config={"mode": "absolute", "steps": steps}, names=names)


def _unknown_threshold(name: Any, known: Mapping[str, object]) -> str:
    return f"unknown threshold {name!r}{suggest(str(name), known)}"


def shape_mappings(given: Mapping[Any, Mapping[str, str]]) -> list[Tree]:
    """Shape texts and colours of values.

    Args:
        given: By value, ``text`` and ``color``; the value null is for nothing at all.
    """
    values: dict[str, Tree] = {}
    mappings: list[Tree] = []
    for number, (value, shown) in enumerate(given.items()):
        unknown = set(shown) - {"text", "color"}
        if unknown:
            message = f"a mapping has text and color, not {unknown.pop()!r}"
            raise BuildError(message)
        if "color" in shown:
            check_colour(shown["color"])
        result = {**shown, "index": number}
        if value is None:
            special = {"match": "null+nan", "result": result}
            mappings.append({"type": "special", "options": special})
        else:
            values[str(value)] = result
    if values:
        mappings.insert(0, {"type": "value", "options": values})
    return mappings


def shape_overrides(given: list[Mapping[str, Any]]) -> Overrides:
    """Shape what differs for some fields.

    Args:
        given: One of ``field`` (its name), ``fields`` (a pattern) or ``query`` (its
            ref), and properties.
    """
    overrides = Overrides()
    for one in given:
        matchers = [key for key in _MATCHERS if key in one]
        if len(matchers) != 1:
            message = f"an override has one of {', '.join(_MATCHERS)}"
            raise BuildError(message)
        (key,) = matchers
        properties = {name: value for name, value in one.items() if name != key}
        with place(f"override of {one[key]}"):
            overrides.add({"id": _MATCHERS[key], "options": one[key]}, properties)
    return overrides


def shape_palette(name: str) -> Iterator[tuple[str, str]]:
    """Yield the colours of a palette.

    Raises:
        BuildError: There is no such palette.
    """
    if name not in PALETTES:
        message = f"unknown palette {name!r}; there are {', '.join(PALETTES)}"
        raise BuildError(message)
    yield from PALETTES[name].items()


_MATCHERS = {"field": "byName", "fields": "byRegexp", "query": "byFrameRefID"}
_PROPERTIES = {
    "align": "custom.align",
    "axis_placement": "custom.axisPlacement",
    "decimals": "decimals",
    "display_name": "displayName",
    "draw_style": "custom.drawStyle",
    "fill_opacity": "custom.fillOpacity",
    "hidden": "custom.hidden",
    "line_width": "custom.lineWidth",
    "max": "max",
    "min": "min",
    "no_value": "noValue",
    "transform": "custom.transform",
    "unit": "unit",
    "width": "custom.width",
}
_CELLS: dict[str, Tree] = {
    "background": {"type": "color-background", "mode": "basic"},
    "gauge": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
    "text": {"type": "color-text"},
}
_LINES: dict[str, Tree] = {
    "dashed": {"fill": "dash", "dash": [8, 6]},
    "dotted": {"fill": "dot", "dash": [2, 6]},
}


def shape_property(name: str, value: Any) -> tuple[str, Any, Names]:
    """Shape one property of an override.

    Returns:
        Grafana's name of it, its value, and which steps are which thresholds.

    Raises:
        BuildError: It is not known.
    """
    if name == "thresholds":
        steps = shape_thresholds(value)
        return name, steps.config, steps.names
    if name in _SHAPED:
        key, shape = _SHAPED[name]
        return key, shape(value), {}
    return _pick(_PROPERTIES, "property", name), value, {}


def _pick(known: Mapping[str, Any], what: str, name: Any) -> Any:
    if name not in known:
        message = f"unknown {what} {name!r}{suggest(str(name), known)}"
        raise BuildError(message)
    return known[name]


def shape_link(given: Mapping[str, str]) -> Tree:
    """Shape a link of a value: ``title`` and ``url``.

    Raises:
        BuildError: It has anything else.
    """
    if set(given) != {"title", "url"}:
        message = "a link has title and url"
        raise BuildError(message)
    return {**given, "targetBlank": False}


_SHAPED: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "cell": ("custom.cellOptions", lambda value: _pick(_CELLS, "cell", value)),
    "colour": (
        "color",
        lambda value: {"mode": "fixed", "fixedColor": check_colour(value)},
    ),
    "line_style": ("custom.lineStyle", lambda value: _pick(_LINES, "style", value)),
    "links": ("links", lambda value: [shape_link(one) for one in value]),
    "mappings": ("mappings", shape_mappings),
}
