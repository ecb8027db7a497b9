"""New counters at 0 first, so that every Prometheus sees them start there.

``increase()`` and ``rate()`` need a counter's value before its first increment. A node
is known from its first line on, so its counters would appear with that line counted, and
a first FATAL would raise no alert. From the first scrape that meets a node they are
exported at 0, to every Prometheus alike, for as long as that scrape may take: an
interval is never shorter, so the next scrape of the same Prometheus sees them as they
are. No counter goes down, through whatever proxies the scrapes come. Prometheus' own
way, the creation timestamps of OpenMetrics, is exported too, but needs a feature flag
(``created-timestamp-zero-ingestion``).

Clients that do not scrape as Prometheus does (curl, a browser) get the truth at once.
"""

from agent.clock import Moment
from agent.state.views import NodeView

RECENT_SECONDS = 300.0
"""Counters of older nodes are never shown at 0: what they counted is no news."""

LONGEST_SECONDS = 60.0
"""Counters are shown at 0 for this long at most, whatever a scrape says of itself."""


class ZeroFirst:
    """Remembers until when the counters of recent nodes are shown at 0."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def present(
        self, views: list[NodeView], now: Moment, timeout_seconds: float
    ) -> list[NodeView]:
        """Choose what a Prometheus is shown of the nodes.

        Args:
            views: The nodes as they stand.
            now: The time of the scrape.
            timeout_seconds: How long the scrape may take.

        Returns:
            The same, with the counters of nodes that were first met lately at 0.
        """
        until = now.monotonic + min(timeout_seconds, LONGEST_SECONDS)
        self._until = {
            view.number: self._until.get(view.number, until)
            for view in views
            if now.monotonic - view.known_at <= RECENT_SECONDS
        }
        return [
            at_zero(view)
            if now.monotonic < self._until.get(view.number, now.monotonic)
            else view
            for view in views
        ]


def at_zero(view: NodeView) -> NodeView:
    """Return the node as it was before its first line was counted."""
    return view._replace(
        conflicts=0,
        lines=dict.fromkeys(view.lines, 0),
        events=dict.fromkeys(view.events, 0),
    )
