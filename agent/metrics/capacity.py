"""What Prometheus sees of plans and use."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric

from agent.capacity.ledger import Holding
from agent.kafka.gauges import PREFIX
from agent.kafka.versions import judge_version
from parsers import ClusterUse, TopicUse


class _Gauge(NamedTuple):
    """A gauge of one cluster: None is not exported."""

    name: str
    help: str
    value: Callable[[Holding], float | None]


def _bool(value: bool | None) -> float | None:  # noqa: FBT001 (a gauge's value)
    return None if value is None else float(value)


def _of_use(
    value: Callable[[ClusterUse], float | None],
) -> Callable[[Holding], float | None]:
    """Read a value of the last look, where there has been one."""
    return lambda one: None if one.look is None else value(one.look.use)


_GAUGES = (
    _Gauge(
        "plan_capacity_bytes",
        "Data that the plan allows to be stored, replicas included.",
        lambda one: one.capacity_bytes,
    ),
    _Gauge(
        "plan_brokers",
        "Brokers that the cluster ought to have.",
        lambda one: one.brokers or (one.plan.brokers if one.plan else None),
    ),
    _Gauge(
        "plan_partition_replicas_limit",
        "Partitions times their replication factor that the plan allows.",
        lambda one: one.partition_replicas_limit,
    ),
    _Gauge(
        "plan_max_retention_seconds",
        "The longest retention of a topic that the plan allows.",
        lambda one: one.plan.max_retention_seconds if one.plan else None,
    ),
    _Gauge(
        "plan_memory_bytes",
        "Memory of a broker's server, by the plan.",
        lambda one: one.plan.memory_bytes if one.plan else None,
    ),
    _Gauge(
        "plan_cpus",
        "vCPUs of a broker's server, by the plan.",
        lambda one: one.plan.cpus if one.plan else None,
    ),
    _Gauge(
        "data_size_bytes",
        "Stored data, replicas included, as the platform says.",
        _of_use(lambda use: use.data_size_bytes),
    ),
    _Gauge(
        "partition_replicas",
        "Partitions times their replication factor, over all topics.",
        _of_use(lambda use: use.partition_replicas),
    ),
    _Gauge(
        "topics",
        "Topics, internal ones not counted.",
        _of_use(lambda use: use.topics),
    ),
    _Gauge(
        "messages_in_per_second",
        "Messages that producers write, as the platform says.",
        _of_use(lambda use: use.messages_in_per_second),
    ),
    _Gauge(
        "platform_healthy",
        "Whether the platform calls the cluster healthy.",
        _of_use(lambda use: _bool(use.healthy)),
    ),
    _Gauge(
        "platform_upgrading",
        "Whether the platform is working on the cluster.",
        _of_use(lambda use: _bool(use.upgrading)),
    ),
    _Gauge(
        "degraded_brokers",
        "Brokers that the platform calls degraded.",
        _of_use(lambda use: use.degraded_brokers),
    ),
    _Gauge(
        "degraded_topics",
        "Topics that the platform calls degraded.",
        _of_use(lambda use: use.degraded_topics),
    ),
)

_TOPIC_GAUGES: tuple[tuple[str, str, Callable[[TopicUse], float | None]], ...] = (
    ("data_size_bytes", "Stored data of a topic.", lambda one: one.data_size_bytes),
    (
        "messages_in_per_second",
        "Messages that producers write to a topic.",
        lambda one: one.messages_in_per_second,
    ),
    (
        "bytes_in_per_second",
        "Bytes that producers write to a topic.",
        lambda one: one.bytes_in_per_second,
    ),
    (
        "bytes_out_per_second",
        "Bytes that consumers read from a topic.",
        lambda one: one.bytes_out_per_second,
    ),
    ("partitions", "Partitions of a topic.", lambda one: one.partitions),
    (
        "retention_seconds",
        "Retention of a topic; absent without one.",
        lambda one: one.retention_seconds,
    ),
)


def capacity_families(
    holdings: list[Holding],
    retention_seconds: float,
    topics: int,
    today: date,
    unseen: Iterable[str] = (),
) -> Iterator[Metric]:
    """Yield the series of plans and use.

    Args:
        holdings: What is known of each cluster.
        retention_seconds: The configured retention, for estimates from the stream.
        topics: How many topics of each cluster are shown, the largest first.
        today: What versions are judged by.
        unseen: Add-ons that are asked about and of which nothing is known yet.
    """
    yield _infos(
        "plan_info",
        "The plan of a cluster, and who says so; always 1.",
        [
            {"addon": one.addon, "plan": one.plan_name, "source": one.source.value}
            for one in holdings
            if one.source is not None
        ],
    )
    yield _infos(
        "cluster_info",
        "Version and status of a cluster, as the platform says; always 1.",
        [
            {
                "addon": one.addon,
                "version": ", ".join(one.look.use.versions),
                "status": one.look.use.status or "",
            }
            for one in holdings
            if one.look is not None
        ],
    )
    yield _infos(
        "version_info",
        "Whether Heroku still offers a version that a cluster runs; always 1.",
        [
            {
                "addon": one.addon,
                "version": version,
                "support": judge_version(version, today).value,
            }
            for one in holdings
            if one.look is not None
            for version in dict.fromkeys(one.look.use.versions)
        ],
    )
    for gauge in _GAUGES:
        family = GaugeMetricFamily(
            f"{PREFIX}{gauge.name}", gauge.help, labels=["addon"]
        )
        for one in holdings:
            value = gauge.value(one)
            if value is not None:
                family.add_metric([one.addon], value)
        yield family
    yield _last_successes(holdings, unseen)
    retention = GaugeMetricFamily(
        f"{PREFIX}retention_seconds",
        "The retention that estimates of a cluster's data assume, as configured.",
        labels=["addon"],
    )
    for one in holdings:
        retention.add_metric([one.addon], retention_seconds)
    yield retention
    if topics:
        yield from _topic_families(holdings, topics)


def _infos(name: str, text: str, rows: list[dict[str, str]]) -> Metric:
    labels = list(rows[0]) if rows else ["addon"]
    family = GaugeMetricFamily(f"{PREFIX}{name}", text, labels=labels)
    for row in rows:
        family.add_metric(list(row.values()), 1)
    return family


def _last_successes(holdings: list[Holding], unseen: Iterable[str]) -> Metric:
    stamps = dict.fromkeys(unseen, 0.0)
    stamps |= {one.addon: one.look.at for one in holdings if one.look is not None}
    family = GaugeMetricFamily(
        f"{PREFIX}capacity_last_success_timestamp_seconds",
        "When the use of the cluster was last learnt; 0 for never, where it is asked for.",
        labels=["addon"],
    )
    for addon, stamp in stamps.items():
        family.add_metric([addon], stamp)
    return family


def _topic_families(holdings: list[Holding], limit: int) -> Iterator[Metric]:
    for name, text, value_of in _TOPIC_GAUGES:
        family = GaugeMetricFamily(
            f"{PREFIX}topic_{name}", text, labels=["addon", "topic"]
        )
        for one in holdings:
            for topic in largest_topics(one, limit):
                value = value_of(topic)
                if value is not None:
                    family.add_metric([one.addon, topic.name], value)
        yield family


def largest_topics(holding: Holding, limit: int) -> list[TopicUse]:
    """List the topics of a cluster that hold, or else receive, most."""
    if holding.look is None:
        return []
    return sorted(
        {topic.name: topic for topic in holding.look.use.topic_uses}.values(),
        key=lambda one: (
            -(one.data_size_bytes or 0),
            -(one.bytes_in_per_second or 0.0),
            one.name,
        ),
    )[:limit]
