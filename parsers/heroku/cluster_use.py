"""What is known of a cluster's plan and use, wherever it was learnt."""

from dataclasses import dataclass
from enum import Enum


class Source(Enum):
    """Where a fact comes from: label ``source`` of the info metrics."""

    CONFIGURED = "configured"
    API = "api"
    TEXT = "text"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicUse:
    """One topic. None stands for what the source did not say.

    Attributes:
        name: Without the prefix of multi-tenant plans.
        partitions: Number of partitions; 0 while it is being created.
        replication_factor: Copies of each message.
        data_size_bytes: Stored bytes, replicas included.
        messages_in_per_second: Messages that producers write.
        bytes_in_per_second: Bytes that producers write.
        bytes_out_per_second: Bytes that consumers read.
        retention_seconds: Time after which messages go; None without such a time.
        compacted: Whether the newest message of a key is kept for ever.
        status: As the platform words it: ``green``.
    """

    name: str
    partitions: int | None = None
    replication_factor: int | None = None
    data_size_bytes: int | None = None
    messages_in_per_second: float | None = None
    bytes_in_per_second: float | None = None
    bytes_out_per_second: float | None = None
    retention_seconds: float | None = None
    compacted: bool | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterUse:
    """What one look at a cluster has shown. None stands for what was not said.

    Attributes:
        addon: Name of the add-on.
        source: Who said it.
        plan: Name of the plan without ``heroku-kafka:``.
        status: As the platform words it: ``available``, ``upgrading``.
        healthy: Whether the platform calls the cluster healthy.
        upgrading: Whether the platform is working on it (``waiting?``).
        versions: Versions of Kafka; two during an upgrade.
        data_size_bytes: Stored bytes, replicas included.
        data_size_limit_bytes: What the plan allows; the platform's GB is 2^30 bytes.
        partition_replicas: Partitions times their replication factor, added up.
        partition_replicas_limit: What the plan allows.
        topics: Number of topics, internal ones not counted.
        topics_limit: What the plan allows, on multi-tenant plans.
        messages_in_per_second: Messages that producers write.
        bytes_in_per_second: Bytes into the cluster, as the platform counts them.
        bytes_out_per_second: Bytes out of it.
        brokers: Brokers that the cluster ought to have.
        degraded_brokers: Brokers in trouble.
        degraded_topics: Topics in trouble.
        thresholds: The platform's own escalation of data size, as shares of the limit.
        topic_uses: The topics, where they were listed.
    """

    addon: str
    source: Source
    plan: str | None = None
    status: str | None = None
    healthy: bool | None = None
    upgrading: bool | None = None
    versions: tuple[str, ...] = ()
    data_size_bytes: int | None = None
    data_size_limit_bytes: int | None = None
    partition_replicas: int | None = None
    partition_replicas_limit: int | None = None
    topics: int | None = None
    topics_limit: int | None = None
    messages_in_per_second: float | None = None
    bytes_in_per_second: float | None = None
    bytes_out_per_second: float | None = None
    brokers: int | None = None
    degraded_brokers: int | None = None
    degraded_topics: int | None = None
    thresholds: tuple[float, ...] = ()
    topic_uses: tuple[TopicUse, ...] = ()
