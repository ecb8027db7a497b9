"""One run over some archives: read all, put in order, sum up, write."""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from agent.errors import AgentError, SettingsError
from agent.kafka.classifier import NO_OVERRIDES, Overrides
from agent.replay.archives import STDIN, Source, read_blocks
from agent.replay.joiner import Joiner
from agent.replay.journal import Journal, Logged, Lost, Metrics
from agent.replay.openmetrics import History
from agent.replay.reader import Kind, detect_kind, read_portions
from agent.replay.roster import Roster
from agent.replay.summary import ClusterSummary, Summariser
from agent.settings import Limits
from agent.state.clusters import Drop
from parsers import Reason, Unparsed

_DETECT_BYTES = 1 << 16


class ReplayError(AgentError):
    """Something outside of the archives failed, a full disk for example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One archive that was read.

    Attributes:
        name: As given; ``-`` is standard input.
        kind: What it held; None where it was empty.
        size_bytes: Bytes read, as stored.
    """

    name: str
    kind: Kind | None
    size_bytes: int


@dataclass(slots=True, kw_only=True)
class Replay:
    """What archives held.

    Attributes:
        inputs: The archives, as given.
        problems: A sentence for each that could not be read to its end.
        clusters: What was found, by add-on.
        metric_lines: Metric lines, each counted once.
        log_lines: Brokers' own lines, each counted once.
        repeated: Further copies of such lines.
        undated: Lines among them without a timestamp that can be believed.
        others: Lines of dynos, the router and other add-ons, as read.
        losses: Log lines that were lost on the way, by Heroku's error code.
        refused: Lines and values that were not understood, by reason, as read.
        dropped: Values and lines for which there was no room or no name, by reason.
    """

    inputs: list[Input] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    clusters: list[ClusterSummary] = field(default_factory=list)
    metric_lines: int = 0
    log_lines: int = 0
    repeated: int = 0
    undated: int = 0
    others: int = 0
    losses: Counter[str] = field(default_factory=Counter)
    refused: Counter[Reason] = field(default_factory=Counter)
    dropped: Counter[Drop] = field(default_factory=Counter)


def check_output(out: Path, sources: Sequence[Source]) -> None:
    """Check that a file can be written, before anything is read.

    Args:
        out: The file.
        sources: What is going to be read.

    Raises:
        SettingsError: It cannot be, or it is one of the archives.
    """
    folder = out.parent
    is_place = folder.is_dir() and os.access(folder, os.W_OK) and not out.is_dir()
    if not is_place or str(out) == STDIN:
        message = f"--openmetrics: {out} is no place for a file"
        raise SettingsError(message)
    for source in sources:
        path = Path(source.name)
        if out.exists() and path.exists() and path.samefile(out):
            message = f"--openmetrics: {out} is one of the files to read"
            raise SettingsError(message)


def run_replay(
    sources: Sequence[Source],
    stdin: BinaryIO,
    now: float,
    *,
    out: Path | None = None,
    overrides: Overrides = NO_OVERRIDES,
    advance: Callable[[int], None] = lambda _: None,
) -> Replay:
    """Read archives and sum up what they held.

    Args:
        sources: The archives, in any order.
        stdin: What ``-`` stands for.
        now: Seconds since the epoch.
        out: Where the history goes as OpenMetrics text, if anywhere.
        overrides: Urgencies that go before those of the message rules.
        advance: Is told how many bytes, as stored, have been read since.

    Returns:
        The summary.

    Raises:
        ReplayError: There is no room for temporary files, or `out` cannot be written.
    """
    replay = Replay()
    try:
        with Journal(now, overrides) as journal:
            for source in sources:
                journal.begin_archive()
                _read(source, stdin, journal, replay, advance)
            if out is None:
                _sum_up(journal, replay, None)
            else:
                with History() as history:
                    roster = _sum_up(journal, replay, history)
                    _write(history, roster, out)
    except (OSError, sqlite3.Error) as error:
        message = f"cannot write: {error}"
        raise ReplayError(message) from error
    return replay


def _read(
    source: Source,
    stdin: BinaryIO,
    journal: Journal,
    replay: Replay,
    advance: Callable[[int], None],
) -> None:
    """Put one archive into the journal."""
    size = 0

    def count(stored: int) -> None:
        nonlocal size
        size += stored
        advance(stored)

    known = len(replay.problems)
    blocks = read_blocks(source, stdin, count, replay.problems.append)
    start = b""
    while len(start) < _DETECT_BYTES and (block := next(blocks, b"")):
        start += block
    kind = detect_kind(start)
    joiner = Joiner()
    everything = _put_in_front(start, blocks)
    for portion in read_portions(
        kind, everything, is_cut=lambda: len(replay.problems) > known
    ):
        replay.others += portion.others
        for found in joiner.receive(portion.found):
            if isinstance(found, Unparsed):
                replay.refused[found.reason] += 1
            else:
                journal.add(found)
    for line in joiner.receive_eof():
        journal.add(line)
    replay.inputs.append(
        Input(name=source.name, kind=kind if start else None, size_bytes=size)
    )


def _put_in_front(start: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from blocks


class _Sums:
    """Hands each line to whoever sums it up, where there is room for its series."""

    def __init__(self, history: History | None) -> None:
        self.roster = Roster(Limits())
        self.summariser = Summariser()
        self._history = history

    def add_metrics(self, line: Metrics) -> None:
        names = self.roster.admit_metrics(line)
        if names is not None:
            self.summariser.add_metrics(line, names)
            if self._history is not None:
                self._history.add_metrics(line, names)

    def add_log(self, line: Logged) -> None:
        if self.roster.admit_log(line):
            self.summariser.add_log(line)
            if self._history is not None:
                self._history.add_log(line)


def _sum_up(journal: Journal, replay: Replay, history: History | None) -> Roster:
    """Go through the lines in the order of time."""
    sums = _Sums(history)
    for line in journal.records():
        match line:
            case Metrics():
                replay.metric_lines += 1
                sums.add_metrics(line)
            case Logged():
                replay.log_lines += 1
                sums.add_log(line)
            case Lost():
                replay.losses[line.code] += line.lines
    replay.repeated = journal.repeated
    replay.undated = journal.undated
    replay.dropped = sums.roster.drops
    replay.clusters = list(sums.summariser.summarise())
    return sums.roster


def _write(history: History, roster: Roster, out: Path) -> None:
    """Write the history; whoever looks at `out` sees all of it or none."""
    is_special = out.exists() and not out.is_file()  # /dev/stdout, a pipe
    place = out if is_special else out.with_name(f"{out.name}.partial")
    try:
        with place.open("w", encoding="utf-8") as file:
            history.write(file, roster.helps)
        if not is_special:
            place.replace(out)
    except BaseException:
        if not is_special:
            place.unlink(missing_ok=True)
        raise
