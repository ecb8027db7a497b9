"""Which clusters, brokers, nodes and sample names get series: the limits, in one place."""

from collections.abc import Collection
from dataclasses import dataclass, field

from agent.metrics.specs import (
    KNOWN_SAMPLES,
    SAMPLES,
    Drop,
    SampleSpecs,
    maybe_name_sample,
)
from agent.settings import Limits
from parsers import SampleKey

_MOST_ANSWERS = 4096


@dataclass(slots=True)
class _Members:
    brokers: set[str | None] = field(default_factory=set)
    nodes: set[str] = field(default_factory=set)


class Admission:
    """Admits what a line is about, until a limit is reached.

    Each ``admit_`` method remembers what it admits; `release_broker` and
    `release_cluster` make room again.

    Args:
        limits: How many clusters, brokers of each, and undocumented samples.
        addons: The only add-ons admitted; empty admits all.
    """

    def __init__(self, limits: Limits, addons: Collection[str] = ()) -> None:
        self._limits = limits
        self._addons = addons
        self._clusters: dict[str, _Members] = {}
        self._specs: dict[SampleKey, SampleSpecs | Drop] = dict(SAMPLES)
        self._undocumented: set[str] = set()
        self.known_samples = set(SAMPLES)
        """Samples that have a gauge, so that the usual line needs no call for each."""

    def admit_broker(self, addon: str, broker: str | None) -> Drop | None:
        """Admit a broker, or the cluster as a whole (None); else say why not."""
        members = self._admit_cluster(addon)
        if isinstance(members, Drop):
            return members
        if broker not in members.brokers:
            if len(members.brokers) >= self._limits.brokers:
                return Drop.BROKERS
            members.brokers.add(broker)
        return None

    def admit_node(self, addon: str, node: str) -> Drop | None:
        """Admit a node of a cluster; else say why not."""
        members = self._admit_cluster(addon)
        if isinstance(members, Drop):
            return members
        if node not in members.nodes:
            if len(members.nodes) >= self._limits.brokers:
                return Drop.BROKERS
            members.nodes.add(node)
        return None

    def admit_sample(self, key: SampleKey) -> SampleSpecs | Drop:
        """Give a sample its gauges, or say why it has none."""
        answer = self._specs.get(key)
        if answer is None:
            answer = self._resolve(key)
            if answer is Drop.UNKNOWN_SAMPLES:
                return answer  # there are any number of these
            if isinstance(answer, SampleSpecs):
                self.known_samples.add(key)
            elif len(self._specs) >= _MOST_ANSWERS:
                return answer
            self._specs[key] = answer
        return answer

    def specs(self, key: SampleKey) -> SampleSpecs:
        """Return the gauges of a sample that has been admitted."""
        found = self._specs[key]
        assert isinstance(found, SampleSpecs)  # noqa: S101 (the caller's promise)
        return found

    def release_broker(self, addon: str, broker: str | None) -> None:
        """Make room for another broker."""
        members = self._clusters.get(addon)
        if members is not None:
            members.brokers.discard(broker)

    def release_cluster(self, addon: str) -> None:
        """Make room for another cluster."""
        self._clusters.pop(addon, None)

    def _admit_cluster(self, addon: str) -> _Members | Drop:
        members = self._clusters.get(addon)
        if members is None:
            if self._addons and addon not in self._addons:
                return Drop.ADDON_NOT_ALLOWED
            if len(self._clusters) >= self._limits.clusters:
                return Drop.CLUSTERS
            members = self._clusters[addon] = _Members()
        return members

    def _resolve(self, key: SampleKey) -> SampleSpecs | Drop:
        """Name an undocumented sample, within the limit; the first of a name keeps it."""
        if key[0] in KNOWN_SAMPLES:
            return Drop.UNIT_CHANGED
        specs = maybe_name_sample(key)
        if specs is None or specs.broker.name in self._undocumented:
            return Drop.NAME_TAKEN
        if len(self._undocumented) >= self._limits.unknown_samples:
            return Drop.UNKNOWN_SAMPLES
        self._undocumented.add(specs.broker.name)
        return specs
