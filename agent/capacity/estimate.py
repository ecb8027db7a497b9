"""How much data comes in, as the log stream says."""

from collections.abc import Iterable

from agent.clock import Moment
from agent.state.history import History
from parsers import SampleKey

BYTES_IN: SampleKey = ("bytes-in-per-second", "")


def mean_bytes_in(histories: Iterable[History], now: Moment) -> float | None:
    """Add up the mean rate of the last hours into each of a cluster's brokers.

    Args:
        histories: The last hours of the brokers.
        now: The present.

    Returns:
        Bytes a second, replication included; None where nothing is known.
    """
    means = []
    for history in histories:
        points = [one for one in history.series(BYTES_IN, now.wall) if one is not None]
        if points:
            means.append(sum(points) / len(points))
    return sum(means) if means else None
