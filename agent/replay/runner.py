"""One run over some archives: read all, put in order, sum up, write."""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from agent.change import Origin
from agent.clock import Moment
from agent.engine import Engine
from agent.errors import AgentError, SettingsError
from agent.kafka.classifier import NO_OVERRIDES, Overrides
from agent.metrics.spec import Spec
from agent.metrics.specs import Drop
from agent.replay.archives import STDIN, Kind, Source, read_batches, read_blocks
from agent.replay.joiner import Joiner
from agent.replay.journal import Journal, Logged, Lost, Metrics
from agent.replay.openmetrics import History
from agent.replay.summary import ClusterSummary, Summariser
from agent.settings import Settings
from agent.state.admission import Admission
from parsers import Batch, Reason, Record, SampleKey

_ARCHIVE = Origin(is_request=False)
_MOST_SHAPES = 4096


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
    engine = Engine(Settings(rule_overrides=overrides))
    try:
        with closing(Journal(now, engine.identities)) as journal:
            reader = _Reader(engine, journal, replay, Moment(now, now))
            for source in sources:
                journal.begin_archive()
                reader.read(source, stdin, advance)
            if out is None:
                _sum_up(journal, replay, None)
            else:
                with closing(History()) as history:
                    _sum_up(journal, replay, history)
                    _write(history, out)
    except (OSError, sqlite3.Error) as error:
        message = f"cannot write: {error}"
        raise ReplayError(message) from error
    return replay


class _Reader:
    """Puts archives into a journal, by way of the engine's judgement."""

    def __init__(
        self, engine: Engine, journal: Journal, replay: Replay, now: Moment
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._replay = replay
        self._now = now

    def read(
        self, source: Source, stdin: BinaryIO, advance: Callable[[int], None]
    ) -> None:
        """Read one archive."""
        problems = self._replay.problems
        size, kinds, known = 0, list[Kind](), len(problems)

        def count(stored: int) -> None:
            nonlocal size
            size += stored
            advance(stored)

        joiner = Joiner()
        blocks = read_blocks(source, stdin, count, problems.append)
        for batch in read_batches(blocks, lambda: len(problems) > known, kinds.append):
            self._replay.others += batch.other
            self._add(joiner.receive(batch.records))
        self._add(joiner.receive_eof())
        self._replay.inputs.append(
            Input(name=source.name, kind=kinds[0] if kinds else None, size_bytes=size)
        )

    def _add(self, records: Iterable[Record]) -> None:
        """Judge records as the drain's are judged; the journal takes what is new."""
        batch = Batch(records=list(records))
        change = self._engine.prepare(batch, _ARCHIVE, self._now)
        self._replay.refused.update(change.refused)
        self._replay.repeated += sum(change.repeated.values())
        for line in change.lines:
            self._journal.add(line)
        for fault in change.faults:
            self._replay.problems.append(f"internal error: {type(fault).__name__}")


class _Sums:
    """Sums up each line that has series."""

    def __init__(self, history: History | None) -> None:
        self.drops: Counter[Drop] = Counter()
        self.summariser = Summariser()
        self._admission = Admission(Settings().limits)
        self._history = history
        self._shapes: dict[tuple[bool, tuple[SampleKey, ...]], _Shape] = {}

    def add_metrics(self, line: Metrics) -> None:
        drop = self._admission.admit_broker(line.addon, line.broker)
        if drop is not None:
            self.drops[drop] += len(line.keys)
            return
        shape = self._shape_of(line.broker is None, line.keys)
        self.drops.update(shape.drops)
        self.summariser.add_metrics(line, shape.specs)
        if self._history is not None:
            self._history.add_metrics(line, shape.specs)

    def add_log(self, line: Logged) -> None:
        drop = self._admission.admit_node(line.addon, line.node)
        if drop is not None:
            self.drops[drop] += 1
            return
        self.summariser.add_log(line)
        if self._history is not None:
            self._history.add_log(line)

    def _shape_of(self, is_cluster: bool, keys: tuple[SampleKey, ...]) -> "_Shape":  # noqa: FBT001 (part of the key)
        """Name the metrics of a line once for all lines with the same samples."""
        shape = self._shapes.get((is_cluster, keys))
        if shape is None:
            found = [self._admission.admit_sample(key) for key in keys]
            specs = tuple(
                None if isinstance(one, Drop) else one[is_cluster] for one in found
            )
            drops = Counter(one for one in found if isinstance(one, Drop))
            shape = _Shape(specs, drops)
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[is_cluster, keys] = shape
        return shape


class _Shape(NamedTuple):
    """The metrics of the lines that have the same samples.

    Attributes:
        specs: One for each sample; None where it has no series.
        drops: Why not.
    """

    specs: tuple[Spec | None, ...]
    drops: Counter[Drop]


def _sum_up(journal: Journal, replay: Replay, history: History | None) -> None:
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
    replay.repeated += journal.repeated
    replay.undated = journal.undated
    replay.dropped = sums.drops
    replay.clusters = list(sums.summariser.summarise())


def _write(history: History, out: Path) -> None:
    """Write the history; a reader of `out` sees all of it or none."""
    is_special = out.exists() and not out.is_file()  # /dev/stdout, a pipe
    place = out if is_special else out.with_name(f"{out.name}.partial")
    try:
        with place.open("w", encoding="utf-8") as file:
            history.write(file)
        if not is_special:
            place.replace(out)
    except BaseException:
        if not is_special:
            place.unlink(missing_ok=True)
        raise
