r"""One line of a Papertrail archive.

EBNF (Papertrail, "Permanent log archives": ten columns, tabs between them)::

    line = id, tab, generated_at, tab, 6 * ( column, tab ), source, "/", ps, tab, message ;
"""

from parsers.records import Header
from parsers.wire.heroku_logs import maybe_parse_heroku_logs_line

_TABS = 9


def maybe_parse_papertrail_line(line: bytes) -> tuple[Header, bytes] | None:
    """Read one line of an archive.

    Args:
        line: The line without its newline.

    Returns:
        The header (without PRI) and the message, or None where this is no such line.
    """
    columns = line.split(b"\t", _TABS)
    if len(columns) <= _TABS:
        return None
    source, _, ps = columns[-2].partition(b"/")
    # Older archives write a blank inside the time, which ends it in heroku logs.
    time = columns[1].replace(b" ", b"T", 1).replace(b" ", b"")
    return maybe_parse_heroku_logs_line(
        b"%s %s[%s]: %s" % (time, source, ps, columns[-1])
    )
