"""The series of plans and use."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import TypeVar

from agent.capacity.ledger import ClusterPlan
from agent.kafka.versions import judge_version
from agent.metrics import specs
from agent.metrics.series import Series
from agent.metrics.specs import Spec
from parsers import ClusterUse, TopicUse

T = TypeVar("T")


def _bool(value: bool | None) -> float | None:  # noqa: FBT001 (a gauge's value)
    return None if value is None else float(value)


def _of_use(
    value: Callable[[ClusterUse], float | None],
) -> Callable[[ClusterPlan], float | None]:
    """Read a value of the last observation, where there is one."""
    return lambda one: None if one.observed is None else value(one.observed.use)


_GAUGES: tuple[tuple[Spec, Callable[[ClusterPlan], float | None]], ...] = (
    (specs.PLAN_CAPACITY, lambda one: one.capacity_bytes),
    (
        specs.PLAN_BROKERS,
        lambda one: one.brokers or (one.plan.brokers if one.plan else None),
    ),
    (specs.PLAN_PARTITION_REPLICAS, lambda one: one.partition_replicas_limit),
    (
        specs.PLAN_RETENTION,
        lambda one: one.plan.max_retention_seconds if one.plan else None,
    ),
    (specs.PLAN_MEMORY, lambda one: one.plan.memory_bytes if one.plan else None),
    (specs.PLAN_CPUS, lambda one: one.plan.cpus if one.plan else None),
    (specs.DATA_SIZE, _of_use(lambda use: use.data_size_bytes)),
    (specs.PARTITION_REPLICAS, _of_use(lambda use: use.partition_replicas)),
    (specs.TOPICS, _of_use(lambda use: use.topics)),
    (specs.MESSAGES_IN, _of_use(lambda use: use.messages_in_per_second)),
    (specs.PLATFORM_HEALTHY, _of_use(lambda use: _bool(use.healthy))),
    (specs.PLATFORM_UPGRADING, _of_use(lambda use: _bool(use.upgrading))),
    (specs.DEGRADED_BROKERS, _of_use(lambda use: use.degraded_brokers)),
    (specs.DEGRADED_TOPICS, _of_use(lambda use: use.degraded_topics)),
)

_TOPIC_GAUGES: tuple[tuple[Spec, Callable[[TopicUse], float | None]], ...] = (
    (specs.TOPIC_DATA_SIZE, lambda one: one.data_size_bytes),
    (specs.TOPIC_MESSAGES_IN, lambda one: one.messages_in_per_second),
    (specs.TOPIC_BYTES_IN, lambda one: one.bytes_in_per_second),
    (specs.TOPIC_BYTES_OUT, lambda one: one.bytes_out_per_second),
    (specs.TOPIC_PARTITIONS, lambda one: one.partitions),
    (specs.TOPIC_RETENTION, lambda one: one.retention_seconds),
)


def plan_series(
    plans: Iterable[ClusterPlan],
    *,
    retention_seconds: float,
    topics: int,
    today: date,
    unseen: Iterable[str] = (),
) -> Iterator[Series]:
    """Yield the series of plans and use.

    Args:
        plans: What is known of each cluster.
        retention_seconds: The configured retention, for estimates from the stream.
        topics: How many topics of each cluster have series, the largest first.
        today: What versions are judged by.
        unseen: Add-ons that are polled and were not seen yet.
    """
    for addon in unseen:
        yield Series(specs.CAPACITY_LAST_SUCCESS, (addon,), 0.0)
    for one in plans:
        yield from _infos(one, today)
        labels = (one.addon,)
        yield from _gauges(_GAUGES, labels, one)
        if one.observed is not None:
            yield Series(specs.CAPACITY_LAST_SUCCESS, labels, one.observed.at)
        yield Series(specs.RETENTION, labels, retention_seconds)
        for topic in largest_topics(one, topics):
            yield from _gauges(_TOPIC_GAUGES, (one.addon, topic.name), topic)


def _gauges(
    gauges: tuple[tuple[Spec, Callable[[T], float | None]], ...],
    labels: tuple[str, ...],
    one: T,
) -> Iterator[Series]:
    for spec, value_of in gauges:
        value = value_of(one)
        if value is not None:
            yield Series(spec, labels, value)


def _infos(one: ClusterPlan, today: date) -> Iterator[Series]:
    if one.source is not None:
        yield Series(specs.PLAN_INFO, (one.addon, one.plan_name, one.source.value), 1)
    if one.observed is None:
        return
    use = one.observed.use
    labels = (one.addon, use.status or "", ", ".join(use.versions))
    yield Series(specs.CLUSTER_INFO, labels, 1)
    for version in dict.fromkeys(use.versions):
        support = judge_version(version, today)
        yield Series(specs.VERSION_INFO, (one.addon, support.value, version), 1)


def largest_topics(plan: ClusterPlan, limit: int) -> list[TopicUse]:
    """List the topics of a cluster that hold, or else receive, most."""
    if plan.observed is None:
        return []
    return sorted(
        {topic.name: topic for topic in plan.observed.use.topic_uses}.values(),
        key=lambda one: (
            -(one.data_size_bytes or 0),
            -(one.bytes_in_per_second or 0.0),
            one.name,
        ),
    )[:limit]
