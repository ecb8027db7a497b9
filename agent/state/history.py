"""The last hours of a broker's most telling gauges, for the page; bounded.

Prometheus keeps history; this is what somebody sees who has no Prometheus yet.
"""

from array import array
from collections.abc import Iterable, Mapping
from math import isfinite

from parsers import SampleKey

STEP_SECONDS = 30
POINTS = 360
"""Three hours; a gauge of a broker takes 1,440 bytes."""

SHOWN: tuple[SampleKey, ...] = (
    ("load-avg-1m", ""),
    ("memory-percentage-used", ""),
    ("bytes-in-per-second", ""),
    ("bytes-out-per-second", ""),
    ("write-iops", ""),
    ("read-iops", ""),
)
"""The samples that are remembered."""

_NOTHING = float("nan")


class History:
    """One broker's points: of each step the last value that came."""

    __slots__ = ("_newest", "_points")

    def __init__(self) -> None:
        self._newest = 0  # number of the newest step, counted from the epoch
        self._points: dict[SampleKey, array[float]] = {}

    def record(self, timestamp: float, samples: Mapping[SampleKey, float]) -> None:
        """Remember the samples of one line.

        Args:
            timestamp: The line's, in seconds since the epoch.
            samples: Its values.
        """
        step = int(timestamp) // STEP_SECONDS
        if step > self._newest:
            self._advance(step)
        elif step <= self._newest - POINTS:
            return
        for key in SHOWN:
            value = samples.get(key)
            if value is not None:
                points = self._points.get(key)
                if points is None:
                    points = self._points[key] = array("f", [_NOTHING]) * POINTS
                points[step % POINTS] = value

    def copy(self, keys: Iterable[SampleKey] = SHOWN) -> "History":
        """Copy the points of some gauges, for another thread."""
        other = History()
        other._newest = self._newest
        other._points = {
            key: self._points[key][:] for key in keys if key in self._points
        }
        return other

    def window(
        self, key: SampleKey, now: float, points: int = POINTS
    ) -> "array[float]":
        """Return the points up to `now`, the oldest first; NaN where nothing came."""
        stored = self._points.get(key)
        if stored is None:
            return array("f", [_NOTHING]) * points
        oldest = (self._newest + 1) % POINTS
        ordered = stored[oldest:] + stored[:oldest]
        ahead = int(now) // STEP_SECONDS - self._newest
        if ahead > 0:
            ordered = ordered[ahead:] + array("f", [_NOTHING]) * min(ahead, POINTS)
        elif ahead < 0:
            nothing = array("f", [_NOTHING]) * min(-ahead, POINTS)
            ordered = nothing + ordered[:ahead]
        return ordered[POINTS - points :]

    def series(
        self, key: SampleKey, now: float, points: int = POINTS
    ) -> list[float | None]:
        """Return the same as a list; None for what is missing or not finite."""
        return [_known(value) for value in self.window(key, now, points)]

    def dump(self) -> tuple[int, dict[SampleKey, bytes]]:
        """Return the number of the newest step, and the points as they are stored."""
        return self._newest, {
            key: points.tobytes() for key, points in self._points.items()
        }

    def load(self, newest: int, points: Mapping[SampleKey, bytes]) -> None:
        """Take over what `dump` returned."""
        self._newest = newest
        self._points = {key: array("f", stored) for key, stored in points.items()}

    def _advance(self, step: int) -> None:
        """Move on to a newer step; the ones that were skipped hold nothing."""
        skipped: Iterable[int] = range(max(self._newest, step - POINTS) + 1, step + 1)
        for points in self._points.values():
            for one in skipped:
                points[one % POINTS] = _NOTHING
        self._newest = step


def _known(value: float) -> float | None:
    # What no point can hold has become infinite, which JSON cannot write.
    return value if isfinite(value) else None
