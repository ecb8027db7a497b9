"""The plans of Apache Kafka on Heroku: one table, from the product's documentation.

Source: Dev Center, "Apache Kafka on Heroku", sections "Plans and Configurations",
"Understanding Partitions" and "Configuration Defaults and Limits", last updated
2026-06-08. Its GB is 2^30 bytes and counts replicas: ``kafka:info`` prints 161061273600
bytes as ``150.00 GB``, and the article says that a higher replication factor counts
against the capacity. Private and Shield plans differ from those of the Common Runtime in
name alone.
"""

from dataclasses import dataclass, replace

GIB = 1 << 30
WEEK_SECONDS = 604_800
PARTITION_REPLICAS_PER_BROKER = 4_000
DEFAULT_RETENTION_SECONDS = 24 * 3_600

_FAMILIES = ("", "private-", "shield-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a plan allows.

    Attributes:
        family: ``private-``, ``shield-``, or nothing for the Common Runtime.
        name: As Heroku writes it behind ``heroku-kafka:``; a tier's name where the
            level is not known.
        capacity_bytes: Stored data, replicas included; None where the level is not
            known.
        brokers: Brokers.
        zookeepers: ZooKeeper nodes.
        cpus: vCPUs of a broker.
        memory_bytes: Memory of a broker.
        max_retention_seconds: The longest retention of a topic.
    """

    family: str
    name: str
    capacity_bytes: int | None
    brokers: int
    zookeepers: int
    cpus: int
    memory_bytes: int
    max_retention_seconds: int

    @property
    def partition_replicas_limit(self) -> int:
        """Partitions times their replication factor, over all topics."""
        return PARTITION_REPLICAS_PER_BROKER * self.brokers

    @property
    def tier(self) -> str:
        """``standard`` or ``extended``, with the family in front."""
        return self.name.rstrip("-0123456789")


# name, capacity in GB, weeks of retention, vCPUs, GB of memory, brokers, ZooKeeper nodes
_TABLE = (
    ("standard-0", 150, 2, 4, 16, 3, 5),
    ("standard-1", 300, 2, 4, 16, 3, 5),
    ("standard-2", 900, 2, 4, 16, 3, 5),
    ("extended-0", 400, 6, 4, 16, 8, 5),
    ("extended-1", 800, 6, 4, 16, 8, 5),
    ("extended-2", 2400, 6, 4, 16, 8, 5),
)

PLANS: dict[str, Plan] = {
    family + name: Plan(
        family=family,
        name=family + name,
        capacity_bytes=capacity * GIB,
        brokers=brokers,
        zookeepers=zookeepers,
        cpus=cpus,
        memory_bytes=memory * GIB,
        max_retention_seconds=weeks * WEEK_SECONDS,
    )
    for family in _FAMILIES
    for name, capacity, weeks, cpus, memory, brokers, zookeepers in _TABLE
}
"""By name."""

_MEMORY_SHARE = 0.9  # a server shows a little less than what it is sold with


def maybe_find_plan(name: str) -> Plan | None:
    """Find a plan by its name, with or without ``heroku-kafka:`` in front."""
    return PLANS.get(name.rpartition(":")[2])


def maybe_infer_tier(brokers: int, memory_bytes: float | None) -> Plan | None:
    """Infer a tier from what a cluster shows; its level, and so its capacity, stays open.

    Args:
        brokers: Brokers that have reported.
        memory_bytes: Memory of one of them, None where it is not known.

    Returns:
        The tier as a plan without capacity, or None where nothing fits.
    """
    for plan in (PLANS["standard-0"], PLANS["extended-0"]):
        fits = memory_bytes is None or (
            _MEMORY_SHARE * plan.memory_bytes <= memory_bytes <= plan.memory_bytes
        )
        if plan.brokers == brokers and fits:
            return replace(plan, name=plan.tier, capacity_bytes=None)
    return None


def upgrades(plan: Plan) -> list[Plan]:
    """List the larger plans that an upgrade can lead to, the smallest first.

    Plans of another family cannot be reached by an upgrade (Dev Center, "Upgrading an
    Apache Kafka on Heroku Plan").
    """
    if plan.capacity_bytes is None:
        return []
    larger = [
        other
        for other in PLANS.values()
        if other.family == plan.family
        and (other.capacity_bytes or 0) > plan.capacity_bytes
    ]
    return sorted(larger, key=lambda other: other.capacity_bytes or 0)
