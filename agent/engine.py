"""The engine: records in, what the agent knows out; no IO.

`Engine.prepare` compares a batch with what is known and touches nothing; it is what may
fail, and what may run in slices. `Engine.commit` applies the outcome and cannot fail: an
exception while one line is applied costs that line. A store that makes changes durable
belongs between the two.
"""

import secrets
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from agent.capacity.ledger import CapacityLedger
from agent.change import (
    Change,
    NewLine,
    NewLog,
    NewLoss,
    NewMetrics,
    Origin,
)
from agent.clock import Moment
from agent.logs import RareLog
from agent.metrics.specs import Drop
from agent.preparation import Preparation, drop_repeated, is_own
from agent.problems.problem import Problem
from agent.settings import Settings
from agent.snapshot import Snapshot
from agent.state.brokers import ALL_APPLIED
from agent.state.checkpoint import (
    VERSION,
    Checkpoint,
    dump_clusters,
    load_clusters,
)
from agent.state.clusters import State
from agent.state.dedupe import Identities, RecentLines, RecentRequests
from agent.state.log_events import EventLog, LogEvent, join_continuations
from agent.state.telemetry import Telemetry
from agent.state.views import ClustersView
from parsers import (
    Batch,
    BrokerContinuation,
    ClusterUse,
    DrainLoss,
    FrameKind,
    MetricLine,
    Reason,
)

SLICE_LINES = 100
"""Lines that `prepare_in_slices` judges at a time: a few milliseconds."""

_FRAME_KINDS = tuple(FrameKind)  # iterating over the class itself is slow
_RECENT_LINES = 65_536
_KEY_BYTES = 16


class Applied(NamedTuple):
    """What a commit has applied.

    Attributes:
        lines: Metric lines, events and losses that have a series or are counted.
        dropped: Values and lines without a series, by reason.
    """

    lines: list[MetricLine | LogEvent | DrainLoss]
    dropped: dict[Drop, int]


class Engine:
    """Everything that one agent knows, and the only way to change it.

    Args:
        settings: Limits, staleness, configured plans, add-ons that are admitted.

    Attributes:
        settings: The same.
        identities: What identifies requests and lines.
        state: The newest values of every broker.
        log: The newest broker log events.
        ledger: Plan and use of each cluster.
        telemetry: The agent's own counters.
        problems: What the last evaluation of the alert rules found, the worst first.
        evaluated_at: When that was, in seconds since the epoch; None before the first.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.state = State(settings)
        self.log = EventLog(settings.limits)
        self.ledger = CapacityLedger(settings.plans)
        self.telemetry = Telemetry()
        self.identities = Identities(secrets.token_bytes(_KEY_BYTES))
        self.problems: tuple[Problem, ...] = ()
        self.evaluated_at: float | None = None
        self._requests = RecentRequests(settings.limits.dedupe_entries)
        self._lines = RecentLines(_RECENT_LINES)
        self._revision = 0
        self._rare_log = RareLog()
        self.state.expect_brokers(self.ledger.expected_brokers())

    def prepare(self, batch: Batch, origin: Origin, now: Moment) -> Change:
        """Judge a batch, in one go.

        Args:
            batch: What a reader made of some bytes.
            origin: Where they come from.
            now: When they were received.

        Returns:
            What the batch changes. Nothing is touched yet.
        """
        change = self.begin(batch.counts, origin, now)
        if batch.records:
            for _ in self.prepare_in_slices(change, batch):
                pass
        return change

    def begin(self, frames: tuple[int, ...], origin: Origin, now: Moment) -> Change:
        """Start to judge a batch: is it a request that was applied before?

        Args:
            frames: Its frames of each kind, in the order of `FrameKind`. Where it has no
                records, this is all there is to judge.
            origin: Where it comes from.
            now: When it was received.

        Returns:
            The change, without the records. Nothing is touched yet.
        """
        request = known_losses = None
        if origin.request_id:
            request = self.identities.of_request(origin.drain_token, origin.request_id)
            known_losses = self._requests.maybe_losses(request)
        announced = origin.announced
        return Change(
            origin=origin,
            now=now,
            revision=self._revision,
            request=request,
            known_losses=known_losses,
            frames=frames,
            miscounted=announced != b"" and announced != b"%d" % sum(frames),
        )

    def prepare_in_slices(self, change: Change, batch: Batch) -> Iterator[None]:
        """Judge the records of a batch, and pause after every `SLICE_LINES`.

        Other changes may be prepared and committed in the pauses.

        Args:
            change: What `begin` returned for the batch.
            batch: The same batch.
        """
        preparation = Preparation(
            change, self.identities, self._lines, self.settings.rule_overrides
        )
        for count, record in enumerate(join_continuations(batch.records), start=1):
            try:
                preparation.judge(record)
            except Exception as error:  # noqa: BLE001 (the boundary of one line)
                change.faults.append(error)
            if count % SLICE_LINES == 0:
                yield

    def commit(self, change: Change) -> Applied:
        """Apply a change. Never raises.

        Args:
            change: A prepared one, once.

        Returns:
            What has been applied.
        """
        if change.revision != self._revision:
            self._compare_again(change)
        self._revision += 1
        applied = Applied([], change.dropped)
        for line in change.lines:
            try:
                self._apply(line, change, applied)
            except Exception as error:  # noqa: BLE001 (the boundary of one line)
                change.faults.append(error)
        if change.keys:
            self._lines.remember(change.keys)
        self._count(change, applied)
        return applied

    def _compare_again(self, change: Change) -> None:
        """Drop what other changes have applied since this one was prepared."""
        if change.request is not None:
            known = self._requests.maybe_losses(change.request)
            if known is not None:
                change.known_losses = known
                change.lines.clear()
                change.keys.clear()
                change.refused.clear()
                change.dropped.clear()
                return
        drop_repeated(change, self._lines)

    def _apply(self, line: NewLine, change: Change, applied: Applied) -> None:
        match line:
            case NewMetrics():
                self._apply_metrics(line.line, change.now, applied)
            case NewLog():
                self._apply_log(line, change.now, applied)
            case NewLoss():
                self._apply_loss(line.loss, change.origin)
                applied.lines.append(line.loss)
            case BrokerContinuation():
                time = change.now.wall if line.timestamp is None else line.timestamp
                if not self.log.extend(line, time):
                    change.refused[Reason.NO_LEVEL] += 1

    def _apply_metrics(self, line: MetricLine, now: Moment, applied: Applied) -> None:
        outcome = self.state.apply_metrics(line, now)
        if outcome is not ALL_APPLIED:
            self.telemetry.late_samples += outcome.late
            self.telemetry.future_samples += outcome.future
            for drop, count in outcome.drops.items():
                applied.dropped[drop] += count
        if outcome is ALL_APPLIED or sum(outcome.drops.values()) < len(line.samples):
            applied.lines.append(line)
        if line.timestamp is not None:
            self.telemetry.observe_delay(now.wall - line.timestamp)

    def _apply_log(self, new: NewLog, now: Moment, applied: Applied) -> None:
        line = new.line
        drop = self.state.admission.admit_node(line.addon, line.node)
        if drop is None:
            # The event first: unlike the counters, it can be taken back.
            self.log.append(new.event, new.size)
            try:
                self.state.apply_log(line, new.verdict, now)
            except Exception:
                self.log.retract(new.event)
                raise
            applied.lines.append(new.event)
        else:
            applied.dropped[drop] += 1
        if line.timestamp is not None:
            self.telemetry.observe_delay(now.wall - line.timestamp)

    def _apply_loss(self, loss: DrainLoss, origin: Origin) -> None:
        """Count messages that were dropped before they came here, or elsewhere."""
        if loss.code in ("L12", "L13") or is_own(loss, origin):
            self.telemetry.dropped[loss.code] += loss.count
        else:
            self.telemetry.dropped_elsewhere[loss.code] += loss.count

    def _count(self, change: Change, applied: Applied) -> None:
        """Count what a change held, and remember its request."""
        telemetry = self.telemetry
        known = change.known_losses
        if known is None:
            for kind, count in zip(_FRAME_KINDS, change.frames, strict=True):
                if count:
                    telemetry.frames[kind] += count
            telemetry.frame_count_mismatches += change.miscounted
        else:
            telemetry.duplicate_requests += 1
        for reason, count in change.refused.items():
            telemetry.parse_errors[reason] += count
        for drop, count in applied.dropped.items():
            telemetry.series_dropped[drop] += count
        # A retry may report more than the tries before it.
        losses = max(change.own_losses, known or 0)
        telemetry.dropped["L10"] += losses - (known or 0)
        if change.request is not None:
            self._requests.remember(change.request, losses)
        telemetry.internal_errors += len(change.faults)
        for error in change.faults:
            self._rare_log.failure("line.failed", error)

    def learn(self, use: ClusterUse, now: Moment) -> bool:
        """Record the plan and use of a cluster.

        Args:
            use: What a source says of it.
            now: When it said so.

        Returns:
            False where there is no room for another cluster.
        """
        if not self.ledger.apply(use, now):
            return False
        self.state.expect_brokers(self.ledger.expected_brokers())
        return True

    def reconfigure(self, settings: Settings) -> None:
        """Use the plans and thresholds of other settings from now on."""
        self.settings = settings
        self.ledger.configure(settings.plans)
        self.state.expect_brokers(self.ledger.expected_brokers())

    def forget(self, now: Moment) -> None:
        """Forget brokers and clusters from which nothing came for a day."""
        self.state.forget(now)

    def dump(self, now: Moment) -> bytes:
        """Encode everything that is known, so that another process can go on with it.

        Returns:
            A `Checkpoint` in MessagePack.
        """
        return msgspec.msgpack.encode(
            Checkpoint(
                version=VERSION,
                key=self.identities.key,
                requests=list(self._requests.losses.items()),
                newer_lines=list(self._lines.newer),
                older_lines=list(self._lines.older),
                clusters=dump_clusters(self.state, now),
                nodes_seen=self.state.nodes_seen,
                events=self.log.dump(),
                observations=self.ledger.dump(),
                telemetry=self.telemetry.dump(),
            )
        )

    def load(self, data: bytes, now: Moment) -> None:
        """Take over what `dump` returned; call it before anything is committed.

        Args:
            data: A checkpoint, of this or of another process.
            now: The present; what was current when it was made ages until then.

        Raises:
            ValueError: It is no checkpoint, or one of another version.
        """
        try:
            found = msgspec.msgpack.decode(data, type=Checkpoint)
        except msgspec.DecodeError as error:
            message = f"not a checkpoint: {error}"
            raise ValueError(message) from error
        if found.version != VERSION:
            message = f"checkpoint has version {found.version}, expected {VERSION}"
            raise ValueError(message)
        self.identities = Identities(found.key)
        for identity, losses in found.requests:
            self._requests.remember(identity, losses)
        self._lines.newer.update(found.newer_lines)
        self._lines.older.update(found.older_lines)
        load_clusters(self.state, found.clusters, now)
        self.state.nodes_seen = found.nodes_seen
        for event in found.events:
            self.log.append(event, event.size)
        self.ledger.load(found.observations)
        self.state.expect_brokers(self.ledger.expected_brokers())
        self.telemetry.load(found.telemetry)
        self._revision += 1

    def snapshot(self, now: Moment) -> Snapshot:
        """Copy what outputs show, quickly, so that any thread can render it."""
        return self.complete_snapshot(self.state.view(now), now)

    def complete_snapshot(self, clusters: ClustersView, now: Moment) -> Snapshot:
        """Add the rest to what `State.view` or the slices of it returned."""
        return Snapshot(
            now=now,
            settings=self.settings,
            admission=self.state.admission,
            brokers=clusters.brokers,
            nodes=clusters.nodes,
            plans=self.ledger.plans(clusters),
            unseen=sorted(self.telemetry.poller.unseen),
            problems=self.problems,
            own=list(self.telemetry.series()),
        )
