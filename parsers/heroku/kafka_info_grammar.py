r"""The grammar of the lines that the Heroku CLI prints about a cluster.

``heroku kafka:info``, ``kafka:topics``, ``kafka:topics:info`` as in
heroku/heroku-kafka-jsplugin, ``src/commands/kafka``, and in the older spelling of the
Dev Center article "Apache Kafka on Heroku" (``5 message/s``). A line comes without
colours, and each run of blanks is one blank, so that aligned columns and a copy from a
web page are the same. EBNF::

    header  = "===", [ " ", ( table | topic | names ) ] ;
    table   = "Kafka Topics on ", name ;
    topic   = name, " :: ", topic name ;
    names   = [ icon ], name, { ",", [ " " ], [ icon ], name } ;
    row     = label, ":", [ " " ], value, [ rest ] ;     (value as the label says:)
      Plan        = [ "heroku-kafka:" ], plan name ;
      Version     = release, { ",", [ " " ], release } ;
      Topics      = [ bar ], whole, [ " / ", whole ], " topic", [ "s" ] ;
      Partitions  = [ bar ], whole, [ " / ", whole ], " partition replica", [ "s" ] ;
      Messages    = number, " message", [ "s" ], "/s" ;
      Traffic     = size, "/s in / ", size, "/s out" ;
      Data Size   = [ bar ], size, [ " / ", size ] ;
      Add-on      = [ icon ], name ;
      Producers   = number, " message", [ "s" ], "/second (", size, "/second)" ;
      Consumers   = size, "/second" ;
      Partitions  = whole, " partition", [ "s" ] ;       (of kafka:topics:info)
      Compaction  = "Compaction is ", ( "enabled" | "disabled" ) ;
      Retention   = number, " ", ( "second" | "minute" | "hour" | "day" ), [ "s" ] ;
    listed  = topic name, " ", number, "/sec ", size, "/sec" ;
    summary = whole, " / ", whole, " topic", [ "s" ], [ rest ]
            | "No topics found", [ rest ]
            | "Use heroku kafka:topics:create to create a topic (limit ", whole, ")." ;
    size    = number, [ " " ], ( "byte" | "bytes" | "KB" | "MB" | "GB" | "TB" | "PB" ) ;
    number  = whole, [ ".", digits ] ;
    whole   = digits | three digits at most, { ",", three digits }+ ;
    bar     = "[", { any but "[" and "]" }, "]", [ " " ] ;
    icon    = any but letters, digits and blanks, " " ;
    rest    = [ "," | ";" ], " ", { any } ;

No repetition holds another one, so the work grows with the text. Results are named
after the attributes of `ClusterUse` and `TopicUse`.
"""

from functools import cache
from typing import Any

import pyparsing as pp

_SIZE_STEPS = "BKMGTP"
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_MOST_NAMES = 30
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
_ICON = r"[^\w\s] "
_WHOLE = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,7}|[0-9]{1,24})"

Rows = dict[str, tuple[pp.ParserElement, str]]
"""By label in lower case: the grammar of the value, and an example of it."""

_name = pp.Regex(_NAME)
_topic_name = pp.Regex(r"[A-Za-z0-9._-]{1,249}")
_whole = pp.Regex(_WHOLE).add_parse_action(lambda t: int(t[0].replace(",", "")))
_number = pp.Regex(rf"{_WHOLE}(?:\.[0-9]{{1,9}})?").add_parse_action(
    lambda t: float(t[0].replace(",", ""))
)
# Steps of 2^10: the CLI divides so (humanize-plus, fileSize) and writes KB.
_unit = pp.Regex(r"(?i:bytes?|[KMGTP]B)").add_parse_action(
    lambda t: 1 << 10 * _SIZE_STEPS.index(t[0][0].upper())
)
_size = (_number + pp.Opt(" ").suppress() + _unit).add_parse_action(
    lambda t: t[0] * t[1]
)
_whole_size = _size.copy().add_parse_action(lambda t: round(t[0]))
_bar = pp.Opt(pp.Regex(r"\[[^\[\]]{0,40}\] ?")).suppress()
_of = pp.Suppress(" / ")
# CLI versions differ in whether an add-on's name follows an icon.
_icon = pp.Opt(pp.Regex(_ICON)).suppress()


def _silent(pattern: str) -> pp.ParserElement:
    return pp.Regex(pattern).suppress()


def _whole_line(element: pp.ParserElement) -> pp.ParserElement:
    """Let `element` reach the end, with nothing skipped but what newer CLIs add."""
    line = element + _silent(r"(?:[,;]? .*)?") + pp.StringEnd()
    return line.leave_whitespace(recursive=True).parse_with_tabs()


@cache
def info_rows() -> Rows:
    """Build the grammars of the rows of ``kafka:info``."""
    plan = pp.Opt("heroku-kafka:").suppress() + pp.Regex(r"[A-Za-z0-9][\w-]{0,59}")(
        "plan"
    )
    status = pp.Regex(r"\w[\w .,;:'()/%-]{0,79}")("status")
    release = pp.Regex(r"[0-9][0-9A-Za-z.+-]{0,39}")
    releases = pp.Group(release + (_silent(", ?") + release)[0, 9])
    topics = _bar + _whole("topics") + pp.Opt(_of + _whole("topics_limit"))
    replicas = _whole("partition_replicas")
    replicas_limit = pp.Opt(_of + _whole("partition_replicas_limit"))
    messages = _number("messages_in_per_second") + _silent(" messages?/s")
    into = _size("bytes_in_per_second") + pp.Suppress("/s in / ")
    out = _size("bytes_out_per_second") + pp.Suppress("/s out")
    data = _whole_size("data_size_bytes")
    data_limit = pp.Opt(_of + _whole_size("data_size_limit_bytes"))
    return {
        "plan": (_whole_line(plan), "heroku-kafka:standard-0"),
        "status": (_whole_line(status), "available"),
        "version": (_whole_line(releases("versions")), "3.7.1"),
        "topics": (_whole_line(topics + _silent(" topics?")), "84 topics"),
        "partitions": (
            _whole_line(
                _bar + replicas + replicas_limit + _silent(" partition replicas?")
            ),
            "417 / 12000 partition replicas",
        ),
        "messages": (_whole_line(messages), "5 messages/s"),
        "traffic": (_whole_line(into + out), "32 bytes/s in / 166 bytes/s out"),
        "data size": (_whole_line(_bar + data + data_limit), "68.38 MB / 150.00 GB"),
        "add-on": (_whole_line(_icon + _name("addon")), "kafka-animated-39618"),
    }


@cache
def topic_rows() -> Rows:
    """Build the grammars of the rows of ``kafka:topics:info``."""
    messages = _number("messages_in_per_second") + _silent(" messages?/second ")
    into = pp.Suppress("(") + _size("bytes_in_per_second") + pp.Suppress("/second)")
    out = _size("bytes_out_per_second") + pp.Suppress("/second")
    partitions = _whole("partitions") + _silent(" partitions?")
    compacted = pp.Regex("enabled|disabled").add_parse_action(
        lambda t: t[0] == "enabled"
    )
    compaction = pp.Suppress("Compaction is ") + compacted("compacted")
    unit = pp.one_of(list(_SECONDS)).add_parse_action(lambda t: _SECONDS[t[0]])
    retention = (_number + pp.Suppress(" ") + unit).add_parse_action(
        lambda t: t[0] * t[1]
    )
    lasting = retention("retention_seconds") + _silent("s?")
    return {
        "producers": (
            _whole_line(messages + into),
            "45 messages/second (189 bytes/second) total",
        ),
        "consumers": (_whole_line(out), "35 bytes/second total"),
        "partitions": (_whole_line(partitions), "32 partitions"),
        "replication factor": (_whole_line(_whole("replication_factor")), "3"),
        "topic prefix": (_whole_line(_topic_name("prefix")), "example-12345."),
        "compaction": (_whole_line(compaction), "Compaction is enabled for orders"),
        "retention": (_whole_line(lasting), "36 hours"),
    }


@cache
def header_grammar() -> pp.ParserElement:
    """Build the grammar of a header: ``table``, ``owner`` and ``topic``, or ``names``."""
    end = pp.StringEnd()
    table = pp.Suppress("Kafka Topics on ") + _name("table")
    topic = _icon + _name("owner") + pp.Suppress(" :: ") + _topic_name("topic")
    # One expression for them all: a list of names is where a hostile text costs most.
    one = rf"(?:{_ICON})?{_NAME}"
    names = pp.Regex(rf"{one}(?:, ?{one}){{0,{_MOST_NAMES}}}").add_parse_action(
        lambda t: [part.split()[-1] for part in t[0].split(",")]
    )
    choice = table + end | topic + end | pp.Group(names)("names") + end
    header = pp.Suppress("===") + (pp.Suppress(" ") + choice | end)
    return header.leave_whitespace(recursive=True).parse_with_tabs()


@cache
def listed_grammar() -> pp.ParserElement:
    """Build the grammar of a row in the table of ``kafka:topics``."""
    messages = _number("messages_in_per_second") + pp.Suppress("/sec ")
    size = _size("bytes_in_per_second") + pp.Suppress("/sec")
    return _whole_line(_topic_name("name") + pp.Suppress(" ") + messages + size)


@cache
def summary_grammar() -> pp.ParserElement:
    """Build the grammar of the sentences around a table of topics."""
    count = _whole("topics") + _of + _whole("topics_limit") + _silent(" topics?")
    none = pp.Literal("No topics found").add_parse_action(lambda: 0)("topics")
    create = _silent("Use `?heroku kafka:topics:create`? to create a topic [(]limit ")
    limit = create + _whole("topics_limit") + _silent(r"\)\.?")
    return _whole_line(count | none | limit)


def maybe_match(grammar: pp.ParserElement, text: str) -> dict[str, Any] | None:
    """Read `text` by one of the grammars above.

    Args:
        grammar: Which.
        text: A line, or the value of a row, without a newline.

    Returns:
        What was read, by the names of the results; None where `text` has another shape.
    """
    try:
        found = grammar.parse_string(text).as_dict()
    except pp.ParseException:
        return None
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in found.items()
    }
