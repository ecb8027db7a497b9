r"""The text that ``heroku kafka:info``, ``kafka:topics`` and ``kafka:topics:info`` print.

Line by line; EBNF of the lines that count, blanks being one or more (heroku-kafka-jsplugin,
``src/commands/kafka``; all versions since 2.13)::

    heading = "=== ", ( "Kafka Topics on ", attachment | addon, " :: ", topic | names ) ;
    row     = label, ":", value ;
    bar     = "[", 10 times ( "█" | "·" ), "]" ;
    Data Size value  = [ bar ], amount, " / ", amount, [ " (", number, "%)" ] ;
    Partitions value = [ bar ], number, " / ", number, " partition replicas", … ;
                     | number, " partitions" ;                   (of one topic)
    Topics value     = [ bar ], number, [ " / ", number ], " topics", … ;
    Messages value   = number, " message", [ "s" ], "/s" ;
    Traffic value    = amount, "/s in / ", amount, "/s out" ;
    topic   = name, number, "/sec", amount, "/sec" ;             (of a table)
    amount  = number, " ", ( "byte" | "bytes" | "KB" | "MB" | "GB" | "TB" | "PB" ) ;

Units are powers of 1024 (humanize-plus ``fileSize``). Rows with other labels are passed
over: newer versions of the command add some. So is what stands between blocks.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pyparsing as pp

from parsers.cluster_use import ClusterUse, Source, TopicUse

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_BLANKS = re.compile(r"[ \t\u00a0]+")
_EXCERPT = 80
_LONGEST_LINE = 1_000
_UNITS = {"byte": 0, "bytes": 0, "KB": 1, "MB": 2, "GB": 3, "TB": 4, "PB": 5}
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProblem:
    """A line that looks like one of ours and cannot be read.

    Attributes:
        line: Its number, from 1.
        text: At most 80 characters of it.
        reason: One sentence.
    """

    line: int
    text: str
    reason: str


@dataclass(slots=True)
class _Block:
    """What one heading and the lines below it say."""

    name: str
    topic: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    topics: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_info: bool = False


def parse_kafka_info(text: str) -> list[ClusterUse | TextProblem]:
    """Read what the ``heroku kafka`` commands print, several outputs after each other.

    Args:
        text: The output; colours, prompts and warnings in it do no harm.

    Returns:
        A record for each cluster, named by its ``Add-on`` row where there is one, else
        by its heading (an attachment, for a table of topics alone); and the lines that
        could not be read. A table of topics belongs to the cluster of the same
        attachment, or to the only one.
    """
    blocks: list[_Block] = []
    problems: list[ClusterUse | TextProblem] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = _BLANKS.sub(" ", _ANSI.sub("", raw[:_LONGEST_LINE])).strip()
        if line.startswith("=== "):
            blocks.append(_heading(line[4:]))
        elif blocks and not _read_line(blocks[-1], line):
            problems.append(
                TextProblem(
                    line=number,
                    text=line[:_EXCERPT],
                    reason="this is not what the command prints behind that label",
                )
            )
    return [*_merge(blocks), *problems]


def _heading(names: str) -> _Block:
    addon, mark, topic = names.partition(" :: ")
    if mark:
        return _Block(name=addon.strip(), topic=topic.strip())
    attachment = names.removeprefix("Kafka Topics on ")
    return _Block(name=attachment.split(",")[0].strip(), is_info=attachment == names)


def _read_line(block: _Block, line: str) -> bool:
    """Take a line into its block; False if it is one of ours and unreadable."""
    label, colon, value = line.partition(":")
    rows = _TOPIC_ROWS if block.topic else _INFO_ROWS
    if colon and label in rows:
        try:
            found = rows[label]().parse_string(value.strip(), parse_all=True).as_dict()
        except pp.ParseException:
            return False
        if "versions" in found:
            found["versions"] = tuple(found["versions"].split(","))
        target = (
            block.topics.setdefault(block.topic, {}) if block.topic else block.facts
        )
        target.update(found)
        return True
    if not block.topic and not block.is_info:
        _read_topic(block, line)
    return True


def _read_topic(block: _Block, line: str) -> None:
    """Take a row of a table of topics; its head and rules are none."""
    try:
        found = _table_row().parse_string(line, parse_all=True).as_dict()
    except pp.ParseException:
        return
    block.topics[found.pop("name")] = found


def _merge(blocks: list[_Block]) -> list[ClusterUse]:
    """Make one record of the blocks of each cluster."""
    uses: dict[str, ClusterUse] = {}
    by_heading: dict[str, str] = {}
    for block in blocks:
        if block.is_info and block.facts:
            addon = block.facts.pop("addon", block.name)
            by_heading[block.name] = addon
            use = uses.get(addon) or ClusterUse(addon=addon, source=Source.TEXT)
            uses[addon] = replace(use, **block.facts)
    only = next(iter(uses)) if len(uses) == 1 else None
    for block in blocks:
        if block.topics:
            addon = by_heading.get(block.name, block.name)
            addon = addon if addon in uses else only or addon
            use = uses.get(addon) or ClusterUse(addon=addon, source=Source.TEXT)
            uses[addon] = replace(use, topic_uses=_add_topics(use, block))
    return list(uses.values())


def _add_topics(use: ClusterUse, block: _Block) -> tuple[TopicUse, ...]:
    known = {topic.name: topic for topic in use.topic_uses}
    for name, facts in block.topics.items():
        known[name] = replace(known.get(name) or TopicUse(name=name), **facts)
    return tuple(known.values())


def _explicit(element: pp.ParserElement) -> pp.ParserElement:
    return element.leave_whitespace(recursive=True)


def _number(name: str, kind: Callable[[str], float] = int) -> pp.ParserElement:
    digits = pp.Regex(r"[0-9][0-9,]{0,20}(?:\.[0-9]{1,6})?")
    digits.set_parse_action(lambda found: kind(str(found[0]).replace(",", "")))
    return digits(name)


def _amount(name: str) -> pp.ParserElement:
    """Read bytes with their unit."""
    units = "|".join(sorted(_UNITS, key=len, reverse=True))
    amount = pp.Regex(rf"[0-9][0-9,]{{0,20}}(?:\.[0-9]{{1,6}})? (?:{units})\b")

    def convert(found: pp.ParseResults) -> int:
        digits, unit = str(found[0]).split(" ")
        return round(float(digits.replace(",", "")) * (1 << 10 * _UNITS[unit]))

    return amount.set_parse_action(convert)(name)


_BAR = r"(?:\[[^\]]{0,40}\] )?"
_REST = r".*"


def _skip(pattern: str) -> pp.ParserElement:
    return pp.Regex(pattern).suppress()


@cache
def _plan() -> pp.ParserElement:
    return _explicit(_skip(r"(?:heroku-kafka:)?") + pp.Regex(r"[\w-]+")("plan"))


@cache
def _status() -> pp.ParserElement:
    return _explicit(pp.Regex(r".{1,200}")("status"))


@cache
def _version() -> pp.ParserElement:
    one = pp.Regex(r"[\w.-]{1,40}")
    versions = one + pp.ZeroOrMore(_skip(r", ?") + one)
    joined = versions.set_parse_action(lambda found: ",".join(map(str, found)))
    return _explicit(joined("versions"))


@cache
def _topics() -> pp.ParserElement:
    limit = pp.Opt(_skip(" / ") + _number("topics_limit"))
    return _explicit(
        _skip(_BAR) + _number("topics") + limit + _skip(" topics?" + _REST)
    )


@cache
def _partitions() -> pp.ParserElement:
    both = _number("partition_replicas") + _skip(" / ")
    limit = _number("partition_replicas_limit") + _skip(" partition replicas" + _REST)
    return _explicit(_skip(_BAR) + both + limit)


@cache
def _messages() -> pp.ParserElement:
    return _explicit(_number("messages_in_per_second", float) + _skip(" messages?/s"))


@cache
def _traffic() -> pp.ParserElement:
    bytes_in = _amount("bytes_in_per_second") + _skip("/s in / ")
    return _explicit(bytes_in + _amount("bytes_out_per_second") + _skip("/s out"))


@cache
def _data_size() -> pp.ParserElement:
    share = pp.Opt(_skip(r" \([0-9.,]{1,20}%\)"))
    used = _amount("data_size_bytes") + _skip(" / ")
    return _explicit(_skip(_BAR) + used + _amount("data_size_limit_bytes") + share)


@cache
def _addon() -> pp.ParserElement:
    return _explicit(pp.Regex(r"[\w.-]{1,200}")("addon"))


@cache
def _producers() -> pp.ParserElement:
    messages = _number("messages_in_per_second", float) + _skip(r" messages?/second \(")
    return _explicit(
        messages + _amount("bytes_in_per_second") + _skip(r"/second\) total")
    )


@cache
def _consumers() -> pp.ParserElement:
    return _explicit(_amount("bytes_out_per_second") + _skip("/second total"))


@cache
def _topic_partitions() -> pp.ParserElement:
    return _explicit(_number("partitions") + _skip(" partitions?"))


@cache
def _replication() -> pp.ParserElement:
    return _explicit(_number("replication_factor") + _skip(_REST))


@cache
def _compaction() -> pp.ParserElement:
    state = pp.Regex(r"Compaction is (?:enabled|disabled)")
    state.set_parse_action(lambda found: str(found[0]).endswith("enabled"))
    return _explicit(state("compacted") + _skip(_REST))


@cache
def _retention() -> pp.ParserElement:
    time = pp.Regex(rf"[0-9]{{1,9}} (?:{'|'.join(_SECONDS)})s?")

    def convert(found: pp.ParseResults) -> float:
        number, unit = str(found[0]).split(" ")
        return float(number) * _SECONDS[unit.rstrip("s")]

    return _explicit(time.set_parse_action(convert)("retention_seconds"))


@cache
def _table_row() -> pp.ParserElement:
    name = pp.Regex(r"[A-Za-z0-9._-]{1,249}")("name") + _skip(" ")
    messages = _number("messages_in_per_second", float) + _skip("/sec ")
    return _explicit(name + messages + _amount("bytes_in_per_second") + _skip("/sec"))


_INFO_ROWS: dict[str, Callable[[], pp.ParserElement]] = {
    "Plan": _plan,
    "Status": _status,
    "Version": _version,
    "Topics": _topics,
    "Partitions": _partitions,
    "Messages": _messages,
    "Traffic": _traffic,
    "Data Size": _data_size,
    "Add-on": _addon,
}
_TOPIC_ROWS: dict[str, Callable[[], pp.ParserElement]] = {
    "Producers": _producers,
    "Consumers": _consumers,
    "Partitions": _topic_partitions,
    "Replication Factor": _replication,
    "Compaction": _compaction,
    "Retention": _retention,
}
