"""Time, read in one place and handed on as an argument."""

import re
import time
from typing import NamedTuple

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]+)?)(ms|s|m|h|d|)")
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


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
    """Convert a duration as Prometheus writes it (``5m``) to seconds.

    Args:
        text: A number with ``ms``, ``s``, ``m``, ``h`` or ``d``; seconds without.

    Returns:
        Seconds.

    Raises:
        ValueError: It is no such duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        message = f"{text!r} is no duration like 30s, 5m or 24h"
        raise ValueError(message)
    return float(match[1]) * _SECONDS[match[2]]
