"""Judges records: which lines are new, which were received before, what was refused."""

from agent.change import Change, NewLog, NewLoss, NewMetrics, Origin
from agent.kafka.classifier import Overrides, classify
from agent.metrics.specs import Drop
from agent.state.dedupe import Identities, RecentLines, occurrence
from agent.state.log_events import trim
from parsers import (
    BrokerContinuation,
    BrokerLog,
    DrainLoss,
    FrameKind,
    MetricLine,
    ParserFault,
    Record,
    Unparsed,
)

_KINDS = {
    NewMetrics: FrameKind.SAMPLE,
    NewLog: FrameKind.BROKER_LOG,
    NewLoss: FrameKind.PLATFORM,
}


class Preparation:
    """Judges the records of one batch; touches nothing but the change.

    Args:
        change: What is filled.
        identities: What identifies lines.
        recent: Lines that were received before.
        overrides: Urgencies that go before those of the message rules.
    """

    def __init__(
        self,
        change: Change,
        identities: Identities,
        recent: RecentLines,
        overrides: Overrides,
    ) -> None:
        self._change = change
        self._addons = change.origin.addons
        self._overrides = overrides
        self._identities = identities
        self._recent = recent
        # How often a line came so far; through different attachments (source=) it is
        # the same one.
        self._numbers: dict[tuple[bytes, str], int] = {}

    def judge(self, record: Record) -> None:
        """Add one record to the change."""
        change = self._change
        match record:
            case DrainLoss():
                self._judge_loss(record)
            case _ if change.is_duplicate:
                pass
            case MetricLine() | BrokerLog() | BrokerContinuation():
                self._judge_line(record)
            case Unparsed():
                change.refused[record.reason] += 1
            case ParserFault():
                change.faults.append(record.error)

    def _judge_line(self, line: MetricLine | BrokerLog | BrokerContinuation) -> None:
        if self._addons and line.addon not in self._addons:
            self._drop(line)
        elif isinstance(line, MetricLine):
            key = self._maybe_key(line, line.source)
            if is_new(key, FrameKind.SAMPLE, self._change, self._recent):
                self._change.lines.append(NewMetrics(line, key))
        elif isinstance(line, BrokerLog):
            key = self._maybe_key(line)
            if is_new(key, FrameKind.BROKER_LOG, self._change, self._recent):
                self._change.lines.append(self._understand(line, key))
        else:
            self._change.lines.append(line)

    def _drop(self, line: MetricLine | BrokerLog | BrokerContinuation) -> None:
        """Count a line of an add-on that the origin may not bring.

        It must not be remembered: the same line may come from another origin.
        """
        if not isinstance(line, BrokerContinuation):
            count = len(line.samples) if isinstance(line, MetricLine) else 1
            self._change.dropped[Drop.ADDON_NOT_ALLOWED] += count

    def _understand(self, line: BrokerLog, key: bytes | None) -> NewLog:
        now = self._change.now.wall
        verdict = classify(line, self._overrides)
        event = trim(line, verdict, now if line.timestamp is None else line.timestamp)
        return NewLog(line, verdict, key, event, event.size)

    def _judge_loss(self, loss: DrainLoss) -> None:
        change = self._change
        if not change.origin.is_request:
            key = self._maybe_key(loss)
            if is_new(key, FrameKind.PLATFORM, change, self._recent):
                change.lines.append(NewLoss(loss, key))
        elif is_own(loss, change.origin):
            change.own_losses += loss.count
        elif not change.is_duplicate:
            change.lines.append(NewLoss(loss, None))

    def _maybe_key(
        self, line: MetricLine | BrokerLog | DrainLoss, source: str = ""
    ) -> bytes | None:
        identity = self._identities.maybe_of_line(line)
        if identity is None or not self._change.origin.numbers_equal_lines:
            return identity
        written = identity, source
        number = self._numbers.get(written, 0) + 1
        self._numbers[written] = number
        return identity if number == 1 else occurrence(identity, number)


def is_new(
    key: bytes | None, kind: FrameKind, change: Change, recent: RecentLines
) -> bool:
    """Say whether a line was not received before, and record that in the change."""
    if key is None:
        return True
    if key in change.keys or key in recent.newer or key in recent.older:
        change.repeated[kind] += 1
        return False
    change.keys.add(key)
    return True


def drop_repeated(change: Change, recent: RecentLines) -> None:
    """Compare the new lines of a change with the recent lines once more."""
    lines, change.lines, change.keys = change.lines, [], set()
    for line in lines:
        if isinstance(line, BrokerContinuation) or is_new(
            line.key, _KINDS[type(line)], change, recent
        ):
            change.lines.append(line)


def is_own(loss: DrainLoss, origin: Origin) -> bool:
    """Say whether the drain that brought an L10 is the one that dropped messages."""
    if loss.code != "L10":
        return False
    return loss.drain is None or loss.drain.encode() == origin.drain_token
