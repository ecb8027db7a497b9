"""What the agent exports: names and types from the exporter itself, labels from a table.

Tests hold all of it to what a running agent exports, both ways.
"""

import re
from collections.abc import Mapping
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)

from agent.capacity.ledger import CapacityLedger
from agent.clock import Moment
from agent.heroku_api.poller import Endpoint, Outcome
from agent.kafka.categories import Category, Urgency
from agent.kafka.gauges import CLUSTER_PREFIX, KNOWN_NAMES, PREFIX, name_unknown
from agent.kafka.versions import Support
from agent.metrics.exporter import AGENT, Exporter
from agent.metrics.telemetry import Telemetry
from agent.settings import Settings
from agent.state.clusters import Drop, State
from parsers import Level, Reason, Source

_TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
_HISTOGRAM = ("_bucket", "_sum", "_count")

_OF_NODES = {
    "log_lines_total": ("addon", "node", "level"),
    "log_events_total": ("addon", "node", "category", "urgency"),
    "log_last_timestamp_seconds": ("addon", "node", "level"),
    "node_conflicts_total": ("addon", "node"),
    "node_info": ("addon", "node", "broker"),
}
_OF_AGENTS = {
    "build_info": ("version", "python_version"),
    "collector_requests_total": ("endpoint", "outcome"),
    "drain_dropped_messages_total": ("code",),
    "elsewhere_dropped_messages_total": ("code",),
    "frames_total": ("kind",),
    "line_delay_seconds_bucket": ("le",),
    "parse_errors_total": ("reason",),
    "requests_total": ("route", "code"),
    "series_dropped_total": ("reason",),
}
_OF_CLUSTERS = {
    "cluster_info": ("addon", "version", "status"),
    "plan_info": ("addon", "plan", "source"),
    "version_info": ("addon", "version", "support"),
}
_OF_BROKERS = frozenset(
    {"broker_reporting", "last_sample_timestamp_seconds", "samples_total"}
)
_OF_WHOLE_CLUSTERS = frozenset(
    {"reporting", "last_sample_timestamp_seconds", "samples_total"}
)

LABELS = frozenset(
    label
    for table in (_OF_NODES, _OF_AGENTS, _OF_CLUSTERS)
    for labels in table.values()
    for label in labels
) | {"topic"}
"""All names of labels that are ours; a target may have others."""

_LEVELS = {"level": frozenset(one.value for one in Level)}
_VALUES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "log_lines_total": _LEVELS,
    "log_last_timestamp_seconds": _LEVELS,
    "log_events_total": {
        "category": frozenset(one.value for one in Category),
        "urgency": frozenset(one.value for one in Urgency),
    },
    "plan_info": {"source": frozenset(one.value for one in Source)},
    "version_info": {"support": frozenset(one.value for one in Support)},
    "agent_collector_requests_total": {
        "endpoint": frozenset(one.value for one in Endpoint),
        "outcome": frozenset(one.value for one in Outcome),
    },
    "agent_drain_dropped_messages_total": {"code": frozenset(Telemetry().dropped)},
    "agent_elsewhere_dropped_messages_total": {
        "code": frozenset(Telemetry().dropped_elsewhere)
    },
    "agent_frames_total": {"kind": frozenset(Telemetry().frames)},
    "agent_parse_errors_total": {"reason": frozenset(one.value for one in Reason)},
    "agent_series_dropped_total": {"reason": frozenset(one.value for one in Drop)},
}


@cache
def exported_metrics() -> Mapping[str, str]:
    """Find the names of all series, with the type of their family.

    The exporter writes the header of each family, whether it has series or not.
    """
    settings = Settings(topic_metrics=1)
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    exporter = Exporter(
        settings=settings,
        state=State(settings),
        ledger=CapacityLedger(settings.plans),
        telemetry=Telemetry(),
        process=registry,
    )
    _, render = exporter.prepare("text/plain", Moment(wall=0.0, monotonic=0.0))
    names: dict[str, str] = {}
    for name, kind in _TYPE.findall(render().decode()):
        for ending in _HISTOGRAM if kind == "histogram" else ("",):
            names[f"{name}{ending}"] = "counter" if kind == "histogram" else kind
    # Written with their first series only.
    gauges = [f"{PREFIX}{name}" for name in KNOWN_NAMES]
    gauges += [f"{CLUSTER_PREFIX}{name}" for name in KNOWN_NAMES]
    return {**dict.fromkeys(gauges, "gauge"), **names}


def labels_of(name: str) -> frozenset[str]:
    """Name the labels of ours that the series of a metric have.

    Args:
        name: One of `exported_metrics`.
    """
    if name.startswith(AGENT):
        return frozenset(_OF_AGENTS.get(name.removeprefix(AGENT), ()))
    bare = name.removeprefix(PREFIX)
    for table in (_OF_NODES, _OF_CLUSTERS):
        if bare in table:
            return frozenset(table[bare])
    if bare.startswith("topic_"):
        return frozenset({"addon", "topic"})
    if bare in KNOWN_NAMES | _OF_BROKERS:
        return frozenset({"addon", "broker"})
    return frozenset({"addon"})


def values_of(name: str, label: str) -> frozenset[str] | None:
    """List the values that a label of a metric can have; None where they are not closed.

    Args:
        name: One of `exported_metrics`.
        label: One of its labels.
    """
    return _VALUES.get(name.removeprefix(PREFIX), {}).get(label)


def may_be_sample(name: str) -> bool:
    """Say whether a metric can come from a sample that this version does not know.

    Args:
        name: A name that is not one of `exported_metrics`.
    """
    prefix = CLUSTER_PREFIX if name.startswith(CLUSTER_PREFIX) else PREFIX
    return name_unknown((name.removeprefix(prefix), "")) is not None
