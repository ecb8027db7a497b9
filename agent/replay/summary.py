"""What an archive says of each cluster, broker and node: figures, gaps and counts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.kafka.categories import Category, Urgency
from agent.metrics.specs import Spec
from agent.replay.journal import Logged, Metrics
from agent.replay.statistics import Figures, Gap, GaugeFigures, Intervals
from parsers import Level

_COLUMN_ROWS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSummary:
    """What a broker sent, or what was sent of the whole cluster.

    Attributes:
        broker: Its id as written; None for the whole cluster.
        first: Timestamp of the first line, None where no line has one.
        last: Timestamp of the last line.
        lines: Metric lines.
        samples: Values in them.
        interval_seconds: The median time between two lines; 0 for a single one.
        gauges: Figures by the metric's name.
        gaps: Times without a line that are longer than expected.
        longest_gaps: The longest of them, the longest first.
    """

    broker: str | None
    first: float | None
    last: float | None
    lines: int
    samples: int
    interval_seconds: float
    gauges: dict[str, Figures]
    gaps: int
    longest_gaps: list[Gap]


@dataclass(slots=True, kw_only=True)
class NodeSummary:
    """What a node logged itself.

    Attributes:
        node: The number as written.
        first: Timestamp of the first line, None where no line has one.
        last: Timestamp of the last line.
        levels: Lines by level.
        events: Lines by what they are about and what they ask for.
    """

    node: str
    first: float | None = None
    last: float | None = None
    levels: Counter[Level] = field(default_factory=Counter)
    events: Counter[tuple[Category, Urgency]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSummary:
    """What was found of one add-on.

    Attributes:
        addon: Its name.
        brokers: The whole cluster first, where it has values, then by id.
        nodes: By number.
    """

    addon: str
    brokers: list[BrokerSummary]
    nodes: list[NodeSummary]


class _Broker:
    """Collects the lines of one broker; columns of values are cheaper than values."""

    def __init__(self) -> None:
        self.intervals = Intervals()
        self.lines = 0
        self.samples = 0
        self.series: dict[str, GaugeFigures] = {}
        self._specs: tuple[Spec | None, ...] = ()
        self._rows: list[tuple[float, ...]] = []

    def add(self, line: Metrics, specs: tuple[Spec | None, ...]) -> None:
        self.lines += 1
        self.samples += len(line.values)
        if line.time is not None:
            self.intervals.add(line.time)
        if specs != self._specs or len(self._rows) >= _COLUMN_ROWS:
            self.flush()
            self._specs = specs
        self._rows.append(line.values)

    def flush(self) -> None:
        for spec, column in zip(
            self._specs, zip(*self._rows, strict=True), strict=False
        ):
            if spec is not None:
                self.series.setdefault(spec.name, GaugeFigures()).extend(column)
        self._rows.clear()


class Summariser:
    """Takes lines in the order of time, each once; then says what they were."""

    def __init__(self) -> None:
        self._brokers: dict[tuple[str, str | None], _Broker] = {}
        self._nodes: dict[tuple[str, str], NodeSummary] = {}

    def add_metrics(self, line: Metrics, specs: tuple[Spec | None, ...]) -> None:
        """Take a metric line.

        Args:
            line: The line.
            specs: The metric of each of its values; None where it has none.
        """
        key = (line.addon, line.broker)
        broker = self._brokers.get(key)
        if broker is None:
            broker = self._brokers[key] = _Broker()
        broker.add(line, specs)

    def add_log(self, line: Logged) -> None:
        """Take a broker's own line."""
        key = (line.addon, line.node)
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = NodeSummary(node=line.node)
        node.levels[line.level] += 1
        node.events[line.category, line.urgency] += 1
        if line.time is not None:
            node.first = line.time if node.first is None else node.first
            node.last = line.time

    def summarise(self) -> Iterator[ClusterSummary]:
        """Yield the clusters, by name."""
        addons = {addon for addon, _ in (*self._brokers, *self._nodes)}
        for addon in sorted(addons):
            brokers = [
                _summarise(name, broker)
                for (of, name), broker in self._brokers.items()
                if of == addon
            ]
            nodes = [one for (of, _), one in self._nodes.items() if of == addon]
            yield ClusterSummary(
                addon=addon,
                brokers=sorted(brokers, key=lambda one: int(one.broker or -1)),
                nodes=sorted(nodes, key=lambda one: int(one.node)),
            )


def _summarise(name: str | None, broker: _Broker) -> BrokerSummary:
    broker.flush()
    intervals = broker.intervals
    gaps, longest = intervals.gaps
    return BrokerSummary(
        broker=name,
        first=intervals.first,
        last=intervals.last,
        lines=broker.lines,
        samples=broker.samples,
        interval_seconds=intervals.usual_seconds,
        gauges={name: one.summarise() for name, one in sorted(broker.series.items())},
        gaps=gaps,
        longest_gaps=longest,
    )
