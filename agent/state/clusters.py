"""The newest value of every series, by the lines' own timestamps.

Plain dicts, one thread; time is an argument. `agent.snapshot` decides what is exported.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from agent.clock import Moment
from agent.kafka.classifier import Verdict
from agent.metrics.specs import KNOWN_SAMPLES, Drop
from agent.settings import Settings
from agent.state.admission import Admission
from agent.state.history import History
from agent.state.nodes import Node, broker_of, learn_broker
from agent.state.views import (
    BrokerView,
    ClustersView,
    NodeView,
    Status,
    join_views,
)
from parsers import BrokerLog, MetricLine, SampleKey

FUTURE_SECONDS = 300.0
"""A timestamp may be ahead of our clock by this much and still be trusted."""

SILENT_FACTOR = 12
"""A broker is silent when nothing came for this many times ``--stale-after``."""

# Stamps of untrusted samples are moved back by this, so that among themselves the
# newest wins, and any trusted one wins over all of them.
_DISTRUST_SECONDS = 1e12
_NEVER = float("-inf")
_STEP_SECONDS = 1.0  # a clock that is set back, not slewed


@dataclass(slots=True)
class Broker:
    """The newest values of one broker, or of a whole cluster.

    Attributes:
        values: Newest value of each sample.
        stamps: Its timestamp, moved far back where it is not trusted.
        newest: The newest of the stamps.
        last_timestamp: The newest timestamp of any of them; never in the future.
        applied_at: When a value was last applied, on the monotonic clock.
        samples: Samples received, without duplicates.
        created: When it became known, in seconds since the epoch.
        history: Some of them over the last hours.
    """

    values: dict[SampleKey, float] = field(default_factory=dict)
    stamps: dict[SampleKey, float] = field(default_factory=dict)
    newest: float = _NEVER
    last_timestamp: float = 0.0
    applied_at: float = _NEVER
    samples: int = 0
    created: float = 0.0
    history: History = field(default_factory=History)


def distrust(broker: Broker, now: Moment) -> None:
    """Treat stamps that are in the future since our clock was set back as untrusted.

    Else nothing that is received under the new time would win over them.
    """
    for key, stamp in broker.stamps.items():
        if stamp > now.wall:
            broker.stamps[key] = stamp - _DISTRUST_SECONDS
    broker.newest = max(broker.stamps.values(), default=_NEVER)
    broker.last_timestamp = min(broker.last_timestamp, now.wall)


def drop_negative(
    samples: Mapping[SampleKey, float], drops: dict[Drop, int]
) -> dict[SampleKey, float]:
    """Drop negative values of documented samples: loads, rates, shares and memory."""
    kept = {
        key: value
        for key, value in samples.items()
        if value >= 0 or key[0] not in KNOWN_SAMPLES
    }
    if len(kept) < len(samples):
        drops[Drop.NEGATIVE_VALUE] = len(samples) - len(kept)
    return kept


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


@dataclass(slots=True)
class Applied:
    """What became of one metric line.

    Attributes:
        late: Samples older than the newest of their series.
        future: Samples with a timestamp in the future that lost to trusted ones.
        drops: Samples without a series, by reason.
    """

    late: int = 0
    future: int = 0
    drops: dict[Drop, int] = field(default_factory=dict)


class State:
    """The clusters, within the limits of the settings.

    Args:
        settings: Staleness, limits and the add-ons that are admitted.

    Attributes:
        admission: Which clusters, brokers, nodes and samples have series.
        clusters: By add-on.
        nodes_seen: Nodes that ever became known.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.clusters: dict[str, Cluster] = {}
        self.nodes_seen = 0
        self._expected: dict[str, int] = {}
        self._offset = _NEVER  # of the wall clock, from the monotonic one
        self.admission = Admission(settings.limits, settings.addons)

    def expect_brokers(self, counts: Mapping[str, int]) -> None:
        """Let the brokers of clusters exist before they have reported.

        Args:
            counts: How many are expected, by add-on. Replaces those of earlier calls.
        """
        limit = self._settings.limits.brokers
        self._expected = {addon: min(count, limit) for addon, count in counts.items()}

    def view(self, now: Moment) -> ClustersView:
        """Copy what outputs show, quickly, so that it can be rendered elsewhere."""
        return join_views(self.view_in_slices(now))

    def view_in_slices(
        self, now: Moment, addons: Collection[str] = ()
    ) -> Iterator[ClustersView]:
        """Copy one cluster at a time; lines may be applied between two of them.

        Args:
            now: The present.
            addons: The only add-ons that are copied; empty for all.
        """
        for addon in dict.fromkeys((*self.clusters, *self._expected)):
            if addons and addon not in addons:
                continue
            cluster = self.clusters.get(addon) or Cluster()
            yield ClustersView(
                [
                    BrokerView(
                        addon=addon,
                        broker=name,
                        status=self._status(broker, now),
                        values=broker.values.copy()
                        if self._is_reporting(broker, now)
                        else {},
                        last_timestamp=broker.last_timestamp,
                        samples=broker.samples,
                        created=broker.created,
                    )
                    for name, broker in cluster.brokers.items()
                ]
                + self._missing(addon, cluster),
                [
                    _view_node(addon, name, node, cluster.nodes)
                    for name, node in cluster.nodes.items()
                ],
            )

    def _missing(self, addon: str, cluster: Cluster) -> list[BrokerView]:
        """List the brokers that are expected and have never reported."""
        count = self._expected.get(addon, 0)
        reported = {name for name in cluster.brokers if name is not None}
        if any(int(name) >= count for name in reported):
            return []  # not numbered from 0, so it is unknown which are missing
        return [
            BrokerView(addon, name, Status.SILENT, {}, 0.0, 0, 0.0)
            for name in map(str, range(count))
            if name not in reported
        ]

    def history(self, addon: str, broker: str | None) -> History:
        """Return the last hours of a broker that a view has shown."""
        cluster = self.clusters.get(addon) or Cluster()
        found = cluster.brokers.get(broker)
        return History() if found is None else found.history

    def apply_metrics(self, line: MetricLine, now: Moment) -> Applied:
        """Apply what is newest in a metric line that is no duplicate.

        Args:
            line: The line.
            now: When it was received.

        Returns:
            What was not applied.
        """
        applied = Applied()
        self._watch_clock(now)
        broker = self._find_broker(line, now)
        if isinstance(broker, Drop):
            applied.drops[broker] = len(line.samples)
            return applied
        if not self._is_reporting(broker, now):
            # What outputs no longer show must not hold back what comes now.
            broker.values.clear()
            broker.stamps.clear()
            broker.newest = _NEVER
        timestamp = now.wall if line.timestamp is None else line.timestamp
        trusted = timestamp <= now.wall + FUTURE_SECONDS
        samples = line.samples
        if min(samples.values(), default=0) < 0:
            samples = drop_negative(samples, applied.drops)
        if trusted:
            broker.history.record(timestamp, samples)
        stamp = timestamp if trusted else timestamp - _DISTRUST_SECONDS
        written = self._write(broker, samples, stamp, applied.drops)
        outdated = len(line.samples) - written - sum(applied.drops.values())
        if trusted:
            applied.late = outdated
        else:
            applied.future = outdated
        if written:
            broker.applied_at = now.monotonic
            broker.last_timestamp = max(broker.last_timestamp, min(timestamp, now.wall))
        broker.samples += len(line.samples)
        return applied

    def _watch_clock(self, now: Moment) -> None:
        """Compare the wall clock with the monotonic one; was it set back?"""
        offset = now.wall - now.monotonic
        if offset < self._offset - _STEP_SECONDS:
            for cluster in self.clusters.values():
                for broker in cluster.brokers.values():
                    distrust(broker, now)
        self._offset = offset

    def _write(
        self,
        broker: Broker,
        samples: Mapping[SampleKey, float],
        stamp: float,
        drops: dict[Drop, int],
    ) -> int:
        """Write the samples that are not older than what is there; return how many."""
        admission = self.admission
        if stamp >= broker.newest and samples.keys() <= admission.known_samples:
            # The usual line, all in C: newer than everything, nothing unknown in it.
            broker.newest = stamp
            broker.values.update(samples)
            broker.stamps.update(dict.fromkeys(samples, stamp))
            return len(samples)
        written = 0
        for key, value in samples.items():
            specs = admission.admit_sample(key)
            if isinstance(specs, Drop):
                drops[specs] = drops.get(specs, 0) + 1
            elif stamp >= broker.stamps.get(key, _NEVER):
                broker.values[key] = value
                broker.stamps[key] = stamp
                broker.newest = max(broker.newest, stamp)
                written += 1
        return written

    def apply_log(self, line: BrokerLog, verdict: Verdict, now: Moment) -> Drop | None:
        """Count a broker's line under its node, level, category and urgency.

        Args:
            line: The line, no duplicate.
            verdict: What it means.
            now: When it was received.

        Returns:
            None, or why it has no series.
        """
        node = self._find_node(line, now)
        if isinstance(node, Drop):
            return node
        node.lines[line.level] += 1
        node.events[verdict.category, verdict.urgency] += 1
        if line.broker:
            learn_broker(self.clusters[line.addon].nodes, node, line.broker)
        timestamp = now.wall if line.timestamp is None else line.timestamp
        node.last_timestamps[line.level] = max(
            node.last_timestamps.get(line.level, 0.0), min(timestamp, now.wall)
        )
        return None

    def forget(self, now: Moment) -> None:
        """Forget brokers and clusters from which nothing came for a day."""
        horizon = now.monotonic - self._settings.forget_after_seconds
        for addon, cluster in list(self.clusters.items()):
            for name, broker in list(cluster.brokers.items()):
                if broker.applied_at < horizon:
                    del cluster.brokers[name]
                    self.admission.release_broker(addon, name)
            if cluster.seen_at < horizon:
                del self.clusters[addon]
                self.admission.release_cluster(addon)

    def _is_reporting(self, broker: Broker, now: Moment) -> bool:
        age = now.monotonic - broker.applied_at
        return age <= self._settings.stale_after_seconds

    def _status(self, broker: Broker, now: Moment) -> Status:
        if self._is_reporting(broker, now):
            return Status.REPORTING
        age = now.monotonic - broker.applied_at
        silent = age > SILENT_FACTOR * self._settings.stale_after_seconds
        return Status.SILENT if silent else Status.STALE

    def _find_cluster(self, addon: str, now: Moment) -> Cluster:
        cluster = self.clusters.get(addon)
        if cluster is None:
            cluster = self.clusters[addon] = Cluster()
        cluster.seen_at = now.monotonic
        return cluster

    def _find_broker(self, line: MetricLine, now: Moment) -> Broker | Drop:
        drop = self.admission.admit_broker(line.addon, line.broker)
        if drop is not None:
            return drop
        cluster = self._find_cluster(line.addon, now)
        broker = cluster.brokers.get(line.broker)
        if broker is None:
            broker = cluster.brokers[line.broker] = Broker(created=now.wall)
        return broker

    def _find_node(self, line: BrokerLog, now: Moment) -> Node | Drop:
        drop = self.admission.admit_node(line.addon, line.node)
        if drop is not None:
            return drop
        cluster = self._find_cluster(line.addon, now)
        node = cluster.nodes.get(line.node)
        if node is None:
            self.nodes_seen += 1
            node = Node(self.nodes_seen, now.monotonic, now.wall)
            cluster.nodes[line.node] = node
        return node


def _view_node(
    addon: str, name: str, node: Node, nodes: Mapping[str, Node]
) -> NodeView:
    return NodeView(
        addon=addon,
        node=name,
        number=node.number,
        known_at=node.known_at,
        created=node.created,
        broker=broker_of(nodes, node),
        conflicts=node.conflicts,
        lines=node.lines.copy(),
        last_timestamps=node.last_timestamps.copy(),
        events=node.events.copy(),
    )
