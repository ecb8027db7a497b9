"""Logplex and log-shuttle: the lines in which the log pipeline reports its losses.

Recognised by PROCID ``logplex`` under APP-NAME ``heroku`` or ``logplex``, and PROCID
``log-shuttle``; a dyno's PROCID always has a number (Dev Center, "Error Codes").

EBNF (Dev Center "Error Codes"; heroku/logplex ``overflow_msg/2``; heroku/log-shuttle
``NewLogplexErrorFormatter``)::

    loss   = [ "Error " ], code, text, [ drain ], number, " messages", … ;
    code   = "L10" | "L11" | "L12" | "L13" ;
    drain  = "drain '", token, "' dropped " ;

The number is the one directly before `` messages``, so a port or another code is
never taken for it.
"""

import re
from dataclasses import replace
from typing import cast

from parsers.families.base import Budget, Family
from parsers.records import DrainLoss, FrameKind, Header, LossCode, Record

MAX_LOSS = 1_000_000_000
"""One line may report at most this many; the largest one seen in public is 302,626."""

_LOGPLEX = b"logplex"
_LOGPLEX_APPS = (b"heroku", b"logplex")
_SHUTTLE = b"log-shuttle"
_LOSS = re.compile(
    rb"(?:Error )?(L1[0123])\b[^\n]{0,120}?"
    rb"(?:drain '(d\.[0-9A-Za-z-]{1,64})' dropped )?"
    rb"(?<![0-9])([0-9]{1,40}) messages"
)


def kind_of(app: bytes, proc: bytes) -> FrameKind | None:
    """Say whether the log pipeline itself wrote this line."""
    if proc == _SHUTTLE or (proc == _LOGPLEX and app in _LOGPLEX_APPS):
        return FrameKind.PLATFORM
    return None


def may_own(app: bytes, proc_start: bytes) -> bool:
    """Say whether a PROCID that starts like this could still be the pipeline's."""
    return _SHUTTLE.startswith(proc_start) or (
        app in _LOGPLEX_APPS and _LOGPLEX.startswith(proc_start)
    )


def parse(
    kind: FrameKind,  # noqa: ARG001 (there is one)
    header: Header,
    message: bytes,
    complete: bool,  # noqa: ARG001, FBT001 (the number stands in the middle)
    budget: Budget,  # noqa: ARG001 (no grammar needed)
) -> list[Record]:
    """Read the loss a line reports; L14, L15 and L20 report none."""
    loss = maybe_parse_loss(message)
    if loss is None:
        return []
    return [replace(loss, timestamp=header.timestamp, message=message)]


def maybe_parse_loss(message: bytes) -> DrainLoss | None:
    """Read the number of dropped messages from a line of Logplex or log-shuttle.

    Args:
        message: The message of a line whose PROCID is ``logplex`` or
            ``log-shuttle``; a dyno can print the same text.

    Returns:
        The loss, or None where the line reports none (L14, L15, L20).
    """
    match = _LOSS.match(message)
    if match is None:
        return None
    code, drain, count = match.groups()
    return DrainLoss(
        code=cast("LossCode", code.decode()),
        count=min(int(count), MAX_LOSS),
        drain=None if drain is None else drain.decode(),
    )


LOG_PIPELINE = Family(kind_of=kind_of, may_own=may_own, parse=parse)
