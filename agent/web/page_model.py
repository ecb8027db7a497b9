"""What the page shows, in the order and the words in which it does."""

import itertools
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from agent.amounts import write_amount
from agent.capacity.assessment import Assessment
from agent.clock import Moment
from agent.escaping import escape_controls
from agent.metrics.specs import SAMPLE_ROWS, SampleRow
from agent.state.log_events import LogEvent
from agent.state.telemetry import Telemetry
from agent.state.views import BrokerView, NodeView
from agent.web.copies import ClusterCopy, Copies
from parsers import FrameKind, LossCode

_GROUPS = 15
_SHOWN = 300  # characters of a message
_COLUMNS = (
    "load-avg-1m",
    "load-avg-5m",
    "load-avg-15m",
    "memory-percentage-used",
    "bytes-in-per-second",
    "bytes-out-per-second",
    "read-iops",
    "write-iops",
    "memory-cached",
    "memory-free",
    "memory-total",
)
"""Samples of the table, the ones that page people first."""
_ROWS = {row.sample: row for row in SAMPLE_ROWS}
COLUMNS = [_ROWS[sample] for sample in _COLUMNS]


class Counts(NamedTuple):
    """What the page says of the delivery, as in `Telemetry`; refused by reason."""

    last_request: float
    dropped: dict[LossCode, int]
    frame_count_mismatches: int
    malformed: int
    other: int
    refused: dict[str, int]
    late_samples: int
    duplicate_requests: int
    auth_failures: int


class Row(NamedTuple):
    """One broker of the table."""

    view: BrokerView
    cells: list[str]


class Cluster(NamedTuple):
    """One cluster of the page."""

    name: str
    rows: list[Row]
    nodes: list[NodeView]
    assessment: Assessment | None
    reporting: int


class EventGroup(NamedTuple):
    """What brokers of a cluster said again and again: the newest line stands for it."""

    newest: LogEvent
    times: int
    nodes: list[str]
    first: str
    last: str
    text: str


def copy_counts(telemetry: Telemetry) -> Counts:
    """Copy the counters that the page shows."""
    return Counts(
        last_request=telemetry.last_request_timestamp,
        dropped=dict(telemetry.dropped),
        frame_count_mismatches=telemetry.frame_count_mismatches,
        malformed=telemetry.frames[FrameKind.MALFORMED],
        other=telemetry.frames[FrameKind.OTHER],
        refused={
            reason.value: count
            for reason, count in telemetry.parse_errors.items()
            if count
        },
        late_samples=telemetry.late_samples,
        duplicate_requests=telemetry.duplicate_requests,
        auth_failures=telemetry.auth_failures,
    )


def describe_cluster(
    name: str, cluster: ClusterCopy, assessment: Assessment | None
) -> Cluster:
    """Order the brokers and nodes of a cluster by their numbers."""
    views = sorted(cluster.brokers, key=_number)
    return Cluster(
        name=name,
        rows=[Row(view, _cells(view)) for view in views],
        nodes=sorted(cluster.nodes, key=lambda view: int(view.node)),
        assessment=assessment,
        reporting=sum(view.reporting for view in views if view.broker),
    )


def _cells(view: BrokerView) -> list[str]:
    values = {sample: value for (sample, _unit), value in view.values.items()}
    return [_human(_ROWS[sample], values.get(sample)) for sample in _COLUMNS]


def group_events(found: Iterable[LogEvent]) -> list[EventGroup]:
    """Group the events that mean the same in one cluster, the newest group first.

    Args:
        found: Events, the newest first.
    """
    groups: dict[tuple[str, str], list[LogEvent]] = {}
    for event in found:
        groups.setdefault((event.line.addon, event.verdict.meaning), []).append(event)
    return [
        EventGroup(
            newest=events[0],
            times=len(events),
            nodes=sorted({event.line.node for event in events}, key=int),
            first=write_time(min(event.time for event in events)),
            last=write_time(events[0].time),
            text=_said(events[0]),
        )
        for events in itertools.islice(groups.values(), _GROUPS)
    ]


def count_statuses(copies: Copies) -> Counter[str]:
    """Count the brokers in each state."""
    return Counter(
        view.status.value
        for cluster in copies.clusters.values()
        for view in cluster.brokers
    )


def _said(event: LogEvent) -> str:
    text = event.line.text
    more = " …" if len(text) > _SHOWN else ""
    return escape_controls(text[:_SHOWN]) + more


def _number(view: BrokerView) -> int:
    return -1 if view.broker is None else int(view.broker)


def _human(gauge: SampleRow, value: float | None) -> str:
    if value is None:
        return "–"  # noqa: RUF001 (a dash for "none")
    if gauge.unit == "ratio":
        return f"{value:.1%}"
    if gauge.unit == "bytes":
        per_second = "/s" if gauge.name.endswith("per_second") else ""
        return write_amount(value, is_bytes=True) + per_second
    return f"{value:.3g}"


def write_age(timestamp: float, now: Moment) -> str:
    """Write how long ago something was."""
    if timestamp <= 0:
        return "never"
    seconds = max(now.wall - timestamp, 0.0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def write_time(timestamp: float) -> str:
    """Write seconds since the epoch as a date and time in UTC."""
    if timestamp <= 0:
        return "never"
    return f"{datetime.fromtimestamp(timestamp, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
