"""What happens to a simulated cluster: literal timelines, in seconds from the start.

The pictures follow what is known of Kafka in such situations; their wording was heard
from real brokers (``fixtures/kafka/recorded/``). Each timeline begins anew after its
period, except where the cluster is another one afterwards.
"""

from dataclasses import dataclass
from enum import Enum

MINUTE = 60


class Target(Enum):
    """Which brokers something is about; the victim is one of them."""

    VICTIM = "victim"
    OTHERS = "others"
    CONTROLLER = "controller"
    NEW = "new"
    OLD = "old"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What is different for some brokers, from `begin` to `end`; it ramps up linearly.

    Attributes:
        begin: Seconds from the start.
        end: The same.
        target: The brokers.
        silent: They write nothing: they are down.
        bytes_in: Factor of the traffic into them.
        bytes_out: Factor of the traffic out of them.
        load: Load per CPU that is added.
        read_iops: Reads per second that are added: what the page cache has not.
        memory: Share of the memory in use that is added.
        cache: Factor of the page cache.
        ramp: Seconds until the effect is full.
    """

    begin: int
    end: int
    target: Target
    silent: bool = False
    bytes_in: float = 1.0
    bytes_out: float = 1.0
    load: float = 0.0
    read_iops: float = 0.0
    memory: float = 0.0
    cache: float = 1.0
    ramp: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPattern:
    """What some brokers say meanwhile.

    Attributes:
        begin: Seconds from the start.
        end: The same.
        target: The brokers.
        each_minute: Lines of one broker a minute, on average; 0 means once, at `begin`.
        line: The message; names in braces are filled in by `agent.simulator.cluster`.
    """

    begin: int
    end: int = 0
    target: Target
    each_minute: float = 0.0
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story.

    Attributes:
        about: One sentence, for ``--help``.
        effects: What happens.
        speeches: What is said.
        period: Seconds until it begins anew; 0 for never.
        grows_at: When five brokers are added; 0 for never.
    """

    about: str
    effects: tuple[Effect, ...] = ()
    speeches: tuple[LogPattern, ...] = ()
    period: int = 0
    grows_at: int = 0


_FETCHER = (
    "t=ReplicaFetcherThread-0-{victim} at=ReplicaFetcherThread [ReplicaFetcher "
    "replicaId={id}, leaderId={victim}, fetcherId=0] "
)
_ADDRESS = "kafka-{victim}.example.com/10.1.44.1{victim}:9096"
MARKED = f"pri=WARN {_FETCHER}Partition {{topic}}-{{partition}} marked as failed"
FETCH_FAILED = (
    f"pri=WARN {_FETCHER}Error in response for fetch request (type=FetchRequest, "
    "replicaId={id}, maxWait=500, minBytes=1, maxBytes=10485760, fetchData="
    "{{{topic}-{partition}=PartitionData(topicId=wNRcNfWQTCNixNWhN0OWwA, "
    "fetchOffset={number}, logStartOffset=0, maxBytes=1048576, "
    "currentLeaderEpoch=Optional[7], lastFetchedEpoch=Optional[7])}}, "
    "isolationLevel=READ_UNCOMMITTED, removed=, replaced=, metadata=(sessionId=514675011,"
    " epoch=91), rackId=) java.io.IOException: Connection to {victim} was disconnected "
    "before the response was read"
)
UNREACHED = (
    "pri=WARN t=ReplicaFetcherThread-0-{victim} at=NetworkClient [ReplicaFetcher "
    "replicaId={id}, leaderId={victim}, fetcherId=0] Connection to node {victim} "
    f"({_ADDRESS}) could not be established. Node may not be available."
)
CONTROLLER_UNREACHED = (
    "pri=WARN t=Controller-{id}-to-broker-{victim}-send-thread at=RequestSendThread "
    "[RequestSendThread controllerId={id}] Controller {id}'s connection to broker "
    "kafka-{victim}.example.com:9096 (id: {victim} rack: us-east-1b) was unsuccessful "
    "java.io.IOException: Connection to kafka-{victim}.example.com:9096 (id: {victim} "
    "rack: us-east-1b) failed."
)
LEADER_MOVED = (
    f"pri=ERROR {_FETCHER}Error for partition {{topic}}-{{partition}} at offset {{number}} "
    "org.apache.kafka.common.errors.NotLeaderOrFollowerException: For requests intended "
    "only for the leader, this error indicates that the broker is not the current leader."
)
CORRUPT = (
    "pri=WARN t=log-recovery-/data/kafka-0 at=LogLoader [LogLoader "
    "partition={topic}-{partition}, dir=/data/kafka] Corruption found in segment "
    "{number}, truncating to offset {number}"
)
NO_OPEN_CONNECTION = (
    "pri=WARN t=data-plane-kafka-network-thread-{id}-ListenerName(SSL)-SSL-2 at=Processor "
    "Attempting to send response via channel for which there is no open connection, "
    "connection id 10.1.44.1{id}:9096-203.0.113.7:{number}-5"
)
UNKNOWN_TOPIC = (
    f"pri=WARN {_FETCHER}Received UNKNOWN_TOPIC_OR_PARTITION from the leader for partition "
    "{topic}-{partition}. This error may be returned transiently when the partition is "
    "being created or deleted, but it is not expected to persist."
)
ZOOKEEPER_CLOSED = (
    "pri=WARN t=main-SendThread(10.1.44.20:2181) at=ClientCnxn Session 0x1000bac0001 for "
    "server zookeeper.example.com/10.1.44.20:2181, Closing socket connection. Attempting "
    "reconnect except it is a SessionExpiredException. java.net.ConnectException: "
    "Connection refused"
)
OUT_OF_MEMORY = (
    "pri=ERROR t=data-plane-kafka-request-handler-3 at=KafkaRequestHandler [Kafka Request "
    "Handler 3 on Broker {id}], Exception when handling request "
    "java.lang.OutOfMemoryError: Java heap space"
)
NO_SPACE = (
    "pri=ERROR t=data-plane-kafka-request-handler-2 at=LogDirFailureChannel Error while "
    "appending records to {topic}-{partition} in dir /data/kafka java.io.IOException: No "
    "space left on device"
)
STOPPING = (
    "pri=WARN t=LogDirFailureHandler at=ReplicaManager [ReplicaManager broker={id}] "
    "Stopping serving replicas in dir /data/kafka"
)
SHUTDOWN = (
    "pri=ERROR t=LogDirFailureHandler at=LogManager Shutdown broker because all log dirs "
    "in /data/kafka have failed"
)


def _outage(at: int, seconds: int) -> tuple[tuple[Effect, ...], tuple[LogPattern, ...]]:
    """Describe a broker that stops and comes back, and what the others say of it."""
    back = at + seconds
    caught_up = back + 5 * MINUTE
    effects = (
        Effect(begin=at, end=back, target=Target.VICTIM, silent=True),
        Effect(begin=at, end=back, target=Target.OTHERS, bytes_out=0.75, load=0.08),
        Effect(
            begin=back, end=caught_up, target=Target.VICTIM,
            bytes_in=3.0, bytes_out=0.1, load=0.5, read_iops=160, cache=0.25,
        ),
        Effect(begin=back, end=caught_up, target=Target.OTHERS, bytes_out=1.8, read_iops=60),
    )  # fmt: skip
    speeches = (
        LogPattern(begin=at, end=at + 20, target=Target.OTHERS, each_minute=12, line=FETCH_FAILED),
        LogPattern(begin=at, end=back, target=Target.OTHERS, each_minute=4, line=UNREACHED),
        LogPattern(
            begin=at, end=back, target=Target.CONTROLLER,
            each_minute=4, line=CONTROLLER_UNREACHED,
        ),
        LogPattern(begin=back, end=back + 15, target=Target.VICTIM, each_minute=16, line=CORRUPT),
        LogPattern(begin=back, end=back + 40, target=Target.OTHERS, each_minute=6, line=MARKED),
    )  # fmt: skip
    return effects, speeches


_FAILURE = _outage(2 * MINUTE, 4 * MINUTE)
_LOSS = _outage(2 * MINUTE, 30 * MINUTE)
_HALT = _outage(20 * MINUTE + 2, 5 * MINUTE)
_OOM = _outage(25 * MINUTE + 5, 90)

SCENARIOS: dict[str, Scenario] = {
    "steady": Scenario(about="nothing happens but the day's wave and noise"),
    "node-failure": Scenario(
        about="a broker falls silent, the others complain, it returns and catches up",
        effects=_FAILURE[0],
        speeches=(
            *_FAILURE[1],
            LogPattern(begin=3 * MINUTE, target=Target.CONTROLLER, line=LEADER_MOVED),
        ),
        period=30 * MINUTE,
    ),
    "broker-loss": Scenario(
        about="a broker is gone for half an hour, as when Heroku replaces it",
        effects=_LOSS[0],
        speeches=_LOSS[1],
        period=60 * MINUTE,
    ),
    "memory-pressure": Scenario(
        about="memory fills, the page cache shrinks, a broker runs out of heap",
        effects=(
            Effect(
                begin=2 * MINUTE, end=25 * MINUTE, target=Target.ALL,
                memory=0.5, cache=0.15, read_iops=120, load=0.4, ramp=20 * MINUTE,
            ),
            *_OOM[0],
        ),
        speeches=(
            LogPattern(begin=25 * MINUTE, target=Target.VICTIM, line=OUT_OF_MEMORY),
            *_OOM[1],
        ),
        period=40 * MINUTE,
    ),
    "hot-broker": Scenario(
        about="one broker leads too much: its traffic and load are far above the others'",
        effects=(
            Effect(
                begin=2 * MINUTE, end=20 * MINUTE, target=Target.VICTIM,
                bytes_in=3.0, bytes_out=4.5, load=1.1, read_iops=90, ramp=2 * MINUTE,
            ),
        ),
        speeches=(
            LogPattern(
                begin=4 * MINUTE, end=20 * MINUTE, target=Target.VICTIM,
                each_minute=2, line=NO_OPEN_CONNECTION,
            ),
        ),
        period=30 * MINUTE,
    ),
    "disk-filling": Scenario(
        about="writes grow until the disk of a broker is full and it halts",
        effects=(
            Effect(
                begin=MINUTE, end=20 * MINUTE, target=Target.ALL,
                bytes_in=5.0, load=0.3, ramp=15 * MINUTE,
            ),
            *_HALT[0],
        ),
        speeches=(
            LogPattern(begin=20 * MINUTE, target=Target.VICTIM, line=NO_SPACE),
            LogPattern(begin=20 * MINUTE, target=Target.VICTIM, line=STOPPING),
            LogPattern(begin=20 * MINUTE + 1, target=Target.VICTIM, line=SHUTDOWN),
            *_HALT[1],
        ),
        period=35 * MINUTE,
    ),
    "plan-upgrade": Scenario(
        about="five brokers are added and the partitions move to them",
        effects=(
            Effect(
                begin=2 * MINUTE, end=40 * MINUTE, target=Target.NEW,
                bytes_in=4.0, bytes_out=0.2, load=0.3, cache=0.4,
            ),
            Effect(
                begin=2 * MINUTE, end=40 * MINUTE, target=Target.OLD,
                bytes_out=3.0, read_iops=220, load=0.35,
            ),
        ),
        speeches=(
            LogPattern(
                begin=2 * MINUTE, end=40 * MINUTE, target=Target.ALL,
                each_minute=0.4, line=UNKNOWN_TOPIC,
            ),
        ),
        grows_at=2 * MINUTE,
    ),
    "rolling-restart": Scenario(
        about="one broker after another restarts, as for an upgrade or maintenance",
        effects=_outage(2 * MINUTE, 90)[0],
        speeches=(
            *_outage(2 * MINUTE, 90)[1],
            LogPattern(begin=9 * MINUTE, target=Target.ALL, line=ZOOKEEPER_CLOSED),
        ),
        period=10 * MINUTE,
    ),
}  # fmt: skip
"""By the names of the contract. In a rolling restart the victim changes each period."""
