"""What a broker's message refers to: topics, brokers, exception.

EBNF of what is looked for, leftmost first, anywhere in the message::

    peer      = "Connection to node ", digits | "(id: ", digits, " rack: " | … ;
    exception = package, class, ( "Exception" | "Error" ) ;

Topics and partitions are the business of `parsers.families.kafka.subjects`. All of it is
text that others can influence: good for showing, never for a label.
"""

import re
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from parsers.families.kafka.subjects import (
    NUMBER,
    PARTITION,
    cut_client_text,
    find_subjects,
)
from parsers.records import Context, TopicPartition

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

_CLIENT_TEXT = ("Group", "ClassicGroup", "Coordinator", "Transaction", "KafkaApis", "RequestHandlerHelper")  # fmt: skip
"""Classes whose messages hold names and texts of clients."""

_EXCEPTION_END = re.compile(r"(?:Exception|Error)(?![A-Za-z0-9_$])")
_EXCEPTION_START = re.compile(r"(?<!\S)(?:[a-z_][a-z0-9_]*\.)+[A-Z][A-Za-z0-9_$]*\Z")
_LONGEST_CLASS = 200
_MAX_EXCEPTIONS = 20


class References(NamedTuple):
    """What one message refers to; empty text or None where it names nothing.

    Attributes:
        partitions: Topics and partitions.
        broker: Id of the broker that wrote the line.
        peer: Id of another broker that the line is about: who is missing.
        exception: Class of the first exception, with its package.
    """

    partitions: tuple[TopicPartition, ...]
    broker: str
    peer: str
    exception: str


def find_references(
    contexts: tuple[Context, ...], message: str, logger: str = ""
) -> References:
    """Find what a message and its contexts refer to.

    Args:
        contexts: The contexts in front of it.
        message: The message.
        logger: The class that wrote it.

    Returns:
        What is named. What the contexts name goes before what the message names.
    """
    text = cut_client_text(message) if logger.startswith(_CLIENT_TEXT) else message
    named = find_subjects(text)
    own = _find_context_subject(contexts)
    if own is not None:
        named = (own, *(one for one in named if one != own))
    return References(
        partitions=named,
        broker=_find_writer(contexts),
        peer=find_peer(message) or _find_context_peer(contexts),
        exception=find_exception(message),
    )


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


def _find_context_subject(contexts: Iterable[Context]) -> TopicPartition | None:
    for context in contexts:
        named = context.fields.get("partition", "")
        first, _, second = context.name.partition(" ")
        if first in _PARTITION_CONTEXTS:
            named = second
        found = PARTITION.fullmatch(named)
        if found is not None:
            return TopicPartition(found[1], int(found[2]))
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
