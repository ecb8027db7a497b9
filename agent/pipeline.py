"""From the body of one drain request to state and counters; no network.

The order is what makes a retry harmless: the request is decoded, applied and only
then remembered, and nothing between the three waits, so no other request sees half
of it.
"""

from collections import Counter
from typing import NamedTuple

from agent.clock import Moment
from agent.kafka.classifier import classify
from agent.metrics.telemetry import Telemetry
from agent.settings import Settings
from agent.state.clusters import State
from agent.state.dedupe import RecentLines, RecentRequests
from agent.state.log_events import EventLog, LogEvent, join_continuations
from parsers import (
    Batch,
    BrokerContinuation,
    BrokerLog,
    Budget,
    DrainDecoder,
    DrainLoss,
    Event,
    MetricLine,
    Reason,
    Unparsed,
)

_RECENT_LINES = 65_536


class Delivery(NamedTuple):
    """One drain request, read whole and authenticated.

    Attributes:
        body: Octet-counted frames, decompressed.
        drain_token: ``Logplex-Drain-Token``; empty where there is none (Shield).
        request_id: What stays the same when the request is tried again:
            ``Logplex-Frame-Id``, else log-shuttle's ``X-Request-Id``, else empty.
        message_count: ``Logplex-Msg-Count`` as sent; empty where there is none.
    """

    body: bytes
    drain_token: bytes = b""
    request_id: bytes = b""
    message_count: bytes = b""


class Pipeline:
    """Applies deliveries to the state and counts what happens.

    Args:
        settings: Limits, and whose lines to believe.
        state: Where values go.
        telemetry: Where counts go.
        log: Where the newest events of the brokers go.
    """

    def __init__(
        self, settings: Settings, state: State, telemetry: Telemetry, log: EventLog
    ) -> None:
        limits = settings.limits
        self._overrides = settings.rule_overrides
        self._state = state
        self._log = log
        self._telemetry = telemetry
        self._requests = RecentRequests(limits.dedupe_entries)
        self._lines = RecentLines(_RECENT_LINES)
        self._budget = Budget(lines=limits.grammar_lines)
        self._budget_lines = limits.grammar_lines
        self._refilled_at = float("-inf")
        self._decoder = DrainDecoder(
            frame_limit_bytes=limits.frame_bytes,
            budget=self._budget,
            local0_only=settings.require_local0,
        )

    def receive(self, delivery: Delivery, now: Moment) -> None:
        """Apply one delivery; a retry of one that was applied changes nothing.

        Args:
            delivery: The request.
            now: When it was received.
        """
        self._refill_budget(now)
        batch = self._decoder.decode(delivery.body)
        key = (delivery.drain_token, delivery.request_id)
        known = self._requests.maybe_losses(key) if delivery.request_id else None
        if known is None:
            self._count(batch, delivery)
            if batch.events:
                self._apply(batch.events, delivery, now)
        else:
            self._telemetry.duplicate_requests += 1
        reported = sum(
            event.count
            for event in batch.events
            if isinstance(event, DrainLoss) and _is_own_l10(event, delivery)
        )
        losses = max(reported, known or 0)
        self._telemetry.dropped["L10"] += losses - (known or 0)
        if delivery.request_id:
            self._requests.remember(key, losses)

    def _refill_budget(self, now: Moment) -> None:
        """Let the slow grammar read its lines again, once a second."""
        if now.monotonic - self._refilled_at >= 1.0:
            self._budget.lines = self._budget_lines
            self._refilled_at = now.monotonic

    def _count(self, batch: Batch, delivery: Delivery) -> None:
        frames = self._telemetry.frames
        frames["other"] += batch.other
        frames["sample"] += batch.sample
        frames["broker_log"] += batch.broker_log
        frames["platform"] += batch.platform
        frames["malformed"] += batch.malformed
        announced = delivery.message_count
        if announced and announced != b"%d" % batch.frames:
            self._telemetry.frame_count_mismatches += 1

    def _apply(self, events: list[Event], delivery: Delivery, now: Moment) -> None:
        in_this_request: Counter[int] = Counter()
        for event in join_continuations(events):
            match event:
                case MetricLine():
                    self._apply_metrics(event, now, in_this_request)
                case BrokerLog():
                    self._apply_log(event, now, in_this_request)
                case BrokerContinuation():
                    self._apply_continuation(event, now)
                case Unparsed():
                    self._telemetry.parse_errors[event.reason] += 1
                case DrainLoss():
                    self._count_loss(event, delivery)

    def _apply_metrics(
        self, line: MetricLine, now: Moment, in_this_request: Counter[int]
    ) -> None:
        telemetry = self._telemetry
        first = self._lines.is_first(line, in_this_request)
        applied = self._state.apply_metrics(line, now, first=first)
        telemetry.late_samples += applied.late
        telemetry.future_samples += applied.future
        for reason, count in applied.drops.items():
            telemetry.series_dropped[reason] += count
        if line.timestamp is not None:
            telemetry.observe_delay(now.wall - line.timestamp)

    def _apply_log(
        self, line: BrokerLog, now: Moment, in_this_request: Counter[int]
    ) -> None:
        if not self._lines.is_first(line, in_this_request):
            return
        verdict = classify(line, self._overrides)
        dropped = self._state.apply_log(line, verdict, now)
        if dropped is None:
            time = now.wall if line.timestamp is None else line.timestamp
            self._log.append(LogEvent(time=time, line=line, verdict=verdict))
        else:
            self._telemetry.series_dropped[dropped] += 1
        if line.timestamp is not None:
            self._telemetry.observe_delay(now.wall - line.timestamp)

    def _apply_continuation(self, more: BrokerContinuation, now: Moment) -> None:
        """Give it to the event it belongs to; else it is a line without a level."""
        time = now.wall if more.timestamp is None else more.timestamp
        if not self._log.extend(more, time):
            self._telemetry.parse_errors[Reason.NO_LEVEL] += 1

    def _count_loss(self, loss: DrainLoss, delivery: Delivery) -> None:
        """Count what others lost; our own L10 is counted once per request id."""
        if loss.code in ("L12", "L13"):
            self._telemetry.dropped[loss.code] += loss.count
        elif not _is_own_l10(loss, delivery):
            self._telemetry.dropped_elsewhere[loss.code] += loss.count


def _is_own_l10(loss: DrainLoss, delivery: Delivery) -> bool:
    """Say whether the drain that brought this L10 is the one that lost."""
    if loss.code != "L10":
        return False
    return loss.drain is None or loss.drain.encode() == delivery.drain_token
