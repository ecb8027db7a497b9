"""Every series that the agent exports: one literal table.

Exposition, OpenMetrics history, `check`, the dashboards' build and the documentation
derive from it; a test proves that no other module of `agent` spells a metric name.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from agent.heroku_api.client import Outcome
from agent.heroku_api.schedule import Endpoint
from agent.kafka.categories import Category, Urgency
from agent.kafka.versions import Support
from agent.metrics.spec import (
    PREFIX,
    Spec,
    Unit,
    counter,
    gauge,
    histogram,
    values_of,
)
from parsers import BaseUnit, FrameKind, Level, Reason, SampleKey, Source

DELAY_BUCKETS_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


class Drop(Enum):
    """Why a value or a line has no series: label ``reason`` of …_series_dropped_total."""

    ADDON_NOT_ALLOWED = "addon_not_allowed"
    CLUSTERS = "clusters"
    BROKERS = "brokers"
    UNKNOWN_SAMPLES = "unknown_samples"
    NAME_TAKEN = "name_taken"
    UNIT_CHANGED = "unit_changed"
    NEGATIVE_VALUE = "negative_value"


# From sample# lines: Dev Center, "Apache Kafka on Heroku", section "Kafka Metrics".


class SampleRow(NamedTuple):
    """One documented sample and its gauge.

    Attributes:
        sample: Name behind ``sample#``.
        units: Base units in which the value may come. Any other one is refused: a
            line that lost its ``kB`` would be wrong by a factor of 1024.
        name: Name of the gauge without prefix.
        unit: Base unit of the gauge.
        help: Noun phrase for ``# HELP``.
    """

    sample: str
    units: tuple[BaseUnit, ...]
    name: str
    unit: Unit
    help: str


_LOAD = "Load average over {}, divided by the number of CPUs; I/O wait counts as load."
_IOPS = "{} operations per second, in units of 16 KiB."
_TRAFFIC = "Bytes {} the broker per second, including replication between brokers."

SAMPLE_ROWS = (
    SampleRow("load-avg-1m", ("",), "load_avg_1m", "", _LOAD.format("1 minute")),
    SampleRow("load-avg-5m", ("",), "load_avg_5m", "", _LOAD.format("5 minutes")),
    SampleRow("load-avg-15m", ("",), "load_avg_15m", "", _LOAD.format("15 minutes")),
    SampleRow("read-iops", ("",), "read_iops", "", _IOPS.format("Read")),
    SampleRow("write-iops", ("",), "write_iops", "", _IOPS.format("Write")),
    SampleRow(
        "memory-total",
        ("bytes",),
        "memory_total_bytes",
        "bytes",
        "Memory of the broker's server.",
    ),
    SampleRow(
        "memory-free",
        ("bytes",),
        "memory_free_bytes",
        "bytes",
        "Unused memory of the broker's server.",
    ),
    SampleRow(
        "memory-percentage-used",
        ("", "ratio"),
        "memory_used_ratio",
        "ratio",
        "Share of the server's memory in use, 0 to 1, excluding page cache.",
    ),
    SampleRow(
        "memory-cached",
        ("bytes",),
        "memory_cached_bytes",
        "bytes",
        "Memory held by the server's page cache.",
    ),
    SampleRow(
        "bytes-in-per-second",
        ("", "bytes"),
        "bytes_in_per_second",
        "bytes",
        _TRAFFIC.format("into"),
    ),
    SampleRow(
        "bytes-out-per-second",
        ("", "bytes"),
        "bytes_out_per_second",
        "bytes",
        _TRAFFIC.format("out of"),
    ),
)
KNOWN_SAMPLES = frozenset(row.sample for row in SAMPLE_ROWS)

_BROKER = ("addon", "broker")


class SampleSpecs(NamedTuple):
    """What one sample is exported as.

    Attributes:
        broker: The gauge of a broker.
        cluster: The gauge of a line about the whole cluster.
    """

    broker: Spec
    cluster: Spec

    @property
    def name(self) -> str:
        """The gauge's name without prefix."""
        return self.broker.name.removeprefix(PREFIX)


def sample_specs(name: str, text: str, unit: Unit) -> SampleSpecs:
    """Describe the gauges of a sample by their name without prefix and their help."""
    return SampleSpecs(
        gauge(name, text, _BROKER, unit),
        gauge(f"cluster_{name}", text, ("addon",), unit),
    )


SAMPLES: Mapping[SampleKey, SampleSpecs] = {
    (row.sample, unit): specs
    for row in SAMPLE_ROWS
    for specs in (sample_specs(row.name, row.help, row.unit),)
    for unit in row.units
}
"""The gauges of documented samples, by the sample's name and base unit."""

LAST_SAMPLE = sample_specs(
    "last_sample_timestamp_seconds", "Timestamp of the newest sample.", "seconds"
)
SAMPLES_TOTAL = SampleSpecs(
    counter("samples", "Samples received, without duplicates.", _BROKER),
    counter("cluster_samples", "Samples received, without duplicates.", ("addon",)),
)
_REPORTING = "Whether samples are coming in (1), or are stale or missing (0)."
REPORTING = SampleSpecs(
    gauge("broker_reporting", _REPORTING, _BROKER),
    gauge("cluster_reporting", _REPORTING, ("addon",)),
)

# From broker lines.

_NODE = ("addon", "node")
_LEVELS = values_of(Level)
_LEVEL = ("addon", "level", "node")

LOG_LINES = counter(
    "log_lines", "Lines logged by a node, by level.", _LEVEL, level=_LEVELS
)
LOG_LAST = gauge(
    "log_last_timestamp_seconds",
    "Timestamp of the newest line logged by a node, by level.",
    _LEVEL,
    "seconds",
    level=_LEVELS,
)
LOG_EVENTS = counter(
    "log_events",
    "Lines logged by a node, by category and urgency.",
    ("addon", "category", "node", "urgency"),
    category=values_of(Category),
    urgency=values_of(Urgency),
)
NODE_INFO = gauge(
    "node_info",
    "Broker ID of a node, as its own lines name it; always 1.",
    ("addon", "broker", "node"),
)
NODE_CONFLICTS = counter(
    "node_conflicts",
    "Lines that name another broker as their writer than earlier lines.",
    _NODE,
)

# Plan and capacity.

_ADDON = ("addon",)

PLAN_INFO = gauge(
    "plan_info",
    "Plan of the cluster and the source of that information; always 1.",
    ("addon", "plan", "source"),
    source=values_of(Source),
)
CLUSTER_INFO = gauge(
    "cluster_info",
    "Kafka version and status as reported by the platform; always 1.",
    ("addon", "status", "version"),
)
VERSION_INFO = gauge(
    "version_info",
    "Whether Heroku still offers the cluster's Kafka version; always 1.",
    ("addon", "support", "version"),
    support=values_of(Support),
)
PLAN_CAPACITY = gauge(
    "plan_capacity_bytes",
    "Data that the plan allows to be stored, including replicas.",
    _ADDON,
    "bytes",
)
PLAN_BROKERS = gauge("plan_brokers", "Expected number of brokers.", _ADDON)
PLAN_PARTITION_REPLICAS = gauge(
    "plan_partition_replicas_limit",
    "Partitions times their replication factor that the plan allows.",
    _ADDON,
)
PLAN_RETENTION = gauge(
    "plan_max_retention_seconds",
    "Longest retention of a topic that the plan allows.",
    _ADDON,
    "seconds",
)
PLAN_MEMORY = gauge(
    "plan_memory_bytes", "Memory of a broker's server, by plan.", _ADDON, "bytes"
)
PLAN_CPUS = gauge("plan_cpus", "vCPUs of a broker's server, by plan.", _ADDON)
DATA_SIZE = gauge(
    "data_size_bytes",
    "Stored data as reported by the platform, including replicas.",
    _ADDON,
    "bytes",
)
PARTITION_REPLICAS = gauge(
    "partition_replicas",
    "Partitions times their replication factor, over all topics.",
    _ADDON,
)
TOPICS = gauge("topics", "Number of topics, without internal ones.", _ADDON)
MESSAGES_IN = gauge(
    "messages_in_per_second",
    "Messages produced per second, as reported by the platform.",
    _ADDON,
)
PLATFORM_HEALTHY = gauge(
    "platform_healthy", "Whether the platform reports the cluster as healthy.", _ADDON
)
PLATFORM_UPGRADING = gauge(
    "platform_upgrading", "Whether the platform is changing the cluster.", _ADDON
)
DEGRADED_BROKERS = gauge(
    "degraded_brokers", "Brokers that the platform reports as degraded.", _ADDON
)
DEGRADED_TOPICS = gauge(
    "degraded_topics", "Topics that the platform reports as degraded.", _ADDON
)
CAPACITY_LAST_SUCCESS = gauge(
    "capacity_last_success_timestamp_seconds",
    "Time of the last successful read of plan and use; 0 for never, where polled.",
    _ADDON,
    "seconds",
)
RETENTION = gauge(
    "retention_seconds",
    "Configured retention that estimates of a cluster's data assume.",
    _ADDON,
    "seconds",
)

_TOPIC = ("addon", "topic")

TOPIC_DATA_SIZE = gauge(
    "topic_data_size_bytes", "Stored data of a topic.", _TOPIC, "bytes"
)
TOPIC_MESSAGES_IN = gauge(
    "topic_messages_in_per_second", "Messages produced to a topic per second.", _TOPIC
)
TOPIC_BYTES_IN = gauge(
    "topic_bytes_in_per_second",
    "Bytes produced to a topic per second.",
    _TOPIC,
    "bytes",
)
TOPIC_BYTES_OUT = gauge(
    "topic_bytes_out_per_second",
    "Bytes consumed from a topic per second.",
    _TOPIC,
    "bytes",
)
TOPIC_PARTITIONS = gauge("topic_partitions", "Partitions of a topic.", _TOPIC)
TOPIC_RETENTION = gauge(
    "topic_retention_seconds",
    "Retention of a topic; absent for unlimited retention.",
    _TOPIC,
    "seconds",
)

# What the agent finds itself, by the same rules as Prometheus.

PROBLEM = gauge(
    "problem",
    "Alerts that fire by the agent's own evaluation; always 1.",
    ("addon", "alert", "broker", "severity"),
    severity=frozenset({"critical", "warning", "info"}),
)

# The agent itself.

BUILD_INFO = gauge(
    "agent_build_info", "Running version; always 1.", ("python_version", "version")
)
LAST_REQUEST = gauge(
    "agent_last_request_timestamp_seconds",
    "Time of the last accepted drain request; 0 for never.",
    unit="seconds",
)
RELOAD_SUCCESSFUL = gauge(
    "agent_config_last_reload_successful",
    "Whether the last reload of the configuration was successful.",
)
RELOAD_SUCCESS = gauge(
    "agent_config_last_reload_success_timestamp_seconds",
    "Time of the last successful load of the configuration.",
    unit="seconds",
)
RECEIVED_BYTES = counter(
    "agent_received_bytes", "Bytes of accepted drain requests, as sent.", unit="bytes"
)
DUPLICATE_REQUESTS = counter(
    "agent_duplicate_requests", "Drain requests that had been applied before."
)
LATE_SAMPLES = counter(
    "agent_late_samples",
    "Samples older than the newest one of their series; not applied.",
)
FUTURE_SAMPLES = counter(
    "agent_future_samples",
    "Samples with a timestamp in the future that were not applied.",
)
AUTH_FAILURES = counter("agent_auth_failures", "Requests without valid credentials.")
FRAME_COUNT_MISMATCHES = counter(
    "agent_frame_count_mismatch",
    "Drain requests whose number of frames differs from Logplex-Msg-Count.",
)
UNDECODABLE_BODIES = counter(
    "agent_undecodable_bodies",
    "Compressed drain requests that are truncated or damaged.",
)
CONNECTIONS_REFUSED = counter(
    "agent_connections_refused", "Connections closed because too many were open."
)
CONNECTIONS_TIMED_OUT = counter(
    "agent_connections_timed_out",
    "Connections closed because a request was received too slowly.",
)
INTERNAL_ERRORS = counter(
    "agent_internal_errors", "Internal errors in the agent; see its log."
)
REQUESTS = counter("agent_requests", "HTTP requests answered.", ("code", "route"))
FRAMES = counter(
    "agent_frames",
    "Frames received, by kind; duplicate requests are not counted.",
    ("kind",),
    kind=values_of(FrameKind),
)
PARSE_ERRORS = counter(
    "agent_parse_errors",
    "Frames, lines and values that could not be parsed, by reason.",
    ("reason",),
    reason=values_of(Reason),
)
DRAIN_DROPPED = counter(
    "agent_drain_dropped_messages",
    "Log lines dropped by this drain's buffers, by Heroku error code.",
    ("code",),
    code=frozenset({"L10", "L12", "L13"}),
)
ELSEWHERE_DROPPED = counter(
    "agent_elsewhere_dropped_messages",
    "Log lines dropped by another drain or a tail session, by Heroku error code.",
    ("code",),
    code=frozenset({"L10", "L11"}),
)
SERIES_DROPPED = counter(
    "agent_series_dropped",
    "Samples and lines without a series, by reason.",
    ("reason",),
    reason=values_of(Drop),
)
COLLECTOR_REQUESTS = counter(
    "agent_collector_requests",
    "Requests to Heroku's APIs, by endpoint and outcome.",
    ("endpoint", "outcome"),
    endpoint=values_of(Endpoint),
    outcome=values_of(Outcome),
)
LINE_DELAY_BUCKET, LINE_DELAY_SUM, LINE_DELAY_COUNT = histogram(
    "agent_line_delay_seconds",
    "Age of Kafka lines on receipt, by their own timestamps.",
    "seconds",
    DELAY_BUCKETS_SECONDS,
)


def _list_specs() -> tuple[Spec, ...]:
    """List the specs above in the order of the exposition: brokers, then clusters."""
    sent = [*SAMPLES.values(), LAST_SAMPLE, SAMPLES_TOTAL, REPORTING]
    paired = [*(one.broker for one in sent), *(one.cluster for one in sent)]
    return tuple(
        dict.fromkeys([*paired, *(s for s in globals().values() if type(s) is Spec)])
    )


SPECS = _list_specs()
