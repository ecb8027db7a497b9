"""Judges expressions by what the agent exports.

What a rule asks of other exporters is not our business.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import yaml

from agent.checks.exported import (
    LABELS,
    exported_metrics,
    labels_of,
    may_be_sample,
    values_of,
)
from agent.checks.labels import ANY, Labels, derive_labels
from agent.checks.problems import Problem
from agent.checks.promql import Selector, compares, find_selectors
from agent.metrics.specs import PREFIX
from agent.packaged import find_packaged
from agent.suggestions import suggest

_LIKE = 0.85
_SHORTEST_SECONDS = 120
_OF_GAUGES = frozenset({"delta", "deriv", "idelta", "predict_linear"})
_PLAIN = re.compile(r"[A-Za-z0-9_]+(\|[A-Za-z0-9_]+)*")


@cache
def _packaged_rules() -> tuple[dict[str, Any], ...]:
    """Read the rules that come with the agent."""
    text = find_packaged("alerts", "heroku-kafka.rules.yml").read_text("utf-8")
    groups = yaml.safe_load(text)["groups"]
    return tuple(rule for group in groups for rule in group["rules"])


class Records:
    """The recording rules: those that are checked, and the packaged ones."""

    def __init__(self, rules: Iterable[Any]) -> None:
        self._rules: dict[str, list[Any]] = {}
        self._derived: dict[str, Labels] = {}
        for rule in (*_packaged_rules(), *rules):
            if isinstance(rule.get("record"), str):
                self._rules.setdefault(rule["record"], []).append(rule)

    def __contains__(self, name: object) -> bool:
        return name in self._rules

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def labels_of(self, name: str) -> Labels:
        """Say which labels the series of a name can have, recorded or exported."""
        if name in self._rules:
            if name not in self._derived:
                self._derived[name] = ANY  # for a record that is made of itself
                self._derived[name] = self._derive(name)
            return self._derived[name]
        if name in exported_metrics() and name.startswith(PREFIX):
            return Labels(labels_of(name), is_open=True)
        return ANY

    def _derive(self, name: str) -> Labels:
        labels: Labels | None = None
        for rule in self._rules[name]:
            try:
                found = derive_labels(str(rule.get("expr")), self.labels_of).labels
            except ValueError:
                return ANY
            given = rule.get("labels")
            found = found.with_(given if isinstance(given, dict) else ())
            labels = found if labels is None else labels | found
        return labels or ANY


def check_expression(
    where: str,
    expression: str,
    records: Records,
    *,
    asked: Iterable[str],
    is_alert: bool,
) -> Iterator[Problem]:
    """Yield what is wrong with the expression of a rule.

    Args:
        where: The rule.
        expression: PromQL.
        records: What is recorded.
        asked: Labels that the rule's templates ask for.
        is_alert: Whether it is an alert's.
    """
    try:
        selectors = find_selectors(expression)
        derived = derive_labels(expression, records.labels_of)
        compared = compares(expression)
    except ValueError as error:
        reason = " ".join(str(error).split())
        what = f"its expr is no PromQL: {reason}"
        yield Problem(where=where, what=what, check="promql/syntax")
        return
    for selector in dict.fromkeys(selectors):
        yield from _check_selector(where, selector, records)
    for fault in derived.faults:
        yield Problem(where=where, what=fault, check="promql/vector_matching")
    for label in asked:
        if not derived.labels.may_have(label):
            what = f"$labels.{label} is empty: the expr has no such label in its result"
            yield Problem(where=where, what=what, check="alerts/template")
    if is_alert and not compared:
        what = "compares with nothing, so it fires as long as there are series"
        yield Problem(
            where=where, what=what, is_warning=True, check="alerts/comparison"
        )


def _check_selector(
    where: str, selector: Selector, records: Records
) -> Iterator[Problem]:
    name = selector.name
    if name is None or name in records:
        return
    if f":{PREFIX}" in name:
        yield from _check_record_name(where, name, records)
    if not name.startswith(PREFIX):
        return
    if name not in exported_metrics():
        yield _unknown_metric(where, name)
        return
    yield from _check_matchers(where, name, selector)
    yield from _check_function(where, name, selector)


def _check_record_name(where: str, name: str, records: Records) -> Iterator[Problem]:
    """Warn of a name that is nearly one that is recorded."""
    hint = suggest(name, records, likeness=_LIKE)
    if hint:
        what = f"nothing here records {name}{hint}"
        yield Problem(where=where, what=what, is_warning=True, check="promql/series")


def _check_matchers(where: str, name: str, selector: Selector) -> Iterator[Problem]:
    own = labels_of(name)
    for label, operator, value in selector.matchers:
        known = values_of(name, label)
        if label in LABELS and label not in own and value:
            has = ", ".join(sorted(own)) or "none of its own"
            what = f"{name} has no label {label}; it has {has}"
            yield Problem(where=where, what=what, check="promql/series")
        elif known is not None:
            for one in _impossible(operator, value, known):
                what = (
                    f"{label}={one!r} of {name} cannot be; it is one of "
                    f"{', '.join(sorted(known))}"
                )
                # Nothing is excluded that is not there: no harm, no use.
                is_warning = operator in ("!=", "!~")
                yield Problem(
                    where=where, what=what, is_warning=is_warning, check="promql/series"
                )


def _impossible(operator: str, value: str, known: frozenset[str]) -> list[str]:
    """List the values that a matcher names and that cannot be."""
    if operator in ("=", "!="):
        return [] if value in known or not value else [value]
    if _PLAIN.fullmatch(value):
        return [one for one in value.split("|") if one not in known]
    try:
        pattern = re.compile(value)
    except re.error:  # Go's syntax is not quite Python's
        return []
    return [] if any(map(pattern.fullmatch, ["", *known])) else [value]


def _check_function(where: str, name: str, selector: Selector) -> Iterator[Problem]:
    is_counter = exported_metrics()[name] == "counter"
    function, seconds = selector.function, selector.range_seconds
    if selector.counts and not is_counter:
        what = f"{function}() of {name}, which is a gauge"
        yield Problem(where=where, what=what, check="promql/rate")
    elif is_counter and function in _OF_GAUGES:
        what = f"{function}() of {name}, which is a counter: use increase() or rate()"
        yield Problem(where=where, what=what, check="promql/counter")
    elif is_counter and function is None:
        what = f"{name} only grows until the agent restarts: use increase() or rate()"
        yield Problem(where=where, what=what, is_warning=True, check="promql/counter")
    elif selector.counts and seconds is not None and seconds < _SHORTEST_SECONDS:
        what = (
            f"{function}() over {seconds:g}s may hold one scrape only: take 2m or more"
        )
        yield Problem(where=where, what=what, is_warning=True, check="promql/rate")


def _unknown_metric(where: str, name: str) -> Problem:
    if suggest(name, exported_metrics(), likeness=_LIKE) or not may_be_sample(name):
        what = f"unknown metric {name}{suggest(name, exported_metrics())}"
        return Problem(where=where, what=what, check="promql/series")
    what = f"unknown metric {name}; it exists only if your brokers write a sample of that name"
    return Problem(where=where, what=what, is_warning=True, check="promql/series")
