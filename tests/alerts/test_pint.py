"""Our rules keep to what pint (cloudflare/pint, docs/checks) asks of rules.

Each check has its own test, named after it, and is shown a rule that is wrong.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    VectorSelector,
)

from agent.checks import check_rule_files, exported_metrics, find_selectors
from agent.checks.series import check_expression, packaged_records
from agent.clock import parse_duration
from tests.alerts.promtool_cases import expected_labels

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
"""What we ask for that every Prometheus, and every client of it, has."""

_RANGE = re.compile(r"\[([0-9a-z]+)(?::[0-9a-z]*)?\]")
_FUNCTION = re.compile(r"\b([a-z_]+)\s*(?:(?:by|without)\s*\([^)]*\)\s*)?\(")
_OF_GAUGES = {"", "delta", "deriv", "idelta", "predict_linear"}
_OF_COUNTERS = {"rate", "irate", "increase", "resets"}
_NEWER = {
    *("info", "limitk", "limit_ratio", "mad_over_time", "sort_by_label"),
    *("sort_by_label_desc", "double_exponential_smoothing", "ts_of_max_over_time"),
    *("first_over_time", "histogram_avg", "histogram_stddev", "start", "end"),
}


def title(rule: Rule) -> str:
    severity = rule.get("labels", {}).get("severity", "")
    return f"{rule.get('alert', rule.get('record'))} {severity}".strip()


def comparison(rule: Rule) -> list[str]:
    """Ask for a condition: a comparison without bool, unless, or an absence."""
    plain = re.sub(r"{[^}]*}", "", rule["expr"])
    condition = r"(?:[=!]=|[<>]=?)(?!\s*bool)|\bunless\b|\babsent(?:_over_time)?\("
    return [] if re.search(condition, plain) else ["it compares with nothing"]


def template(rule: Rule) -> list[str]:
    """Ask for closed braces, no values in labels, and labels that the alert has."""
    texts = [*rule["annotations"].values(), *rule["labels"].values()]
    problems = [
        f"braces do not pair in {text!r}"
        for text in texts
        if re.findall(r"{{|}}", text) != ["{{", "}}"] * text.count("{{")
    ]
    if any(re.search(r"\$value|\.Value", text) for text in rule["labels"].values()):
        problems.append("each value would be an alert of its own")
    wanted = {one for text in texts for one in re.findall(r"\$labels\.(\w+)", text)}
    missing = wanted - expected_labels(rule["alert"])
    return problems + [f"promtool expects no label {one}" for one in missing]


def absent(rule: Rule) -> list[str]:
    """Ask for patience with an absence, which each restart of Prometheus brings."""
    waits = parse_duration(rule.get("for", "0s")) >= 120
    found = re.search(r"\babsent(_over_time)?\(", rule["expr"])
    return ["an absence without for"] if found and not waits else []


def series(rule: Rule) -> list[str]:
    """Ask for series that exist, as `heroku-kafka-agent check` does."""
    return [one.what for one in check_expression("", rule["expr"], packaged_records())]


def uses(expression: str) -> list[tuple[str, str]]:
    """List each metric with the function of its range; without one, it is empty."""
    plain: list[str] = []
    ranged: list[tuple[str, str]] = []

    def visit(node: Any) -> None:
        if isinstance(node, VectorSelector):
            plain.append(node.name or "")
        elif isinstance(node, Call):
            ranged.extend(
                (one.vector_selector.name or "", node.func.name)
                for one in node.args
                if isinstance(one, MatrixSelector)
            )

    promql_parser.walk(promql_parser.parse(expression), pre_visit=visit)
    for name, _ in ranged:
        plain.remove(name)
    return ranged + [(name, "") for name in plain]


def counter(rule: Rule) -> list[str]:
    """Ask that no counter is read as it stands."""
    kinds = exported_metrics()
    return [
        f"{function or 'no function'} of the counter {name}"
        for name, function in uses(rule["expr"])
        if kinds.get(name) == "counter" and function in _OF_GAUGES
    ]


def rate(rule: Rule) -> list[str]:
    """Ask that the functions for counters are applied to counters alone."""
    kinds = exported_metrics()
    return [
        f"{function} of the gauge {name}"
        for name, function in uses(rule["expr"])
        if kinds.get(name) == "gauge" and function in _OF_COUNTERS
    ]


def known_series(rule: Rule) -> list[str]:
    """Ask that somebody exports or records it, not even a sample of the brokers."""
    names = {one.name for one in find_selectors(rule["expr"])}
    return [
        f"nobody has {name}"
        for name in names
        if name not in exported_metrics().keys() | packaged_records() | OTHERS
    ]


def human(rule: Rule) -> list[str]:
    """Ask that a value is made readable, and not like 0.8700000000000001."""
    bare = re.compile(r"{{-?\s*(?:\$value|\.Value)\s*-?}}")
    texts = rule["annotations"].values()
    return ["a value is not made readable"] if any(map(bare.search, texts)) else []


def severity(rule: Rule) -> list[str]:
    """Ask for a severity, and for no other label."""
    labels = rule["labels"]
    if set(labels) != {"severity"} or labels["severity"] not in SEVERITIES:
        return ["its labels are not a severity alone"]
    return []


def annotation(rule: Rule) -> list[str]:
    """Ask for three annotations, the summary in plain words."""
    wanted = {"summary", "description", "runbook_url"}
    problems = [f"no {key}" for key in wanted - rule["annotations"].keys()]
    if "{{" in rule["annotations"].get("summary", ""):
        problems.append("the summary is no plain sentence")
    return problems


def window(rule: Rule) -> list[str]:
    """Ask for ranges that hold two scrapes, and at most a week."""
    return [
        f"a range of {span}"
        for span in _RANGE.findall(rule["expr"])
        if not 120 <= parse_duration(span) <= 7 * 86_400
    ]


def fragile(rule: Rule) -> list[str]:
    """Ask for no choice of series, which changes at each evaluation."""
    found = set(_FUNCTION.findall(rule["expr"])) & {"topk", "bottomk", "limitk"}
    return [f"{name}() changes its series all the time" for name in found]


def fragile_ratio(rule: Rule) -> list[str]:
    """Ask for patience with a quotient of aggregates, which flaps at restarts."""
    if re.search(r"/ on \(", rule["expr"]) and "for" not in rule:
        return ["a quotient of aggregates without for"]
    return []


def impossible(rule: Rule) -> list[str]:
    """Ask that no selector asks for two values of one label at once."""
    problems = []
    for selector in find_selectors(rule["expr"]):
        wanted: dict[str, set[str]] = {}
        for name, operator, value in selector.matchers:
            if operator == "=":
                wanted.setdefault(name, set()).add(value)
        problems += [
            f"{name} is two things" for name in wanted if len(wanted[name]) > 1
        ]
    return problems


def regexp(rule: Rule) -> list[str]:
    """Ask for regular expressions only where they are needed."""
    return [
        f"{label}{operator}{value!r} needs no regular expression"
        for selector in find_selectors(rule["expr"])
        for label, operator, value in selector.matchers
        if operator in ("=~", "!~") and (re.escape(value) == value or value == ".*")
    ]


def lasting(rule: Rule) -> list[str]:
    """Ask for durations between nothing and a day."""
    return [
        f"{key} of {rule[key]}"
        for key in ("for", "keep_firing_for")
        if key in rule and not 0 < parse_duration(rule[key]) <= 86_400
    ]


def newer(rule: Rule) -> list[str]:
    """Ask for nothing that Prometheus 2.42 does not know, or only as an experiment."""
    found = sorted(set(_FUNCTION.findall(rule["expr"])) & _NEWER)
    return [f"{name}() is too new" for name in found] + (
        ["@ is too new to rely on"] if "@" in rule["expr"] else []
    )


def remaining(node: promql_parser.Expr) -> set[str]:
    """Return the labels of a record's result: those of its outermost grouping."""
    if isinstance(node, AggregateExpr) and node.modifier:
        return set(node.modifier.labels)
    if isinstance(node, VectorSelector) and node.name:
        return set(node.name.partition(":")[0].split("_"))
    if isinstance(node, ParenExpr):
        return remaining(node.expr)
    if isinstance(node, BinaryExpr):
        if isinstance(node.lhs, NumberLiteral | Call):  # a scalar: time()
            return remaining(node.rhs)
        if str(node.op) in {"and", "or", "unless"}:
            return remaining(node.lhs)
        matching = node.modifier and node.modifier.matching
        return set(matching.labels) if matching else remaining(node.lhs)
    message = f"the labels of {node} are not known"
    raise ValueError(message)


def naming(rule: Rule) -> list[str]:
    """Ask for level:metric:operations, the level being the labels that are left."""
    parts = rule.get("record", "").split(":")
    if len(parts) != 3:
        return ["it is not named level:metric:operations"]
    level, metric, operation = parts
    problems = []
    if set(level.split("_")) != remaining(promql_parser.parse(rule["expr"])):
        problems.append(f"its labels are not {level}")
    if not metric.startswith("heroku_kafka_"):
        problems.append(f"{metric} is not of ours")
    if not re.fullmatch(r"max|min|sum|ratio", operation):
        problems.append(f"{operation} is no operation")
    return problems


def found(check: Check, rules: Iterable[Rule] = RULES) -> dict[str, list[str]]:
    """Make a check on each rule; return what it finds, by rule."""
    return {title(rule): problems for rule in rules if (problems := check(rule))}


def test_alerts_comparison_every_alert_compares_something() -> None:
    assert found(comparison, ALERTS) == {}


def test_alerts_template_asks_for_labels_that_are_there_and_keeps_values_out_of_labels() -> (
    None
):
    assert found(template, ALERTS) == {}


def test_alerts_template_shows_values_in_human_units() -> None:
    assert found(human, ALERTS) == {}


def test_alerts_absent_waits_before_it_believes_an_absence() -> None:
    assert found(absent, ALERTS) == {}


def test_alerts_annotation_has_summary_description_and_runbook() -> None:
    assert found(annotation, ALERTS) == {}


def test_rule_label_is_a_severity_of_a_closed_set_and_nothing_else() -> None:
    assert found(severity, ALERTS) == {}


def test_promql_rate_is_of_counters_alone() -> None:
    assert found(rate) == {}


def test_promql_rate_and_query_cost_take_two_minutes_to_seven_days() -> None:
    assert found(window) == {}


def test_promql_counter_no_counter_is_read_as_it_stands() -> None:
    assert found(counter) == {}


def test_promql_fragile_no_rule_chooses_series() -> None:
    assert found(fragile) == {}


def test_promql_fragile_quotients_of_aggregates_wait() -> None:
    assert found(fragile_ratio, ALERTS) == {}


def test_promql_impossible_no_selector_contradicts_itself() -> None:
    assert found(impossible) == {}


def test_promql_series_are_exported_or_recorded_with_such_labels_and_values() -> None:
    assert found(series) == {}
    assert found(known_series) == {}


def test_promql_regexp_none_where_an_equals_sign_does() -> None:
    assert found(regexp) == {}


def test_rule_for_is_a_duration_and_at_most_a_day() -> None:
    assert found(lasting, ALERTS) == {}


def test_rule_duplicate_no_two_rules_are_the_same() -> None:
    assert len(set(map(title, RULES))) == len(RULES)
    assert len({rule["expr"] for rule in RECORDS}) == len(RECORDS)


def disorder(rules: list[Rule]) -> list[str]:
    """Find what is used before it is recorded, or never."""
    recorded = {rule["record"] for rule in rules if "record" in rule}
    problems: list[str] = []
    used: set[str | None] = set()
    seen: set[str | None] = set()
    for rule in rules:
        names = {one.name for one in find_selectors(rule["expr"])} & recorded
        problems += [f"{name} is used too early" for name in names - seen]
        used |= names
        seen.add(rule.get("record"))
    return problems + [f"{name} is not used" for name in recorded - used]


def test_rule_dependency_a_record_stands_before_what_uses_it_and_is_used() -> None:
    assert disorder(RULES) == []
    assert disorder(RULES[::-1]) != []
    assert disorder(RECORDS) != []


def test_records_are_named_by_level_metric_and_operation() -> None:
    assert found(naming, RECORDS) == {}


def test_nothing_is_newer_than_prometheus_2_42() -> None:
    assert found(newer) == {}


def test_alerts_are_ours_by_their_name() -> None:
    for rule in ALERTS:
        assert re.fullmatch(r"HerokuKafka[A-Z][A-Za-z]+", rule["alert"])


def test_check_accepts_our_rules() -> None:
    problems, count = check_rule_files([COMMITTED])

    assert problems == []
    assert count == len(RULES)


TEXTS = {"summary": "A.", "description": "B.", "runbook_url": "C"}
GOOD: Rule = {
    "alert": "HerokuKafkaDataSizeHigh",
    "expr": "addon:heroku_kafka_data_used:ratio > 0.8",
    "for": "5m",
    "labels": {"severity": "warning"},
    "annotations": TEXTS,
}
RECORD: Rule = {
    "record": "addon:heroku_kafka_read_iops:max",
    "expr": "max by (addon) (heroku_kafka_read_iops)",
}
SHORT = "rate(heroku_kafka_log_lines_total[1m]) > 1"
WRONG: list[tuple[Check, Rule]] = [
    (comparison, {"expr": "up"}),
    (template, {"annotations": {**TEXTS, "description": "{{ $labels.broker }}"}}),
    (template, {"annotations": {**TEXTS, "description": "{{ $value }"}}),
    (template, {"labels": {"severity": "{{ $value }}"}}),
    (human, {"annotations": {**TEXTS, "description": "{{ $value }}"}}),
    (absent, {"expr": "absent(up)", "for": "1m"}),
    (annotation, {"annotations": {"summary": "A.", "description": "B."}}),
    (annotation, {"annotations": {**TEXTS, "summary": "{{ $labels.addon }}"}}),
    (severity, {"labels": {"severity": "page"}}),
    (severity, {"labels": {"severity": "info", "team": "a"}}),
    (counter, {"expr": "heroku_kafka_log_lines_total > 3"}),
    (counter, {"expr": "delta(heroku_kafka_log_lines_total[5m]) > 3"}),
    (rate, {"expr": "rate(heroku_kafka_load_avg_5m[5m]) > 1"}),
    (window, {"expr": SHORT}),
    (window, {"expr": "max_over_time(up[30d]) > 1"}),
    (fragile, {"expr": "topk(3, up) > 0"}),
    (fragile, {"expr": "bottomk by (job) (3, up) > 0"}),
    (fragile_ratio, {"expr": "sum(up) / on () count(up) > 1", "for": None}),
    (impossible, {"expr": 'up{job="a",job="b"} > 1'}),
    (regexp, {"expr": 'up{job=~"kafka"} == 0'}),
    (series, {"expr": "heroku_kafka_queue_length > 3"}),
    (series, {"expr": 'heroku_kafka_load_avg_5m{node="1"} > 3'}),
    (known_series, {"expr": "kafka_queue_length > 3"}),
    (lasting, {"for": "2d"}),
    (newer, {"expr": "limitk(3, up) > 0"}),
    (newer, {"expr": "up @ 1 > 0"}),
    (naming, {**RECORD, "record": "read_iops:max"}),
    (naming, {**RECORD, "record": "addon_broker:heroku_kafka_read_iops:max"}),
    (naming, {**RECORD, "record": "addon:read_iops:max"}),
    (naming, {**RECORD, "record": "addon:heroku_kafka_read_iops:most"}),
]


@pytest.mark.parametrize(("check", "change"), WRONG)
def test_a_check_finds_what_it_is_for(check: Check, change: Rule) -> None:
    good = RECORD if "record" in change else GOOD
    rule = {key: value for key, value in {**good, **change}.items() if value}

    assert check(good) == []
    assert check(rule) != []


@pytest.mark.parametrize("name", sorted(_NEWER - {"start", "end"}))
def test_newer_functions_are_found_wherever_they_stand(name: str) -> None:
    assert newer({"expr": f"sum by (a) ({name} (up))"}) != []
