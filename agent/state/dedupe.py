"""What has been seen before, within bounds: requests by id, lines by content."""

from collections import Counter

from cachetools import LRUCache

from parsers import BrokerLog, MetricLine

RequestKey = tuple[bytes, bytes]
"""Drain token and frame id; ids are unique within one drain only."""


class RecentRequests:
    """Remembers requests that were applied, and the losses they reported.

    Logplex sends a request up to three times under one ``Logplex-Frame-Id``, and may
    put an L10 with a new count in front when it tries again (heroku/logplex,
    ``logplex_http_drain:request_to_iolist/2``). So a retry is recognised by its id,
    never by its body, and only what its L10 says beyond the last try is news.

    Args:
        entries: Requests remembered; the one not met for longest is forgotten first.
    """

    def __init__(self, entries: int) -> None:
        self._losses: LRUCache[RequestKey, int] = LRUCache(entries)

    def maybe_losses(self, key: RequestKey) -> int | None:
        """Return the losses that the request reported, or None if it is new."""
        return self._losses.get(key)

    def remember(self, key: RequestKey, losses: int) -> None:
        """Remember a request once everything in it has been applied."""
        self._losses[key] = losses


class RecentLines:
    """Remembers lines, so that one that comes through several drains counts once.

    A cluster that is attached to several apps writes each line to all of their
    streams. Lines that a broker really wrote twice come twice in one request, and
    then both count: the n-th of equal lines in a request is compared with the n-th.

    Args:
        entries: Lines remembered.
    """

    def __init__(self, entries: int) -> None:
        self._seen: LRUCache[int, None] = LRUCache(entries)

    def is_first(self, line: MetricLine | BrokerLog, request: Counter[int]) -> bool:
        """Say whether `line` is met for the first time, and remember it.

        Args:
            line: One line. Without a timestamp it is always new, since nothing tells
                it from a repetition.
            request: How often each line was met in the request being applied; a new
                one for each request.

        Returns:
            True if it has to be counted.
        """
        if line.timestamp is None:
            return True
        sender = line.broker if isinstance(line, MetricLine) else line.node
        content = hash((line.addon, sender, line.timestamp, line.message))
        request[content] += 1
        key = hash((content, request[content]))
        if key in self._seen:
            return False
        self._seen[key] = None
        return True
