"""Topics and partitions that a broker's message is about.

EBNF of what is looked for, anywhere in the message, in its order::

    subject   = named | mapped | listed | labelled | topic_only | topics | path | internal ;
    named     = before, { open }, partition, { ",", [ " " ], partition } ;
    before    = "artition " | "artitions " | "Truncating " | preposition | … ;
    mapped    = ( "Map(" | ", " ), partition, " -> " ;
    partition = [ id, ":" ], topic, "-", digits ;   (topics hold "-": split at the last)
    id        = 22 times ( letter | digit | "_" | "-" ) ;        (of a topic, since 2.8)
    open      = "[" | "(" | "{" | "Set(" | "HashSet(" | "List(" | … ;
    listed    = "topic=", topic, ", partition=", digits ;
    labelled  = "Topic: ", topic, "; Partition: ", digits ;
    topic_only = ( "CreatableTopic(name='" | "topic '" | "for `" | "for topic " | … ), topic ;
    topics    = "topics ", { open }, topic, { ",", [ " " ], topic } ;
    path      = "/", topic, "-", digits, "/", file of a log ;
    internal  = "__", topic, "-", digits ;
    topic     = { letter | digit | "." | "_" | "-" } ;  (at most 249, Kafka's Topic.java)

Request dumps hold further partitions (``{T-N=…}``), which the message is not about.
Coordinators and request handlers insert text of clients into their messages; what
follows it is not read. All of it is text that others can influence: good for
showing, never for a label.
"""

import re
from collections.abc import Iterator

from parsers.records import TopicPartition

BEFORE_PARTITION = (
    "artition (",
    "artition ",
    "artitions ",
    "artition: ",
    "artition:",
    "artition-id ",
    "Truncating ",
    "truncate ",
    "delete ",
    "deleting ",
    "coordinator ",
    "fetching ",
    "log ",
    "replica ",
    "leader ",
    "errors: ",
    "including ",
    " for ",
    " of ",
    " to ",
    " from ",
    " in ",
    " on ",
)
"""The words after which Kafka names a partition as ``topic-number``."""

OPENINGS = ("Set(", "HashSet(", "List(", "ArrayBuffer(", "Vector(", "HashMap(", "Map(", "[", "(", "{")  # fmt: skip
"""What stands around a list."""

BEFORE_MAPPED = ("Map(", ", ")
"""What stands before the key of a map entry: ``topic-number -> …``."""

BEFORE_TOPIC = (
    ("CreatableTopic(name='", "'"),
    ("topic '", "'"),
    ("for `", "`"),
    ("on the topic: ", " "),
    ("unexpected topic ", " "),
    ("or topic ", ""),
    ("flushing topic ", ""),
    ("creating ", " topic"),
)
"""The words around the name of a topic without a partition."""

CLIENT_TEXT = (
    " for group ",
    " of group ",
    "member",
    "ransactionalId",
    "ransaction partition for ",
    "ransaction log for ",
    "clientId",
    "RequestHeader(",
)
"""The words after which coordinators and request handlers insert text of clients."""

BEFORE_TOPICS = "topics "
"""The word before a list of topics."""

MAX_OPENINGS = 2

LOG_FILE = r"/(?:[0-9]{20}|partition\.metadata|leader-epoch-checkpoint)"
"""What follows the directory of a partition in a path."""

MAX_TEXT = 2_000
"""Characters of a message that are read; behind them stand request dumps."""

MAX_PARTITIONS = 50
"""Partitions of one line that are kept."""

TOPIC = r"[A-Za-z0-9._-]{1,249}"
TOPIC_ID = r"(?:[A-Za-z0-9_-]{22}:)?"
NUMBER = r"[0-9]{1,9}(?![0-9])"
NAME_END = r"(?![A-Za-z0-9_-]|\.[A-Za-z0-9_-])"
"""A name or number may end a sentence, but not be part of a longer name."""

PARTITION_END = rf"{NAME_END}(?!:[0-9]|/[0-9]|=)"
"""Before a port or an address stands a host name, and before "=" a key of a dump."""

NO_PROPOSAL = r"(?!KIP-)"
"""Kafka's improvement proposals look like partitions: KIP-848."""

PARTITION = re.compile(rf"({TOPIC})-({NUMBER})")

_ITEM = rf"{NO_PROPOSAL}({TOPIC_ID}({TOPIC})-({NUMBER})){PARTITION_END}"
_BARE_ITEM = rf"{NO_PROPOSAL}{TOPIC_ID}({TOPIC})-({NUMBER}){PARTITION_END}"
_TOPIC_ITEM = rf"(({TOPIC})){NAME_END}()"
_OPENING = "(?:" + "|".join(map(re.escape, OPENINGS)) + ")"

_NUMBERED = re.compile(r"-[0-9]")
_IN_LIST = re.compile(_ITEM)
_OPENED_LIST = re.compile(f"{_OPENING}{{0,{MAX_OPENINGS}}}{_ITEM}")
_TOPIC_IN_LIST = re.compile(_TOPIC_ITEM)
_OPENED_TOPICS = re.compile(f"{_OPENING}{{1,{MAX_OPENINGS}}}{_TOPIC_ITEM}")
_COMMA = re.compile(", ?")
_MAPPED = tuple((word, re.compile(rf"{_BARE_ITEM}(?= -> )")) for word in BEFORE_MAPPED)
_SINGLE: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("topic=", re.compile(rf"({TOPIC}), partition=({NUMBER})")),
    ("Topic: ", re.compile(rf"({TOPIC}); Partition: ({NUMBER})")),
    ("/", re.compile(rf"{PARTITION.pattern}(?={LOG_FILE})")),
    *(
        (word, re.compile(rf"({TOPIC}){re.escape(after) or NAME_END}()"))
        for word, after in BEFORE_TOPIC
    ),
)
_INTERNAL = re.compile(rf"(?<![A-Za-z0-9._-])(__{TOPIC})-({NUMBER}){PARTITION_END}")

Found = tuple[int, str, str]
"""Where it stands, the topic, and the number; the latter empty for a topic alone."""


def cut_client_text(message: str) -> str:
    """Cut a message of a coordinator or request handler before a client's text."""
    if message.startswith(("Group ", "group: ")):
        return ""
    ends = (message.find(words) for words in CLIENT_TEXT)
    return message[: min((end for end in ends if end >= 0), default=len(message))]


def find_subjects(message: str) -> tuple[TopicPartition, ...]:
    """Find the topics and partitions that a message is about.

    Args:
        message: The message, without its contexts.

    Returns:
        What is named, in its order and once, at most `MAX_PARTITIONS`.
    """
    message = message[:MAX_TEXT]
    found: list[Found] = []
    # Most messages hold none of these, which each shape of `_find_single` needs.
    if "opic" in message or "/" in message or "`" in message or " -> " in message:
        found += _find_single(message)
    if _NUMBERED.search(message):
        found += _find_lists(message)
    if "__" in message:
        found += ((one.start(), one[1], one[2]) for one in _INTERNAL.finditer(message))
    return in_order(found) if found else ()


def in_order(found: list[Found]) -> tuple[TopicPartition, ...]:
    """Sort what was found by its place and drop what is named again."""
    if len(found) > 1:
        found.sort()
    named = dict.fromkeys([one[1:] for one in found])
    return tuple(
        [
            TopicPartition(topic, int(number) if number else None)
            for topic, number in [*named][:MAX_PARTITIONS]
        ]
    )


def _find_lists(message: str) -> Iterator[Found]:
    """Find what follows the words, alone or in a list.

    Looking for each word by itself is ten times as fast as one expression with all of
    them, which has to try each at every character of a long message.
    """
    for word in BEFORE_PARTITION:
        if word in message:
            for at in _places(word, message):
                yield from _read_list(_OPENED_LIST, _IN_LIST, message, at)


def _find_single(message: str) -> Iterator[Found]:
    if BEFORE_TOPICS in message:
        for at in _places(BEFORE_TOPICS, message):
            yield from _read_list(_OPENED_TOPICS, _TOPIC_IN_LIST, message, at)
    shapes = (*_MAPPED, *_SINGLE) if " -> " in message else _SINGLE
    for word, shape in shapes:
        if word in message:
            for at in _places(word, message):
                one = shape.match(message, at)
                if one is not None:
                    yield at, one[1], one[2]


def _places(word: str, message: str) -> Iterator[int]:
    """Yield where each occurrence of `word` ends."""
    at = message.find(word)
    while at >= 0:
        yield at + len(word)
        at = message.find(word, at + 1)


def _read_list(
    first: re.Pattern[str], further: re.Pattern[str], message: str, at: int
) -> Iterator[Found]:
    one = first.match(message, at)
    while one is not None:
        yield one.start(1), one[2], one[3]
        comma = _COMMA.match(message, one.end())
        one = further.match(message, comma.end()) if comma else None
