"""The cases of the alerts for promtool, ``tests/alerts/rules/``."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "rules"


@cache
def read_cases(alert: str) -> list[dict[str, Any]]:
    content = yaml.safe_load((FOLDER / f"{alert}.yml").read_text("utf-8"))
    found: list[dict[str, Any]] = content["tests"]
    return found


@cache
def expected_labels(alert: str) -> frozenset[str]:
    """Return the labels of an alert that fires, as promtool confirms them."""
    return frozenset(
        label
        for case in read_cases(alert)
        for moment in case.get("alert_rule_test", ())
        for fired in moment["exp_alerts"]
        for label in fired["exp_labels"]
    )
