"""Our rules keep to what pint (cloudflare/pint, docs/checks) asks of rules.

Each check is a function that names what is wrong, and is shown a rule that is wrong.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.checks import check_rule_files, exported_metrics, find_selectors
from agent.checks.exported import labels_of
from agent.checks.promql import compares
from agent.clock import parse_duration
from tests.alerts.expression_labels import find_labels

COMMITTED = Path(__file__).parents[2] / "alerts" / "heroku-kafka.rules.yml"

Rule = dict[str, Any]
Check = Callable[[Rule], list[str]]

RULES: list[Rule] = [
    rule
    for group in yaml.safe_load(COMMITTED.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
RECORDS = [rule for rule in RULES if "record" in rule]
ALERTS = [rule for rule in RULES if "alert" in rule]
SEVERITIES = {"critical", "warning", "info", "none"}
OTHERS = {"up", "process_start_time_seconds"}

_RANGE = re.compile(r"\[([0-9a-z]+)(?::[0-9a-z]*)?\]")
_FUNCTION = re.compile(r"\b([a-z_]+)\s*(?:by\s*\([^)]*\)\s*)?\(")
_NEWER = {
    *("info", "limitk", "limit_ratio", "mad_over_time", "sort_by_label"),
    *("sort_by_label_desc", "double_exponential_smoothing", "ts_of_max_over_time"),
    *("first_over_time", "histogram_avg", "histogram_stddev", "start", "end"),
}


def comparison(rule: Rule) -> list[str]:
    """alerts/comparison."""
    return [] if compares(rule["expr"]) else ["it compares with nothing"]


def template(rule: Rule) -> list[str]:
    """alerts/template."""
    problems = [
        f"label {key} holds a value"
        for key, text in rule["labels"].items()
        if "{{" in text
    ]
    texts = "\n".join(rule["annotations"].values())
    if re.search(r"{{\s*\$value\s*}}", texts):
        problems.append("a value is not made readable")
    known = find_labels(rule["expr"])
    problems += [
        f"label {name} is not in the result"
        for name in re.findall(r"\$labels\.(\w+)", texts)
        if name not in known
    ]
    return problems


def absent(rule: Rule) -> list[str]:
    """alerts/absent."""
    if "absent(" in rule["expr"] and parse_duration(rule.get("for", "0s")) < 120:
        return ["absent() without a for of two scrapes"]
    return []


def annotation(rule: Rule) -> list[str]:
    """alerts/annotation and rule/label."""
    wanted = {"summary", "description", "runbook_url"}
    problems = [f"no {key}" for key in wanted - rule["annotations"].keys()]
    if "{{" in rule["annotations"].get("summary", ""):
        problems.append("the summary is no plain sentence")
    if (
        set(rule["labels"]) != {"severity"}
        or rule["labels"]["severity"] not in SEVERITIES
    ):
        problems.append("its labels are not a severity alone")
    return problems


def counter(rule: Rule) -> list[str]:
    """promql/counter and promql/rate: counters grow, gauges do not."""
    problems = []
    for selector in find_selectors(rule["expr"]):
        kind = exported_metrics().get(selector.name or "")
        if kind == "counter" and not selector.counts:
            problems.append(f"{selector.name} without increase()")
        if selector.counts and kind != "counter":
            problems.append(f"{selector.function}() of {selector.name}")
    return problems


def window(rule: Rule) -> list[str]:
    """promql/rate and query/cost: neither shorter than two scrapes nor endless."""
    return [
        f"a range of {span}"
        for span in _RANGE.findall(rule["expr"])
        if not 120 <= parse_duration(span) <= 7 * 86_400
    ]


def fragile(rule: Rule) -> list[str]:
    """promql/fragile."""
    found = set(_FUNCTION.findall(rule["expr"])) & {"topk", "bottomk", "limitk"}
    return [f"{name}() changes its series all the time" for name in found]


def fragile_ratio(rule: Rule) -> list[str]:
    """promql/fragile: a quotient of aggregates flaps at restarts."""
    if re.search(r"/ on \(", rule["expr"]) and "for" not in rule:
        return ["a quotient of aggregates without for"]
    return []


def regexp(rule: Rule) -> list[str]:
    """promql/regexp."""
    return [
        f"{label}{operator}{value!r} needs no regular expression"
        for selector in find_selectors(rule["expr"])
        for label, operator, value in selector.matchers
        if operator in ("=~", "!~") and re.escape(value) == value
    ]


def series(rule: Rule) -> list[str]:
    """promql/series: somebody exports or records it."""
    recorded = {record["record"] for record in RECORDS}
    return [
        f"nobody has {selector.name}"
        for selector in find_selectors(rule["expr"])
        if selector.name not in exported_metrics().keys() | recorded | OTHERS
    ]


def matching(rule: Rule) -> list[str]:
    """promql/vector_matching and promql/impossible: the labels can be there."""
    problems = []
    for names in re.findall(r"\b(?:on|by) \(([^)]+)\)", rule["expr"]):
        known = set().union(*(labels(one.name) for one in find_selectors(rule["expr"])))
        problems += [
            f"nothing has the label {name}"
            for name in re.split(r",\s*", names)
            if name not in known
        ]
    return problems


def labels(name: str | None) -> frozenset[str]:
    """Say which labels a series can have: those of its level, or of the metric."""
    level, colon, _rest = (name or "").partition(":")
    if colon:
        return frozenset(level.split("_"))
    if name in OTHERS:
        return frozenset({"job", "instance"})
    return labels_of(name or "") | {"job", "instance"}


def duration(rule: Rule) -> list[str]:
    """rule/for."""
    return [
        f"{key} of {rule[key]}"
        for key in ("for", "keep_firing_for")
        if key in rule and not 0 < parse_duration(rule[key]) <= 86_400
    ]


def newer(rule: Rule) -> list[str]:
    """What Prometheus 2.42 does not know."""
    found = sorted(set(_FUNCTION.findall(rule["expr"])) & _NEWER)
    return [f"{name}() is too new" for name in found] + (
        ["@ is too new to rely on"] if "@" in rule["expr"] else []
    )


OF_ALL: tuple[Check, ...] = (
    counter, window, fragile, regexp, series, matching, duration, newer,
)  # fmt: skip
OF_ALERTS: tuple[Check, ...] = (comparison, template, absent, annotation, fragile_ratio)

TEXTS = {"summary": "A.", "description": "B.", "runbook_url": "C"}
GOOD: Rule = {
    "alert": "A",
    "expr": "addon:heroku_kafka_data_used:ratio > 0.8",
    "for": "5m",
    "labels": {"severity": "warning"},
    "annotations": TEXTS,
}
WRONG: list[tuple[Check, Rule]] = [
    (comparison, {"expr": "up"}),
    (template, {"annotations": {**TEXTS, "description": "{{ $value }}"}}),
    (template, {"annotations": {**TEXTS, "description": "{{ $labels.broker }}"}}),
    (template, {"labels": {"severity": "{{ $labels.addon }}"}}),
    (absent, {"expr": "absent(up)", "for": "1m"}),
    (annotation, {"annotations": {"summary": "A.", "description": "B."}}),
    (annotation, {"labels": {"severity": "page"}}),
    (annotation, {"labels": {"severity": "info", "team": "a"}}),
    (annotation, {"annotations": {**TEXTS, "summary": "{{ $labels.addon }}"}}),
    (counter, {"expr": "heroku_kafka_log_lines_total > 3"}),
    (counter, {"expr": "rate(heroku_kafka_load_avg_5m[5m]) > 1"}),
    (window, {"expr": "rate(heroku_kafka_log_lines_total[1m]) > 1"}),
    (window, {"expr": "max_over_time(up[30d]) > 1"}),
    (fragile, {"expr": "topk(3, up) > 0"}),
    (fragile_ratio, {"expr": "sum(up) / on () count(up) > 1", "for": None}),
    (regexp, {"expr": 'up{job=~"kafka"} == 0'}),
    (series, {"expr": "heroku_kafka_queue_length > 3"}),
    (matching, {"expr": "max by (node) (heroku_kafka_load_avg_5m) > 3"}),
    (duration, {"for": "2d"}),
    (newer, {"expr": "limitk(3, up) > 0"}),
    (newer, {"expr": "up @ 1 > 0"}),
]


def name_of(rule: Rule) -> str:
    severity = rule.get("labels", {}).get("severity", "")
    return f"{rule.get('alert', rule.get('record'))} {severity}".strip()


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_a_rule_keeps_to_what_pint_asks(rule: Rule) -> None:
    checks = OF_ALL if "record" in rule else (*OF_ALL, *OF_ALERTS)
    for check in checks:
        assert check(rule) == [], check.__doc__


@pytest.mark.parametrize(("check", "change"), WRONG)
def test_a_check_finds_what_it_is_for(check: Check, change: Rule) -> None:
    rule = {key: value for key, value in {**GOOD, **change}.items() if value}

    assert check(GOOD) == []
    assert check(rule) != []


def test_every_check_is_shown_something_wrong() -> None:
    assert {check for check, _change in WRONG} == {*OF_ALL, *OF_ALERTS}


def test_no_two_rules_are_the_same() -> None:
    """rule/duplicate."""
    names = [name_of(rule) for rule in RULES]
    expressions = [rule["expr"] for rule in RECORDS]

    assert len(names) == len(set(names))
    assert len(expressions) == len(set(expressions))


def test_a_record_stands_before_what_uses_it_and_is_used() -> None:
    """rule/dependency."""
    seen: set[str] = set()
    used: set[str] = set()
    recorded = {rule["record"] for rule in RECORDS}
    for rule in RULES:
        names = {one.name or "" for one in find_selectors(rule["expr"])} & recorded
        assert names <= seen, rule
        used |= names
        seen |= {rule.get("record", "")}

    assert used == recorded


def test_records_are_named_by_level_metric_and_operation() -> None:
    for rule in RECORDS:
        level, metric, operation = rule["record"].split(":")
        assert set(level.split("_")) == find_labels(rule["expr"])
        assert metric.startswith("heroku_kafka_")
        assert re.fullmatch(r"max|min|sum|ratio", operation)


def test_alerts_are_ours_by_their_name() -> None:
    for rule in ALERTS:
        assert re.fullmatch(r"HerokuKafka[A-Z][A-Za-z]+", rule["alert"])


def test_the_agents_own_check_has_nothing_to_say() -> None:
    problems, count = check_rule_files([COMMITTED])

    assert problems == []
    assert count == len(RULES)
