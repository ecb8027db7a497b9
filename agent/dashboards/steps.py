"""The user's thresholds, put into the steps where panels change colour.

Which step is which threshold stands in ``dashboards/threshold_steps.yaml``, which is
generated with the dashboards: by uid and panel, the steps' numbers and names of
thresholds; ``overrides`` holds the same by the number of an override. The first step has
no value, it is the colour below all others.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Any

import yaml

from agent.alerting.thresholds import (
    Thresholds,
    find_contradictions,
    packaged_thresholds,
)
from agent.dashboards.files import Dashboard, Tree, change_dashboard, walk_panels
from agent.errors import SettingsError

PLACES = "threshold_steps.yaml"

_Names = Mapping[int, str]
"""By step, the name of the threshold."""

_Places = Mapping[int, Mapping[Any, Any]]
"""By panel, its `_Names`, with those of its overrides under ``overrides``."""


def apply_thresholds(
    dashboards: Sequence[Dashboard], folder: Traversable, thresholds: Thresholds
) -> list[Dashboard]:
    """Put thresholds into the panels' steps.

    Args:
        dashboards: As they are packaged, with the packaged thresholds.
        folder: Where they come from, with ``threshold_steps.yaml`` beside them.
        thresholds: The user's. Those of single clusters have no place in a panel.

    Returns:
        The dashboards; byte for byte the same where no step changes.

    Raises:
        SettingsError: The thresholds contradict each other, or the steps of a panel
            would not rise.
    """
    problems = find_contradictions(thresholds)
    if problems:
        raise SettingsError(*problems)
    changed = {
        name: (before.value, thresholds.number(name))
        for name, before in packaged_thresholds().values.items()
        if thresholds.number(name) != before.value
    }
    if not changed:
        return list(dashboards)
    places: Mapping[str, _Places]
    places = yaml.safe_load(folder.joinpath(PLACES).read_text("utf-8"))

    def change(tree: Tree) -> None:
        for panel, steps, named in _named_steps(tree, places.get(tree["uid"], {})):
            for number, name in named.items():
                if name in changed:
                    step = steps[number]
                    step["value"] = _scale(step["value"], *changed[name])
            where = f"the panel {panel.get('title')!r} of {tree['uid']}"
            problems.extend(f"{one} in {where}" for one in _falling(steps, named))

    fitted = [change_dashboard(one, change) for one in dashboards]
    if problems:
        raise SettingsError(*problems)
    return fitted


def _named_steps(
    tree: Tree, places: _Places
) -> Iterator[tuple[Tree, list[Any], _Names]]:
    """Yield the panels that have steps with names, with the steps and the names."""
    for panel in walk_panels(tree):
        names = dict(places.get(panel["id"], {}))
        overrides = names.pop("overrides", {})
        config = panel.get("fieldConfig", {})
        if names:
            yield panel, config["defaults"]["thresholds"]["steps"], names
        for number, named in overrides.items():
            for one in config["overrides"][number]["properties"]:
                if one["id"] == "thresholds":
                    yield panel, one["value"]["steps"], named


def _scale(step: float, before: float, after: float) -> float:
    """Change a step as its threshold changes, in whatever unit the panel shows it."""
    value = float(f"{step / before * after:.12g}")
    return int(value) if value.is_integer() else value


def _falling(steps: Sequence[Any], named: Mapping[int, str]) -> Iterator[str]:
    """Name steps that are not above the one before; Grafana would skip their colour."""
    valued = [
        (named.get(number, "a fixed step"), step["value"])
        for number, step in enumerate(steps)
        if step.get("value") is not None
    ]
    for (one, lower), (other, upper) in pairwise(valued):
        if not lower < upper:
            yield f"{one} ({lower:g}) must be below {other} ({upper:g})"
