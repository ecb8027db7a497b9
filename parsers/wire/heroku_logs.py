r"""One line of ``heroku logs --tail``: ``TIMESTAMP SOURCE[PS]: MESSAGE``.

EBNF (heroku/x ``logplex/encoding``; heroku/cli ``colorize.ts``)::

    line = timestamp, " ", source, "[", ps, "]:", [ " ", message ] ;

Colour codes are stripped wherever they stand: the CLI wraps the header in them, and
``--force-colors`` does so in files too.
"""

import re

from parsers.records import Header
from parsers.values import maybe_parse_timestamp

_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
_LINE = re.compile(rb"\x00*(\S+) ([^\s\[\]]+)\[([^\s\[\]]+)\]:(?: |\Z)", re.DOTALL)


def maybe_parse_heroku_logs_line(line: bytes) -> tuple[Header, bytes] | None:
    """Read one line of ``heroku logs``.

    Args:
        line: The line, with or without its newline and colour codes.

    Returns:
        The header (without PRI) and the message, or None where this is no such line.
    """
    plain = _COLOUR.sub(b"", line)
    match = _LINE.match(plain)
    if match is None:
        return None
    timestamp = maybe_parse_timestamp(match[1])
    if timestamp is None:
        return None
    header = Header(app=match[2], proc=match[3], timestamp=timestamp)
    return header, plain[match.end() :]
