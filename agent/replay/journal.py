"""All lines of a cluster in the order of time, each once, in bounded memory.

The lines go to a temporary database of SQLite's, which sorts outside of memory. So the
order in which files are given changes nothing, and a line that stands in several files
is recognised however far apart they are: its copies are neighbours then. Lines that
a broker really wrote twice stand twice in one archive, and then both count: the n-th
of equal lines in an archive is compared with the n-th in the others, as
`agent.state.dedupe.RecentLines` does it with requests.
"""

import json
import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from types import TracebackType
from typing import NamedTuple, Self, cast

from agent.kafka.categories import Category, Urgency
from agent.kafka.classifier import NO_OVERRIDES, Overrides, classify
from agent.replay.reader import Found, TextLoss
from parsers import BrokerLog, DrainLoss, Level, LossCode, MetricLine, SampleKey

EARLIEST = 1_262_304_000.0
"""2010: no line of a cluster is older, so an older timestamp is no time."""

AHEAD_SECONDS = 86_400.0
"""Timestamps further ahead of this machine's clock are no times either."""

_CACHE_KIB = 16_384
_ROWS = 2_000
_IDENTITY_BYTES = 12
_LINE_COLUMNS = 5  # what equal lines have in common: time to identity
_METRICS, _LOG, _LOSS = range(3)
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -{cache};
CREATE TABLE detail (id INTEGER PRIMARY KEY, text TEXT UNIQUE NOT NULL);
CREATE TABLE line (
    time REAL, addon TEXT, kind INTEGER, sender TEXT, identity BLOB, trace INTEGER,
    archive INTEGER, detail INTEGER, figures BLOB
);
BEGIN;
"""
_INSERT = "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
# Of copies of a line the one with the longest trace comes first.
_SELECT = """
SELECT time, addon, kind, sender, identity, archive, detail, figures FROM line
ORDER BY time, addon, kind, sender, identity, trace DESC, detail, archive
"""


class Metrics(NamedTuple):
    """A metric line.

    Attributes:
        time: Seconds since the epoch; None where the line has none to believe.
        addon: Name of the add-on.
        broker: Id of the broker, None for the whole cluster.
        keys: Which samples it has; equal for most lines.
        values: Their values.
    """

    time: float | None
    addon: str
    broker: str | None
    keys: tuple[SampleKey, ...]
    values: tuple[float, ...]


class Logged(NamedTuple):
    """A broker's own line, judged.

    Attributes:
        time: Seconds since the epoch; None where the line has none to believe.
        addon: Name of the add-on.
        node: The number as written.
        level: Level.
        category: What it is about.
        urgency: What it asks for.
    """

    time: float | None
    addon: str
    node: str
    level: Level
    category: Category
    urgency: Urgency


class Lost(NamedTuple):
    """Lines that were lost.

    Attributes:
        code: Heroku's error code.
        lines: How many.
    """

    code: LossCode
    lines: int


Record = Metrics | Logged | Lost
_Row = tuple[float | None, str, int, str, bytes, int, int, int, bytes]
_Sorted = tuple[float | None, str, int, str, bytes, int, int, bytes]


class Journal:
    """Takes lines in any order and gives them back in the order of time.

    Call `add` for each, then `records` once. It is a context manager, which removes
    what is on disk.

    Args:
        now: Seconds since the epoch; no line was written much later.
        overrides: Urgencies that go before those of the message rules.

    Attributes:
        repeated: Lines left out by `records` because they had come before.
        undated: Lines without a timestamp that can be believed.
    """

    def __init__(self, now: float, overrides: Overrides = NO_OVERRIDES) -> None:
        self._overrides = overrides
        self._latest = now + AHEAD_SECONDS
        # An empty name is a database on disk that nobody else sees and that SQLite
        # removes when it is closed.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_SCHEMA.format(cache=_CACHE_KIB))
        self._rows: list[_Row] = []
        self._number = 0
        self._archive = 0
        self._detail_of = lru_cache(maxsize=4096)(self._intern)
        self._keys_of = lru_cache(maxsize=4096)(self._look_up_keys)
        self._words_of = lru_cache(maxsize=4096)(self._look_up)
        self.repeated = 0
        self.undated = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def begin_archive(self) -> None:
        """Take note that what is added from now on stands in another archive."""
        self._archive += 1

    def add(self, found: Found) -> None:
        """Take a line; whatever else was found is passed over.

        Args:
            found: Something that an archive held.
        """
        match found:
            case MetricLine(addon=addon, timestamp=timestamp, message=message):
                detail = self._detail_of(tuple(found.samples))
                figures = array("d", found.samples.values()).tobytes()
                sender = "" if found.broker is None else found.broker
                row = (_METRICS, sender, 0, detail, figures)
            case BrokerLog(addon=addon, timestamp=timestamp, message=message):
                verdict = classify(found, self._overrides)
                words = (found.level, verdict.category, verdict.urgency)
                detail = self._detail_of(tuple(word.value for word in words))
                row = (_LOG, found.node, len(found.trace), detail, b"")
            case TextLoss(timestamp=timestamp, message=message, loss=loss):
                addon = ""
                row = self._loss(loss)
            case DrainLoss():
                addon, timestamp, message = "", None, b""
                row = self._loss(found)
            case _:
                return
        self._append(addon, timestamp, message, row)

    def _loss(self, loss: DrainLoss) -> tuple[int, str, int, int, bytes]:
        figures = array("d", [loss.count]).tobytes()
        return _LOSS, "", 0, self._detail_of((loss.code,)), figures

    def _append(
        self,
        addon: str,
        timestamp: float | None,
        message: bytes,
        row: tuple[int, str, int, int, bytes],
    ) -> None:
        kind, sender, trace, detail, figures = row
        time = timestamp
        if timestamp is None:
            # Nothing tells it from a repetition, so each is one of its own.
            self._number += 1
            identity = b"%d" % self._number
        else:
            # A frame may end in a newline that text does not show.
            digest = blake2b(message.rstrip(), digest_size=_IDENTITY_BYTES)
            if not EARLIEST <= timestamp <= self._latest:
                time = None
                digest.update(b"%r" % timestamp)
            identity = digest.digest()
        head = (time, addon, kind, sender, identity)
        self._rows.append((*head, trace, self._archive, detail, figures))
        if len(self._rows) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        self._db.executemany(_INSERT, self._rows)
        self._rows.clear()

    def _intern(self, words: tuple[str, ...] | tuple[SampleKey, ...]) -> int:
        text = json.dumps(words)
        self._db.execute("INSERT OR IGNORE INTO detail (text) VALUES (?)", (text,))
        found = self._db.execute("SELECT id FROM detail WHERE text = ?", (text,))
        return int(found.fetchone()[0])

    def _look_up(self, detail: int) -> tuple[str, ...]:
        found = self._db.execute("SELECT text FROM detail WHERE id = ?", (detail,))
        return tuple(json.loads(found.fetchone()[0]))

    def _look_up_keys(self, detail: int) -> tuple[SampleKey, ...]:
        pairs = cast("tuple[list[str], ...]", self._look_up(detail))
        return tuple(cast("SampleKey", tuple(pair)) for pair in pairs)

    def records(self) -> Iterator[Record]:
        """Yield each line once, those without a time first, then the oldest."""
        self._flush()
        previous: tuple[object, ...] = ()
        counts: Counter[int] = Counter()
        told = 0
        for row in self._db.execute(_SELECT):
            line, archive = row[:_LINE_COLUMNS], row[_LINE_COLUMNS]
            if line != previous:
                previous, told = line, 0
                counts.clear()
            counts[archive] += 1
            if counts[archive] > told:
                told += 1
                yield self._restore(row)
            else:
                self.repeated += 1

    def _restore(self, row: _Sorted) -> Record:
        time, addon, kind, sender, _, _, detail, figures = row
        if kind == _LOSS:
            (code,), (count,) = self._words_of(detail), memoryview(figures).cast("d")
            return Lost(cast("LossCode", code), int(count))
        self.undated += time is None
        if kind == _METRICS:
            values = tuple(memoryview(figures).cast("d"))
            return Metrics(time, addon, sender or None, self._keys_of(detail), values)
        level, category, urgency = self._words_of(detail)
        return Logged(
            time, addon, sender, Level(level), Category(category), Urgency(urgency)
        )
