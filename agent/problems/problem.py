"""A problem: what fires, about what, since when, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.problems.evaluation import Finding
from agent.problems.templates import fill_template

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
        value: Of the alert's expression.
        ended: When the condition was last true, where the alert is only kept; else None.
        summary: What is wrong, in a sentence.
        description: Figures, and the first step.
    """

    alert: str
    severity: str
    addon: str
    broker: str
    node: str
    details: Mapping[str, str]
    since: float
    value: float
    ended: float | None
    summary: str
    description: str

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


def _make(finding: Finding, brokers: Mapping[tuple[str, str], str]) -> Problem:
    labels = dict(finding.labels)
    addon, node = labels.get("addon", ""), labels.get("node", "")
    templates, shown = finding.rule.annotations, {**_AGENT, **labels}
    description = fill_template(templates["description"], shown, finding.value)
    return Problem(
        alert=finding.rule.alert,
        severity=finding.rule.severity,
        addon=addon,
        broker=labels.get("broker") or brokers.get((addon, node), ""),
        node=node,
        details={name: text for name, text in labels.items() if name not in _SUBJECT},
        since=finding.since,
        value=finding.value,
        ended=finding.true_until,
        summary=fill_template(templates["summary"], shown, finding.value),
        description=description[:1].upper() + description[1:],
    )
