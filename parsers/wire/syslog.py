"""The header of one frame: the Logplex dialect of RFC 5424.

EBNF (RFC 5424 section 6, as Logplex bends it)::

    frame   = "<", PRI, ">1 ", TIMESTAMP, " ", HOSTNAME, " ", APP-NAME, " ",
              PROCID, [ " ", MSGID, [ " ", [ SD, " " ], MSG ] ] ;
    SD      = "-" | ( "[", sd-id, { " ", name, '="', value, '"' }, "]" )+ ;

Logplex leaves STRUCTURED-DATA out without a NILVALUE (Dev Center, "Log Drains");
log-shuttle and syslog drains write it. A message that begins like structured data
is taken for it only where it is well-formed to the letter.
"""

import re
from functools import lru_cache

from parsers.records import Header
from parsers.values import maybe_parse_timestamp

_HEADER = re.compile(
    rb"<([0-9]{1,3})>1 ([^ \n]+) ([^ \n]+) ([^ \n]+) ([^ \n]+)(?: ([^ ]*)(?: |\Z)|\Z)"
)

_STRUCTURED_DATA = re.compile(
    rb'(?:\[[!#-<>-Z^-~]+(?: [!#-<>-Z^-~]+="(?:[^"\\\]]|\\.)*")*\])+(?: |\Z)'
)

# Lines of one batch share their second: the newest few texts answer most calls.
_timestamp = lru_cache(maxsize=64)(maybe_parse_timestamp)


def maybe_parse_header(frame: bytes) -> tuple[Header, int] | None:
    """Read the header of `frame`.

    Args:
        frame: One syslog frame without its count.

    Returns:
        The header and the offset at which the message starts, or None where the
        frame has too few fields.
    """
    match = _HEADER.match(frame)
    if match is None:
        return None
    pri, time, _host, app, proc, _msgid = match.groups()
    timestamp = _timestamp(time)
    header = Header(
        app=app,
        proc=proc,
        timestamp=timestamp,
        bad_timestamp=timestamp is None and time != b"-",
        pri=int(pri),
    )
    return header, _skip_structured_data(frame, match.end())


def _skip_structured_data(frame: bytes, start: int) -> int:
    """Return where the message starts, behind structured data if there is any."""
    if frame.startswith(b"- ", start):
        return start + 2
    if frame.startswith(b"[", start):
        match = _STRUCTURED_DATA.match(frame, start)
        if match is not None:
            return match.end()
    return start
