"""The committed dashboards, and ways to walk through them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "dashboards"
DEFINITIONS = FOLDER / "definitions"

Tree = dict[str, Any]

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


@cache
def load(name: str) -> Tree:
    tree: Tree = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return tree


def panels(tree: Tree) -> Iterator[Tree]:
    """Yield all panels, those in closed rows too, but no rows."""
    for panel in all_panels(tree):
        if panel["type"] != "row":
            yield panel


def all_panels(tree: Tree) -> Iterator[Tree]:
    for panel in tree["panels"]:
        yield panel
        yield from panel.get("panels", ())


def variables(tree: Tree) -> list[Tree]:
    found: list[Tree] = tree["templating"]["list"]
    return found


def annotations(tree: Tree) -> list[Tree]:
    found: list[Tree] = tree["annotations"]["list"]
    return found


@dataclass(frozen=True)
class Query:
    """A query, and where it stands, for messages."""

    place: str
    expression: str
    legend: str = ""
    instant: bool = False


def queries(name: str) -> Iterator[Query]:
    """Yield the queries of panels and annotations."""
    tree = load(name)
    for panel in panels(tree):
        for target in panel.get("targets", ()):
            yield Query(
                f"{name}: {panel['title']}",
                target["expr"],
                target.get("legendFormat", ""),
                target["instant"],
            )
    for annotation in annotations(tree):
        place = f"{name}: annotation {annotation['name']}"
        yield Query(place, annotation["target"]["expr"])


def properties(panel: Tree, name: str) -> Iterator[Any]:
    """Yield what a panel says of a property of its fields, anywhere."""
    config = panel.get("fieldConfig", {})
    if name in config.get("defaults", {}):
        yield config["defaults"][name]
    for override in config.get("overrides", ()):
        for one in override["properties"]:
            if one["id"] == name:
                yield one["value"]


def walk(part: Any) -> Iterator[Any]:
    """Yield a tree's parts, itself first."""
    yield part
    below = part.values() if isinstance(part, dict) else part
    if isinstance(part, dict | list):
        for one in below:
            yield from walk(one)


def texts(part: Any) -> Iterator[str]:
    return (one for one in walk(part) if isinstance(one, str))
