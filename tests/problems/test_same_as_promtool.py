"""The agent's evaluation on the cases that promtool confirms: ``tests/alerts/rules/``."""

import itertools
import re
from functools import cache
from typing import Any

import promql_parser
import pytest
import yaml

from agent.alerting.thresholds import packaged_thresholds
from agent.clock import parse_duration
from agent.problems.board import COUNTERS
from agent.problems.evaluation import (
    AlertRule,
    Evaluation,
    Finding,
    Rule,
    compile_rules,
)
from agent.problems.templates import fill_template
from agent.promql.values import Labels, Vector, make_labels
from tests.alerts.promtool_cases import FOLDER

PROMETHEUS_ONLY = {
    "HerokuKafkaAgentAbsent",
    "HerokuKafkaAgentDown",
    "HerokuKafkaAgentRestarts",
    "HerokuKafkaWatchdog",
}
ALERTS = sorted({file.stem for file in FOLDER.glob("*.yml")} - PROMETHEUS_ONLY)
ITEM = re.compile(r"(-?[\d.]+(?:e[+-]?\d+)?|_|stale)(?:([+-][\d.]+(?:e\d+)?)?x(\d+))?")


def read_texts(alert: str) -> list[dict[str, Any]]:
    """Read cases without numbers: to YAML 0x90 is one, to promtool ninety-one times 0."""
    text = (FOLDER / f"{alert}.yml").read_text("utf-8")
    tests: list[dict[str, Any]] = yaml.load(text, Loader=yaml.BaseLoader)["tests"]  # noqa: S506 (texts)
    return tests


Series = list[tuple[str, Labels, list[float | None]]]
PARAMETERS = [
    pytest.param(alert, case, id=f"{alert}-{case['name'][:40]}")
    for alert in ALERTS
    for case in read_texts(alert)
]


def expand(values: str) -> list[float | None]:
    """Write out promtool's notation: ``1+2x3 _x4 stale``; None where nothing is.

    What is missing without being stale is there for five minutes more.
    """
    found: list[float | None] = []
    for item in values.split():
        match = ITEM.fullmatch(item)
        assert match, item
        first, step, times = match.groups()
        if first == "_":
            last = found[-1] if found else None
            missing = int(times or 1)
            found += [last] * min(missing, 4) + [None] * (missing - 4)
        elif first == "stale":
            found.append(None)
        else:
            found += [
                float(first) + n * float(step or 0) for n in range(int(times or 0) + 1)
            ]
    return found


def read_series(case: dict[str, Any]) -> Series:
    found = []
    for one in case["input_series"]:
        selector = promql_parser.parse(one["series"])
        assert isinstance(selector, promql_parser.VectorSelector)
        assert selector.name
        labels = [(m.name, m.value) for m in selector.matchers.matchers]
        found.append((selector.name, make_labels(labels), expand(str(one["values"]))))
    return found


@cache
def rules_of(alert: str) -> list[Rule]:
    """Return the records and one alert."""
    rules = compile_rules(packaged_thresholds())
    return [
        one for one in rules if not isinstance(one, AlertRule) or one.alert == alert
    ]


def at(series: Series, step: int) -> dict[str, Vector]:
    present: dict[str, Vector] = {}
    for name, labels, values in series:
        value = values[step] if step < len(values) else None
        if value is not None:
            present.setdefault(name, {})[labels] = value
    return present


@pytest.mark.parametrize(("alert", "case"), PARAMETERS)
def test_agrees_with_promtool(alert: str, case: dict[str, Any]) -> None:
    series = read_series(case)
    moments = {
        parse_duration(one["eval_time"]): one["exp_alerts"]
        for one in case.get("alert_rule_test", ())
        if one["alertname"] == alert
    }
    evaluation = Evaluation(rules_of(alert), COUNTERS)

    for step in itertools.count():
        now = step * 60.0
        if now > max(moments, default=-1):
            break
        firing = evaluation.evaluate(at(series, step), now)
        if now in moments:
            found = sorted(
                (
                    make_labels([*one.labels, ("severity", one.rule.severity)]),
                    describe(one),
                )
                for one in firing
                if one.rule.alert == alert
            )
            assert found == sorted(
                (
                    make_labels(one["exp_labels"].items()),
                    texts_of(one["exp_annotations"]),
                )
                for one in moments[now] or ()
            ), f"after {now / 60} minutes"


def describe(finding: Finding) -> tuple[str, str]:
    labels = dict(finding.labels)
    rule = finding.rule
    return (
        fill_template(rule.summary, labels, finding.value),
        fill_template(f"{rule.description} {rule.first_step}", labels, finding.value),
    )


def texts_of(annotations: dict[str, str]) -> tuple[str, str]:
    return annotations["summary"], annotations["description"].rstrip("\n")
