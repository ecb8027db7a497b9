"""The grammar of the lines we understand: specification, oracle and explainer.

It is the reference for the fast paths in `parsers.families.kafka.samples`, `parsers.families.kafka.broker_logs`,
`parsers.families.kafka.contexts` and `parsers.families.kafka.references` (property tests hold them to it), reads the
rare lines that they decline, and names the place where a line stops making sense. It is about 100 times slower, so the
decoder gives it a budget.

Only this and `parsers.heroku.kafka_info_grammar` import pyparsing. Whitespace is always explicit: pyparsing's
habit of skipping it would let the unit of one value swallow the next word.
"""

import re
from functools import cache
from typing import Any, cast

import pyparsing as pp

from parsers.errors import Reason, Unparsed, refuse
from parsers.families.kafka.broker_logs import BrokerLine
from parsers.families.kafka.contexts import MAX_CONTEXTS, Split
from parsers.families.kafka.samples import BLANKS, SampleLine, read_tokens
from parsers.families.kafka.subjects import (
    BEFORE_MAPPED,
    BEFORE_PARTITION,
    BEFORE_TOPIC,
    BEFORE_TOPICS,
    LOG_FILE,
    MAX_OPENINGS,
    MAX_TEXT,
    NAME_END,
    NO_PROPOSAL,
    NUMBER,
    OPENINGS,
    PARTITION_END,
    TOPIC,
    Found,
    in_order,
)
from parsers.records import Context, TopicPartition

# Bytes travel through pyparsing as Latin-1, one character per byte, so that its
# offsets are byte offsets and no input can fail to decode.
_CODEC = "latin-1"
_BLANKS = BLANKS.decode(_CODEC)


def _explicit(element: pp.ParserElement) -> pp.ParserElement:
    """Switch off whitespace skipping and tab expansion for `element` as a whole."""
    return element.leave_whitespace(recursive=True).parse_with_tabs()


@cache
def metric_grammar() -> pp.ParserElement:
    r"""Build the grammar of a metric message.

    EBNF::

        message = { blank }, [ part, { blank+, part } ], { blank } ;
        part    = token | junk ;
        token   = key, [ "=", ( quoted | bare ) ], ( blank | end, not consumed ) ;
        key     = { any but blank, "=" and '"' }+ ;
        quoted  = '"', { any but '"' and "\" | "\", any }, '"' ;
        bare    = { any but blank and '"' } ;
        junk    = { any but blank }+ ;        (a quote where none can be; refused alone)
    """
    blank = pp.Regex(rf"[{_BLANKS}]+")
    key = pp.Regex(rf'[^{_BLANKS}="]+')
    quoted = pp.Regex(r'(?s)"(?:[^"\\]|\\.)*"').set_parse_action(_unquote)
    bare = pp.Regex(rf'[^{_BLANKS}"]*')
    value = pp.Literal("=").suppress() + (quoted | bare)
    token = key + pp.Opt(value) + pp.FollowedBy(blank | pp.StringEnd())
    junk = pp.Regex(rf"[^{_BLANKS}]+")
    part = _located(pp.Group(token | junk))
    parts = pp.Opt(part + pp.ZeroOrMore(blank.suppress() + part))
    blanks = pp.Opt(blank).suppress()
    return _explicit(blanks + parts + blanks + pp.StringEnd())


@cache
def broker_grammar() -> pp.ParserElement:
    """Build the grammar of a broker's line; its EBNF heads `parsers.families.kafka.broker_logs`."""
    level = pp.Regex(r"(?a)\S*")("level")
    spaced = pp.Regex(r"[^\n]{0,200}?(?= at=)")
    thread = (spaced | pp.Regex(r"(?a)\S*"))("thread")
    logger = pp.Regex(r"(?a)\S*")("logger")
    text = pp.Opt(pp.Regex(r"(?as)\s.*"))("text")
    return _explicit(
        pp.Opt(pp.Regex(r"broker=[0-9]+ ")).suppress()
        + pp.Literal("pri=").suppress()
        + level
        + pp.Opt(pp.Literal(" t=").suppress() + thread)
        + pp.Opt(pp.Literal(" at=").suppress() + logger)
        + text
        + pp.StringEnd()
    )


@cache
def context_grammar() -> pp.ParserElement:
    """Build the grammar of a broker's text; its EBNF heads `parsers.families.kafka.contexts`.

    Brackets nest twice and no deeper, so no input can exhaust the stack.
    """
    word = pp.Regex(r"[^\s,=\[\]]+") + ~pp.Literal("=")
    first = pp.FollowedBy(pp.Regex(r"[A-Za-z/]")) + word
    name = pp.Combine(first + pp.ZeroOrMore(pp.Literal(" ") + word))
    unbracketed = pp.Regex(r"[^\[\]]+")
    innermost = pp.Literal("[") + pp.Opt(unbracketed) + pp.Literal("]")
    nested = pp.Literal("[") + pp.ZeroOrMore(unbracketed | innermost) + pp.Literal("]")
    value = pp.Combine(pp.ZeroOrMore(pp.Regex(r"[^\s,\[\]]+") | nested))
    key = pp.Regex(r"[A-Za-z][A-Za-z0-9_.-]*")
    separator = pp.Literal(", ") | pp.Literal(",") | pp.Literal(" ")
    field = separator.suppress() + key + pp.Literal("=").suppress() + value
    context = (
        pp.Literal("[").suppress()
        + pp.Group(name + pp.Group(pp.ZeroOrMore(pp.Group(field))))
        + pp.Literal("]").suppress()
        + pp.Regex(r"[:,]? *").suppress()
    )
    contexts = pp.Group(context[0, MAX_CONTEXTS])
    return _explicit(contexts + pp.Regex(r"(?s).*") + pp.StringEnd())


@cache
def subject_grammar() -> pp.ParserElement:
    """Build the grammar of named topics and partitions; see `parsers.families.kafka.subjects`."""
    name = pp.Regex(TOPIC)
    # The name is greedy and holds "-" itself: the last one stands before the number.
    number = pp.Regex(NUMBER)
    own = pp.Regex(rf"{TOPIC}(?=-{NUMBER}{PARTITION_END})") + pp.Literal("-") + number
    identified = pp.Regex(r"[A-Za-z0-9_-]{22}:").suppress() + own
    partition = pp.Regex(NO_PROPOSAL).suppress() + _found(identified | own)
    opening = pp.one_of(OPENINGS)
    comma = pp.Regex(", ?").suppress()
    openings = pp.Opt(opening[1, MAX_OPENINGS]).suppress()
    named = _words(*BEFORE_PARTITION) + openings + partition + (comma + partition)[...]
    mapped = _words(*BEFORE_MAPPED) + partition + pp.FollowedBy(" -> ")
    listed = _words("topic=") + _found(name + pp.Literal(", partition=") + number)
    labelled = _words("Topic: ") + _found(name + pp.Literal("; Partition: ") + number)
    of_path = pp.Regex(rf"{TOPIC}(?=-{NUMBER}{LOG_FILE})") + pp.Literal("-") + number
    path = _words("/") + _found(of_path)
    alone = [
        _words(word)
        + _found(
            pp.Regex(rf"{TOPIC}(?={re.escape(after)})" if after else TOPIC + NAME_END)
        )
        for word, after in BEFORE_TOPIC
    ]
    topic = _found(pp.Regex(TOPIC + NAME_END))
    inside = opening[1, MAX_OPENINGS].suppress() + topic + (comma + topic)[...]
    topics = _words(BEFORE_TOPICS) + inside
    before = pp.PrecededBy(pp.Regex(r"[A-Za-z0-9._-]"), retreat=1)
    own_internal = pp.Regex(rf"__{TOPIC}(?=-{NUMBER}{PARTITION_END})")
    internal = ~before + _found(own_internal + pp.Literal("-") + number)
    shapes = (named, mapped, listed, labelled, path, *alone, topics, internal)
    return _explicit(pp.Or([pp.Group(shape) for shape in shapes]))


def parse_metric_message(message: bytes) -> SampleLine:
    """Read a metric message by the grammar, which has a place for any text.

    Args:
        message: The message of a metric frame.

    Returns:
        The line with what could be read, and what was refused with its offset.
    """
    result = metric_grammar().parse_string(message.decode(_CODEC))
    tokens: list[tuple[int, bytes, bytes | None]] = []
    for start, token in cast("list[tuple[int, list[str]]]", result.as_list()):
        key, *rest = (part.encode(_CODEC) for part in token)
        tokens.append((start, key, rest[0] if rest else None))
    return read_tokens(message, tokens)


def parse_broker_message(message: bytes) -> BrokerLine | Unparsed:
    """Read a broker's line by the grammar.

    Args:
        message: The message of a line with APP-NAME ``kafka``.

    Returns:
        The parts, or the refusal with the offset at which the grammar stopped.
    """
    try:
        result = broker_grammar().parse_string(message.decode(_CODEC))
    except pp.ParseException as error:
        return refuse(Reason.NO_LEVEL, message, error.loc)

    def part(name: str) -> bytes:
        return (str(result[name]) if name in result else "").encode(_CODEC)

    text, _, trace = part("text").strip().partition(b"\n")
    return BrokerLine(
        level=part("level").decode("utf-8", "replace"),
        thread=part("thread").decode("utf-8", "replace"),
        logger=part("logger").decode("utf-8", "replace"),
        text=text.rstrip().decode("utf-8", "replace"),
        trace=trace.decode("utf-8", "replace"),
    )


def parse_contexts(text: str) -> Split:
    """Split the contexts off a broker's text by the grammar, which takes any text.

    Args:
        text: One line: what stands behind ``at=CLASS``.

    Returns:
        Contexts and message.
    """
    found, message = cast("tuple[Any, str]", context_grammar().parse_string(text))
    contexts = tuple(Context(name, dict(fields.as_list())) for name, fields in found)
    return contexts, message


def parse_subjects(message: str) -> tuple[TopicPartition, ...]:
    """Find the topics and partitions that a message is about, by the grammar.

    Args:
        message: A broker's message.

    Returns:
        What is named, in its order and once, at most `MAX_PARTITIONS`.
    """
    found: list[Found] = []
    # Words may begin with a blank, which scan_string skips unless told otherwise.
    matches = subject_grammar().scan_string(
        message[:MAX_TEXT], overlap=True, always_skip_whitespace=False
    )
    for result, _start, _end in matches:
        found += cast("list[Found]", result.as_list()[0])
    return in_order(found)


def _words(*words: str) -> pp.ParserElement:
    return pp.one_of(words).suppress()


def _located(group: pp.ParserElement) -> pp.ParserElement:
    """Turn a group into where it stands and its tokens.

    The results of `pyparsing.Located` have names, and pyparsing copies the list of each
    name for each result that it adds, so the time grows with the square of the message.
    """

    def place(_text: str, at: int, tokens: Any) -> list[tuple[int, list[str]]]:
        return [(at, tokens[0].as_list())]

    return pp.And([group]).set_parse_action(place)


def _found(element: pp.ParserElement) -> pp.ParserElement:
    """Turn a topic, and its number behind it, into where it stands and both."""

    def place(_text: str, at: int, tokens: Any) -> list[Found]:
        number = str(tokens[-1]) if len(tokens) > 1 else ""
        return [(at, str(tokens[0]), number)]

    return pp.And([element]).set_parse_action(place)


def _unquote(tokens: Any) -> str:
    """Strip the quotes and undo backslash escapes."""
    inner = cast("str", tokens[0])[1:-1]
    out, escaped = [], False
    for character in inner:
        if character == "\\" and not escaped:
            escaped = True
            continue
        out.append(character)
        escaped = False
    return "".join(out)
