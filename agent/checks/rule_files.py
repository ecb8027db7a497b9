"""Reads rule files for Prometheus and checks the expressions in them.

Only what is needed to find the rules is checked of a file's structure; ``promtool check
rules`` checks the rest.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agent.checks.problems import Problem
from agent.checks.series import check_expression, packaged_records
from agent.marked_yaml import Marked, MarkedYamlError, read_marked
from agent.suggestions import suggest

_GROUP_KEYS = ("name", "interval", "limit", "query_offset", "labels", "rules")
_RECORD_KEYS = ("record", "expr", "labels")
_ALERT_KEYS = ("alert", "expr", "for", "keep_firing_for", "labels", "annotations")


class _Rule(NamedTuple):
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
        All problems, and the number of rules that were read.
    """
    problems: list[Problem] = []
    rules: list[_Rule] = []
    for path in paths:
        for found in _read(path):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                rules.append(found)
    records = packaged_records() | {
        name for rule in rules if isinstance(name := rule.content.get("record"), str)
    }
    for rule in rules:
        problems += _check_rule(rule, records)
    return problems, len(rules)


def _read(path: Path) -> Iterator[Problem | _Rule]:
    """Yield the rules of a file, or why they cannot be read."""
    where = str(path)
    try:
        tree = read_marked(path.read_text("utf-8"), as_text=True)
    except OSError as error:
        yield Problem(where=where, what=f"cannot be read: {error.strerror}")
        return
    except UnicodeDecodeError:
        yield Problem(where=where, what="invalid YAML: not encoded in UTF-8")
        return
    except MarkedYamlError as error:
        place = where if error.line is None else f"{where}:{error.line}"
        yield Problem(where=place, what=f"invalid YAML: {error}")
        return
    groups = tree.get("groups") if isinstance(tree, Marked) else None
    if not isinstance(groups, list) or set(tree) != {"groups"}:
        yield Problem(where=where, what="must hold 'groups', a list, and nothing else")
        return
    for number, group in enumerate(groups, 1):
        yield from _read_group(where, number, group)


def _read_group(path: str, number: int, group: Any) -> Iterator[Problem | _Rule]:
    if not isinstance(group, Marked):
        place = f"{path}, group {number}"
        yield Problem(where=place, what="must have a name and a list of rules")
        return
    title = group.get("name") or number
    where = f"{path}:{group.line}, group {title}"
    if not isinstance(group.get("name"), str):
        yield Problem(where=where, what="has no name")
    yield from _check_keys(where, group, _GROUP_KEYS)
    rules = group.get("rules")
    if not isinstance(rules, list):
        yield Problem(where=where, what="has no list of rules")
        return
    for position, rule in enumerate(rules, 1):
        if isinstance(rule, Marked):
            name = rule.get("alert") or rule.get("record")
            place = f"{path}:{rule.line}, group {title}, rule {position}"
            yield _Rule(f"{place} ({name})" if name else place, rule)
        else:
            yield Problem(where=f"{where}, rule {position}", what="must be a mapping")


def _check_rule(rule: _Rule, records: frozenset[str]) -> Iterator[Problem]:
    where, content = rule
    if ("alert" in content) == ("record" in content):
        yield Problem(where=where, what="must have either 'alert' or 'record'")
        return
    keys = _ALERT_KEYS if "alert" in content else _RECORD_KEYS
    yield from _check_keys(where, content, keys)
    expression = content.get("expr")
    if not isinstance(expression, str) or not expression.strip():
        yield Problem(where=where, what="has no expr")
        return
    yield from check_expression(where, expression, records)


def _check_keys(where: str, given: Marked, known: tuple[str, ...]) -> Iterator[Problem]:
    for key in given:
        if key not in known:
            what = f"unknown key {key!r}{suggest(str(key), known)}"
            yield Problem(where=where, what=what)
