"""What the agent counts of its own work: plain numbers, exported at scrape time."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from agent.state.clusters import Drop
from parsers import FrameKind, LossCode, Reason

DELAY_BUCKETS_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


@dataclass(slots=True)
class Telemetry:
    """The agent's own counters.

    Attributes:
        requests: HTTP requests by route and status code.
        frames: Frames by the value of `FrameKind`; those of recognised retries are not counted again.
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
        delay_buckets: Kafka lines by delay, not cumulated; the last one is +Inf.
        delay_sum: Sum of the delays in seconds.
    """

    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    frames: dict[str, int] = field(
        default_factory=lambda: {kind.value: 0 for kind in FrameKind}
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
    delay_buckets: list[int] = field(
        default_factory=lambda: [0] * (len(DELAY_BUCKETS_SECONDS) + 1)
    )
    delay_sum: float = 0.0

    def observe_delay(self, seconds: float) -> None:
        """Count one Kafka line that was `seconds` old when it came."""
        self.delay_buckets[bisect_left(DELAY_BUCKETS_SECONDS, seconds)] += 1
        self.delay_sum += max(seconds, 0.0)
