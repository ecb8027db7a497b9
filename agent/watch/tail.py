"""From lines of ``heroku logs --tail`` to state, counts and the newest events; no IO.

It does with these lines what `agent.pipeline` does with drain requests. What differs is
the text: it has no request ids, the ``heroku`` command prints sentences of its own into
it, and when it reconnects it prints recent lines again. So of equal lines with equal
timestamps only the first counts, and a repetition changes nothing at all: it must not
make a silent broker look as if it reported.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from cachetools import LRUCache

from agent.clock import Moment
from agent.kafka.classifier import classify
from agent.settings import Settings
from agent.state.clusters import Drop, State
from agent.state.dedupe import RecentLines
from agent.state.log_events import EventLog, LogEvent, join_continuations
from parsers import (
    FAMILIES,
    BrokerContinuation,
    BrokerLog,
    Budget,
    DrainLoss,
    Event,
    FrameKind,
    Header,
    MetricLine,
    Reason,
    Unparsed,
    maybe_parse_tail_line,
)

_RECENT_LINES = 65_536

# heroku/x, logplex/encoding: the stream behind `heroku logs` as curl shows it.
_EVENT_STREAM = re.compile(rb"(?:id|event|retry): ?[^\[\]]*\Z|:[ \r]*\Z")
_EVENT_DATA = b"data: "
# Only the first line of a message of several lines has a header (heroku/cli,
# log-displayer.ts). What the command itself says stands on lines like that as well, so
# only what looks like Java is taken for more of a broker's line.
_TRACE = re.compile(
    rb"\s*(?:at [\w$.<>/@]+\(|Caused by: |Suppressed: |\.\.\. [0-9]+ more"
    rb"|(?:[\w$]+\.)+[\w$]+(?:: |\Z))"
)
_STREAM_ENDED = b"Log stream timed out"  # heroku/cli, log-displayer.ts

Shown = MetricLine | LogEvent | DrainLoss
"""What a line turned out to be, where it is worth a line to a person."""


@dataclass(slots=True)
class Tally:
    """What became of the lines.

    Attributes:
        lines: Lines read; blank ones and marks of the stream are none.
        kafka: Lines of a cluster.
        other: Lines of dynos, the router, other add-ons and the platform.
        chatter: Lines that are no log lines: what the ``heroku`` command says.
        repeated: Lines of a cluster that had been read before.
        too_long: Lines that were passed over.
        refused: Lines and values that were not understood, by reason.
        dropped: Values and lines for which there was no room or no belief, by reason.
        losses: Log lines that were lost on the way, by Heroku's error code.
        ended: Whether the last thing that came says that the stream timed out.
    """

    lines: int = 0
    kafka: int = 0
    other: int = 0
    chatter: int = 0
    repeated: int = 0
    too_long: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    dropped: Counter[Drop] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    ended: bool = False


class Tail:
    """Applies lines of ``heroku logs`` to a state.

    Args:
        settings: Staleness, limits, and whose lines to believe.

    Attributes:
        settings: The same.
        state: The newest values of every broker.
        log: The newest events.
        tally: What became of the lines.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.state = State(settings)
        self.log = EventLog(settings.limits)
        self.tally = Tally()
        self._lines = RecentLines(_RECENT_LINES)
        self._others: LRUCache[int, None] = LRUCache(_RECENT_LINES)
        self._budget = Budget(lines=settings.limits.grammar_lines)
        self._refilled_at = float("-inf")
        # The broker's line that headerless lines would continue.
        self._open: Header | None = None

    def apply(self, lines: Iterable[bytes], now: Moment) -> list[Shown]:
        """Apply some lines.

        Args:
            lines: Whole lines, in order.
            now: When they were read.

        Returns:
            What they were, where it is new and of a cluster that is watched.
        """
        if now.monotonic - self._refilled_at >= 1.0:
            self._budget.lines = self.settings.limits.grammar_lines
            self._refilled_at = now.monotonic
        events: list[Event] = []
        for line in lines:
            events += self._read(line)
        shown = (self._apply(event, now) for event in join_continuations(events))
        return [one for one in shown if one is not None]

    def _read(self, line: bytes) -> list[Event]:
        """Read one line; refusals are events too, repetitions are none."""
        line = line.strip(b"\x00 \t\r")
        if not line or _EVENT_STREAM.match(line):
            return []
        self.tally.lines += 1
        parsed = maybe_parse_tail_line(line.removeprefix(_EVENT_DATA))
        if parsed is None:
            return self._read_headerless(line)
        self.tally.ended = False
        self._open = None
        header, message = parsed
        for family in FAMILIES:
            kind = family.kind_of(header.app, header.proc)
            if kind is not None:
                events = family.parse(header, message, True, self._budget)  # noqa: FBT003 (a whole line)
                if not self._is_news(header, message, events):
                    self.tally.repeated += 1
                    return []
                self._count(kind)
                return events
        self._count(FrameKind.OTHER)
        return []

    def _read_headerless(self, line: bytes) -> list[Event]:
        """Read a line that is more of the line before it, or the command's own."""
        if self._open is not None and _TRACE.match(line):
            self.tally.kafka += 1
            message = line.decode("utf-8", "replace")
            addon, _, node = self._open.proc.decode("utf-8", "replace").rpartition(".")
            return [BrokerContinuation(addon, node, self._open.timestamp, message)]
        self.tally.chatter += 1
        self.tally.ended = _STREAM_ENDED in line
        return []

    def _count(self, kind: FrameKind) -> None:
        if kind in (FrameKind.SAMPLE, FrameKind.BROKER_LOG):
            self.tally.kafka += 1
        else:
            self.tally.other += 1

    def _is_news(self, header: Header, message: bytes, events: list[Event]) -> bool:
        """Say whether a line is read for the first time, and remember it."""
        for event in events:
            if isinstance(event, MetricLine | BrokerLog):
                first = self._lines.is_first(event, Counter())
                if first and isinstance(event, BrokerLog):
                    self._open = header
                return first
        key = hash((header.app, header.proc, header.timestamp, message))
        first = key not in self._others
        self._others[key] = None
        return first

    def _apply(self, event: Event, now: Moment) -> Shown | None:
        match event:
            case MetricLine():
                return self._apply_metrics(event, now)
            case BrokerLog():
                return self._apply_log(event, now)
            case BrokerContinuation():
                time = now.wall if event.timestamp is None else event.timestamp
                if not self.log.extend(event, time):
                    self.tally.refused[Reason.NO_LEVEL] += 1
                return None
            case Unparsed():
                self.tally.refused[event.reason] += 1
                return None
            case DrainLoss():
                self.tally.losses[event.code] += event.count
                return event

    def _apply_metrics(self, line: MetricLine, now: Moment) -> MetricLine | None:
        applied = self.state.apply_metrics(line, now, first=True)
        self.tally.dropped.update(applied.drops)
        if sum(applied.drops.values()) == len(line.samples):
            return None
        return line

    def _apply_log(self, line: BrokerLog, now: Moment) -> LogEvent | None:
        verdict = classify(line, self.settings.rule_overrides)
        dropped = self.state.apply_log(line, verdict, now)
        if dropped is not None:
            self.tally.dropped[dropped] += 1
            return None
        time = now.wall if line.timestamp is None else line.timestamp
        event = LogEvent(time=time, line=line, verdict=verdict)
        self.log.append(event)
        return event
