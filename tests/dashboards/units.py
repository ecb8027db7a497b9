"""What a PromQL expression measures, and which units of Grafana fit that.

The measure of a series follows from its name, by Prometheus' conventions; functions and
operators change it. Where two operands differ, the rules below say what comes of them.
"""

from enum import Enum
from typing import Any

import promql_parser


class Measure(Enum):
    """What a number means."""

    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes a second"
    RATIO = "a share of 1"
    SECONDS = "seconds"
    TIMESTAMP = "seconds since the epoch"
    MILLISECOND_TIMESTAMP = "milliseconds since the epoch"
    DAYS = "days"
    LOAD = "load of a CPU"
    IOPS = "operations of a disk a second"
    COUNT = "a count"
    PER_SECOND = "a count a second"
    PER_MINUTE = "a count a minute"
    MESSAGES_PER_SECOND = "messages a second"
    NUMBER = "a plain number"


UNITS: dict[Measure, set[str]] = {
    Measure.BYTES: {"bytes"},
    Measure.BYTES_PER_SECOND: {"Bps", "binBps"},
    Measure.RATIO: {"percentunit"},
    Measure.SECONDS: {"s", "dtdurations", "dthms"},
    Measure.TIMESTAMP: set(),
    Measure.MILLISECOND_TIMESTAMP: {"dateTimeAsIso", "dateTimeFromNow"},
    Measure.DAYS: {"d"},
    Measure.LOAD: {"percentunit", "short", "none"},
    Measure.IOPS: {"iops"},
    Measure.COUNT: {"short", "none", "locale"},
    Measure.PER_SECOND: {"cps", "ops", "reqps", "mps", "short"},
    Measure.PER_MINUTE: {"cpm", "opm", "rpm", "short"},
    Measure.MESSAGES_PER_SECOND: {"mps"},
    Measure.NUMBER: {"short", "none"},
}

# The first that the name of a series ends with.
_NAMES: tuple[tuple[str, Measure], ...] = (
    ("messages_in_per_second", Measure.MESSAGES_PER_SECOND),
    ("bytes_in_per_second", Measure.BYTES_PER_SECOND),
    ("bytes_out_per_second", Measure.BYTES_PER_SECOND),
    ("_timestamp_seconds", Measure.TIMESTAMP),
    ("_time_seconds", Measure.TIMESTAMP),
    ("_bucket", Measure.COUNT),
    ("_seconds_sum", Measure.SECONDS),
    ("_seconds_total", Measure.SECONDS),
    ("_seconds", Measure.SECONDS),
    ("_bytes_total", Measure.BYTES),
    ("_bytes", Measure.BYTES),
    ("_ratio", Measure.RATIO),
    ("_iops", Measure.IOPS),
    ("_load_avg_1m", Measure.LOAD),
    ("_load_avg_5m", Measure.LOAD),
    ("_load_avg_15m", Measure.LOAD),
    ("_total", Measure.COUNT),
    ("_count", Measure.COUNT),
)
# Gauges that count something: of topics, brokers, replicas, or whether something is so.
_COUNTING = {
    "ALERTS",
    "up",
    "process_open_fds",
    "process_max_fds",
    *(
        f"heroku_kafka_{name}"
        for name in (
            "agent_build_info",
            "broker_reporting",
            "cluster_info",
            "degraded_brokers",
            "degraded_topics",
            "node_info",
            "partition_replicas",
            "plan_brokers",
            "plan_cpus",
            "plan_info",
            "plan_partition_replicas_limit",
            "platform_healthy",
            "platform_upgrading",
            "topic_partitions",
            "topics",
            "version_info",
        )
    ),
}
_PER_SECOND = {
    Measure.BYTES: Measure.BYTES_PER_SECOND,
    Measure.COUNT: Measure.PER_SECOND,
    Measure.SECONDS: Measure.RATIO,  # of CPU time: seconds of work in a second
}
_RATES = {"rate", "irate", "deriv"}
_COUNTS = {"count_over_time", "changes", "resets", "absent", "present_over_time"}
_MINUTE, _DAY, _IO_BYTES, _MILLISECONDS = 60.0, 86_400.0, 16_384.0, 1_000.0

# Left operand, operator, right operand, what comes of it.
_PAIRS: dict[tuple[Measure, str, Measure], Measure] = {
    (Measure.BYTES, "/", Measure.BYTES_PER_SECOND): Measure.SECONDS,
    (Measure.BYTES_PER_SECOND, "*", Measure.SECONDS): Measure.BYTES,
    (Measure.TIMESTAMP, "-", Measure.TIMESTAMP): Measure.SECONDS,
    (Measure.BYTES_PER_SECOND, "/", Measure.PER_SECOND): Measure.BYTES,
    (Measure.BYTES, "/", Measure.COUNT): Measure.BYTES,
    (Measure.BYTES_PER_SECOND, "/", Measure.MESSAGES_PER_SECOND): Measure.BYTES,
    (Measure.RATIO, "/", Measure.PER_SECOND): Measure.SECONDS,
}
_NUMBERS: dict[tuple[Measure, str, float | None], Measure] = {
    (Measure.SECONDS, "/", _DAY): Measure.DAYS,
    (Measure.PER_SECOND, "*", _MINUTE): Measure.PER_MINUTE,
    (Measure.IOPS, "*", _IO_BYTES): Measure.BYTES_PER_SECOND,
    (Measure.TIMESTAMP, "*", _MILLISECONDS): Measure.MILLISECOND_TIMESTAMP,
    (Measure.BYTES_PER_SECOND, "*", _DAY): Measure.BYTES,
}
_SETS = {"and", "or", "unless"}
_COMPARISONS = {"==", "!=", "<", ">", "<=", ">="}


def measure(expression: str) -> Measure:
    """Say what an expression measures.

    Raises:
        ValueError: A series' name or a pair of operands says nothing about it.
    """
    return _measure(promql_parser.parse(expression))


def _measure(node: Any) -> Measure:
    match type(node).__name__:
        case "NumberLiteral" | "StringLiteral":
            return Measure.NUMBER
        case "VectorSelector" | "MatrixSelector":
            return _measure_name(getattr(node, "vector_selector", node))
        case "ParenExpr" | "SubqueryExpr" | "UnaryExpr":
            return _measure(node.expr)
        case "AggregateExpr":
            counted = str(node.op) in {"count", "group", "count_values"}
            return Measure.COUNT if counted else _measure(node.expr)
        case "Call":
            return _measure_call(node)
        case "BinaryExpr":
            return _measure_pair(node)
        case other:
            message = f"{other} is not known"
            raise ValueError(message)


def _measure_name(selector: Any) -> Measure:
    name = selector.name or ""
    if name in _COUNTING:
        return Measure.COUNT
    for ending, found in _NAMES:
        if name.endswith(ending):
            return found
    message = f"the name {name!r} does not say what it measures"
    raise ValueError(message)


def _measure_call(node: Any) -> Measure:
    name = node.func.name
    if name in {"time", "timestamp"}:
        return Measure.TIMESTAMP
    if name in _COUNTS:
        return Measure.COUNT
    if name == "histogram_quantile":
        return Measure.SECONDS  # the agent has no other histogram
    inner = _measure(node.args[-1 if name == "quantile_over_time" else 0])
    return _PER_SECOND[inner] if name in _RATES else inner


def _measure_pair(node: Any) -> Measure:
    operator = str(node.op)
    left, right = _measure(node.lhs), _measure(node.rhs)
    if operator in _COMPARISONS:
        boolean = node.modifier is not None and node.modifier.return_bool
        return Measure.COUNT if boolean else left
    if operator in _SETS:
        return right if left is Measure.NUMBER and operator == "or" else left
    if right is Measure.NUMBER:
        return _NUMBERS.get((left, operator, _value(node.rhs)), left)
    if left is Measure.NUMBER:
        return _NUMBERS.get((right, operator, _value(node.lhs)), right)
    return _combine(left, operator, right)


def _combine(left: Measure, operator: str, right: Measure) -> Measure:
    if (left, operator, right) in _PAIRS:
        return _PAIRS[left, operator, right]
    if left is right and operator in "+-/":
        return Measure.RATIO if operator == "/" else left
    # A share of something, or some of them, are still the thing.
    for factor in (Measure.RATIO, Measure.COUNT):
        if operator == "*" and factor in {left, right}:
            return right if left is factor else left
    message = f"{left.value} {operator} {right.value} is not known"
    raise ValueError(message)


def _value(node: Any) -> float | None:
    while type(node).__name__ == "ParenExpr":
        node = node.expr
    return node.val if type(node).__name__ == "NumberLiteral" else None
