"""What alert rules look back on: the series that they use, within bounds.

Windows of up to half an hour are read from every recorded point, longer ones from
aggregates of five minutes that are kept for two days: of a counter its last value, of a
gauge the mean.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from agent.promql.values import Labels, Points, Selector, Vector

FINE_SECONDS = 2_000.0
"""Half an hour, and some points beyond its edge."""

STEP_SECONDS = 300
COARSE_SECONDS = 172_800.0

_TRACKS = 20_000  # of one name; one with all aggregates takes 11 kB
_SPARE = 64  # points that are dropped together


class _Points:
    """Samples in the order of their times, those of the last `seconds` at least."""

    __slots__ = ("_seconds", "times", "values")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.times = array("d")
        self.values = array("d")

    def append(self, time: float, value: float) -> None:
        self.times.append(time)
        self.values.append(value)
        if len(self.times) > _SPARE and self.times[_SPARE] < time - self._seconds:
            del self.times[:_SPARE]
            del self.values[:_SPARE]

    def maybe_between(self, start: float, end: float) -> Points | None:
        first, last = bisect_left(self.times, start), bisect_right(self.times, end)
        if first == last:
            return None
        return Points(self.times[first:last], self.values[first:last])


class _Track:
    """What is kept of one series."""

    __slots__ = ("_coarse", "_count", "_fine", "_mean", "_step", "began")

    def __init__(self, now: float, *, with_coarse: bool) -> None:
        self.began = now
        self._fine = _Points(FINE_SECONDS)
        self._coarse = _Points(COARSE_SECONDS) if with_coarse else None
        self._step, self._count, self._mean = -1, 0, 0.0

    @property
    def last(self) -> float:
        """Time of the last sample."""
        return self._fine.times[-1]

    def record(self, now: float, value: float, *, is_counter: bool) -> None:
        self._fine.append(now, value)
        coarse = self._coarse
        if coarse is None:
            return
        # The last aggregate is the present value, until its five minutes are over.
        step = int(now // STEP_SECONDS)
        if step == self._step:
            self._count += 1
            self._mean += (value - self._mean) / self._count
            coarse.times[-1], coarse.values[-1] = now, value
            return
        if self._count and not is_counter:
            coarse.values[-1] = self._mean
        self._step, self._count, self._mean = step, 1, value
        coarse.append(now, value)

    def maybe_between(self, start: float, end: float) -> Points | None:
        fine = self._fine
        is_complete = fine.times[0] <= max(start, self.began)
        if self._coarse is None or is_complete:
            return fine.maybe_between(start, end)
        return self._coarse.maybe_between(start, end)


class _Window:
    """The tracks of the series that one selector selects."""

    def __init__(self, selector: Selector) -> None:
        self.selector = selector
        self.tracks: dict[Labels, _Track] = {}


class RuleInputs:
    """The series that rules use: their present values, and what windows need.

    Args:
        reach: Selectors, and how many seconds they look back; 0 for the present alone.
        counters: Names of the series that are counters.

    Attributes:
        names: Names of the series that are used.
        tracks: What is kept of each series that any window needs, by its name.
        now: The moment that was recorded last.
    """

    def __init__(
        self, reach: Iterable[tuple[Selector, float]], counters: frozenset[str]
    ) -> None:
        self._counters = counters
        self._longest: dict[str, float] = {}
        self._windows: dict[str, dict[int, _Window]] = {}
        for selector, seconds in reach:
            name = selector.name
            self._longest[name] = max(seconds, self._longest.get(name, 0.0))
            if seconds:
                windows = self._windows.setdefault(name, {})
                windows[id(selector)] = _Window(selector)
        self.names = frozenset(self._longest)
        self.tracks: dict[str, dict[Labels, _Track]] = {
            name: {} for name in self._windows
        }
        self._latest: dict[str, Vector] = {}
        self.now = 0.0

    def adopt(self, other: "RuleInputs") -> None:
        """Take over what the inputs of other rules hold, as far as these look back."""
        for name in self.tracks.keys() & other.tracks.keys():
            for labels, track in other.tracks[name].items():
                self._add_track(name, labels, track)
        self.now = other.now

    def begin(self, now: float) -> None:
        """Begin to record another moment, and forget what is too old.

        Args:
            now: Seconds since the epoch.
        """
        # After the clock was set back, new points would be in no order with the old.
        oldest = now - COARSE_SECONDS if now >= self.now else math.inf
        for name, tracks in self.tracks.items():
            for labels in [one for one, track in tracks.items() if track.last < oldest]:
                del tracks[labels]
                for window in self._windows[name].values():
                    window.tracks.pop(labels, None)
        self.now = now
        self._latest = {}

    def record(self, name: str, vector: Vector) -> None:
        """Record the series of one name at this moment."""
        self._latest[name] = vector
        tracks = self.tracks.get(name)
        if tracks is None:
            return
        now, is_counter = self.now, name in self._counters
        for labels, value in vector.items():
            track = tracks.get(labels)
            if track is None:
                if len(tracks) >= _TRACKS:
                    continue
                is_long = self._longest[name] > FINE_SECONDS
                track = _Track(now, with_coarse=is_long)
                self._add_track(name, labels, track)
            track.record(now, value, is_counter=is_counter)

    def latest(self, selector: Selector) -> Vector:
        """Return the present values of the selected series."""
        vector = self._latest.get(selector.name, {})
        if not selector.matchers:
            return vector
        return {one: value for one, value in vector.items() if selector.matches(one)}

    def window(
        self, selector: Selector, start: float, end: float
    ) -> Iterator[tuple[Labels, Points]]:
        """Yield the points from `start` to `end` of the selected series."""
        window = self._windows[selector.name][id(selector)]
        for labels, track in window.tracks.items():
            points = track.maybe_between(start, end)
            if points is not None:
                yield labels, points

    def _add_track(self, name: str, labels: Labels, track: _Track) -> None:
        self.tracks[name][labels] = track
        for window in self._windows[name].values():
            if window.selector.matches(labels):
                window.tracks[labels] = track
