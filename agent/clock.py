"""Time, read in one place and handed on as an argument."""

import re
import time
from typing import NamedTuple

import promql_parser

# promql-parser ignores a component of more than 32 bits and panics on "nan", so only
# text of these two forms reaches it. It accepts neither 0 nor a fraction.
_SINGLE = re.compile(r"([0-9]{1,9}(?:\.[0-9]+)?)(ms|[smhdwy]|)")
_COMPOUND = re.compile(r"(?:[0-9]{1,9}(?:ms|[smhdwy]))+")


class Moment(NamedTuple):
    """One instant on both clocks.

    Attributes:
        wall: Seconds since the epoch: what timestamps are compared with.
        monotonic: Seconds since some start: what durations are measured with, so
            that a corrected clock makes no broker look silent.
    """

    wall: float
    monotonic: float


def read_clock() -> Moment:
    """Read both clocks."""
    return Moment(time.time(), time.monotonic())


def parse_duration(text: str) -> float:
    """Convert a duration in Prometheus notation (``5m``, ``1h30m``) to seconds.

    Args:
        text: Integers with the units ``y``, ``w``, ``d``, ``h``, ``m``, ``s`` and ``ms``
            in this order. A single number may be 0, have a fraction (``0.5s``) or have
            no unit, in which case it is in seconds.

    Returns:
        Seconds, at most those of 999,999,999 days.

    Raises:
        ValueError: The text is not a duration.
    """
    try:
        if single := _SINGLE.fullmatch(text):
            unit = promql_parser.parse_duration(f"1{single[2] or 's'}")
            return (float(single[1]) * unit).total_seconds()
        if _COMPOUND.fullmatch(text):
            return promql_parser.parse_duration(text).total_seconds()
    except (OverflowError, ValueError):
        pass  # too long, or units in the wrong order
    message = f"invalid duration {text!r}: expected a number and a unit, e.g. 30s or 5m"
    raise ValueError(message)
