"""A problem: what fires, about what, since when, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.problems.evaluation import Finding
from agent.problems.templates import fill_template
from agent.settings import Credentials

SEVERITIES = ("critical", "warning", "info")
"""The worst first."""

_SUBJECT = frozenset({"addon", "broker", "node"})
# What Prometheus calls the agent is not known here.
_AGENT = {"instance": "the agent", "job": "heroku-kafka"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An alert that fires.

    Attributes:
        alert: Its name.
        severity: One of `SEVERITIES`.
        addon: The cluster; empty where it is about the agent.
        broker: Number of the broker; empty where it is not about one, or its node is
            not known to be one.
        node: Number of the node that logged it; empty where it is not about one.
        details: Other labels that tell two problems of one alert apart.
        since: When the condition became true, in seconds since the epoch.
        value: Of the alert's expression; None where it means nothing to a person.
        limit: What the value is compared with, in the same unit; None if no number is.
        ended: When the condition was last true, where the alert is only kept; else None.
        value_text: The value with its unit; empty where there is none.
        limit_text: The limit with its unit; empty where there is none.
        summary: What is wrong, in a sentence.
        description: The facts.
        consequence: What happens to clients, in a sentence.
        first_step: What to do first.
    """

    alert: str
    severity: str
    addon: str
    broker: str
    node: str
    details: Mapping[str, str]
    since: float
    value: float | None
    limit: float | None
    ended: float | None
    value_text: str
    limit_text: str
    summary: str
    description: str
    consequence: str
    first_step: str

    @property
    def rank(self) -> tuple[int, float, str, str, str]:
        """What problems are sorted by: the worst first, then the oldest."""
        severity = SEVERITIES.index(self.severity)
        return severity, self.since, self.alert, self.addon, self.broker or self.node


def list_problems(
    findings: Iterable[Finding], brokers: Mapping[tuple[str, str], str]
) -> tuple[Problem, ...]:
    """Make problems of what fires.

    Args:
        findings: Of all rules.
        brokers: Numbers of the brokers, by add-on and node, as far as they are known.

    Returns:
        One for each alert and subject, of the highest severity that fires for it; the
        worst first.
    """
    worst: dict[tuple[object, ...], Problem] = {}
    for finding in findings:
        problem = _make(finding, brokers)
        key = (problem.alert, finding.labels)
        known = worst.get(key)
        if known is None or problem.rank < known.rank:
            worst[key] = problem
    return tuple(sorted(worst.values(), key=lambda one: one.rank))


def visible_problems(
    problems: Iterable[Problem], reader: Credentials
) -> tuple[Problem, ...]:
    """Leave out the add-ons that a reader's credentials are not valid for.

    The agent's own problems stay.
    """
    return tuple(one for one in problems if not one.addon or reader.cover(one.addon))


def _make(finding: Finding, brokers: Mapping[tuple[str, str], str]) -> Problem:
    rule, labels, value = finding.rule, dict(finding.labels), finding.value
    addon, node = labels.get("addon", ""), labels.get("node", "")
    shown = {**_AGENT, **labels}
    description = fill_template(rule.description, shown, value)
    figure = rule.figure
    return Problem(
        alert=rule.alert,
        severity=rule.severity,
        addon=addon,
        broker=labels.get("broker") or brokers.get((addon, node), ""),
        node=node,
        details={name: text for name, text in labels.items() if name not in _SUBJECT},
        since=finding.since,
        value=value if figure else None,
        limit=rule.limit,
        ended=finding.true_until,
        value_text=figure(value) if figure else "",
        limit_text=figure(rule.limit) if figure and rule.limit is not None else "",
        summary=fill_template(rule.summary, shown, value),
        description=description[:1].upper() + description[1:],
        consequence=rule.consequence,
        first_step=fill_template(rule.first_step, shown, value),
    )
