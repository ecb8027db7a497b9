"""One run of ``watch``: the engine, fed by text of ``heroku logs --tail``; no IO.

The text has no request ids, and the ``heroku`` command prints recent lines again when it
reconnects. So of equal lines with equal timestamps only the first counts, and a
repetition changes nothing at all: it must not make a silent broker look as if it
reported.
"""

from collections import Counter
from dataclasses import dataclass, field

from agent.change import Change, Origin
from agent.clock import Moment
from agent.engine import Applied, Engine
from agent.evaluator import read_series
from agent.metrics.specs import Drop
from agent.problems.board import INTERVAL_SECONDS, ProblemBoard
from agent.settings import Settings
from agent.state.log_events import LogEvent
from agent.state.zero_first import ZeroFirst
from parsers import (
    Batch,
    Budget,
    DrainLoss,
    FrameKind,
    HerokuLogsReader,
    MetricLine,
    Reason,
)

Shown = MetricLine | LogEvent | DrainLoss
"""What a line turned out to be, where it is worth a line to a person."""

_TEXT = Origin(is_request=False, numbers_equal_lines=False)
_KAFKA = (FrameKind.SAMPLE, FrameKind.BROKER_LOG)


@dataclass(slots=True)
class Tally:
    """What became of the lines.

    Attributes:
        lines: Lines read, without blank ones, marks of the stream and too long ones.
        kafka: Lines of a cluster.
        other: Lines of dynos, the router, other add-ons and the platform.
        chatter: Lines that are no log lines: what the ``heroku`` command says.
        repeated: Lines that had been read before.
        too_long: Lines that were skipped.
        refused: Lines and values that could not be parsed, by reason.
        dropped: Values and lines without a series, by reason.
        losses: Log lines that were dropped on the way, by Heroku's error code.
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

    def add(self, change: Change, applied: Applied) -> None:
        """Count what a change held and what of it was applied."""
        frames = dict(zip(FrameKind, change.frames, strict=True))
        repeated = change.repeated
        too_long = change.refused.pop(Reason.FRAME_TOO_LARGE, 0)
        self.too_long += too_long
        self.lines += sum(frames.values()) - too_long
        self.chatter += frames[FrameKind.MALFORMED] - too_long
        self.repeated += sum(repeated.values())
        self.kafka += sum(frames[kind] - repeated[kind] for kind in _KAFKA)
        self.other += frames[FrameKind.OTHER] + frames[FrameKind.PLATFORM]
        self.other -= repeated[FrameKind.PLATFORM]
        change.refused.pop(Reason.BAD_HEADER, None)  # chatter
        self.refused.update(change.refused)
        self.dropped.update(applied.dropped)
        for line in applied.lines:
            if isinstance(line, DrainLoss):
                self.losses[line.code] += line.count


class Session:
    """Reads text into an engine of its own.

    Args:
        settings: Staleness, limits, and which add-ons are admitted.

    Attributes:
        settings: The same.
        engine: What was read.
        tally: What became of the lines.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = Engine(settings)
        self.tally = Tally()
        self._board: ProblemBoard | None = None
        self._zero_first = ZeroFirst()
        self._budget = Budget(settings.limits.grammar_bytes)
        self._reader = HerokuLogsReader(self._budget)

    @property
    def has_ended(self) -> bool:
        """Whether the last line says that the log stream timed out."""
        return self._reader.timed_out

    def receive_data(self, data: bytes, now: Moment) -> list[Shown]:
        """Apply the lines that are whole now.

        Args:
            data: Bytes of any number.
            now: When they were read.

        Returns:
            What the lines were, where they are new and of a cluster that is watched.
        """
        self._budget.refill(now.monotonic)
        return self._apply(self._reader.receive_data(data), now)

    def receive_eof(self, now: Moment) -> list[Shown]:
        """Apply the last line where it has no newline."""
        return self._apply(self._reader.receive_eof(), now)

    def evaluate(self, now: Moment) -> None:
        """Evaluate the alert rules about clusters, if the last time is long enough ago.

        Rules about the agent are left out: no drain delivers to this process.
        """
        engine = self.engine
        last = engine.evaluated_at
        if last is not None and 0 <= now.wall - last < INTERVAL_SECONDS:
            return
        if self._board is None:
            self._board = ProblemBoard(self.settings.thresholds, now.wall)
        series = read_series(engine, self._zero_first, now)
        found = self._board.evaluate(series, now.wall)
        engine.problems = tuple(one for one in found if one.addon)
        engine.evaluated_at = now.wall

    def _apply(self, batch: Batch, now: Moment) -> list[Shown]:
        change = self.engine.prepare(batch, _TEXT, now)
        applied = self.engine.commit(change)
        self.tally.add(change, applied)
        return applied.lines
