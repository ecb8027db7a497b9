"""Figures of long series in bounded memory: how large, how often, how far apart."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nlargest

_DIGITS = 3
_MOST_VALUES = 1_000
_MOST_BUCKETS = 10_000  # three digits of values over eleven powers of ten


class Distribution:
    """Counts equal values; where those are many, values equal in their first digits.

    So a quantile is exact for up to 1,000 different values. Beyond them three digits
    are kept, which is within 0.5 %; absurd values can make it two, or one. It does not
    depend on the order of the values, and takes a third of a microsecond for each.
    """

    def __init__(self) -> None:
        self._digits = 0  # none are cut off yet
        self._buckets: Counter[float] | Counter[str] = Counter()

    def extend(self, values: Iterable[float]) -> None:
        """Take values."""
        self._buckets.update(self._shorten(values))  # type: ignore[arg-type] # all of one kind
        while len(self._buckets) > self._limit and self._digits != 1:
            self._digits = self._digits - 1 if self._digits else _DIGITS
            values, counts = zip(*self._ranked(), strict=True)
            shorter: Counter[str] = Counter()
            for bucket, count in zip(self._shorten(values), counts, strict=True):
                shorter[str(bucket)] += count
            self._buckets = shorter

    @property
    def _limit(self) -> int:
        return _MOST_BUCKETS if self._digits else _MOST_VALUES

    def _shorten(self, values: Iterable[float]) -> Iterable[float] | Iterable[str]:
        return map(f"%.{self._digits - 1}e".__mod__, values) if self._digits else values

    def _ranked(self) -> list[tuple[float, int]]:
        return sorted((float(bucket), n) for bucket, n in self._buckets.items())

    def quantile(self, share: float) -> float:
        """Return the value that `share` of the values do not exceed; 0 without any."""
        rank = math.ceil(share * self._buckets.total())
        for value, count in self._ranked():
            rank -= count
            if rank <= 0:
                return value
        return 0.0

    def count_above(self, limit: float) -> int:
        """Return how many values are above `limit`."""
        return sum(n for bucket, n in self._buckets.items() if float(bucket) > limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is told of one gauge, in its base unit.

    Attributes:
        count: Values.
        min: The smallest.
        mean: Their mean.
        p95: The value that 95 % of them do not exceed; see `Distribution`.
        max: The largest.
    """

    count: int
    min: float
    mean: float
    p95: float
    max: float


class GaugeFigures:
    """The values of one gauge."""

    def __init__(self) -> None:
        self._count = 0
        self._total = 0.0
        self._low = math.inf
        self._high = -math.inf
        self._distribution = Distribution()

    def extend(self, values: Sequence[float]) -> None:
        """Take at least one value."""
        self._count += len(values)
        self._total += sum(values)
        self._low = min(self._low, *values)
        self._high = max(self._high, *values)
        self._distribution.extend(values)

    def summarise(self) -> Figures:
        """Return the figures of what has been taken, at least one value."""
        low, high = self._low, self._high
        p95 = self._distribution.quantile(0.95)
        # The sum of absurd values overflows; their mean shall be a number all the same.
        mean = self._total / self._count
        return Figures(
            count=self._count,
            min=low,
            mean=min(max(low, mean), high),
            p95=min(max(low, p95), high),
            max=high,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time without a line.

    Attributes:
        start: Timestamp of the line before it.
        end: Timestamp of the line after it.
    """

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


class Intervals:
    """The times between the lines of one broker, taken in the order of time.

    Attributes:
        first: Timestamp of the first line; None before it.
        last: Timestamp of the last one.
    """

    LISTED = 5
    """Gaps that are listed; the others are counted."""

    FACTOR = 3.0
    LEAST_SECONDS = 30.0

    def __init__(self) -> None:
        self.first: float | None = None
        self.last: float | None = None
        self._distribution = Distribution()
        self._pending: list[float] = []
        self._longest: list[Gap] = []

    def add(self, time: float) -> None:
        """Take the timestamp of the next line."""
        before = self.last
        self.last = time
        if before is None:
            self.first = time
            return
        seconds = time - before
        if seconds <= 0:
            return
        self._pending.append(seconds)
        if len(self._pending) >= 1000:  # noqa: PLR2004 (one call for many)
            self._flush()
        longest = self._longest
        if seconds > self.LEAST_SECONDS and (
            len(longest) < self.LISTED or seconds > longest[-1].seconds
        ):
            longest.append(Gap(start=before, end=time))
            # The sort is stable: of equal ones the earlier stays.
            self._longest = nlargest(self.LISTED, longest, key=_length)

    def _flush(self) -> None:
        self._distribution.extend(self._pending)
        self._pending.clear()

    @property
    def usual_seconds(self) -> float:
        """The median interval; 0 where there is none."""
        self._flush()
        return self._distribution.quantile(0.5)

    @property
    def gaps(self) -> tuple[int, list[Gap]]:
        """How many gaps there are, and the longest of them, the longest first."""
        limit = max(self.FACTOR * self.usual_seconds, self.LEAST_SECONDS)
        listed = [gap for gap in self._longest if gap.seconds > limit]
        count = self._distribution.count_above(limit)
        return max(count, len(listed)), listed


def _length(gap: Gap) -> float:
    return gap.seconds
