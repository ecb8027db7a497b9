"""Evaluates the alert rules as Prometheus does, with their pauses and their hysteresis.

The rules are those of ``alerts/rules.yaml``, the source of the file that Prometheus
loads: so the agent finds what Prometheus finds, with whatever thresholds are set.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

from agent.alerting.rules import fill_groups
from agent.alerting.thresholds import Thresholds
from agent.clock import parse_duration
from agent.problems.figures import FIGURES, Figure
from agent.problems.inputs import RuleInputs
from agent.promql.expression import Expression, compile_expression
from agent.promql.values import Labels, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """One alert of a rule file.

    Attributes:
        alert: Its name.
        severity: ``critical``, ``warning`` or ``info``.
        expression: Selects what the alert is about.
        hold_seconds: How long that must go on before the alert fires: ``for``.
        keep_seconds: How long the alert fires on afterwards: ``keep_firing_for``.
        summary: Template of a sentence that says what is wrong.
        description: Template of the facts.
        first_step: Template of what to do first.
        consequence: What happens to clients, in a sentence.
        limit: What the value of the expression is compared with; None if no number is.
        figure: Writes such values; None where the value means nothing to a person.
    """

    alert: str
    severity: str
    expression: Expression
    hold_seconds: float
    keep_seconds: float
    summary: str
    description: str
    first_step: str
    consequence: str
    limit: float | None = None
    figure: Figure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule finds about one subject.

    Attributes:
        rule: The rule.
        labels: The subject, as the rule's expression labels it.
        since: When the condition became true, in seconds since the epoch.
        value: Of the expression, when it was last true.
        is_firing: Whether it has lasted for long enough.
        true_until: When it was last true, where it no longer is and the alert is kept.
    """

    rule: AlertRule
    labels: Labels
    since: float
    value: float
    is_firing: bool = False
    true_until: float | None = None


class RecordingRule(NamedTuple):
    """A rule that names a result for later rules.

    Attributes:
        record: The name.
        expression: The result.
    """

    record: str
    expression: Expression


Rule = RecordingRule | AlertRule


def compile_rules(thresholds: Thresholds) -> list[Rule]:
    """Compile all rules that the agent can evaluate, in their order: records first.

    Raises:
        SettingsError: The thresholds contradict each other.
    """
    return [
        _compile_alert(rule)
        if "alert" in rule
        else RecordingRule(rule["record"], compile_expression(rule["expr"]))
        for group in fill_groups(thresholds)
        for rule in group["rules"]
        if rule.get("evaluated_by") != "prometheus"
    ]


class Evaluation:
    """The state of all rules.

    Args:
        rules: In the order of their evaluation.
        counters: Names of the series that are counters.
    """

    def __init__(self, rules: Sequence[Rule], counters: frozenset[str]) -> None:
        self._rules = rules
        reach = chain.from_iterable(rule.expression.reach for rule in rules)
        self.inputs = RuleInputs(reach, counters)
        self._findings: list[dict[Labels, Finding]] = [{} for _ in self._rules]

    def adopt(self, other: "Evaluation") -> None:
        """Go on where the evaluation of other rules ends, after a reload.

        What these rules look back on further than the others fills up from now on.
        """
        self.inputs.adopt(other.inputs)
        known: dict[tuple[str, str], list[Finding]] = {}
        for finding in other.pending():
            rule = finding.rule
            known.setdefault((rule.alert, rule.severity), []).append(finding)
        for one, findings in zip(self._rules, self._findings, strict=True):
            if isinstance(one, AlertRule):
                for finding in known.get((one.alert, one.severity), ()):
                    findings[finding.labels] = replace(finding, rule=one)

    def pending(self) -> Iterator[Finding]:
        """Yield everything whose condition is true or was lately, firing or not."""
        return chain.from_iterable(found.values() for found in self._findings)

    def evaluate(self, series: Mapping[str, Vector], now: float) -> list[Finding]:
        """Evaluate every rule.

        Args:
            series: Present values of all series, by the metric's name.
            now: Seconds since the epoch.

        Returns:
            What fires.
        """
        inputs = self.inputs
        inputs.begin(now)
        for name in inputs.names & series.keys():
            inputs.record(name, series[name])
        for number, rule in enumerate(self._rules):
            value = rule.expression.evaluate(inputs, now)
            if not isinstance(value, dict):
                continue  # no rule's expression is a number
            if isinstance(rule, RecordingRule):
                inputs.record(rule.record, value)
            else:
                self._findings[number] = _advance(
                    rule, self._findings[number], value, now
                )
        return [one for one in self.pending() if one.is_firing]


def _compile_alert(rule: Mapping[str, Any]) -> AlertRule:
    return AlertRule(
        alert=rule["alert"],
        severity=rule["severity"],
        expression=compile_expression(rule["expr"]),
        hold_seconds=parse_duration(rule.get("for", "0")),
        keep_seconds=parse_duration(rule.get("keep_firing_for", "0")),
        summary=rule["summary"],
        description=rule["description"],
        first_step=rule["first_step"],
        consequence=rule["consequence"],
        limit=float(rule["limit"]) if "limit" in rule else None,
        figure=FIGURES[rule["shown_as"]] if "shown_as" in rule else None,
    )


def _advance(
    rule: AlertRule, before: Mapping[Labels, Finding], true: Vector, now: float
) -> dict[Labels, Finding]:
    """Move the findings of a rule on by one evaluation.

    Args:
        rule: The rule.
        before: Its findings until now.
        true: The subjects for which its condition is true.
        now: Seconds since the epoch.
    """
    after: dict[Labels, Finding] = {}
    for labels, value in true.items():
        known = before.get(labels)
        since = now if known is None else known.since
        after[labels] = Finding(
            rule=rule,
            labels=labels,
            since=since,
            value=value,
            is_firing=(known is not None and known.is_firing)
            or now - since >= rule.hold_seconds,
        )
    for labels, known in before.items():
        if labels in after or not (known.is_firing and rule.keep_seconds):
            continue
        until = now if known.true_until is None else known.true_until
        if now - until < rule.keep_seconds:
            after[labels] = replace(known, true_until=until)
    return after
