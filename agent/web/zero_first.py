"""What each Prometheus has been shown, so that it sees new counters start at 0.

``increase()`` and ``rate()`` need a counter's value before its first increment. A node
is known from its first line on, so its counters would appear with that line counted, and
a first FATAL would raise no alert. To each Prometheus they are shown at 0 once, and as
they stand from its next scrape on. Prometheus' own way, the creation timestamps of
OpenMetrics, is behind a feature flag (``created-timestamp-zero-ingestion``).

Whoever does not scrape as Prometheus does (curl, a browser) is shown the truth at once.
"""

from cachetools import LRUCache

from agent.clock import Moment
from agent.state.views import NodeView

RECENT_SECONDS = 300.0
"""Counters of older nodes are never shown at 0: what they counted is no news."""

_MAX_SCRAPERS = 64


class ZeroFirst:
    """Remembers, for each Prometheus, up to which node it has seen the counters."""

    def __init__(self) -> None:
        self._shown: LRUCache[str, int] = LRUCache(_MAX_SCRAPERS)

    def present(
        self, scraper: str, views: list[NodeView], now: Moment
    ) -> list[NodeView]:
        """Choose what `scraper` is shown of the nodes.

        Args:
            scraper: Which Prometheus asks.
            views: The nodes as they stand.
            now: The time of the scrape.

        Returns:
            The same, with the counters of recent nodes that it has not met at 0.
        """
        shown = self._shown.get(scraper, 0)
        self._shown[scraper] = max((view.number for view in views), default=shown)
        return [
            at_zero(view)
            if view.number > shown and now.monotonic - view.known_at <= RECENT_SECONDS
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
