"""What the Heroku CLI prints about clusters, for people who paste it.

The lines are read by `parsers.heroku.kafka_info_grammar`; here they become blocks (a header
and what stands below it), and the blocks about one cluster become one `ClusterUse`.
"""

import re
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from typing import Any

from parsers.heroku.cluster_use import ClusterUse, Source, TopicUse
from parsers.heroku.kafka_info_grammar import (
    Rows,
    header_grammar,
    info_rows,
    listed_grammar,
    maybe_match,
    summary_grammar,
    topic_rows,
)

MAX_CHARACTERS = 1 << 20
MAX_LINES = 20_000  # room for all topics that a plan's replicas allow

_EXCERPT = 80
_LINE_END = re.compile(r"\r\n|\n|\r")
_ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))
_PROMPT = re.compile(r"[$%#>\u276f] heroku ")
_LINE = attrgetter("line")
_UPGRADING = {"upgrading": True, "available": False}

# Other data stores print Plan, Status and Data Size under headers of the same shape.
_TELLING = frozenset({"topics", "partitions", "messages", "traffic"})

# What the CLI writes where the platform does not say under which name it is attached.
_SOME_ATTACHMENT = {"HEROKU_KAFKA"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProblem:
    """A row that is in its place and cannot be read.

    Attributes:
        line: Its number in the pasted text, from 1.
        text: Its first 80 characters, without colours. They are untrusted: whoever
            shows them escapes them.
        reason: What was expected, as a sentence.
    """

    line: int
    text: str
    reason: str


class _Kind(Enum):
    INFO = "kafka:info"
    TABLE = "kafka:topics"
    TOPIC = "kafka:topics:info"
    OTHER = "another command"


@dataclass(slots=True)
class _Block:
    """A header and what stands below it."""

    line: int
    kind: _Kind
    names: tuple[str, ...] = ()
    topic: str = ""
    is_kafka: bool = True
    facts: dict[str, Any] = field(default_factory=dict)
    topics: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[TextProblem] = field(default_factory=list)

    @property
    def addon(self) -> str:
        """Name of the add-on: config vars are in upper case, names of add-ons not."""
        lower = [name for name in self.names if not name.isupper()]
        return str(self.facts.get("addon", lower[0] if lower else ""))

    @property
    def attachments(self) -> set[str]:
        """Names of the attachments; ``KAFKA`` and ``KAFKA_URL`` are the same."""
        return {name.removesuffix("_URL") for name in self.names if name.isupper()}

    @property
    def label(self) -> str:
        """What to call the cluster; empty where no name was copied."""
        return self.addon or next(iter(self.names), "")

    def refuse(self, line: int, text: str, example: str) -> None:
        """Note a row that has not the shape of `example`."""
        reason = f'Expected something like "{example}".'
        excerpt = text[:_EXCERPT]
        self.problems.append(TextProblem(line=line, text=excerpt, reason=reason))


@dataclass(slots=True)
class _Cluster:
    """The blocks about one cluster."""

    line: int
    addon: str
    attachments: set[str] = field(default_factory=set)
    blocks: list[_Block] = field(default_factory=list)


def parse_kafka_info(text: str) -> list[ClusterUse | TextProblem]:
    """Read what ``heroku kafka:info``, ``kafka:topics`` and ``kafka:topics:info`` print.

    The outputs may follow each other in any order, with prompts, warnings and prose
    between them. What is said of one cluster is put together; where it is said twice,
    ``kafka:info`` goes before ``kafka:topics``, and the later before the earlier.

    A table of topics names an attachment, not an add-on. It belongs to the cluster whose
    ``kafka:info`` names this attachment, or to the only cluster in the text if that one
    names no attachment. Else, and so for a table alone, the `ClusterUse` has for its
    `addon` the name of the attachment as printed: ``KAFKA_URL``.

    The text knows no health. `upgrading` is what the statuses ``upgrading`` and
    ``available`` say; others leave it open. Of the customer's key nothing is kept.

    Args:
        text: What was pasted; 2^20 characters and 20,000 lines of it are read.

    Returns:
        The clusters in the order of the text, and then the rows that could not be read.
        Nothing for other text, nor for rows without a header and without ``Add-on``.
    """
    lines = _LINE_END.split(text[:MAX_CHARACTERS], maxsplit=MAX_LINES)
    cut = len(text) > MAX_CHARACTERS or len(lines) > MAX_LINES
    if cut:
        lines.pop()  # it may have lost the end of a number
    reader = _Reader()
    for number, line in enumerate(lines, 1):
        visible = _ESCAPE.sub("", line).translate(_INVISIBLE)
        reader.receive(number, " ".join(visible.split()))
    blocks = reader.kafka_blocks()
    problems = [problem for block in blocks for problem in block.problems]
    if cut:
        reason = "The text is too long: this line and what follows it are not read."
        problems.append(TextProblem(line=len(lines) + 1, text="", reason=reason))
    problems.sort(key=_LINE)
    return [*_Clusters(blocks).uses(), *problems]


class _Reader:
    """Sorts lines into blocks; a header or a prompt ends the block before it."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._block: _Block | None = None

    def receive(self, number: int, line: str) -> None:
        """Take the next line."""
        if line.startswith("==="):
            self._open(_read_header(number, line))
        elif _PROMPT.search(line):
            self._block = None
        elif self._block is not None and self._block.kind is _Kind.TABLE:
            _read_listed(self._block, number, line)
        else:
            self._read_row(number, line)

    def kafka_blocks(self) -> list[_Block]:
        """Return what is Kafka's, blocks that name their add-on first."""
        blocks = filter(attrgetter("is_kafka"), self._blocks)
        return sorted(blocks, key=lambda block: not block.addon)

    def _open(self, block: _Block) -> None:
        self._blocks.append(block)
        self._block = block

    def _read_row(self, number: int, line: str) -> None:
        """Read ``Label: value``; other lines and unknown labels are passed over."""
        label, _, value = line.partition(":")
        label = label.casefold()
        if label == "plan" and self._may_begin():
            self._open(_Block(number, _Kind.INFO, is_kafka=False))
        block = self._block
        row = None if block is None else _rows_of(block.kind).get(label)
        if block is None or row is None:
            return
        block.is_kafka |= label in _TELLING or "kafka" in line.casefold()
        grammar, example = row
        facts = maybe_match(grammar, value.strip())
        if facts is None:
            block.refuse(number, line, example)
        else:
            block.facts |= facts

    def _may_begin(self) -> bool:
        """Tell whether a plan begins a cluster whose header was not copied."""
        block = self._block
        return block is None or (block.kind is _Kind.INFO and "plan" in block.facts)


class _Clusters:
    """Puts blocks together that are about the same cluster."""

    def __init__(self, blocks: Iterable[_Block]) -> None:
        self._all: list[_Cluster] = []
        self._by_addon: dict[str, _Cluster] = {}
        # Two apps in one text may each have a KAFKA_URL; ordered by line.
        self._by_attachment: dict[str, list[_Cluster]] = {}
        for block in blocks:
            if block.label and (block.facts or block.topics):
                self._add(block)

    def _add(self, block: _Block) -> None:
        """Give `block` to its cluster; those that name their add-on come first."""
        cluster = self._maybe_find(block)
        if cluster is None:
            cluster = _Cluster(block.line, block.label)
            self._all.append(cluster)
            self._by_addon[cluster.addon] = cluster
        for name in block.attachments - cluster.attachments:
            insort(self._by_attachment.setdefault(name, []), cluster, key=_LINE)
        cluster.attachments |= block.attachments
        cluster.blocks.append(block)

    def uses(self) -> Iterator[ClusterUse]:
        """Return what was said of each cluster, in the order of the text."""
        return map(_use, sorted(self._all, key=_LINE))

    def _maybe_find(self, block: _Block) -> _Cluster | None:
        if block.addon:
            return self._by_addon.get(block.addon)
        for name in sorted(block.attachments):
            if candidates := self._by_attachment.get(name):
                before = bisect_right(candidates, block.line, key=_LINE)
                return candidates[max(before - 1, 0)]
        only = self._all[0] if len(self._all) == 1 else None
        if only and only.attachments and block.attachments != _SOME_ATTACHMENT:
            return None
        return only


def _rows_of(kind: _Kind) -> Rows:
    if kind is _Kind.INFO:
        return info_rows()
    return topic_rows() if kind is _Kind.TOPIC else {}


def _read_header(number: int, line: str) -> _Block:
    found = maybe_match(header_grammar(), line)
    if found is None:
        return _Block(number, _Kind.OTHER, is_kafka=False)
    if "table" in found:
        return _Block(number, _Kind.TABLE, (found["table"],))
    if "topic" in found:
        return _Block(number, _Kind.TOPIC, (found["owner"],), found["topic"])
    is_kafka = "kafka" in line.casefold()
    return _Block(number, _Kind.INFO, found.get("names", ()), is_kafka=is_kafka)


def _read_listed(block: _Block, number: int, line: str) -> None:
    """Read a line below ``=== Kafka Topics on``; rules and headings have no rate."""
    if "/sec" not in line:
        block.facts |= maybe_match(summary_grammar(), line) or {}
        return
    topic = maybe_match(listed_grammar(), line)
    if topic is None:
        block.refuse(number, line, "orders 45/sec 192 bytes/sec")
    else:
        block.topics[topic.pop("name")] = topic


def _use(cluster: _Cluster) -> ClusterUse:
    """Put together what the blocks of `cluster` say, the later over the earlier."""
    facts: dict[str, Any] = {}
    topics: dict[str, dict[str, Any]] = {}
    for block in sorted(cluster.blocks, key=_LINE):
        if block.kind is _Kind.INFO:
            facts |= block.facts
        elif block.kind is _Kind.TABLE:
            # kafka:info leaves out an internal topic that this count may hold.
            facts = block.facts | facts
        for name, about in _topics_of(block).items():
            topics.setdefault(name, {}).update(about)
    facts |= {"addon": cluster.addon, "source": Source.TEXT}
    if "status" in facts:
        facts["upgrading"] = _UPGRADING.get(facts["status"])
    uses = (TopicUse(name=name, **about) for name, about in topics.items())
    return ClusterUse(**facts, topic_uses=tuple(uses))


def _topics_of(block: _Block) -> dict[str, dict[str, Any]]:
    if block.kind is not _Kind.TOPIC:
        return block.topics
    about = block.facts.copy()
    # The header repeats what was typed, with or without the prefix.
    return {block.topic.removeprefix(about.pop("prefix", "")): about}
