"""Reads rule files for Prometheus and judges their shape; `expressions` judges the rest.

What is an error here keeps Prometheus 2.42 from loading the file (promtool says the same),
or keeps a rule from ever doing anything.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agent.checks.expressions import Records, check_expression
from agent.checks.problems import Problem
from agent.checks.templates import braces_pair, find_labels, holds_value
from agent.marked_yaml import Marked, MarkedYamlError, read_marked
from agent.suggestions import suggest

_DURATION = re.compile(
    r"(?=.)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m(?!s))?(\d+s)?(\d+ms)?|0", re.ASCII
)
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_GROUP_KEYS = ("name", "interval", "limit", "query_offset", "labels", "rules")
_RECORD_KEYS = ("record", "expr", "labels")
_ALERT_KEYS = ("alert", "expr", "for", "keep_firing_for", "labels", "annotations")
_ABSENT_SECONDS = 120


class Rule(NamedTuple):
    """One rule of a file.

    Attributes:
        where: File, line, group and name.
        content: Its keys.
    """

    where: str
    content: Marked


def check_rule_files(paths: Iterable[Path]) -> tuple[list[Problem], int]:
    """Check rule files together, so that one may use what another records.

    Args:
        paths: The files.

    Returns:
        All problems in the files' order, and the number of rules that were read.
    """
    problems: list[Problem] = []
    rules: list[Rule] = []
    for path in paths:
        for found in _read(path):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                rules.append(found)
    return [*problems, *check_rules(rules)], len(rules)


def check_rules(rules: Iterable[Rule]) -> list[Problem]:
    """Check rules together, so that one may use what another records.

    Args:
        rules: As `read_marked` reads them with ``as_text``.

    Returns:
        All problems, in the rules' order.
    """
    rules = list(rules)
    records = Records(rule.content for rule in rules)
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for rule in rules:
        problems += _check_rule(rule, records)
        problems += _check_repetition(rule, seen)
    return problems


def _read(path: Path) -> Iterator[Problem | Rule]:
    """Yield the rules of a file with where they stand, or what is wrong with it."""
    where = str(path)
    try:
        tree = read_marked(path.read_text("utf-8"), as_text=True)
    except OSError as error:
        yield Problem(where=where, what=f"cannot be read: {error.strerror}")
        return
    except UnicodeDecodeError:
        yield Problem(where=where, what="is no YAML: it is not written in UTF-8")
        return
    except MarkedYamlError as error:
        place = where if error.line is None else f"{where}:{error.line}"
        yield Problem(where=place, what=f"is no YAML: {error}", check="yaml/parse")
        return
    groups = tree.get("groups") if isinstance(tree, Marked) else None
    if not isinstance(groups, list) or set(tree) != {"groups"}:
        yield Problem(where=where, what="must hold 'groups', a list, and nothing else")
        return
    if not groups:
        yield Problem(where=where, what="holds no groups", is_warning=True)
    names: set[str] = set()
    for number, group in enumerate(groups):
        yield from _read_group(where, number + 1, group, names)


def _read_group(
    path: str, number: int, group: Any, names: set[str]
) -> Iterator[Problem | Rule]:
    if not isinstance(group, Marked):
        place = f"{path}, group {number}"
        yield Problem(where=place, what="must have a name and a list of rules")
        return
    name = group.get("name")
    where = f"{path}:{group.line}, group {name or number}"
    if not isinstance(name, str) or not name:
        yield Problem(where=where, what="has no name")
    elif name in names:
        yield Problem(where=where, what=f"has the name {name!r} of another group")
    else:
        names.add(name)
    yield from _check_keys(where, group, _GROUP_KEYS)
    yield from _check_durations(where, group, ("interval", "query_offset"))
    yield from _check_texts(where, group, "labels")
    rules = group.get("rules")
    if not isinstance(rules, list):
        yield Problem(where=where, what="has no list of rules")
        return
    if not rules:
        yield Problem(where=where, what="has no rules", is_warning=True)
    for position, rule in enumerate(rules):
        if isinstance(rule, Marked):
            title = rule.get("alert") or rule.get("record")
            place = f"{path}:{rule.line}, group {name or number}, rule {position + 1}"
            yield Rule(f"{place} ({title})" if title else place, rule)
        else:
            yield Problem(where=f"{where}, rule {position + 1}", what="is no mapping")


def _check_rule(rule: Rule, records: Records) -> Iterator[Problem]:
    where, content = rule
    if ("alert" in content) == ("record" in content):
        yield Problem(where=where, what="must have either 'alert' or 'record'")
        return
    is_alert = "alert" in content
    yield from _check_keys(where, content, _ALERT_KEYS if is_alert else _RECORD_KEYS)
    name = content.get("alert" if is_alert else "record")
    if not isinstance(name, str) or not name:
        yield Problem(where=where, what="has no name")
    elif not is_alert and not _METRIC.fullmatch(name):
        yield Problem(where=where, what=f"{name!r} is no name of a metric")
    yield from _check_durations(where, content, ("for", "keep_firing_for"))
    yield from _check_texts(where, content, "labels")
    yield from _check_texts(where, content, "annotations")
    expression = content.get("expr")
    if not isinstance(expression, str) or not expression.strip():
        yield Problem(where=where, what="has no expr")
        return
    asked = _find_asked(content) if is_alert else []
    yield from check_expression(
        where, expression, records, asked=asked, is_alert=is_alert
    )
    if is_alert:
        yield from _check_alert(where, content)


def _find_asked(alert: Marked) -> list[str]:
    """Find the labels that an alert's templates ask for."""
    texts = [*_texts_of(alert, "labels").values()]
    texts += _texts_of(alert, "annotations").values()
    return list(dict.fromkeys(one for text in texts for one in find_labels(text)))


def _check_alert(where: str, alert: Marked) -> Iterator[Problem]:
    if "severity" not in _texts_of(alert, "labels"):
        what = "has no label severity, by which alertmanager.example.yml routes"
        yield Problem(where=where, what=what, is_warning=True, check="rule/label")
    for part in ("labels", "annotations"):
        for key, text in _texts_of(alert, part).items():
            if not braces_pair(text):
                what = f"braces of {part.removesuffix('s')} {key} do not pair"
                yield Problem(where=where, what=what, check="alerts/template")
    for key, text in _texts_of(alert, "labels").items():
        if holds_value(text):
            what = f"label {key} holds $value: each value would be an alert of its own"
            yield Problem(where=where, what=what, check="alerts/template")
    waits = _seconds(alert.get("for")) >= _ABSENT_SECONDS
    if re.search(r"\babsent(_over_time)?\s*\(", str(alert["expr"])) and not waits:
        what = "absent() is true at each restart of Prometheus: give it a for of 2m or more"
        yield Problem(where=where, what=what, is_warning=True, check="alerts/absent")


def _check_repetition(rule: Rule, seen: dict[str, str]) -> Iterator[Problem]:
    """Find a rule that is there already, with the same name, labels and expression."""
    content = rule.content
    parts = [content.get(key) for key in ("alert", "record", "expr")]
    known = repr([*parts, sorted(_texts_of(content, "labels").items())])
    if known in seen:
        what = f"is the same as {seen[known]}"
        yield Problem(
            where=rule.where, what=what, is_warning=True, check="rule/duplicate"
        )
    seen.setdefault(known, rule.where)


def _check_keys(where: str, given: Marked, known: tuple[str, ...]) -> Iterator[Problem]:
    for key in given:
        if key not in known:
            what = f"unknown key {key!r}{suggest(str(key), known)}"
            yield Problem(where=where, what=what)


def _check_durations(
    where: str, given: Marked, keys: tuple[str, ...]
) -> Iterator[Problem]:
    for key in keys:
        value = given.get(key)
        if value is not None and not (
            isinstance(value, str) and _DURATION.fullmatch(value)
        ):
            what = f"{key} is no duration like 5m: {value!r}"
            yield Problem(where=where, what=what, check="rule/for")


def _check_texts(where: str, given: Marked, part: str) -> Iterator[Problem]:
    """Check that labels, or annotations, are a mapping of texts."""
    texts = given.get(part)
    if texts is None:
        return
    if not isinstance(texts, Marked):
        yield Problem(where=where, what=f"{part} must be a mapping of names to texts")
        return
    for key, text in texts.items():
        if not _LABEL.fullmatch(str(key)) or key in ("__name__", "alertname"):
            yield Problem(where=where, what=f"{part} cannot hold the name {key!r}")
        elif not isinstance(text, str | None):
            yield Problem(where=where, what=f"{key} of {part} is no text")


def _texts_of(rule: Marked, part: str) -> dict[str, str]:
    texts = rule.get(part)
    if not isinstance(texts, Marked):
        return {}
    return {str(key): text for key, text in texts.items() if isinstance(text, str)}


def _seconds(duration: object) -> float:
    """Read a duration; 0 where there is none."""
    sizes = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
    found = re.findall(r"(\d+)(ms|[smhdwy])", str(duration))
    return sum(int(n) * sizes.get(unit, 0.001) for n, unit in found)
