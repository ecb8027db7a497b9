"""The newest values of one broker, by the lines' own timestamps.

A broker repeats the same samples every few seconds. So its newest line is kept whole, as
its *row*, and the next line with the same samples replaces it; values, stamps and history
are updated when they are read, or when another line needs them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from agent.metrics.specs import KNOWN_SAMPLES, Drop
from agent.state.admission import Admission
from agent.state.history import STEP_SECONDS, History
from parsers import SampleKey

# Stamps of untrusted samples are moved back by this, so that among themselves the
# newest wins, and any trusted one wins over all of them.
_DISTRUST_SECONDS = 1e12
NEVER = float("-inf")

_LEAST_INTERVAL_SECONDS = 1.0  # lines of one moment are no interval
_INTERVAL_WEIGHT = 0.125  # of the newest gap between two lines


class Applied(NamedTuple):
    """What became of one metric line; by default all of it was applied.

    Attributes:
        late: Samples older than the newest of their series.
        future: Samples with a timestamp in the future that lost to trusted ones.
        drops: Samples without a series, by reason.
    """

    late: int = 0
    future: int = 0
    drops: Mapping[Drop, int] = MappingProxyType({})

    @property
    def lost(self) -> int:
        """Samples that were not applied."""
        return self.late + self.future + sum(self.drops.values())


ALL_APPLIED = Applied()
"""What becomes of the usual line."""


@dataclass(slots=True)
class Broker:
    """The newest values of one broker, or of a whole cluster.

    Read `values`, `stamps` and `history` after `settle` only.

    Attributes:
        values: Newest value of each sample.
        stamps: Its timestamp, moved far back where it is not trusted.
        newest: The newest of the stamps, and the row's timestamp.
        last_timestamp: The newest timestamp of any of them; never in the future.
        applied_at: When a value was last applied, on the monotonic clock.
        interval: Mean of the recent gaps between timestamps, in seconds; 0 if unknown.
        samples: Samples received, without duplicates.
        created: When it became known, in seconds since the epoch.
        history: Some of them over the last hours.
        row: The samples of the newest line, where all of them are newest and trusted.
    """

    values: dict[SampleKey, float] = field(default_factory=dict)
    stamps: dict[SampleKey, float] = field(default_factory=dict)
    newest: float = NEVER
    last_timestamp: float = 0.0
    applied_at: float = NEVER
    interval: float = 0.0
    samples: int = 0
    created: float = 0.0
    history: History = field(default_factory=History)
    row: Mapping[SampleKey, float] = field(default_factory=dict)
    _shape: tuple[SampleKey, ...] = field(init=False, default=())
    _step_end: float = field(init=False, default=NEVER)  # of the row's, in the history

    def apply(
        self,
        samples: Mapping[SampleKey, float],
        timestamp: float,
        trusted: bool,  # noqa: FBT001 (called for each line)
        admission: Admission,
    ) -> Applied:
        """Apply the samples that have a gauge and are not older than what is there.

        Args:
            samples: Those of one line, at least one.
            timestamp: The line's.
            trusted: False where that is too far in the future.
            admission: What gives samples their gauges.

        Returns:
            What was not applied.
        """
        if trusted and self._replace_row(samples, timestamp, admission):
            return ALL_APPLIED
        self.settle()
        stamp = timestamp if trusted else timestamp - _DISTRUST_SECONDS
        drops: dict[Drop, int] = defaultdict(int)
        if min(samples.values()) < 0:
            kept = drop_negative(samples)
            if len(kept) < len(samples):
                drops[Drop.NEGATIVE_VALUE] = len(samples) - len(kept)
            samples = kept
        if trusted:
            self.history.record(timestamp, samples)
        outdated = 0
        for key, value in samples.items():
            specs = admission.admit_sample(key)
            if isinstance(specs, Drop):
                drops[specs] += 1
            elif stamp < self.stamps.get(key, NEVER):
                outdated += 1
            else:
                self.values[key] = value
                self.stamps[key] = stamp
                self.newest = max(self.newest, stamp)
        late, future = (outdated, 0) if trusted else (0, outdated)
        return Applied(late, future, drops)

    def advance(self, timestamp: float, longest: float) -> None:
        """Move to a newer last timestamp, and learn how often the broker reports.

        Args:
            timestamp: The new one.
            longest: Gaps of more seconds are outages, no intervals.
        """
        gap = timestamp - self.last_timestamp
        self.last_timestamp = timestamp
        if _LEAST_INTERVAL_SECONDS <= gap <= longest:
            weight = _INTERVAL_WEIGHT if self.interval else 1.0
            self.interval += weight * (gap - self.interval)

    def _replace_row(
        self,
        samples: Mapping[SampleKey, float],
        timestamp: float,
        admission: Admission,
    ) -> bool:
        """Make a trusted line the row; False where each sample has to be judged."""
        # Quicker to compare than two sets of keys: equal keys are mostly one object.
        shape = tuple(samples)
        same = shape == self._shape
        if (
            timestamp < self.newest
            or min(samples.values()) < 0
            or not (same or admission.known_samples.issuperset(shape))
        ):
            return False
        if not same or timestamp >= self._step_end:
            self.settle()
            self._step_end = (timestamp // STEP_SECONDS + 1) * STEP_SECONDS
        self.row = samples
        self._shape = shape
        self.newest = timestamp
        return True

    def settle(self) -> None:
        """Write the row to values, stamps and history."""
        if self.row:
            self.values.update(self.row)
            self.stamps.update(dict.fromkeys(self.row, self.newest))
            self.history.record(self.newest, self.row)
            self.row = {}
            self._shape = ()

    def copy_values(self) -> dict[SampleKey, float]:
        """Return the newest value of each sample, in a dict of its own."""
        return {**self.values, **self.row}

    def clear(self) -> None:
        """Forget the values, so that the next ones win whatever their timestamps."""
        self.settle()
        self.values.clear()
        self.stamps.clear()
        self.newest = NEVER

    def distrust(self, wall: float) -> None:
        """Treat stamps that are in the future since our clock was set back as untrusted.

        Else nothing that is received under the new time would win over them.

        Args:
            wall: The present.
        """
        self.settle()
        for key, stamp in self.stamps.items():
            if stamp > wall:
                self.stamps[key] = stamp - _DISTRUST_SECONDS
        self.newest = max(self.stamps.values(), default=NEVER)
        self.last_timestamp = min(self.last_timestamp, wall)


def drop_negative(samples: Mapping[SampleKey, float]) -> dict[SampleKey, float]:
    """Drop negative values of documented samples: loads, rates, shares and memory."""
    return {
        key: value
        for key, value in samples.items()
        if value >= 0 or key[0] not in KNOWN_SAMPLES
    }
