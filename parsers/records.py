"""What comes out of the parsers: frozen records, and how frames are counted.

Records made for each line are named tuples, which take a third of the time of a frozen
dataclass to build; rare ones are dataclasses.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, NamedTuple

from parsers.errors import Unparsed

BaseUnit = Literal["", "bytes", "seconds", "pages", "ratio"]
"""Prometheus base unit of a value; empty where the line gave no unit."""

SampleKey = tuple[str, BaseUnit]
"""What identifies a value within a broker: the sample's name and its base unit.

A plain tuple because its hash is computed for every value of every line.
"""

_SOURCE = re.compile(rb'(?:\A|(?<=\s))source=(?:"[^"]*"|\S*)\s?')

LossCode = Literal["L10", "L11", "L12", "L13"]


class Level(Enum):
    """Levels at which Heroku forwards broker lines (Dev Center, "Kafka Logs")."""

    __hash__ = object.__hash__  # members are single; Enum hashes their names

    WARN = "WARN"
    ERROR = "ERROR"
    FATAL = "FATAL"


class FrameKind(Enum):
    """What a frame turned out to be: label ``kind`` of ``…_agent_frames_total``."""

    __hash__ = object.__hash__  # members are single; Enum hashes their names

    SAMPLE = "sample"
    BROKER_LOG = "broker_log"
    PLATFORM = "platform"
    OTHER = "other"
    MALFORMED = "malformed"


class Header(NamedTuple):
    """The header of one line, whichever transport brought it.

    Attributes:
        app: APP-NAME: ``app``, ``heroku``, ``kafka``: the writer's token name.
        proc: PROCID: ``web.1``, ``router``, ``heroku-kafka.2``, ``<add-on>.0``.
        timestamp: Seconds since the epoch, or None where the header has none
            that can be read.
        bad_timestamp: True where there was text, but it is no time.
        pri: PRI as written (facility * 8 + severity), None in ``heroku logs``.
    """

    app: bytes
    proc: bytes
    timestamp: float | None
    bad_timestamp: bool = False
    pri: int | None = None


class MetricLine(NamedTuple):
    """One ``source=… addon=… sample#…`` line.

    Attributes:
        addon: Name of the add-on, the cluster's identity.
        broker: Broker id as written after ``heroku-kafka.``, or None for a line
            about the whole cluster.
        source: Name of the attachment, empty where the line has none.
        timestamp: Seconds since the epoch; None means "when it was received".
        samples: Value by name and base unit, converted to that unit.
        message: The message as received: what makes two deliveries equal.
    """

    addon: str
    broker: str | None
    source: str
    timestamp: float | None
    samples: Mapping[SampleKey, float]
    message: bytes

    @property
    def content(self) -> bytes:
        """The message without ``source=``, which differs between attachments."""
        return _SOURCE.sub(b"", self.message, count=1).rstrip()


class Context(NamedTuple):
    """What a broker's class says of itself in brackets, before the message.

    Attributes:
        name: The words: ``ReplicaFetcher``, ``Admin Manager on Broker 1``.
        fields: The ``key=value`` pairs, as written.
    """

    name: str
    fields: Mapping[str, str]


class TopicPartition(NamedTuple):
    """A topic, or one partition of it.

    Attributes:
        topic: Name of the topic.
        partition: Number of the partition; None where only the topic is named.
    """

    topic: str
    partition: int | None


class BrokerLog(NamedTuple):
    """One line that Kafka itself wrote, at WARN or above. Every text is untrusted.

    Attributes:
        addon: Name of the add-on, the cluster's identity.
        node: The number as written in ``kafka[ADDON.node]``; not known to be
            the broker id (the documentation's own example disagrees with it).
        timestamp: Seconds since the epoch; None means "when it was received".
        level: From the line's own ``pri=``, never from the frame's PRI.
        thread: After ``t=``; may contain blanks; empty where missing.
        logger: After ``at=``: the class that wrote; empty where missing.
        contexts: What it says of itself in brackets.
        text: What it says: the rest of the first line.
        trace: Further lines: a stack trace, or a message of several lines.
        partitions: Topics and partitions that the line is about, in its order.
        broker: Id of the broker that wrote, where the line names it; else empty.
        peer: Id of the broker that the line is about; else empty.
        exception: Class of the first exception in it; else empty.
        message: The message as received: what makes two deliveries equal.
    """

    addon: str
    node: str
    timestamp: float | None
    level: Level
    thread: str
    logger: str
    contexts: tuple[Context, ...]
    text: str
    trace: str
    partitions: tuple[TopicPartition, ...]
    broker: str
    peer: str
    exception: str
    message: bytes

    @property
    def topic(self) -> str:
        """The first topic that the line names; empty where it names none."""
        return self.partitions[0].topic if self.partitions else ""

    @property
    def partition(self) -> int | None:
        """The number of the partition that it names first."""
        return self.partitions[0].partition if self.partitions else None


class BrokerContinuation(NamedTuple):
    """More of a line that began in another frame: a stack trace, or its cut end.

    Attributes:
        addon: Name of the add-on.
        node: The number as written in ``kafka[ADDON.node]``.
        timestamp: Seconds since the epoch; None means "when it was received".
        text: All of it. Untrusted.
    """

    addon: str
    node: str
    timestamp: float | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainLoss:
    """Log lines that the log pipeline reports as dropped.

    Attributes:
        code: Heroku's error code (Dev Center, "Error Codes": L10 to L13).
        count: Dropped messages of any kind, at most `log_pipeline.MAX_LOSS`.
        drain: Token of the drain that dropped them, where the line names one.
        timestamp: Seconds since the epoch; None means "when it was received".
        message: The message as received: what makes two deliveries equal.
    """

    code: LossCode
    count: int
    drain: str | None = None
    timestamp: float | None = None
    message: bytes = b""


@dataclass(frozen=True, slots=True)
class ParserFault:
    """A line whose parsing raised: a defect in the parsers, which costs this line only.

    Attributes:
        error: The exception.
    """

    error: Exception


Record = (
    MetricLine | BrokerLog | BrokerContinuation | DrainLoss | Unparsed | ParserFault
)


@dataclass(slots=True)
class Batch:
    """Everything that some bytes held, in any wire format.

    Attributes:
        records: In the order of the frames or lines.
        sample: Frames of the metric family.
        broker_log: Frames of the broker log family.
        platform: Frames that the log pipeline (Logplex, log-shuttle) wrote.
        other: Unrelated frames: dynos, router, other add-ons.
        malformed: Frames without a readable count or header.
    """

    records: list[Record] = field(default_factory=list)
    sample: int = 0
    broker_log: int = 0
    platform: int = 0
    other: int = 0
    malformed: int = 0

    @property
    def counts(self) -> tuple[int, ...]:
        """The frames of each kind, in the order of `FrameKind`."""
        return (
            self.sample,
            self.broker_log,
            self.platform,
            self.other,
            self.malformed,
        )

    @property
    def frames(self) -> int:
        """All frames, malformed ones included."""
        return sum(self.counts)

    def count(self, kind: FrameKind) -> None:
        """Add one frame of `kind`."""
        if kind is FrameKind.SAMPLE:
            self.sample += 1
        else:
            setattr(self, kind.value, getattr(self, kind.value) + 1)
