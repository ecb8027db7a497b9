"""The one shape between what the agent knows and any output."""

from typing import NamedTuple

from agent.metrics.spec import Spec


class Series(NamedTuple):
    """One value of one series.

    Attributes:
        spec: The metric.
        labels: Values of the labels, in the order of `Spec.labels`.
        value: In the metric's base unit.
        timestamp: Seconds since the epoch; None means "now".
        created: When a counter was at 0, in seconds since the epoch; None where that is
            unknown, and for gauges.
    """

    spec: Spec
    labels: tuple[str, ...]
    value: float
    timestamp: float | None = None
    created: float | None = None
