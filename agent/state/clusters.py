"""The newest value of every series, by the lines' own timestamps.

Plain dicts, one thread; time is an argument. `agent.snapshot` decides what is exported.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from agent.clock import Moment
from agent.kafka.classifier import Verdict
from agent.metrics.specs import Drop
from agent.settings import Settings
from agent.state.admission import Admission
from agent.state.brokers import ALL_APPLIED, NEVER, Applied, Broker
from agent.state.history import History
from agent.state.nodes import Node, broker_of, learn_broker
from agent.state.views import (
    BrokerView,
    ClustersView,
    NodeView,
    Status,
    join_views,
)
from parsers import BrokerLog, MetricLine

FUTURE_SECONDS = 300.0
"""A timestamp may be ahead of our clock by this much and still be trusted."""

_LATE_INTERVALS = 3

_STEP_SECONDS = 1.0  # a clock that is set back, not slewed


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
    seen_at: float = NEVER


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
        self._offset = NEVER  # of the wall clock, from the monotonic one
        self._compared_at: Moment | None = None
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
                    self._view_broker(addon, name, broker, now)
                    for name, broker in cluster.brokers.items()
                ]
                + self._missing(addon, cluster),
                [
                    _view_node(addon, name, node, cluster.nodes)
                    for name, node in cluster.nodes.items()
                ],
            )

    def _view_broker(
        self, addon: str, name: str | None, broker: Broker, now: Moment
    ) -> BrokerView:
        reporting = self._is_reporting(broker, now)
        return BrokerView(
            addon=addon,
            broker=name,
            status=self._status(broker, now),
            reporting=reporting,
            values=broker.copy_values() if reporting else {},
            last_timestamp=broker.last_timestamp,
            samples=broker.samples,
            created=broker.created,
        )

    def _missing(self, addon: str, cluster: Cluster) -> list[BrokerView]:
        """List the brokers that are expected and have never reported."""
        count = self._expected.get(addon, 0)
        reported = {name for name in cluster.brokers if name is not None}
        if any(int(name) >= count for name in reported):
            return []  # not numbered from 0, so it is unknown which are missing
        return [
            BrokerView(
                addon=addon,
                broker=name,
                status=Status.MISSING,
                reporting=False,
                values={},
                last_timestamp=0.0,
                samples=0,
                created=0.0,
            )
            for name in map(str, range(count))
            if name not in reported
        ]

    def history(self, addon: str, broker: str | None) -> History:
        """Return the last hours of a broker that a view has shown."""
        cluster = self.clusters.get(addon) or Cluster()
        found = cluster.brokers.get(broker) or Broker()
        found.settle()
        return found.history

    def apply_metrics(self, line: MetricLine, now: Moment) -> Applied:
        """Apply what is newest in a metric line that is no duplicate.

        Args:
            line: The line.
            now: When it was received.

        Returns:
            What was not applied.
        """
        if now is not self._compared_at:
            self._watch_clock(now)
        samples = line.samples
        broker = self._find_broker(line, now)
        if isinstance(broker, Drop):
            return Applied(drops={broker: len(samples)})
        if now.monotonic - broker.applied_at > self._settings.stale_after_seconds:
            # What outputs no longer show must not hold back what comes now.
            broker.clear()
        wall = now.wall
        timestamp = wall if line.timestamp is None else line.timestamp
        broker.samples += len(samples)
        trusted = timestamp <= wall + FUTURE_SECONDS
        applied = broker.apply(samples, timestamp, trusted, self.admission)
        if applied is not ALL_APPLIED and applied.lost == len(samples):
            return applied
        broker.applied_at = now.monotonic
        if timestamp > broker.last_timestamp:
            broker.advance(min(timestamp, wall), self._settings.stale_after_seconds)
        return applied

    def _watch_clock(self, now: Moment) -> None:
        """Compare the wall clock with the monotonic one; was it set back?"""
        offset = now.wall - now.monotonic
        if offset < self._offset - _STEP_SECONDS:
            for cluster in self.clusters.values():
                for broker in cluster.brokers.values():
                    broker.distrust(now.wall)
        self._offset = offset
        self._compared_at = now

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
        age = max(now.monotonic - broker.applied_at, now.wall - broker.last_timestamp)
        if age > self._settings.stale_after_seconds:
            return Status.STALE
        if 0 < _LATE_INTERVALS * broker.interval < age:
            return Status.LATE
        return Status.REPORTING

    def _find_cluster(self, addon: str, now: Moment) -> Cluster:
        cluster = self.clusters.get(addon)
        if cluster is None:
            cluster = self.clusters[addon] = Cluster()
        cluster.seen_at = now.monotonic
        return cluster

    def _find_broker(self, line: MetricLine, now: Moment) -> Broker | Drop:
        cluster = self.clusters.get(line.addon)
        broker = None if cluster is None else cluster.brokers.get(line.broker)
        if cluster is None or broker is None:
            drop = self.admission.admit_broker(line.addon, line.broker)
            if drop is not None:
                return drop
            cluster = self._find_cluster(line.addon, now)
            broker = cluster.brokers[line.broker] = Broker(created=now.wall)
        cluster.seen_at = now.monotonic
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
