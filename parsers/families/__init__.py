"""The families of log lines that are read, and the one way from a line to records."""

from typing import NamedTuple

from parsers.families.base import Budget, Family
from parsers.families.kafka.family import HEROKU_KAFKA
from parsers.families.log_pipeline import LOG_PIPELINE
from parsers.records import FrameKind, Header, ParserFault, Record

FAMILIES: tuple[Family, ...] = (HEROKU_KAFKA, LOG_PIPELINE)
"""The only list of them."""

Owner = tuple[Family, FrameKind]
"""Whose line it is, and which kind of it."""

__all__ = [
    "Budget",
    "Line",
    "Owner",
    "may_own",
    "maybe_find_owner",
    "parse_line",
    "parse_message",
]


class Line(NamedTuple):
    """One line, read.

    Attributes:
        kind: What it is; `FrameKind.OTHER` for an unrelated line.
        records: What it says; refusals are records too.
    """

    kind: FrameKind
    records: list[Record]


def maybe_find_owner(app: bytes, proc: bytes) -> Owner | None:
    """Find whose line a header announces; None for an unrelated one."""
    for family in FAMILIES:
        kind = family.kind_of(app, proc)
        if kind is not None:
            return family, kind
    return None


def may_own(app: bytes, proc_start: bytes) -> bool:
    """Say whether a PROCID that starts like this could be of any family."""
    return any(family.may_own(app, proc_start) for family in FAMILIES)


def parse_line(header: Header, message: bytes, budget: Budget) -> Line:
    """Turn a header and a message into records.

    Args:
        header: APP-NAME and PROCID decide which family reads the message.
        message: Everything behind the header. Untrusted.
        budget: What the slow grammar may still read.

    Returns:
        The line. Never raises.
    """
    owner = maybe_find_owner(header.app, header.proc)
    if owner is None:
        return Line(FrameKind.OTHER, [])
    return Line(owner[1], parse_message(owner, header, message, budget))


def parse_message(
    owner: Owner,
    header: Header,
    message: bytes,
    budget: Budget,
    *,
    complete: bool = True,
) -> list[Record]:
    """Turn a message into records where it is known whose it is; see `parse_line`.

    Args:
        owner: What `maybe_find_owner` found for the header.
        header: The header.
        message: Everything behind it. Untrusted.
        budget: What the slow grammar may still read.
        complete: Whether the message's end can be trusted; a wrong count may have cut
            or stretched it.

    Returns:
        The records; refusals are records too. Never raises: an exception is a defect,
        and becomes a record, so that it costs this line alone.
    """
    try:
        family, kind = owner
        return family.parse(kind, header, message, complete, budget)
    except Exception as error:  # noqa: BLE001 (the boundary of one line)
        return [ParserFault(error)]
