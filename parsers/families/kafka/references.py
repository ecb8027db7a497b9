"""What a broker's message is about: topic, partition, brokers, exception.

EBNF of what is looked for, leftmost first, anywhere in the message::

    subject   = before, partition | listed | named ;
    before    = "artition " | "artition (" | "Truncating " | "truncation for " | … ;
    partition = [ id, ":" ], topic, "-", digits ;   (topics hold "-": split at the last)
    id        = 22 times ( letter | digit | "_" | "-" ) ;        (of a topic, since 2.8)
    listed    = "topic=", topic, ", partition=", digits ;
    named     = ( "CreatableTopic(name='" | "topic '" ), topic, "'" ;
    topic     = { letter | digit | "." | "_" | "-" } ;  (at most 249, Kafka's Topic.java)
    peer      = "Connection to node ", digits | "(id: ", digits, " rack: " | … ;

A message may list many partitions in a dump; only one that it names in words counts.
All of it is text that others can influence: good for showing, never for a label.
"""

import re
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from parsers.records import Context

BEFORE_PARTITION = (
    "artition (",
    "artition ",
    "Truncating ",
    "truncation for ",
    "offset in ",
    "records to ",
    "flushing log for ",
    "log segment for ",
    "segments for ",
    "renaming dir for ",
    "dirty offset of ",
    "tombstones to ",
    "offsets from ",
    "transaction log ",
)
"""The words after which Kafka names a partition as ``topic-number``."""

BEFORE_NAME = ("CreatableTopic(name='", "topic '")
"""The words after which Kafka names a topic in quotes."""

BEFORE_PEER = (
    ("Connection to node ", ""),
    ("(id: ", " rack: "),
    ("Connection to ", " was disconnected"),
    ("request failed for node ", ""),
    ("to broker ", ""),
    ("from broker ", ""),
    ("new leader ", " is unavailable"),
)
"""The words around the id of a broker that is spoken of, not of the one that speaks."""

TOPIC = r"[A-Za-z0-9._-]{1,249}"
TOPIC_ID = r"(?:[A-Za-z0-9_-]{22}:)?"
NUMBER = r"[0-9]{1,9}(?![0-9])"
PARTITION_END = r"(?![A-Za-z0-9_-]|\.[A-Za-z0-9_-])"
"""A partition's number may end a sentence, but not be part of a longer name."""

_PARTITION = re.compile(rf"({TOPIC})-({NUMBER})")
_SHAPES = (
    (BEFORE_PARTITION, re.compile(TOPIC_ID + _PARTITION.pattern + PARTITION_END)),
    (("topic=",), re.compile(rf"({TOPIC}), partition=({NUMBER})")),
    (BEFORE_NAME, re.compile(rf"({TOPIC})'()")),
)
_PEERS = tuple(
    ((before,), re.compile(rf"({NUMBER}){re.escape(after)}"))
    for before, after in BEFORE_PEER
)
_ID = re.compile(NUMBER)

# The field in which a context names the broker that writes. Contexts that name only
# somebody else (leaderId, targetBrokerId) are left out on purpose.
_WRITER_FIELD = {
    "Broker": "id",
    "BrokerServer": "id",
    "BrokerToControllerChannelManager": "broker",
    "Controller": "id",
    "ControllerEventThread": "controllerId",
    "GroupMetadataManager": "brokerId",
    "KafkaServer": "id",
    "MetadataCache": "brokerId",
    "NodeToControllerChannelManager": "id",
    "Partition": "broker",
    "PartitionStateMachine": "controllerId",
    "ReplicaFetcher": "replicaId",
    "ReplicaManager": "broker",
    "ReplicaStateMachine": "controllerId",
    "RequestSendThread": "controllerId",
    "SocketServer": "nodeId",
    "TransactionCoordinator": "id",
}
_WRITER_NAME = re.compile(
    r"(?:KafkaApi-|GroupCoordinator |Transaction State Manager |Admin Manager on Broker "
    r"|Kafka Request Handler [0-9]+ on Broker |Channel manager on controller "
    r"|Topic Deletion Manager |Transaction Marker Channel Manager "
    r"|AddPartitionsToTxnSenderThread-|(?:RPC|ZK) ProducerId Manager "
    r"|ReplicaFetcherManager on broker |ReplicaAlterLogDirsManager on broker )"
    rf"({NUMBER})"
)
_PARTITION_CONTEXTS = frozenset({"Partition", "LeaderEpochCache"})

_EXCEPTION_END = re.compile(r"(?:Exception|Error)(?![A-Za-z0-9_$])")
_EXCEPTION_START = re.compile(r"(?:[a-z_][a-z0-9_]*\.)+[A-Z][A-Za-z0-9_$]*\Z")
_LONGEST_CLASS = 200
_MAX_EXCEPTIONS = 20


class References(NamedTuple):
    """What one message refers to; empty text or None where it names nothing.

    Attributes:
        topic: Name of a topic.
        partition: Number of its partition.
        broker: Id of the broker that wrote the line.
        peer: Id of another broker that the line is about: who is missing.
        exception: Class of the first exception, with its package.
    """

    topic: str
    partition: int | None
    broker: str
    peer: str
    exception: str


def find_references(contexts: tuple[Context, ...], message: str) -> References:
    """Find what a message and its contexts refer to.

    Args:
        contexts: The contexts in front of it.
        message: The message.

    Returns:
        What is named. What the contexts name goes before what the message names.
    """
    topic, partition = _find_context_subject(contexts) or find_subject(message)
    return References(
        topic=topic,
        partition=partition,
        broker=_find_writer(contexts),
        peer=find_peer(message) or _find_context_peer(contexts),
        exception=find_exception(message),
    )


def find_subject(message: str) -> tuple[str, int | None]:
    """Find the topic, and the partition, that a message names first."""
    found = _leftmost(_SHAPES, message)
    if found is None:
        return "", None
    topic, number = found.groups()
    return topic, int(number) if number else None


def find_peer(message: str) -> str:
    """Find the id of the broker that a message names first."""
    found = _leftmost(_PEERS, message)
    return "" if found is None else found[1]


def _leftmost(
    shapes: Iterable[tuple[tuple[str, ...], re.Pattern[str]]], message: str
) -> re.Match[str] | None:
    """Match the shape whose words stand first in `message`.

    Looking for each of the words by itself is ten times as fast as one expression with
    all of them, which has to try each at every character of a dump of 10 kB.
    """
    best = None
    end = len(message)
    for words, shape in shapes:
        for word in words:
            at = message.find(word, 0, end + len(word) - 1)
            while at >= 0:
                found = shape.match(message, at + len(word))
                if found is not None:
                    best, end = found, at
                    break
                at = message.find(word, at + 1, end + len(word) - 1)
    return best


def find_exception(message: str) -> str:
    """Find the class of the first exception that a message names with its package.

    The end is looked for first, and the start only a class name's length before it,
    so that a message made to be slow is not.
    """
    for end in islice(_EXCEPTION_END.finditer(message), _MAX_EXCEPTIONS):
        start = max(0, end.end() - _LONGEST_CLASS)
        found = _EXCEPTION_START.search(message[start : end.end()])
        if found is not None:
            return found[0]
    return ""


def _find_context_subject(contexts: Iterable[Context]) -> tuple[str, int] | None:
    for context in contexts:
        named = context.fields.get("partition", "")
        first, _, second = context.name.partition(" ")
        if first in _PARTITION_CONTEXTS:
            named = second
        found = _PARTITION.fullmatch(named)
        if found is not None:
            return found[1], int(found[2])
    return None


def _find_writer(contexts: Iterable[Context]) -> str:
    for context in contexts:
        field = _WRITER_FIELD.get(context.name.partition(" ")[0])
        if field is not None:
            number = context.fields.get(field, "")
            if _ID.fullmatch(number):
                return number
        found = _WRITER_NAME.fullmatch(context.name)
        if found is not None:
            return found[1]
    return ""


def _find_context_peer(contexts: Iterable[Context]) -> str:
    for context in contexts:
        for field in ("leaderId", "targetBrokerId"):
            number = context.fields.get(field, "")
            if _ID.fullmatch(number):
                return number
    return ""
