"""The newest value of every series, by the lines' own timestamps.

Plain dicts, one thread; time is an argument. What Prometheus sees of it is decided in
`agent.metrics.exporter`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from agent.clock import Moment
from agent.kafka.categories import Urgency
from agent.kafka.classifier import Verdict
from agent.kafka.gauges import GAUGE_BY_KEY, KNOWN_SAMPLES, Gauge, name_unknown
from agent.settings import Settings
from agent.state.history import History
from agent.state.nodes import Cell, Node, broker_of, learn_broker
from parsers import BrokerLog, Level, MetricLine, SampleKey

FUTURE_SECONDS = 300.0
"""A timestamp may be ahead of our clock by this much before it is disbelieved."""

# Stamps of disbelieved samples are moved back by this, so that among themselves the
# newest wins, and any honest one wins over all of them.
_DISBELIEF_SECONDS = 1e12
_NEVER = float("-inf")


SILENT_FACTOR = 12
"""A broker is silent when nothing came for so many times ``--stale-after``."""


class Status(Enum):
    """Whether a broker's samples are coming in.

    The metric ``…_broker_reporting`` is 1 for the first and 0 for the other two.
    """

    REPORTING = "reporting"
    STALE = "stale"
    SILENT = "silent"


class Drop(Enum):
    """Why a value or a line has no series: label ``reason`` of …_series_dropped_total."""

    ADDON_NOT_ALLOWED = "addon_not_allowed"
    CLUSTERS = "clusters"
    BROKERS = "brokers"
    UNKNOWN_SAMPLES = "unknown_samples"
    NAME_TAKEN = "name_taken"
    UNIT_CHANGED = "unit_changed"


@dataclass(slots=True)
class Broker:
    """The newest values of one broker, or of a whole cluster.

    Attributes:
        values: Newest value of each sample.
        stamps: Its timestamp, moved far back where it is disbelieved.
        newest: The newest of the stamps.
        last_timestamp: The newest timestamp of any of them; never in the future.
        applied_at: When a value was last applied, on the monotonic clock.
        samples: Samples received, each counted once.
        history: Some of them over the last hours.
    """

    values: dict[SampleKey, float] = field(default_factory=dict)
    stamps: dict[SampleKey, float] = field(default_factory=dict)
    newest: float = _NEVER
    last_timestamp: float = 0.0
    applied_at: float = _NEVER
    samples: int = 0
    history: History = field(default_factory=History)


@dataclass(slots=True)
class Cluster:
    """One add-on.

    Attributes:
        brokers: By id as written; the key None holds the cluster's own values.
        nodes: By the number in the log lines' PROCID, which need not be the id.
        seen_at: When any line of it came, on the monotonic clock.
    """

    brokers: dict[str | None, Broker] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    seen_at: float = _NEVER


class BrokerView(NamedTuple):
    """A broker at one moment; ``broker`` is None for a cluster's own values."""

    addon: str
    broker: str | None
    status: Status
    values: dict[SampleKey, float]
    last_timestamp: float
    samples: int

    @property
    def reporting(self) -> bool:
        """Whether its values are current."""
        return self.status is Status.REPORTING


class NodeView(NamedTuple):
    """A node's log lines at one moment; ``broker`` is None while it is not known."""

    addon: str
    node: str
    number: int
    known_at: float
    broker: str | None
    conflicts: int
    lines: dict[Level, int]
    last_timestamps: dict[Level, float]
    events: dict[Cell, int]

    @property
    def urgencies(self) -> dict[Urgency, int]:
        """Lines by urgency, the most urgent first."""
        counts = dict.fromkeys(Urgency, 0)
        for (_, urgency), count in self.events.items():
            counts[urgency] += count
        return counts


class Snapshot(NamedTuple):
    """Everything that is shown, at one moment; shares nothing that changes."""

    brokers: list[BrokerView]
    nodes: list[NodeView]


@dataclass(slots=True)
class Applied:
    """What became of one metric line.

    Attributes:
        late: Samples that were older than the newest of their series.
        future: Samples that claimed to be from the future and lost to honest ones.
        drops: Samples without a series, by reason.
    """

    late: int = 0
    future: int = 0
    drops: dict[Drop, int] = field(default_factory=dict)


class State:
    """The clusters, within the limits of the settings.

    Args:
        settings: Staleness, limits and the add-ons that are believed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clusters: dict[str, Cluster] = {}
        self._gauges: dict[SampleKey, Gauge] = dict(GAUGE_BY_KEY)
        self._unknown_names: set[str] = set()
        self._nodes_met = 0
        self._expected: dict[str, int] = {}

    def expect_brokers(self, counts: Mapping[str, int]) -> None:
        """Let the brokers of clusters exist before they have reported.

        Args:
            counts: How many there ought to be, by add-on; a later word replaces an
                earlier one.
        """
        limit = self._settings.limits.brokers
        self._expected |= {addon: min(count, limit) for addon, count in counts.items()}

    def snapshot(self, now: Moment) -> Snapshot:
        """Copy what a scrape shows, quickly, so that it can be rendered elsewhere."""
        brokers = [
            BrokerView(
                addon=addon,
                broker=name,
                status=self.status(broker, now),
                values=broker.values.copy() if self.is_reporting(broker, now) else {},
                last_timestamp=broker.last_timestamp,
                samples=broker.samples,
            )
            for addon, cluster in self._clusters.items()
            for name, broker in cluster.brokers.items()
        ]
        nodes = [
            NodeView(
                addon=addon,
                node=name,
                number=node.number,
                known_at=node.known_at,
                broker=broker_of(cluster.nodes, node),
                conflicts=node.conflicts,
                lines=node.lines.copy(),
                last_timestamps=node.last_timestamps.copy(),
                events=node.events.copy(),
            )
            for addon, cluster in self._clusters.items()
            for name, node in cluster.nodes.items()
        ]
        return Snapshot(brokers + self._missing(), nodes)

    def _missing(self) -> list[BrokerView]:
        """List the brokers that ought to be there and have never reported."""
        missing = []
        for addon, count in self._expected.items():
            cluster = self._clusters.get(addon) or Cluster()
            reported = {name for name in cluster.brokers if name is not None}
            if any(int(name) >= count for name in reported):
                continue  # they are not numbered from 0: nobody knows who is missing
            missing += [
                BrokerView(addon, name, Status.SILENT, {}, 0.0, 0)
                for name in map(str, range(count))
                if name not in reported
            ]
        return missing

    def gauge(self, key: SampleKey) -> Gauge:
        """Return the gauge of a sample that has been applied."""
        return self._gauges[key]

    def is_reporting(self, broker: Broker, now: Moment) -> bool:
        """Say whether `broker` has values that are not stale."""
        age = now.monotonic - broker.applied_at
        return age <= self._settings.stale_after_seconds

    def status(self, broker: Broker, now: Moment) -> Status:
        """Say whether samples of `broker` are coming in."""
        if self.is_reporting(broker, now):
            return Status.REPORTING
        age = now.monotonic - broker.applied_at
        silent = age > SILENT_FACTOR * self._settings.stale_after_seconds
        return Status.SILENT if silent else Status.STALE

    def history(self, addon: str, broker: str | None) -> History:
        """Return the last hours of a broker that a snapshot has shown."""
        cluster = self._clusters.get(addon) or Cluster()
        found = cluster.brokers.get(broker)
        return History() if found is None else found.history

    def apply_metrics(self, line: MetricLine, now: Moment, *, first: bool) -> Applied:
        """Take over what is newest in a metric line.

        Args:
            line: The line.
            now: When it was received.
            first: Whether it has not been met before; repetitions are applied, which
                changes nothing, but not counted.

        Returns:
            What was not taken over.
        """
        applied = Applied()
        broker = self._find_broker(line, now)
        if isinstance(broker, Drop):
            applied.drops[broker] = len(line.samples)
            return applied
        if not self.is_reporting(broker, now):
            # What is hidden from scrapes already must not hold back what comes now.
            broker.values.clear()
            broker.stamps.clear()
            broker.newest = _NEVER
        if first:
            broker.samples += len(line.samples)
        timestamp = now.wall if line.timestamp is None else line.timestamp
        believed = timestamp <= now.wall + FUTURE_SECONDS
        stamp = timestamp if believed else timestamp - _DISBELIEF_SECONDS
        written = self._write(broker, line.samples, stamp, applied.drops)
        outdated = len(line.samples) - written
        if applied.drops:
            outdated -= sum(applied.drops.values())
        if believed:
            applied.late = outdated
        else:
            applied.future = outdated
        if written:
            broker.applied_at = now.monotonic
            broker.last_timestamp = max(broker.last_timestamp, min(timestamp, now.wall))
        if believed and first:
            broker.history.record(timestamp, line.samples)
        return applied

    def _write(
        self,
        broker: Broker,
        samples: Mapping[SampleKey, float],
        stamp: float,
        drops: dict[Drop, int],
    ) -> int:
        """Write the samples that are not older than what is there; return how many."""
        if stamp >= broker.newest and samples.keys() <= self._gauges.keys():
            # The usual line, all in C: newer than everything, nothing unknown in it.
            broker.newest = stamp
            broker.values.update(samples)
            broker.stamps.update(dict.fromkeys(samples, stamp))
            return len(samples)
        written = 0
        for key, value in samples.items():
            gauge = self._gauges.get(key) or self._resolve(key)
            if isinstance(gauge, Drop):
                drops[gauge] = drops.get(gauge, 0) + 1
            elif stamp >= broker.stamps.get(key, _NEVER):
                broker.values[key] = value
                broker.stamps[key] = stamp
                broker.newest = max(broker.newest, stamp)
                written += 1
        return written

    def apply_log(self, line: BrokerLog, verdict: Verdict, now: Moment) -> Drop | None:
        """Count a broker's line under its node, level, category and urgency.

        Args:
            line: The line, met for the first time.
            verdict: What it means.
            now: When it was received.

        Returns:
            None, or why it has no series.
        """
        cluster = self._find_cluster(line.addon, now)
        if isinstance(cluster, Drop):
            return cluster
        node = cluster.nodes.get(line.node)
        if node is None:
            if len(cluster.nodes) >= self._settings.limits.brokers:
                return Drop.BROKERS
            self._nodes_met += 1
            node = cluster.nodes[line.node] = Node(self._nodes_met, now.monotonic)
        node.lines[line.level] += 1
        node.events[verdict.category, verdict.urgency] += 1
        if line.broker:
            learn_broker(cluster.nodes, node, line.broker)
        timestamp = now.wall if line.timestamp is None else line.timestamp
        node.last_timestamps[line.level] = max(
            node.last_timestamps.get(line.level, 0.0), min(timestamp, now.wall)
        )
        return None

    def forget(self, now: Moment) -> None:
        """Forget brokers and clusters of which nothing came for a day."""
        horizon = now.monotonic - self._settings.forget_after_seconds
        for addon, cluster in list(self._clusters.items()):
            for name, broker in list(cluster.brokers.items()):
                if broker.applied_at < horizon:
                    del cluster.brokers[name]
            if cluster.seen_at < horizon:
                del self._clusters[addon]

    def _find_cluster(self, addon: str, now: Moment) -> Cluster | Drop:
        cluster = self._clusters.get(addon)
        if cluster is None:
            if self._settings.addons and addon not in self._settings.addons:
                return Drop.ADDON_NOT_ALLOWED
            if len(self._clusters) >= self._settings.limits.clusters:
                return Drop.CLUSTERS
            cluster = self._clusters[addon] = Cluster()
        cluster.seen_at = now.monotonic
        return cluster

    def _find_broker(self, line: MetricLine, now: Moment) -> Broker | Drop:
        cluster = self._find_cluster(line.addon, now)
        if isinstance(cluster, Drop):
            return cluster
        broker = cluster.brokers.get(line.broker)
        if broker is None:
            if len(cluster.brokers) >= self._settings.limits.brokers:
                return Drop.BROKERS
            broker = cluster.brokers[line.broker] = Broker()
        return broker

    def _resolve(self, key: SampleKey) -> Gauge | Drop:
        """Give an unknown sample its gauge, within the limit; remember kept ones."""
        sample, _unit = key
        if sample in KNOWN_SAMPLES:
            return Drop.UNIT_CHANGED
        gauge = name_unknown(key)
        if gauge is None or gauge.name in self._unknown_names:
            return Drop.NAME_TAKEN
        if len(self._unknown_names) >= self._settings.limits.unknown_samples:
            return Drop.UNKNOWN_SAMPLES
        self._unknown_names.add(gauge.name)
        self._gauges[key] = gauge
        return gauge
