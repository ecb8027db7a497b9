"""Which series the samples of an archive belong to, by the rules of the exporter."""

from collections import Counter
from dataclasses import dataclass

from agent.kafka.gauges import (
    CLUSTER_PREFIX,
    GAUGE_BY_KEY,
    KNOWN_SAMPLES,
    PREFIX,
    Gauge,
    name_unknown,
)
from agent.replay.journal import Logged, Metrics
from agent.settings import Limits
from agent.state.clusters import Drop
from parsers import SampleKey

_MOST_SHAPES = 4096


@dataclass(slots=True)
class _Members:
    brokers: set[str | None]
    nodes: set[str]


class Roster:
    """Admits clusters, brokers, nodes and samples, as `agent.state.clusters` does.

    Args:
        limits: How many of them.

    Attributes:
        drops: What was not admitted: values of metric lines, and brokers' own lines.
        helps: One sentence for each metric that was admitted.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._clusters: dict[str, _Members] = {}
        self._gauges: dict[SampleKey, Gauge | Drop] = dict(GAUGE_BY_KEY)
        self._unknown: set[str] = set()
        self._names: dict[tuple[str, tuple[SampleKey, ...]], tuple[str, ...]] = {}
        self.drops: Counter[Drop] = Counter()
        self.helps: dict[str, str] = {}

    def admit_metrics(self, line: Metrics) -> tuple[str, ...] | None:
        """Name the metrics of a line.

        Args:
            line: The line.

        Returns:
            The name for each of its values, empty for one without a series; None
            where there is no room for the broker.
        """
        members = self._admit_cluster(line.addon)
        if isinstance(members, Drop):
            self.drops[members] += len(line.keys)
            return None
        if line.broker not in members.brokers:
            if len(members.brokers) >= self._limits.brokers:
                self.drops[Drop.BROKERS] += len(line.keys)
                return None
            members.brokers.add(line.broker)
        shape = (CLUSTER_PREFIX if line.broker is None else PREFIX, line.keys)
        names = self._names.get(shape)
        if names is None:
            names = self._name_all(*shape)
        if "" in names:
            for key in line.keys:
                gauge = self._gauges.get(key, Drop.UNKNOWN_SAMPLES)
                if isinstance(gauge, Drop):
                    self.drops[gauge] += 1
        return names

    def admit_log(self, line: Logged) -> bool:
        """Say whether there is room for the node of a line."""
        members = self._admit_cluster(line.addon)
        if isinstance(members, Drop):
            self.drops[members] += 1
            return False
        if line.node not in members.nodes:
            if len(members.nodes) >= self._limits.brokers:
                self.drops[Drop.BROKERS] += 1
                return False
            members.nodes.add(line.node)
        return True

    def _admit_cluster(self, addon: str) -> _Members | Drop:
        members = self._clusters.get(addon)
        if members is None:
            if len(self._clusters) >= self._limits.clusters:
                return Drop.CLUSTERS
            members = self._clusters[addon] = _Members(set(), set())
        return members

    def _name_all(
        self,
        prefix: str,
        keys: tuple[SampleKey, ...],
    ) -> tuple[str, ...]:
        names = []
        for key in keys:
            gauge = self._gauges.get(key) or self._resolve(key)
            if isinstance(gauge, Drop):
                names.append("")
                continue
            names.append(f"{prefix}{gauge.name}")
            self.helps[names[-1]] = gauge.help
        if len(self._names) >= _MOST_SHAPES:
            self._names.clear()
        self._names[prefix, keys] = tuple(names)
        return self._names[prefix, keys]

    def _resolve(self, key: SampleKey) -> Gauge | Drop:
        """Give an unknown sample its gauge, within the limit; remember the answer."""
        answer: Gauge | Drop | None = name_unknown(key)
        if key[0] in KNOWN_SAMPLES:
            answer = Drop.UNIT_CHANGED
        elif answer is None or (
            isinstance(answer, Gauge) and answer.name in self._unknown
        ):
            answer = Drop.NAME_TAKEN
        elif len(self._unknown) >= self._limits.unknown_samples:
            return Drop.UNKNOWN_SAMPLES
        if isinstance(answer, Gauge):
            self._unknown.add(answer.name)
        if len(self._gauges) < _MOST_SHAPES:
            self._gauges[key] = answer
        return answer
