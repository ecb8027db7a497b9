"""What the agent knows, as records that can be saved: typed, versioned, wall-clock.

Stamps of the monotonic clock mean nothing to another process, so records hold wall-clock
times; `to_wall` and `to_monotonic` convert them.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from agent.clock import Moment
from agent.heroku_api.client import Outcome
from agent.heroku_api.schedule import Endpoint
from agent.metrics.specs import Drop
from agent.state.admission import Admission
from agent.state.brokers import Broker
from agent.state.clusters import Cluster, State
from agent.state.log_events import LogEvent
from agent.state.nodes import Cell, Node
from parsers import ClusterUse, FrameKind, Level, LossCode, Reason, SampleKey

VERSION: Final = 1


class BrokerRecord(Struct, frozen=True, kw_only=True):
    """One broker; see `agent.state.clusters.Broker`."""

    values: dict[SampleKey, float]
    stamps: dict[SampleKey, float]
    newest: float
    last_timestamp: float
    applied_at: float
    samples: int
    created: float
    history_newest: int
    history_points: dict[SampleKey, bytes]


class NodeRecord(Struct, frozen=True, kw_only=True):
    """One node; see `agent.state.nodes.Node`."""

    number: int
    known_at: float
    created: float
    lines: dict[Level, int]
    last_timestamps: dict[Level, float]
    events: dict[Cell, int]
    claims: set[str]
    conflicts: int


class ClusterRecord(Struct, frozen=True, kw_only=True):
    """One cluster; see `agent.state.clusters.Cluster`."""

    brokers: dict[str | None, BrokerRecord]
    nodes: dict[str, NodeRecord]
    seen_at: float


class TelemetryRecord(Struct, frozen=True, kw_only=True):
    """The agent's own counters; see `agent.state.telemetry.Telemetry`."""

    plain: dict[str, float]
    requests: dict[tuple[str, int], int]
    frames: dict[FrameKind, int]
    parse_errors: dict[Reason, int]
    dropped: dict[LossCode, int]
    dropped_elsewhere: dict[LossCode, int]
    series_dropped: dict[Drop, int]
    poller: dict[tuple[Endpoint, Outcome], int]
    delay_buckets: list[int]


class Checkpoint(Struct, frozen=True, kw_only=True):
    """Everything that an engine knows.

    Attributes:
        version: Of this shape.
        key: What identities are made with.
        requests: Losses by identity of each recent request, the oldest first.
        newer_lines: Identities of recent lines.
        older_lines: Those of the generation before.
        clusters: By add-on.
        nodes_seen: Nodes that ever became known.
        events: The newest broker log events, the oldest first.
        observations: Plan and use of each cluster, and when they were observed.
        telemetry: The agent's own counters.
    """

    version: int
    key: bytes
    requests: list[tuple[bytes, int]]
    newer_lines: list[bytes]
    older_lines: list[bytes]
    clusters: dict[str, ClusterRecord]
    nodes_seen: int
    events: list[LogEvent]
    observations: dict[str, tuple[ClusterUse, float]]
    telemetry: TelemetryRecord


def to_wall(monotonic: float, now: Moment) -> float:
    """Convert a stamp of this process's monotonic clock to seconds since the epoch."""
    return now.wall - (now.monotonic - monotonic)


def to_monotonic(wall: float, now: Moment) -> float:
    """Convert seconds since the epoch to a stamp of this process's monotonic clock.

    Never in the future: a clock that was set back must not make anything look newer.
    """
    return min(now.monotonic - (now.wall - wall), now.monotonic)


def dump_clusters(state: State, now: Moment) -> dict[str, ClusterRecord]:
    """Return records of all clusters."""
    return {
        addon: ClusterRecord(
            brokers={
                name: _dump_broker(broker, now)
                for name, broker in cluster.brokers.items()
            },
            nodes={name: _dump_node(node, now) for name, node in cluster.nodes.items()},
            seen_at=to_wall(cluster.seen_at, now),
        )
        for addon, cluster in state.clusters.items()
    }


def load_clusters(
    state: State, clusters: Mapping[str, ClusterRecord], now: Moment
) -> None:
    """Put what `dump_clusters` returned into a new state, within its limits."""
    admission = state.admission
    for addon, record in clusters.items():
        cluster = Cluster(seen_at=to_monotonic(record.seen_at, now))
        for name, one in record.brokers.items():
            if admission.admit_broker(addon, name) is None:
                cluster.brokers[name] = _load_broker(one, admission, now)
        for node_name, node in record.nodes.items():
            if admission.admit_node(addon, node_name) is None:
                cluster.nodes[node_name] = _load_node(node, now)
        if cluster.brokers or cluster.nodes:
            state.clusters[addon] = cluster


def _load_broker(record: BrokerRecord, admission: Admission, now: Moment) -> Broker:
    admitted = {
        key
        for key in record.values
        if not isinstance(admission.admit_sample(key), Drop)
    }
    broker = Broker(
        values={key: record.values[key] for key in admitted},
        stamps={key: record.stamps[key] for key in admitted},
        newest=record.newest,
        last_timestamp=record.last_timestamp,
        applied_at=to_monotonic(record.applied_at, now),
        samples=record.samples,
        created=record.created,
    )
    broker.history.load(record.history_newest, record.history_points)
    return broker


def _dump_broker(broker: Broker, now: Moment) -> BrokerRecord:
    broker.settle()
    newest, points = broker.history.dump()
    return BrokerRecord(
        values=broker.values,
        stamps=broker.stamps,
        newest=broker.newest,
        last_timestamp=broker.last_timestamp,
        applied_at=to_wall(broker.applied_at, now),
        samples=broker.samples,
        created=broker.created,
        history_newest=newest,
        history_points=points,
    )


def _dump_node(node: Node, now: Moment) -> NodeRecord:
    return NodeRecord(
        number=node.number,
        known_at=to_wall(node.known_at, now),
        created=node.created,
        lines=node.lines,
        last_timestamps=node.last_timestamps,
        events=node.events,
        claims=node.claims,
        conflicts=node.conflicts,
    )


def _load_node(record: NodeRecord, now: Moment) -> Node:
    node = Node(record.number, to_monotonic(record.known_at, now), record.created)
    node.lines.update(record.lines)
    node.last_timestamps.update(record.last_timestamps)
    node.events.update(record.events)
    node.claims.update(record.claims)
    node.conflicts = record.conflicts
    return node
