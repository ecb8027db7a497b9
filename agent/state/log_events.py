"""The newest events of the brokers, remembered within bounds, for people.

What counts is in the counters; this is what an on-call engineer reads to see what was
behind them. Everything in it is untrusted text: whoever shows it escapes it.
"""

import sys
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from agent.kafka.categories import Category, Urgency
from agent.kafka.classifier import Verdict
from agent.settings import Limits
from parsers import BrokerContinuation, BrokerLog, Level, Record

CLOSE_SECONDS = 5.0
"""A continuation belongs to the line before it if their timestamps are this close."""

TEXT_LIMIT = 10_000
"""Characters kept of a message, and of a trace: Heroku cuts lines at 10,000 bytes."""

_OVERHEAD_BYTES = 1_000  # an event's objects beside its texts, measured by tracemalloc


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One line of a broker, understood.

    Attributes:
        time: The line's own timestamp, or when it was received.
        line: What it says.
        verdict: What that means.
    """

    time: float
    line: BrokerLog
    verdict: Verdict

    @property
    def size(self) -> int:
        """Bytes of memory that the event takes, roughly."""
        line = self.line
        named = (one.topic for one in line.partitions)
        texts = (line.text, line.trace, line.thread, line.logger, *named)
        fields = (
            text
            for context in line.contexts
            for text in (context.name, *context.fields.values())
        )
        return _OVERHEAD_BYTES + sum(map(sys.getsizeof, (*texts, *fields)))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are wanted; what is empty or None wants all.

    Attributes:
        clusters: Names of add-ons.
        nodes: Numbers of nodes, as written.
        levels: Levels.
        categories: Categories.
        urgencies: Urgencies.
        topics: Names of topics, any of which the line names.
        since: Seconds since the epoch; that moment included.
        addons: The only add-ons whose events may be shown.
    """

    clusters: Collection[str] = ()
    nodes: Collection[str] = ()
    levels: Collection[Level] = ()
    categories: Collection[Category] = ()
    urgencies: Collection[Urgency] = ()
    topics: Collection[str] = ()
    since: float | None = None
    addons: Collection[str] = ()

    def wants(self, event: LogEvent) -> bool:
        """Say whether `event` is wanted."""
        line, verdict = event.line, event.verdict
        return all(
            not wanted or found in wanted
            for wanted, found in (
                (self.addons, line.addon),
                (self.clusters, line.addon),
                (self.nodes, line.node),
                (self.levels, line.level),
                (self.categories, verdict.category),
                (self.urgencies, verdict.urgency),
            )
        ) and (
            (self.since is None or event.time >= self.since)
            and (
                not self.topics
                or any(one.topic in self.topics for one in line.partitions)
            )
        )


class EventLog:
    """A ring of events, bounded by number and by bytes; the oldest make room.

    Args:
        limits: How many events, and how much memory they may take.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._size = 0
        self._events: deque[LogEvent] = deque()
        self._sizes: deque[int] = deque()
        # Where a node's newest event is, counted from the first event ever.
        self._newest: dict[tuple[str, str], int] = {}
        self._forgotten = 0

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: LogEvent, size: int) -> None:
        """Remember an event, and forget the oldest ones where there is no room.

        Args:
            event: What `trim` returned.
            size: Its size, which takes longer to measure than the rest.
        """
        line = event.line
        self._newest[line.addon, line.node] = self._forgotten + len(self._events)
        self._events.append(event)
        self._sizes.append(size)
        self._size += size
        self._make_room()

    def retract(self, event: LogEvent) -> None:
        """Take back what was appended last."""
        if self._events and self._events[-1] is event:
            self._events.pop()
            self._size -= self._sizes.pop()
            self._newest.pop((event.line.addon, event.line.node), None)

    def extend(self, continuation: BrokerContinuation, time: float) -> bool:
        """Add a continuation to the newest event of its node.

        Args:
            continuation: A line without a header of its own.
            time: Its timestamp, or when it was received.

        Returns:
            False if no line that is close in time came before it.
        """
        number = self._newest.get((continuation.addon, continuation.node))
        if number is None:
            return False
        event = self._events[number - self._forgotten]
        if abs(event.time - time) > CLOSE_SECONDS:
            return False
        if continuation.text not in event.line.trace:  # else another app's drain had it
            longer = replace(event, line=_continue(event.line, continuation))
            self._events[number - self._forgotten] = longer
            size = longer.size
            self._size += size - self._sizes[number - self._forgotten]
            self._sizes[number - self._forgotten] = size
            self._make_room()
        return True

    def dump(self) -> list[LogEvent]:
        """Return all events, the oldest first."""
        return list(self._events)

    def select(self, wanted: EventFilter) -> Iterator[LogEvent]:
        """Yield the events that are wanted, the newest first."""
        return filter(wanted.wants, reversed(self._events))

    def _make_room(self) -> None:
        limits = self._limits
        while len(self._events) > limits.events or self._size > limits.events_bytes:
            oldest = self._events.popleft()
            self._size -= self._sizes.popleft()
            key = (oldest.line.addon, oldest.line.node)
            if self._newest.get(key) == self._forgotten:
                del self._newest[key]
            self._forgotten += 1


def trim(line: BrokerLog, verdict: Verdict, time: float) -> LogEvent:
    """Make the event of a line, as much of it as is kept."""
    kept = line._replace(
        text=line.text[:TEXT_LIMIT],
        trace=line.trace[:TEXT_LIMIT],
        message=b"",  # it has served its purpose: recognising a repetition
    )
    return LogEvent(time=time, line=kept, verdict=verdict)


def join_continuations(records: list[Record]) -> list[Record]:
    """Join the lines of a batch with what continues them in further frames of it.

    They are judged together then: the exception often says what a line is about.

    Args:
        records: What a batch held, in order.

    Returns:
        The same without the continuations that belong to a line of the batch.
    """
    if not any(isinstance(record, BrokerContinuation) for record in records):
        return records
    joined: list[Record] = []
    begun: dict[tuple[str, str], tuple[int, BrokerLog]] = {}
    for record in records:
        if isinstance(record, BrokerLog):
            begun[record.addon, record.node] = len(joined), record
        elif isinstance(record, BrokerContinuation):
            key = (record.addon, record.node)
            at, line = begun.get(key, (0, None))
            if line is not None and _is_close(line, record):
                line = joined[at] = _continue(line, record)
                begun[key] = at, line
                continue
        joined.append(record)
    return joined


def _is_close(line: BrokerLog, more: BrokerContinuation) -> bool:
    if line.timestamp is None or more.timestamp is None:
        return True  # they came in one request
    return abs(line.timestamp - more.timestamp) <= CLOSE_SECONDS


def _continue(line: BrokerLog, continuation: BrokerContinuation) -> BrokerLog:
    """Append a continuation to the trace of the line that it belongs to."""
    if len(line.trace) >= TEXT_LIMIT:
        return line
    trace = f"{line.trace}\n{continuation.text}" if line.trace else continuation.text
    return line._replace(trace=trace[:TEXT_LIMIT])
