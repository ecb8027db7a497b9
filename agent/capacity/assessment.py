"""From plan and use to what an operator wants to know: how full, for how long, what next.

The estimate from the stream: bytes into the brokers count replication, as stored data
does, so their sum times the retention is what will be stored, without another factor for
replicas. It is not true where topics are compacted without a retention (what is kept
depends on the keys), where retentions differ from the configured one, and while brokers
copy partitions (a replaced broker's bytes replace data instead of adding it). Kafka
deletes whole segments, so it keeps up to a third more than the sum.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from agent.alerting.thresholds import Thresholds
from agent.capacity.ledger import ClusterPlan
from agent.kafka.plans import Plan, upgrades
from agent.kafka.versions import RECOMMENDED, Support, judge_version

HOUR_SECONDS = 3_600.0
_NAMED = 3


_LEVELS = {
    "data": ("data.watch", "data.critical"),
    "partitions": ("partitions.warning", "partitions.critical"),
}
"""By group, the names of the thresholds that are `Levels`."""


class Levels(NamedTuple):
    """Two shares of a limit.

    Attributes:
        watch: From here on it is to be watched.
        act: From here on something is to be done.
    """

    watch: float
    act: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """One limit and how much of it is used.

    Attributes:
        name: ``Data``.
        used: In the limit's unit.
        limit: The limit.
        levels: Shares of the limit at which the advice changes.
        is_bytes: Whether both are bytes.
    """

    name: str
    used: float
    limit: float
    levels: Levels
    is_bytes: bool = False

    @property
    def share(self) -> float:
        """Used divided by limit; above 1 past the limit."""
        return self.used / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What is to be said of one cluster.

    Attributes:
        plan: Plan and use.
        meters: The limits that are known, with their use.
        bytes_in_per_second: Into all brokers, replication included; None if unknown.
        projected: The data that the present rate leads to, against the capacity.
        retention_hours: Hours of data that the capacity holds at the present rate.
        next_plan: The smallest larger plan.
        advice: Sentences, the most pressing first.
    """

    plan: ClusterPlan
    meters: tuple[Meter, ...]
    bytes_in_per_second: float | None
    projected: Meter | None
    retention_hours: float | None
    next_plan: Plan | None
    advice: tuple[str, ...]


def assess(
    plan: ClusterPlan,
    bytes_in_per_second: float | None,
    retention_seconds: float,
    today: date,
    thresholds: Thresholds,
) -> Assessment:
    """Assess one cluster.

    Args:
        plan: Its plan and use.
        bytes_in_per_second: Into all its brokers, replication included, from the
            stream; None where nothing reports.
        retention_seconds: The configured retention.
        today: What versions are judged by.
        thresholds: Those of the groups ``data`` and ``partitions`` are used.

    Returns:
        The assessment.
    """
    meters = tuple(_meters(plan, thresholds))
    projected, hours = None, None
    capacity = plan.capacity_bytes
    if capacity and bytes_in_per_second is not None:
        size = bytes_in_per_second * retention_seconds
        projected = Meter(
            name="Projected data",
            used=size,
            limit=capacity,
            is_bytes=True,
            levels=_levels("data", plan, thresholds),
        )
        if bytes_in_per_second > 0:
            hours = capacity / bytes_in_per_second / HOUR_SECONDS
    larger = upgrades(plan.plan) if plan.plan else []
    next_plan = larger[0] if larger else None
    return Assessment(
        plan=plan,
        meters=meters,
        bytes_in_per_second=bytes_in_per_second,
        projected=projected,
        retention_hours=hours,
        next_plan=next_plan,
        advice=tuple(_advise(plan, meters, projected, next_plan, today)),
    )


def _levels(group: str, plan: ClusterPlan, thresholds: Thresholds) -> Levels:
    return Levels(*(thresholds.number(name, plan.addon) for name in _LEVELS[group]))


def _meters(plan: ClusterPlan, thresholds: Thresholds) -> list[Meter]:
    use = plan.observed.use if plan.observed else None
    if use is None:
        return []
    rows = (
        ("Data", use.data_size_bytes, plan.capacity_bytes, "data"),
        (
            "Partition replicas",
            use.partition_replicas,
            plan.partition_replicas_limit,
            "partitions",
        ),
        # A plan that limits topics does so for the sake of their partitions.
        ("Topics", use.topics, use.topics_limit, "partitions"),
    )
    return [
        Meter(
            name=name,
            used=used,
            limit=limit,
            levels=_levels(group, plan, thresholds),
            is_bytes=group == "data",
        )
        for name, used, limit, group in rows
        if used is not None and limit
    ]


def _advise(
    plan: ClusterPlan,
    meters: tuple[Meter, ...],
    projected: Meter | None,
    next_plan: Plan | None,
    today: date,
) -> list[str]:
    advice = []
    path = (
        f"upgrade to {next_plan.name}"
        if next_plan
        else "there is no larger plan of this family"
    )
    for meter in sorted(meters, key=lambda one: -one.share):
        if meter.share >= meter.levels.act:
            advice.append(f"{meter.name} at {meter.share:.0%}: {_relief(meter, path)}.")
        elif meter.share >= meter.levels.watch:
            advice.append(f"{meter.name} at {meter.share:.0%}: watch it.")
    if projected and projected.share >= projected.levels.act:
        advice.append(
            f"The present rate fills {projected.share:.0%} of the plan: "
            f"shorten retention or {path}."
        )
    use = plan.observed.use if plan.observed else None
    if use is None:
        return advice
    if use.healthy is False or use.degraded_brokers or use.degraded_topics:
        advice.append("The platform calls the cluster degraded: see its status page.")
    advice += [
        f"Heroku no longer offers Kafka {version}: upgrade to {RECOMMENDED}."
        for version in use.versions
        if judge_version(version, today) is Support.DEPRECATED
    ]
    compacted = [
        topic.name
        for topic in use.topic_uses
        if topic.compacted and topic.retention_seconds is None
    ]
    if compacted:
        advice.append(
            "Compacted without a retention, so they may grow without bound: "
            f"{_list(compacted)}."
        )
    return advice


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _relief(meter: Meter, path: str) -> str:
    if meter.is_bytes:
        return f"shorten retention, or {path}"
    if meter.name == "Topics":
        return "delete topics that nobody uses, or change the plan"
    return f"delete topics that nobody uses, or {path}"
