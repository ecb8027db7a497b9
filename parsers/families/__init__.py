"""The families of log lines that are read, and the one way from a line to records."""

from typing import NamedTuple

from parsers.families.base import Budget, Family
from parsers.families.kafka.family import HEROKU_KAFKA
from parsers.families.log_pipeline import LOG_PIPELINE
from parsers.records import FrameKind, Header, ParserFault, Record

FAMILIES: tuple[Family, ...] = (HEROKU_KAFKA, LOG_PIPELINE)
"""The only list of them."""

__all__ = ["Budget", "Line", "kind_of", "may_own", "parse_line"]


class Line(NamedTuple):
    """One line, read.

    Attributes:
        kind: What it is; `FrameKind.OTHER` for an unrelated line.
        records: What it says; refusals are records too.
    """

    kind: FrameKind
    records: list[Record]


def kind_of(app: bytes, proc: bytes) -> FrameKind | None:
    """Say which kind of line a header announces, None for an unrelated one."""
    for family in FAMILIES:
        kind = family.kind_of(app, proc)
        if kind is not None:
            return kind
    return None


def may_own(app: bytes, proc_start: bytes) -> bool:
    """Say whether a PROCID that starts like this could be of any family."""
    return any(family.may_own(app, proc_start) for family in FAMILIES)


def parse_line(
    header: Header, message: bytes, budget: Budget, *, complete: bool = True
) -> Line:
    """Turn a header and a message into records: the only way to do so.

    Args:
        header: APP-NAME and PROCID decide which family reads the message.
        message: Everything behind the header. Untrusted.
        budget: What the slow grammar may still read.
        complete: Whether the message's end can be trusted; a wrong count may have cut
            or stretched it.

    Returns:
        The line. Never raises: an exception is a defect, and becomes a record, so that
        it costs this line alone.
    """
    for family in FAMILIES:
        kind = family.kind_of(header.app, header.proc)
        if kind is not None:
            try:
                return Line(kind, family.parse(header, message, complete, budget))
            except Exception as error:  # noqa: BLE001 (the boundary of one line)
                return Line(kind, [ParserFault(error)])
    return Line(FrameKind.OTHER, [])
