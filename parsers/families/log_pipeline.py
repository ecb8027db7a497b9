"""Logplex and log-shuttle: the lines in which the log pipeline reports its losses.

Recognised by PROCID ``logplex`` under APP-NAME ``heroku`` or ``logplex``, and PROCID
``log-shuttle``; a dyno's PROCID always has a number (Dev Center, "Error Codes").
"""

from parsers.families.base import Budget, Family
from parsers.families.losses import maybe_parse_loss
from parsers.records import Event, FrameKind, Header

_LOGPLEX = b"logplex"
_LOGPLEX_APPS = (b"heroku", b"logplex")
_SHUTTLE = b"log-shuttle"


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
    header: Header,  # noqa: ARG001 (the loss says all that counts)
    message: bytes,
    complete: bool,  # noqa: ARG001, FBT001 (the number stands in the middle)
    budget: Budget,  # noqa: ARG001 (no grammar needed)
) -> list[Event]:
    """Read the loss a line reports; L14, L15 and L20 report none."""
    loss = maybe_parse_loss(message)
    return [] if loss is None else [loss]


LOG_PIPELINE = Family(kind_of=kind_of, may_own=may_own, parse=parse)
