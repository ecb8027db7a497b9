"""The history as OpenMetrics text with timestamps, in bounded memory.

OpenMetrics wants the points of a series together, and time goes on through all series
at once. So the points of each series are collected, and when they are many they go to
a temporary file; at the end they are read back series by series.
"""

import tempfile
from collections.abc import Callable
from types import TracebackType
from typing import IO, Self, TextIO

from agent.kafka.gauges import PREFIX
from agent.replay.journal import Logged, Metrics
from parsers import Level

STEP_SECONDS = 60
"""Counters get a point each minute, as if they were scraped."""

HOLE_SECONDS = 900
"""Where an archive has nothing of a cluster for longer, its counters have no points."""

_LINES = f"{PREFIX}log_lines"
_EVENTS = f"{PREFIX}log_events"
_HELP = {
    _LINES: "Lines that a node of the cluster logged, by level.",
    _EVENTS: "Lines that a node logged, by what they are about and what they ask for.",
}
_POINTS_IN_MEMORY = 200_000
_POINTS_OF_SERIES = 4_000
_MILLISECONDS = 1000


class _Series:
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
        self._families: dict[str, dict[str, _Series]] = {}

    def add(self, name: str, labels: str, milliseconds: int, value: float) -> None:
        """Add a point; of two at one time the first stays, as OpenMetrics wants."""
        family = self._families.get(name)
        if family is None:
            family = self._families[name] = {}
        series = family.get(labels)
        if series is None:
            series = family[labels] = _Series()
        if series.last == milliseconds:
            return
        series.last = milliseconds
        series.points.append(f"{value!r} {_render_time(milliseconds)}")
        self._held += 1
        if len(series.points) >= _POINTS_OF_SERIES:
            self._put_down(series)
        elif self._held >= _POINTS_IN_MEMORY:
            for others in self._families.values():
                for one in others.values():
                    self._put_down(one)

    def _put_down(self, series: _Series) -> None:
        if not series.points:
            return
        text = "\n".join(series.points).encode()
        self._file.write(text)
        series.pieces.append((self._end, len(text)))
        self._end += len(text)
        self._held -= len(series.points)
        series.points.clear()

    def write(self, out: TextIO, head: Callable[[str], str]) -> None:
        """Write all families, by name, each with its head."""
        for name, family in sorted(self._families.items()):
            out.write(head(name))
            for labels, series in sorted(family.items()):
                self._put_down(series)
                for start, length in series.pieces:
                    self._file.seek(start)
                    points = self._file.read(length).decode()
                    place = f"{name}{labels} "
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
        self._counts: dict[tuple[str, str], int] = {}
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
        node = f'{{addon="{self._addon}",node="{line.node}"'
        for level in Level:
            self._begin(f"{_LINES}_total", f'{node},level="{level.value}"}}')
        cell = (
            f'{node},category="{line.category.value}",urgency="{line.urgency.value}"}}'
        )
        self._begin(f"{_EVENTS}_total", cell)
        self._counts[f"{_LINES}_total", f'{node},level="{line.level.value}"}}'] += 1
        self._counts[f"{_EVENTS}_total", cell] += 1

    def finish(self) -> None:
        """Show what was counted since the last minute."""
        if self._tick is not None:
            self._tick += STEP_SECONDS
            self._add_points(self._tick)

    def _begin(self, name: str, labels: str) -> None:
        """Show a new counter at 0 first, so that increase() sees its first line."""
        if (name, labels) not in self._counts and self._tick is not None:
            self._counts[name, labels] = 0
            self._spool.add(name, labels, self._tick * _MILLISECONDS, 0)

    def _add_points(self, tick: int) -> None:
        for (name, labels), count in self._counts.items():
            self._spool.add(name, labels, tick * _MILLISECONDS, count)


class History:
    """Takes lines in the order of time, each once; then writes OpenMetrics.

    It is a context manager, which removes what is on disk.
    """

    def __init__(self) -> None:
        self._spool = _Spool()
        self._counters: dict[str, _Counters] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.close()

    def add_metrics(self, line: Metrics, names: tuple[str, ...]) -> None:
        """Take a metric line; one without a time has no place in history.

        Args:
            line: The line.
            names: The metric of each of its values; empty where it has none.
        """
        if line.time is None:
            return
        self._counters_of(line.addon, line.time)
        labels = f'{{addon="{line.addon}"' + (
            "}" if line.broker is None else f',broker="{line.broker}"}}'
        )
        milliseconds = round(line.time * _MILLISECONDS)
        add = self._spool.add
        for name, value in zip(names, line.values, strict=True):
            if name:
                add(name, labels, milliseconds, value)

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

    def write(self, out: TextIO, helps: dict[str, str]) -> None:
        """Write everything, once.

        Args:
            out: Where to.
            helps: One sentence for each gauge.
        """
        for counters in self._counters.values():
            counters.finish()
        self._spool.write(out, lambda name: _render_head(name, helps))
        out.write("# EOF\n")


def _render_head(name: str, helps: dict[str, str]) -> str:
    family = name.removesuffix("_total")
    if family in _HELP:
        return f"# HELP {family} {_HELP[family]}\n# TYPE {family} counter\n"
    return f"# HELP {name} {helps[name]}\n# TYPE {name} gauge\n"


def _render_time(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, _MILLISECONDS)
    return f"{seconds}.{rest:03}" if rest else str(seconds)


def _tick_before(time: float) -> int:
    """Return the last whole minute before `time`."""
    tick = int(time // STEP_SECONDS) * STEP_SECONDS
    return tick if tick < time else tick - STEP_SECONDS
