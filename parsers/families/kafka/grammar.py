"""The grammar of the lines we understand: specification, oracle and explainer.

It is the reference for the fast paths in `parsers.families.kafka.samples`, `parsers.families.kafka.broker_logs`,
`parsers.families.kafka.contexts` and `parsers.families.kafka.references` (property tests hold them to it), reads the
rare lines that they decline, and names the place where a line stops making sense. It is about 100 times slower, so the
decoder gives it a budget.

Only this and `parsers.heroku.kafka_info_grammar` import pyparsing. Whitespace is always explicit: pyparsing's
habit of skipping it would let the unit of one value swallow the next word.
"""

from functools import cache
from typing import Any, cast

import pyparsing as pp

from parsers.errors import Reason, Unparsed, refuse
from parsers.families.kafka.broker_logs import BrokerLine
from parsers.families.kafka.contexts import MAX_CONTEXTS, Split
from parsers.families.kafka.references import (
    BEFORE_NAME,
    BEFORE_PARTITION,
    NUMBER,
    PARTITION_END,
    TOPIC,
)
from parsers.families.kafka.samples import BLANKS, SampleLine, read_tokens
from parsers.records import Context

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
    part = pp.Located(pp.Group(token | junk))
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
    """Build the grammar of a named topic or partition; see `parsers.families.kafka.references`."""
    topic = pp.Regex(TOPIC)
    number = pp.Regex(NUMBER)
    # The name is greedy and holds "-" itself: the last one stands before the number.
    partition = pp.Regex(rf"{TOPIC}(?=-{NUMBER}{PARTITION_END})")("topic")
    topic_id = pp.Regex(r"[A-Za-z0-9_-]{22}:")
    named = (
        pp.one_of(BEFORE_PARTITION)
        + pp.Opt(topic_id)
        + partition
        + pp.Literal("-")
        + number("number")
    )
    listed = (
        pp.Literal("topic=")
        + topic("topic")
        + pp.Literal(", partition=")
        + number("number")
    )
    quoted = pp.one_of(BEFORE_NAME) + topic("topic") + pp.Literal("'")
    return _explicit(named | listed | quoted)


def parse_metric_message(message: bytes) -> SampleLine:
    """Read a metric message by the grammar, which has a place for any text.

    Args:
        message: The message of a metric frame.

    Returns:
        The line with what could be read, and what was refused with its offset.
    """
    result = metric_grammar().parse_string(message.decode(_CODEC))
    tokens: list[tuple[int, bytes, bytes | None]] = []
    for start, token, _end in zip(*[iter(result)] * 3, strict=True):
        key, *rest = (part.encode(_CODEC) for part in cast("list[str]", token[0]))
        tokens.append((cast("int", start), key, rest[0] if rest else None))
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


def parse_subject(message: str) -> tuple[str, int | None]:
    """Find the topic and partition that a message names first, by the grammar.

    Args:
        message: A broker's message.

    Returns:
        Topic and partition; empty and None where none is named.
    """
    for result, _start, _end in subject_grammar().scan_string(message):
        number = result.as_dict().get("number")
        return str(result["topic"]), None if number is None else int(str(number))
    return "", None


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
