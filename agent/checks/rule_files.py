"""Judges rule files for Prometheus: their shape, their PromQL, and what they ask of us.

What a file asks of other exporters is not our business. The checks are those that pint
(cloudflare/pint) makes without a server, as far as they are about our metrics.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from agent.catalogue import PREFIX
from agent.checks.exported import LABELS, VALUES, exported_metrics, labels_of
from agent.checks.problems import Problem
from agent.checks.promql import Selector, compares, find_selectors
from agent.rules import rule_source

_DURATION = re.compile(r"(\d+(ms|[smhdwy]))+")
_GROUP_KEYS = {"name", "interval", "limit", "query_offset", "labels", "rules"}
_RECORD_KEYS = {"record", "expr", "labels"}
_ALERT_KEYS = {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}


def check_rule_files(paths: Iterable[Path]) -> tuple[list[Problem], int]:
    """Check rule files together, so that one may use what another records.

    Args:
        paths: The files.

    Returns:
        All problems in the files' order, and the number of rules that were read.
    """
    problems: list[Problem] = []
    rules: list[tuple[str, dict[str, Any]]] = []
    for path in paths:
        for found in _read(path):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                rules.append(found)
    recorded = {str(rule["record"]) for _where, rule in rules if "record" in rule}
    recorded |= {
        rule["record"]
        for group in rule_source()["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    for where, rule in rules:
        problems += _check_rule(where, rule, recorded)
    return problems, len(rules)


def _read(path: Path) -> Iterator[Problem | tuple[str, dict[str, Any]]]:
    """Yield the rules of a file with where they stand, or what is wrong with it."""
    where = str(path)
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        yield Problem(where=where, what=f"cannot be read: {error.strerror}")
        return
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        yield Problem(where=where, what=f"is no YAML: {' '.join(str(error).split())}")
        return
    groups = tree.get("groups") if isinstance(tree, dict) else None
    if not isinstance(groups, list) or set(tree) != {"groups"}:
        yield Problem(where=where, what="must hold 'groups', a list, and nothing else")
        return
    names: set[str] = set()
    for number, group in enumerate(groups):
        yield from _read_group(f"{where}, group {number + 1}", group, names)


def _read_group(
    where: str, group: Any, names: set[str]
) -> Iterator[Problem | tuple[str, dict[str, Any]]]:
    if not isinstance(group, dict) or not isinstance(group.get("rules"), list):
        yield Problem(where=where, what="must have a name and a list of rules")
        return
    name = group.get("name")
    if not isinstance(name, str) or not name:
        yield Problem(where=where, what="has no name")
    elif name in names:
        yield Problem(where=where, what=f"has the name {name!r} of another group")
    else:
        names.add(name)
        where = f"{where} ({name})"
    yield from _unknown_keys(where, group, _GROUP_KEYS)
    for number, rule in enumerate(group["rules"]):
        place = f"{where}, rule {number + 1}"
        if isinstance(rule, dict):
            title = rule.get("alert", rule.get("record"))
            yield (f"{place} ({title})" if title else place), rule
        else:
            yield Problem(where=place, what="is no mapping")


def _unknown_keys(
    where: str, given: Mapping[str, Any], known: set[str]
) -> Iterator[Problem]:
    for key in given:
        if key not in known:
            hint = _suggest(str(key), known)
            yield Problem(where=where, what=f"unknown key {key!r}{hint}")


def _check_rule(
    where: str, rule: Mapping[str, Any], recorded: set[str]
) -> Iterator[Problem]:
    if ("alert" in rule) == ("record" in rule):
        yield Problem(where=where, what="must have either 'alert' or 'record'")
        return
    is_alert = "alert" in rule
    yield from _unknown_keys(where, rule, _ALERT_KEYS if is_alert else _RECORD_KEYS)
    for key in ("for", "keep_firing_for"):
        if key in rule and not _DURATION.fullmatch(str(rule[key])) and rule[key] != 0:
            what = f"{key} is no duration like 5m: {rule[key]!r}"
            yield Problem(where=where, what=what)
    expression = rule.get("expr")
    if not isinstance(expression, str | int | float) or not str(expression).strip():
        yield Problem(where=where, what="has no expr")
        return
    try:
        selectors = find_selectors(str(expression))
        compared = compares(str(expression))
    except ValueError as error:
        reason = " ".join(str(error).split())
        yield Problem(where=where, what=f"its expr is no PromQL: {reason}")
        return
    for selector in selectors:
        yield from _check_selector(where, selector, recorded)
    if is_alert:
        yield from _check_alert(where, rule, compared=compared)


def _check_alert(
    where: str, rule: Mapping[str, Any], *, compared: bool
) -> Iterator[Problem]:
    if not compared:
        what = "compares with nothing, so it fires as long as there are series"
        yield Problem(where=where, what=what, is_warning=True)
    if "severity" not in (rule.get("labels") or {}):
        what = "has no label severity, by which alertmanager.example.yml routes"
        yield Problem(where=where, what=what, is_warning=True)
    for key, text in (rule.get("annotations") or {}).items():
        if str(text).count("{{") != str(text).count("}}"):
            yield Problem(where=where, what=f"braces of annotation {key} do not pair")
    for key, text in (rule.get("labels") or {}).items():
        if "$value" in str(text):
            what = f"label {key} holds $value: each value would be an alert of its own"
            yield Problem(where=where, what=what)


def _check_selector(
    where: str, selector: Selector, recorded: set[str]
) -> Iterator[Problem]:
    name = selector.name
    if name is None or name in recorded or not name.startswith(PREFIX):
        return
    kinds = exported_metrics()
    if name not in kinds:
        yield _unknown_metric(where, name)
        return
    own = labels_of(name)
    for label, operator, value in selector.matchers:
        if label in LABELS and label not in own:
            has = ", ".join(sorted(own)) or "none of its own"
            what = f"{name} has no label {label}; it has {has}"
            yield Problem(where=where, what=what)
        elif operator == "=" and label in VALUES and value not in VALUES[label]:
            known = ", ".join(sorted(VALUES[label]))
            what = f"{label}={value!r} of {name} cannot be; it is one of {known}"
            yield Problem(where=where, what=what)
    counter = kinds[name] == "counter"
    if selector.counts and not counter:
        what = f"{selector.function}() of {name}, which is a gauge"
        yield Problem(where=where, what=what)
    elif counter and selector.function is None:
        what = f"{name} only grows until the agent restarts: use increase() or rate()"
        yield Problem(where=where, what=what, is_warning=True)


def _unknown_metric(where: str, name: str) -> Problem:
    close = get_close_matches(name, exported_metrics(), n=1, cutoff=0.85)
    if close:
        what = f"unknown metric {name}; did you mean {close[0]}?"
        return Problem(where=where, what=what)
    what = f"unknown metric {name}; it exists only if your brokers write a sample of that name"
    return Problem(where=where, what=what, is_warning=True)


def _suggest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
