"""What a broker's line can be about, and what it can ask for: two closed sets.

They are label values and a promise to users: a value is never renamed or removed without
a major version. Which message is what stands in `agent.kafka.message_rules`.
"""

from enum import Enum


class Category(Enum):
    """What a line is about: label ``category`` of ``…_log_events_total``."""

    __hash__ = object.__hash__  # members are single; Enum hashes their names

    REPLICATION = "replication"
    ISR = "isr"
    CONTROLLER = "controller"
    ZOOKEEPER = "zookeeper"
    STORAGE = "storage"
    MEMORY = "memory"
    NETWORK = "network"
    SECURITY = "security"
    REQUEST = "request"
    COORDINATOR = "coordinator"
    LIFECYCLE = "lifecycle"
    UNKNOWN = "unknown"


class Urgency(Enum):
    """What a line asks of whoever is on call: label ``urgency``."""

    __hash__ = object.__hash__  # members are single; Enum hashes their names

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    NOISE = "noise"


CATEGORY_MEANING = {
    Category.REPLICATION: "followers and their fetchers",
    Category.ISR: "in-sync replicas: too few of them, no leader, changes refused",
    Category.CONTROLLER: "the controller and what it tells the other brokers",
    Category.ZOOKEEPER: "a broker's session with ZooKeeper",
    Category.STORAGE: "disk, log directories, segments, compaction",
    Category.MEMORY: "heap, direct memory, threads and maps exhausted",
    Category.NETWORK: "connections between brokers and from clients",
    Category.SECURITY: "TLS, authentication, authorisation",
    Category.REQUEST: "requests of clients that failed in a broker",
    Category.COORDINATOR: "consumer groups, offsets and transactions",
    Category.LIFECYCLE: "start, stop, configuration, threads that ended",
    Category.UNKNOWN: "nothing that this version knows",
}

URGENCY_MEANING = {
    Urgency.CRITICAL: "data or availability is being lost: page somebody",
    Urgency.WARNING: "look today; alert when it repeats or lasts",
    Urgency.INFO: "count and show; a restart or a client's fault",
    Urgency.NOISE: "expected",
}

CATEGORY_FIRST_STEP = {
    Category.REPLICATION: "Whether each broker still sends samples, and heroku kafka:info.",
    Category.ISR: "How many brokers send samples, and min.insync.replicas of the topic.",
    Category.CONTROLLER: "Whether each broker still sends samples, and heroku kafka:info.",
    Category.ZOOKEEPER: "Whether other nodes say the same, and heroku kafka:info.",
    Category.STORAGE: "Data size against the plan's capacity: heroku kafka:info.",
    Category.MEMORY: "Memory gauges of the broker, and heroku kafka:info.",
    Category.NETWORK: "The broker or client that the line names.",
    Category.SECURITY: "Whether certificates or credentials were rotated just now.",
    Category.REQUEST: "The exception: most name the client's fault.",
    Category.COORDINATOR: "heroku kafka:consumer-groups, and __consumer_offsets.",
    Category.LIFECYCLE: "Whether the broker sends samples again, and heroku kafka:info.",
    Category.UNKNOWN: "The line itself: /api/events shows it whole.",
}
"""What to look at first for a line whose message no row knows."""
