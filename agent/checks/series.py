"""Compares the series that an expression selects with those that the agent exports.

Series of other exporters are not checked.
"""

import re
from collections.abc import Collection, Iterator
from functools import cache

import yaml

from agent.checks.exported import (
    LABELS,
    exported_metrics,
    labels_of,
    may_be_sample,
    values_of,
)
from agent.checks.problems import Problem
from agent.checks.promql import Selector, find_selectors
from agent.metrics.spec import PREFIX
from agent.packaged import find_packaged
from agent.suggestions import suggest

_LIKENESS = 0.85
_ALTERNATIVES = re.compile(r"[A-Za-z0-9_]+(\|[A-Za-z0-9_]+)*")


@cache
def packaged_records() -> frozenset[str]:
    """Return the names that the packaged rules record."""
    text = find_packaged("alerts", "heroku-kafka.rules.yml").read_text("utf-8")
    groups = yaml.safe_load(text)["groups"]
    rules = (rule for group in groups for rule in group["rules"])
    return frozenset(rule["record"] for rule in rules if "record" in rule)


def check_expression(
    where: str, expression: str, records: Collection[str]
) -> Iterator[Problem]:
    """Yield the series of an expression that cannot exist.

    Args:
        where: The rule.
        expression: PromQL.
        records: Names that recording rules write.
    """
    try:
        selectors = find_selectors(expression)
    except ValueError as error:
        reason = " ".join(str(error).split())
        yield Problem(where=where, what=f"invalid expr: {reason}")
        return
    for selector in dict.fromkeys(selectors):
        yield from _check_selector(where, selector, records)


def _check_selector(
    where: str, selector: Selector, records: Collection[str]
) -> Iterator[Problem]:
    name = selector.name
    if name is None or name in records:
        return
    if f":{PREFIX}" in name:
        hint = suggest(name, records, likeness=_LIKENESS)
        if hint:
            what = f"no rule records {name}{hint}"
            yield Problem(where=where, what=what, is_warning=True)
    if not name.startswith(PREFIX):
        return
    if name not in exported_metrics():
        yield _unknown_metric(where, name)
        return
    for label, operator, value in selector.matchers:
        yield from _check_matcher(where, name, label, operator, value)


def _unknown_metric(where: str, name: str) -> Problem:
    is_near = suggest(name, exported_metrics(), likeness=_LIKENESS)
    if is_near or not may_be_sample(name):
        what = f"unknown metric {name}{suggest(name, exported_metrics())}"
        return Problem(where=where, what=what)
    what = f"unknown metric {name}; it exists only if the brokers log a sample of that name"
    return Problem(where=where, what=what, is_warning=True)


def _check_matcher(
    where: str, name: str, label: str, operator: str, value: str
) -> Iterator[Problem]:
    own = labels_of(name)
    known = values_of(name, label)
    if label in LABELS and label not in own and value:
        has = ", ".join(sorted(own)) or "none of its own"
        yield Problem(where=where, what=f"{name} has no label {label}; it has {has}")
    elif known is not None:
        for one in _impossible(operator, value, known):
            what = (
                f"{label}={one!r} of {name} cannot exist; it is one of "
                f"{', '.join(sorted(known))}"
            )
            # To exclude a value that cannot exist has no effect.
            is_warning = operator in ("!=", "!~")
            yield Problem(where=where, what=what, is_warning=is_warning)


def _impossible(operator: str, value: str, known: frozenset[str]) -> list[str]:
    """List the values of a matcher that a label cannot have."""
    if operator in ("=", "!="):
        return [] if value in known or not value else [value]
    if _ALTERNATIVES.fullmatch(value):
        return [one for one in value.split("|") if one not in known]
    try:
        pattern = re.compile(value)
    except re.error:  # Go's syntax differs from Python's in places
        return []
    return [] if any(map(pattern.fullmatch, ["", *known])) else [value]
