"""The clusters at one moment: what outputs read; shares nothing that changes."""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from agent.kafka.categories import Urgency
from agent.state.nodes import Cell
from parsers import Level, SampleKey


class Status(Enum):
    """Whether a broker's samples are coming in, the best first.

    `LATE` has had no sample for more than three of the broker's intervals, `STALE` for
    ``--stale-after``, and `MISSING` is in the plan and has never reported.
    """

    REPORTING = "reporting"
    LATE = "late"
    STALE = "stale"
    MISSING = "missing"


class BrokerView(NamedTuple):
    """A broker at one moment.

    ``broker`` is None for a cluster's own values, ``created`` 0 for a broker that has
    never reported. ``reporting`` counts from receipt alone, as values expire; ``status``
    from receipt or the newest sample's own time, whichever is worse.
    """

    addon: str
    broker: str | None
    status: Status
    reporting: bool
    values: dict[SampleKey, float]
    last_timestamp: float
    samples: int
    created: float


class NodeView(NamedTuple):
    """A node's log lines at one moment; ``broker`` is None while it is not known."""

    addon: str
    node: str
    number: int
    known_at: float
    created: float
    broker: str | None
    conflicts: int
    lines: dict[Level, int]
    last_timestamps: dict[Level, float]
    events: dict[Cell, int]

    @property
    def urgencies(self) -> dict[Urgency, int]:
        """Lines by urgency, the most urgent first."""
        counts = dict.fromkeys(Urgency, 0)
        for (_, urgency), count in self.events.items():
            counts[urgency] += count
        return counts


class ClustersView(NamedTuple):
    """All brokers and nodes at one moment."""

    brokers: list[BrokerView]
    nodes: list[NodeView]


def join_views(views: Iterable[ClustersView]) -> ClustersView:
    """Join views of single clusters."""
    joined = ClustersView([], [])
    for view in views:
        joined.brokers.extend(view.brokers)
        joined.nodes.extend(view.nodes)
    return joined
