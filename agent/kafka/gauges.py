"""The gauges that come from ``sample#`` values: one row is one gauge.

Meanings are those of Dev Center, "Apache Kafka on Heroku", section "Kafka Metrics".
A sample that has no row is exported under a name made from its own (`name_unknown`).
"""

import re
from dataclasses import dataclass

from parsers import BaseUnit, SampleKey

PREFIX = "heroku_kafka_"
CLUSTER_PREFIX = "heroku_kafka_cluster_"

RESERVED_PREFIXES = ("agent_", "cluster_", "log_", "plan_", "platform_", "topic_")
RESERVED_NAMES = frozenset(
    {
        "broker_reporting",
        "capacity_last_success_timestamp_seconds",
        "data_size_bytes",
        "degraded_brokers",
        "degraded_topics",
        "info",
        "last_sample_timestamp_seconds",
        "messages_in_per_second",
        "node_conflicts",
        "node_conflicts_total",
        "node_info",
        "partition_replicas",
        "retention_seconds",
        "samples",
        "samples_created",
        "samples_total",
        "topics",
        "version_info",
    }
)
"""Names of other series of ours, which no unknown sample may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One gauge.

    Attributes:
        name: Metric name without prefix.
        help: One sentence for ``# HELP``.
    """

    name: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One documented sample and its gauge.

    Attributes:
        sample: Name behind ``sample#``.
        units: Base units in which the value may come. Any other one is refused: a
            line that lost its ``kB`` would be wrong by a factor of 1024.
        gauge: What it is exported as.
    """

    sample: str
    units: tuple[BaseUnit, ...]
    gauge: Gauge


def _row(sample: str, units: tuple[BaseUnit, ...], name: str, text: str) -> Row:
    return Row(sample=sample, units=units, gauge=Gauge(name=name, help=text))


_LOAD = (
    "System load averaged over {}, divided by the number of CPUs: 1.0 means that all "
    "CPUs were wanted all the time, I/O wait included."
)
_IOPS = "{} operations per second, in units of 16 KiB."
_TRAFFIC = "Bytes {} the broker per second, replication between brokers included."

CATALOGUE: tuple[Row, ...] = (
    _row("load-avg-1m", ("",), "load_avg_1m", _LOAD.format("1 minute")),
    _row("load-avg-5m", ("",), "load_avg_5m", _LOAD.format("5 minutes")),
    _row("load-avg-15m", ("",), "load_avg_15m", _LOAD.format("15 minutes")),
    _row("read-iops", ("",), "read_iops", _IOPS.format("Read")),
    _row("write-iops", ("",), "write_iops", _IOPS.format("Write")),
    _row(
        "memory-total",
        ("bytes",),
        "memory_total_bytes",
        "Memory of the broker's server.",
    ),
    _row(
        "memory-free",
        ("bytes",),
        "memory_free_bytes",
        "Memory of the broker's server that nothing uses.",
    ),
    _row(
        "memory-percentage-used",
        ("", "ratio"),
        "memory_used_ratio",
        "Share of the server's memory in use, 0 to 1, page cache excluded.",
    ),
    _row(
        "memory-cached",
        ("bytes",),
        "memory_cached_bytes",
        "Memory that the server's page cache holds.",
    ),
    _row(
        "bytes-in-per-second",
        ("", "bytes"),
        "bytes_in_per_second",
        _TRAFFIC.format("into"),
    ),
    _row(
        "bytes-out-per-second",
        ("", "bytes"),
        "bytes_out_per_second",
        _TRAFFIC.format("out of"),
    ),
)

GAUGE_BY_KEY: dict[SampleKey, Gauge] = {
    (row.sample, unit): row.gauge for row in CATALOGUE for unit in row.units
}
KNOWN_SAMPLES = frozenset(row.sample for row in CATALOGUE)
KNOWN_NAMES = frozenset(row.gauge.name for row in CATALOGUE)

_ILLEGAL = re.compile(r"[^a-zA-Z0-9_]")


def name_unknown(key: SampleKey) -> Gauge | None:
    """Make the gauge of a sample that has no row.

    Args:
        key: Name and base unit of the sample.

    Returns:
        The gauge, named after the sample with other characters as ``_`` and the base
        unit behind it; None where the name belongs to another series.
    """
    sample, unit = key
    name = _ILLEGAL.sub("_", sample)
    if unit and not name.endswith(f"_{unit}"):
        name = f"{name}_{unit}"
    if (
        name in KNOWN_NAMES
        or name in RESERVED_NAMES
        or name.startswith(RESERVED_PREFIXES)
    ):
        return None
    return Gauge(name=name, help=f"Sample {sample}, which this version does not know.")
