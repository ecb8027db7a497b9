"""What is known of each cluster's plan and use, from the best source there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from agent.clock import Moment
from agent.kafka.plans import PLANS, Plan, maybe_find_plan, maybe_infer_tier
from agent.state.views import BrokerView, ClustersView
from parsers import ClusterUse, SampleKey, Source

_MAX_CLUSTERS = 1_000
_MEMORY: SampleKey = ("memory-total", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a source last said of a cluster.

    Attributes:
        use: What it said.
        at: When, in seconds since the epoch.
    """

    use: ClusterUse
    at: float


class ClusterPlan(NamedTuple):
    """One cluster's plan and use at one moment.

    Attributes:
        addon: Name of the add-on.
        plan: Its plan, None where it is not known.
        plan_name: What the platform calls the plan, known to us or not.
        source: Where the plan is known from.
        capacity_bytes: What may be stored; the platform's own number goes first.
        partition_replicas_limit: The same for partition replicas.
        brokers: Expected brokers; None where that is not known.
        observed: What was observed last; None for nothing so far.
    """

    addon: str
    plan: Plan | None
    plan_name: str
    source: Source | None
    capacity_bytes: int | None
    partition_replicas_limit: int | None
    brokers: int | None
    observed: Observation | None


class CapacityLedger:
    """Remembers plans and uses.

    Args:
        plans: Names of configured plans by add-on. They take precedence.
    """

    def __init__(self, plans: Mapping[str, str]) -> None:
        self._observations: dict[str, Observation] = {}
        self.configure(plans)

    def configure(self, plans: Mapping[str, str]) -> None:
        """Replace the configured plans."""
        self._configured = {addon: PLANS[name] for addon, name in plans.items()}

    def apply(self, use: ClusterUse, now: Moment) -> bool:
        """Record an observation of a cluster.

        Returns:
            False where there is no room for another cluster.
        """
        known = use.addon in self._observations
        if not known and len(self._observations) >= _MAX_CLUSTERS:
            return False
        self._observations[use.addon] = Observation(use=use, at=now.wall)
        return True

    def dump(self) -> dict[str, tuple[ClusterUse, float]]:
        """Return all observations, with their times."""
        return {addon: (one.use, one.at) for addon, one in self._observations.items()}

    def load(self, observations: Mapping[str, tuple[ClusterUse, float]]) -> None:
        """Take over what `dump` returned."""
        for addon, (use, at) in observations.items():
            self._observations[addon] = Observation(use=use, at=at)

    def expected_brokers(self) -> dict[str, int]:
        """Return the expected number of brokers of each cluster, where it is known."""
        found = {addon: plan.brokers for addon, plan in self._configured.items()}
        for addon, observed in self._observations.items():
            known = maybe_find_plan(observed.use.plan or "")
            if known is not None:  # the brokers of a shared cluster do not report
                found.setdefault(addon, observed.use.brokers or known.brokers)
        return found

    def plans(self, clusters: ClustersView) -> list[ClusterPlan]:
        """List what is known of each cluster, those that only report included.

        Args:
            clusters: What reports; a tier is inferred from it.
        """
        reporting: dict[str, list[BrokerView]] = {}
        for view in clusters.brokers:
            views = reporting.setdefault(view.addon, [])
            if view.broker is not None and view.samples:
                views.append(view)
        addons = dict.fromkeys([*self._configured, *self._observations, *reporting])
        return [self._join(addon, reporting.get(addon, [])) for addon in addons]

    def _join(self, addon: str, views: list[BrokerView]) -> ClusterPlan:
        observed = self._observations.get(addon)
        use = observed.use if observed else None
        plan, source = self._plan(addon, use, views)
        capacity = use.data_size_limit_bytes if use else None
        replicas = use.partition_replicas_limit if use else None
        brokers = plan.brokers if plan and source is not Source.INFERRED else None
        return ClusterPlan(
            addon=addon,
            plan=plan,
            plan_name=plan.name if plan else (use.plan or "" if use else ""),
            source=source,
            capacity_bytes=capacity or (plan.capacity_bytes if plan else None),
            partition_replicas_limit=replicas
            or (plan.partition_replicas_limit if plan else None),
            brokers=brokers and ((use.brokers if use else None) or brokers),
            observed=observed,
        )

    def _plan(
        self, addon: str, use: ClusterUse | None, views: list[BrokerView]
    ) -> tuple[Plan | None, Source | None]:
        configured = self._configured.get(addon)
        if configured is not None:
            return configured, Source.CONFIGURED
        if use is not None and use.plan:
            return maybe_find_plan(use.plan), use.source
        return _infer(views)


def _infer(views: list[BrokerView]) -> tuple[Plan | None, Source | None]:
    """Infer the tier from the brokers that report and their memory."""
    memory = max((view.values.get(_MEMORY, 0.0) for view in views), default=0.0)
    tier = maybe_infer_tier(len(views), memory or None)
    return tier, Source.INFERRED if tier else None
