"""How much data comes in, as the log stream says."""

from collections.abc import Iterable

from agent.clock import Moment
from agent.state.clusters import State
from agent.state.views import BrokerView
from parsers import SampleKey

_BYTES_IN: SampleKey = ("bytes-in-per-second", "")


def bytes_in_per_second(
    state: State, views: Iterable[BrokerView], now: Moment
) -> dict[str, float]:
    """Add up the mean rate of the last hours into each cluster's brokers.

    Args:
        state: What remembers the last hours.
        views: The brokers.
        now: The present.

    Returns:
        Bytes a second by add-on, replication included; clusters of which nothing is
        known are left out.
    """
    rates: dict[str, float] = {}
    for view in views:
        if view.broker is None:
            continue
        history = state.history(view.addon, view.broker)
        points = [one for one in history.series(_BYTES_IN, now.wall) if one is not None]
        if points:
            mean = sum(points) / len(points)
            rates[view.addon] = rates.get(view.addon, 0.0) + mean
    return rates
