"""What the agent knows, as records that can be saved: typed, versioned, wall-clock.

Stamps of the monotonic clock mean nothing to another process, so records hold wall-clock
times; `to_wall` and `to_monotonic` convert them.
"""

from typing import Final

from msgspec import Struct

from agent.clock import Moment
from agent.heroku_api.client import Outcome
from agent.heroku_api.schedule import Endpoint
from agent.metrics.specs import Drop
from agent.state.log_events import LogEvent
from agent.state.nodes import Cell
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
    history_newest: int
    history_points: dict[SampleKey, bytes]


class NodeRecord(Struct, frozen=True, kw_only=True):
    """One node; see `agent.state.nodes.Node`."""

    number: int
    known_at: float
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
