"""What a node of a cluster has logged, and which broker it is.

Which node is which broker is not documented, and public captures disagree; lines often
name the broker that writes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.kafka.categories import Category, Urgency
from agent.kafka.classifier import possible_cells
from parsers import Level

Cell = tuple[Category, Urgency]

_MAX_CLAIMS = 4


@dataclass(slots=True)
class Node:
    """What one node of a cluster has logged. All counters exist from its first line on.

    Attributes:
        number: Nodes are numbered in the order in which they became known.
        known_at: When that was, on the monotonic clock.
        created: The same in seconds since the epoch.
        lines: Lines by level.
        last_timestamps: Newest timestamp by level.
        events: Lines by category and urgency.
        claims: The broker ids that its lines gave as their writer's; one, or they
            contradict each other.
        conflicts: Lines that contradicted what this or another node had claimed.
    """

    number: int
    known_at: float
    created: float
    lines: dict[Level, int] = field(default_factory=lambda: dict.fromkeys(Level, 0))
    last_timestamps: dict[Level, float] = field(default_factory=dict)
    events: dict[Cell, int] = field(
        default_factory=lambda: dict.fromkeys(possible_cells(), 0)
    )
    claims: set[str] = field(default_factory=set)
    conflicts: int = 0


def learn_broker(nodes: Mapping[str, Node], node: Node, broker: str) -> None:
    """Take note that a line of `node` named `broker` as its writer.

    A contradiction is counted and never decided.

    Args:
        nodes: All nodes of the cluster.
        node: One of them.
        broker: The id that its line named.
    """
    others = (other for other in nodes.values() if other is not node)
    claimed_elsewhere = any(broker in other.claims for other in others)
    if claimed_elsewhere or node.claims - {broker}:
        node.conflicts += 1
    if len(node.claims) < _MAX_CLAIMS:
        node.claims.add(broker)


def broker_of(nodes: Mapping[str, Node], node: Node) -> str | None:
    """Return the broker that `node` is, where nothing contradicts that."""
    if len(node.claims) != 1:
        return None
    (broker,) = node.claims
    claimants = sum(broker in other.claims for other in nodes.values())
    return broker if claimants == 1 else None
