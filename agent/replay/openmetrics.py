"""The history as OpenMetrics text with timestamps, in bounded memory.

OpenMetrics wants the points of a series together, and time goes on through all series
at once. So the points of each series are collected, and when they are many they go to
a temporary file; at the end they are read back series by series.
"""

import tempfile
from typing import IO, TextIO

from agent.metrics.exposition import render_labels
from agent.metrics.series import Series
from agent.metrics.spec import Spec
from agent.metrics.specs import LOG_EVENTS, LOG_LINES
from agent.replay.journal import Logged, Metrics
from parsers import Level

STEP_SECONDS = 60
"""Counters get a point each minute, as if they were scraped."""

HOLE_SECONDS = 900
"""Where an archive has nothing of a cluster for longer, its counters have no points."""

_POINTS_IN_MEMORY = 200_000
_POINTS_OF_SERIES = 4_000
_MILLISECONDS = 1000


class _Points:
    """The points of one series, in memory and on disk."""

    __slots__ = ("last", "pieces", "points")

    def __init__(self) -> None:
        self.last: int | None = None
        self.points: list[str] = []
        self.pieces: list[tuple[int, int]] = []


class _Spool:
    """Keeps the points of many series; whoever adds them keeps to the order of time."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (close() closes it)
        self._end = 0
        self._held = 0
        self._families: dict[Spec, dict[tuple[str, ...], _Points]] = {}

    def add(self, one: Series) -> None:
        """Add a point; of two at one time the first stays, as OpenMetrics wants."""
        family = self._families.get(one.spec)
        if family is None:
            family = self._families[one.spec] = {}
        series = family.get(one.labels)
        if series is None:
            series = family[one.labels] = _Points()
        milliseconds = round((one.timestamp or 0.0) * _MILLISECONDS)
        if series.last == milliseconds:
            return
        series.last = milliseconds
        series.points.append(f"{one.value!r} {_render_time(milliseconds)}")
        self._held += 1
        if len(series.points) >= _POINTS_OF_SERIES:
            self._put_down(series)
        elif self._held >= _POINTS_IN_MEMORY:
            for others in self._families.values():
                for points in others.values():
                    self._put_down(points)

    def _put_down(self, series: _Points) -> None:
        if not series.points:
            return
        text = "\n".join(series.points).encode()
        self._file.write(text)
        series.pieces.append((self._end, len(text)))
        self._end += len(text)
        self._held -= len(series.points)
        series.points.clear()

    def write(self, out: TextIO) -> None:
        """Write all families, by name, each with its header."""
        for spec in sorted(self._families, key=lambda spec: spec.name):
            out.write(_render_header(spec))
            for labels, series in sorted(self._families[spec].items()):
                self._put_down(series)
                place = f"{spec.name}{render_labels(spec, labels)} "
                for start, length in series.pieces:
                    self._file.seek(start)
                    points = self._file.read(length).decode()
                    out.write(place + points.replace("\n", f"\n{place}") + "\n")
            self._file.seek(self._end)

    def close(self) -> None:
        """Remove what is on disk."""
        self._file.close()


class _Counters:
    """The counters of one cluster, and the minutes at which they get points."""

    def __init__(self, spool: _Spool, addon: str) -> None:
        self._spool = spool
        self._addon = addon
        self._counts: dict[tuple[Spec, tuple[str, ...]], int] = {}
        self._tick: int | None = None
        self._seen = 0.0

    def advance(self, time: float) -> None:
        """Give all counters their points up to `time`, excluded."""
        if self._tick is None or time - self._seen > HOLE_SECONDS:
            self.finish()
            self._tick = _tick_before(time)
            self._add_points(self._tick)
        while self._tick + STEP_SECONDS < time:
            self._tick += STEP_SECONDS
            self._add_points(self._tick)
        self._seen = time

    def count(self, line: Logged) -> None:
        """Count a line, at the time that was advanced to."""
        for level in Level:
            self._begin(LOG_LINES, (self._addon, level.value, line.node))
        cell = (self._addon, line.category.value, line.node, line.urgency.value)
        self._begin(LOG_EVENTS, cell)
        self._counts[LOG_LINES, (self._addon, line.level.value, line.node)] += 1
        self._counts[LOG_EVENTS, cell] += 1

    def finish(self) -> None:
        """Show what was counted since the last minute."""
        if self._tick is not None:
            self._tick += STEP_SECONDS
            self._add_points(self._tick)

    def _begin(self, spec: Spec, labels: tuple[str, ...]) -> None:
        """Show a new counter at 0 first, so that increase() sees its first line."""
        if (spec, labels) not in self._counts and self._tick is not None:
            self._counts[spec, labels] = 0
            self._spool.add(Series(spec, labels, 0, self._tick))

    def _add_points(self, tick: int) -> None:
        for (spec, labels), count in self._counts.items():
            self._spool.add(Series(spec, labels, count, tick))


class History:
    """Takes lines in the order of time, each once; then writes OpenMetrics.

    Call `close` at the end.
    """

    def __init__(self) -> None:
        self._spool = _Spool()
        self._counters: dict[str, _Counters] = {}

    def close(self) -> None:
        """Remove what is on disk."""
        self._spool.close()

    def add_metrics(self, line: Metrics, specs: tuple[Spec | None, ...]) -> None:
        """Take a metric line; one without a time has no place in history.

        Args:
            line: The line.
            specs: The metric of each of its values; None where it has none.
        """
        if line.time is None:
            return
        self._counters_of(line.addon, line.time)
        labels = (line.addon,) if line.broker is None else (line.addon, line.broker)
        add = self._spool.add
        for spec, value in zip(specs, line.values, strict=True):
            if spec is not None:
                add(Series(spec, labels, value, line.time))

    def add_log(self, line: Logged) -> None:
        """Take a broker's own line; one without a time has no place in history."""
        if line.time is not None:
            self._counters_of(line.addon, line.time).count(line)

    def _counters_of(self, addon: str, time: float) -> _Counters:
        counters = self._counters.get(addon)
        if counters is None:
            counters = self._counters[addon] = _Counters(self._spool, addon)
        counters.advance(time)
        return counters

    def write(self, out: TextIO) -> None:
        """Write everything, once."""
        for counters in self._counters.values():
            counters.finish()
        self._spool.write(out)
        out.write("# EOF\n")


def _render_header(spec: Spec) -> str:
    return f"# HELP {spec.family} {spec.help}\n# TYPE {spec.family} {spec.kind}\n"


def _render_time(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, _MILLISECONDS)
    return f"{seconds}.{rest:03}" if rest else str(seconds)


def _tick_before(time: float) -> int:
    """Return the last whole minute before `time`."""
    tick = int(time // STEP_SECONDS) * STEP_SECONDS
    return tick if tick < time else tick - STEP_SECONDS
