"""Fast path for the lines that Kafka itself writes through Heroku.

EBNF (Dev Center "Kafka Logs"; a log4j pattern like ``pri=%p t=%t at=%c{1} %m``)::

    line   = [ "broker=", digits, " " ], "pri=", level,
             [ " t=", thread ], [ " at=", logger ], [ blank, text, [ newline, trace ] ] ;
    level  = characters that are no blank ;
    thread = characters up to " at=" (it may hold blanks: "SIGTERM handler"),
             or up to the next blank where no " at=" follows in the same line ;
    logger = characters that are no blank ;

What the text is made of is the business of `parsers.families.kafka.contexts` and
`parsers.families.kafka.references`. ``broker=`` in front is how Heroku wrote it in 2016 (KAFKA-3894).
"""

import re
from dataclasses import dataclass

_MAX_THREAD = 200

_LINE = re.compile(
    rb"(?:broker=[0-9]+ )?pri=(?P<level>\S*)"
    rb"(?: t=(?:(?P<spaced>[^\n]{0,%d}?)(?= at=)|(?P<plain>\S*)))?"
    rb"(?: at=(?P<logger>\S*))?"
    rb"(?P<text>(?:\s.*)?)\Z" % _MAX_THREAD,
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLine:
    """The parts of a broker's line, as written; empty where missing."""

    level: str
    thread: str
    logger: str
    text: str
    trace: str


def parse_broker_line(message: bytes) -> BrokerLine | None:
    """Split a broker's line into its parts.

    Args:
        message: The message of a line with APP-NAME ``kafka``.

    Returns:
        The parts, decoded with replacement characters where they are not UTF-8, or
        None: a line without ``pri=`` in front continues another one.
    """
    match = _LINE.match(message)
    if match is None:
        return None
    level, spaced, plain, logger, rest = match.groups(default=b"")
    text, _, trace = rest.strip().partition(b"\n")
    return BrokerLine(
        level=level.decode("utf-8", "replace"),
        thread=(spaced or plain).decode("utf-8", "replace"),
        logger=logger.decode("utf-8", "replace"),
        text=text.rstrip().decode("utf-8", "replace"),
        trace=trace.decode("utf-8", "replace"),
    )
