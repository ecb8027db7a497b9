"""Time, read in one place and handed on as an argument."""

import time
from typing import NamedTuple


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
