"""Divides all durations of the rules and of the routes, so that hours take minutes."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from agent.alerting.thresholds import Threshold, Thresholds, render_duration
from agent.clock import parse_duration

_ROUTE_DURATIONS = ("group_wait", "group_interval", "repeat_interval")
_NO_TIME = frozenset({"memory.cache_seconds"})
"""Durations that measure something else than the passing of time."""


def hasten_thresholds(thresholds: Thresholds, speed: float) -> Thresholds:
    """Divide every duration that passes, and multiply what is counted per minute.

    Samples that are rates of their own, like bytes per second, stay as they are: the
    simulator writes them as the broker's kernel would.

    Args:
        thresholds: The numbers of real life.
        speed: Seconds of a story in a real one.

    Returns:
        The same for a story told so fast.
    """
    return replace(
        thresholds,
        values={
            name: replace(one, value=one.value * _factor(one, speed))
            for name, one in thresholds.values.items()
        },
    )


def _factor(threshold: Threshold, speed: float) -> float:
    if threshold.unit == "per_minute":
        return speed
    if threshold.unit == "duration" and threshold.name not in _NO_TIME:
        return 1 / speed
    return 1.0


def hasten_routes(config: Path, speed: float, receiver: str) -> str:
    """Divide the durations of an Alertmanager configuration; lead its webhooks home.

    Args:
        config: The example, as users get it.
        speed: Seconds of a story in a real one.
        receiver: Base URL that stands for that of the example's webhooks.

    Returns:
        The configuration as YAML.
    """
    tree = copy.deepcopy(yaml.safe_load(config.read_text("utf-8")))
    _hasten_route(tree["route"], speed)
    for one in tree["receivers"]:
        for webhook in one["webhook_configs"]:
            webhook["url"] = f"{receiver}/{one['name']}"
    return yaml.safe_dump(tree, sort_keys=False)


def _hasten_route(route: dict[str, Any], speed: float) -> None:
    for key in _ROUTE_DURATIONS:
        if key in route and parse_duration(route[key]):
            route[key] = render_duration(parse_duration(route[key]) / speed)
    for child in route.get("routes", ()):
        _hasten_route(child, speed)
