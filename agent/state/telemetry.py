"""What the agent counts of its own work: plain numbers, exported at scrape time."""

import platform
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from agent import __version__
from agent.heroku_api.schedule import PollerTelemetry
from agent.metrics import specs
from agent.metrics.series import Series
from agent.metrics.spec import Spec
from agent.metrics.specs import DELAY_BUCKETS_SECONDS, Drop
from agent.state.checkpoint import TelemetryRecord
from parsers import FrameKind, LossCode, Reason

K = TypeVar("K")

_PLAIN = (
    "received_bytes",
    "duplicate_requests",
    "late_samples",
    "future_samples",
    "auth_failures",
    "frame_count_mismatches",
    "undecodable_bodies",
    "connections_refused",
    "connections_timed_out",
    "internal_errors",
    "last_request_timestamp",
    "delay_sum",
    "created",
)


@dataclass(slots=True)
class Telemetry:
    """The agent's own counters.

    Attributes:
        poller: Those of the poller of Heroku's APIs.
        requests: HTTP requests by route and status code.
        frames: Frames by kind, without those of duplicate requests.
        parse_errors: Refusals by reason.
        dropped: Log lines that the drain lost before us, by Heroku's error code.
        dropped_elsewhere: The same, reported here but lost by another drain or tail.
        series_dropped: Values and lines for which there was no series, by reason.
        received_bytes: Bodies of authenticated drain requests, as sent.
        duplicate_requests: Retries that had been applied before.
        late_samples: Samples older than the newest of their series.
        future_samples: Samples from the future that lost to honest ones.
        auth_failures: Requests without the right credentials.
        frame_count_mismatches: Requests whose Logplex-Msg-Count is not what they hold.
        undecodable_bodies: Compressed bodies that end early or are damaged.
        connections_refused: Connections closed because there were too many.
        connections_timed_out: Connections closed because they were too slow.
        internal_errors: Exceptions that should not have happened.
        last_request_timestamp: When a drain request was last accepted, 0 for never.
        created: When the counters were at 0, in seconds since the epoch; 0 for unknown.
        reload_successful: Whether the last reload of the configuration was successful.
        reload_success_timestamp: When it was last loaded successfully.
        delay_buckets: Kafka lines by delay, not cumulated; the last one is +Inf.
        delay_sum: Sum of the delays in seconds.
    """

    poller: PollerTelemetry = field(default_factory=PollerTelemetry)
    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    frames: dict[FrameKind, int] = field(
        default_factory=lambda: dict.fromkeys(FrameKind, 0)
    )
    parse_errors: dict[Reason, int] = field(
        default_factory=lambda: dict.fromkeys(Reason, 0)
    )
    dropped: dict[LossCode, int] = field(
        default_factory=lambda: {"L10": 0, "L12": 0, "L13": 0}
    )
    dropped_elsewhere: dict[LossCode, int] = field(
        default_factory=lambda: {"L10": 0, "L11": 0}
    )
    series_dropped: dict[Drop, int] = field(
        default_factory=lambda: dict.fromkeys(Drop, 0)
    )
    received_bytes: int = 0
    duplicate_requests: int = 0
    late_samples: int = 0
    future_samples: int = 0
    auth_failures: int = 0
    frame_count_mismatches: int = 0
    undecodable_bodies: int = 0
    connections_refused: int = 0
    connections_timed_out: int = 0
    internal_errors: int = 0
    last_request_timestamp: float = 0.0
    created: float = 0.0
    reload_successful: bool = True
    reload_success_timestamp: float = 0.0
    delay_buckets: list[int] = field(
        default_factory=lambda: [0] * (len(DELAY_BUCKETS_SECONDS) + 1)
    )
    delay_sum: float = 0.0

    def observe_delay(self, seconds: float) -> None:
        """Count one Kafka line that was `seconds` old on receipt."""
        self.delay_buckets[bisect_left(DELAY_BUCKETS_SECONDS, seconds)] += 1
        if seconds > 0.0:
            self.delay_sum += seconds

    def dump(self) -> TelemetryRecord:
        """Return a record of all counters."""
        return TelemetryRecord(
            plain={name: getattr(self, name) for name in _PLAIN},
            requests=dict(self.requests),
            frames=self.frames,
            parse_errors=self.parse_errors,
            dropped=self.dropped,
            dropped_elsewhere=self.dropped_elsewhere,
            series_dropped=self.series_dropped,
            poller=self.poller.requests,
            delay_buckets=self.delay_buckets,
        )

    def load(self, record: TelemetryRecord) -> None:
        """Take over what `dump` returned; what another version counted stays away."""
        for name in _PLAIN:
            setattr(self, name, record.plain.get(name, 0))
        self.requests.update(record.requests)
        _restore(self.frames, record.frames)
        _restore(self.parse_errors, record.parse_errors)
        _restore(self.dropped, record.dropped)
        _restore(self.dropped_elsewhere, record.dropped_elsewhere)
        _restore(self.series_dropped, record.series_dropped)
        _restore(self.poller.requests, record.poller)
        if len(record.delay_buckets) == len(self.delay_buckets):
            self.delay_buckets = list(record.delay_buckets)

    def series(self) -> Iterator[Series]:
        """Yield the agent's own series."""
        version = (platform.python_version(), __version__)
        yield Series(specs.BUILD_INFO, version, 1)
        yield Series(specs.LAST_REQUEST, (), self.last_request_timestamp)
        yield Series(specs.RELOAD_SUCCESSFUL, (), self.reload_successful)
        yield Series(specs.RELOAD_SUCCESS, (), self.reload_success_timestamp)
        for spec, value in (
            (specs.RECEIVED_BYTES, self.received_bytes),
            (specs.DUPLICATE_REQUESTS, self.duplicate_requests),
            (specs.LATE_SAMPLES, self.late_samples),
            (specs.FUTURE_SAMPLES, self.future_samples),
            (specs.AUTH_FAILURES, self.auth_failures),
            (specs.FRAME_COUNT_MISMATCHES, self.frame_count_mismatches),
            (specs.UNDECODABLE_BODIES, self.undecodable_bodies),
            (specs.CONNECTIONS_REFUSED, self.connections_refused),
            (specs.CONNECTIONS_TIMED_OUT, self.connections_timed_out),
            (specs.INTERNAL_ERRORS, self.internal_errors),
        ):
            yield self._counter(spec, (), value)
        yield from self._labelled()
        yield from self._delays()

    def _counter(self, spec: Spec, labels: tuple[str, ...], value: float) -> Series:
        return Series(spec, labels, value, created=self.created)

    def _labelled(self) -> Iterator[Series]:
        for (route, status), value in self.requests.items():
            yield self._counter(specs.REQUESTS, (str(status), route), value)
        for spec, counts in (
            (specs.FRAMES, self.frames),
            (specs.PARSE_ERRORS, self.parse_errors),
            (specs.SERIES_DROPPED, self.series_dropped),
        ):
            for member, value in counts.items():
                yield self._counter(spec, (member.value,), value)
        for spec, losses in (
            (specs.DRAIN_DROPPED, self.dropped),
            (specs.ELSEWHERE_DROPPED, self.dropped_elsewhere),
        ):
            for code, value in losses.items():
                yield self._counter(spec, (code,), value)
        for (endpoint, outcome), value in self.poller.requests.items():
            labels = (endpoint.value, outcome.value)
            yield self._counter(specs.COLLECTOR_REQUESTS, labels, value)

    def _delays(self) -> Iterator[Series]:
        total = 0
        bounds = [*(str(float(one)) for one in DELAY_BUCKETS_SECONDS), "+Inf"]
        for bound, count in zip(bounds, self.delay_buckets, strict=True):
            total += count
            yield Series(specs.LINE_DELAY_BUCKET, (bound,), total)
        yield Series(specs.LINE_DELAY_SUM, (), self.delay_sum)
        yield self._counter(specs.LINE_DELAY_COUNT, (), total)


def _restore(counters: dict[K, int], saved: Mapping[K, int]) -> None:
    """Set those of some counters that were saved; there are no others."""
    counters.update((key, saved[key]) for key in counters.keys() & saved.keys())
