"""Copies of the clusters for rendering in a thread, taken in slices on the event loop."""

import asyncio
from collections.abc import Collection, Iterable
from typing import NamedTuple

from agent.capacity.ledger import ClusterPlan
from agent.clock import Moment, read_clock
from agent.engine import Engine
from agent.state.clusters import State
from agent.state.history import History
from agent.state.views import BrokerView, ClustersView, NodeView, join_views
from agent.web.revisions import Revisions
from parsers import SampleKey

_SLICE = 64  # brokers and nodes copied before other work gets its turn

Histories = dict[tuple[str, str | None], History]
"""Last hours by cluster and broker."""


class ClusterCopy(NamedTuple):
    """One cluster at one moment; `plan` is None where nothing is known of it."""

    brokers: list[BrokerView]
    nodes: list[NodeView]
    plan: ClusterPlan | None


class Copies(NamedTuple):
    """The clusters at one moment, by name, and the number of that state."""

    now: Moment
    revision: int
    clusters: dict[str, ClusterCopy]


class Copier:
    """Copies the clusters, and tells which have changed.

    Args:
        engine: What is copied.
        addons: The only add-ons that are copied; empty for all.

    Attributes:
        revisions: What has changed since when.
    """

    def __init__(self, engine: Engine, addons: Collection[str] = ()) -> None:
        self._engine = engine
        self._addons = addons
        self.revisions = Revisions()

    async def copy(self) -> Copies:
        """Copy the clusters; run one at a time."""
        now = read_clock()
        view = await copy_view(self._engine.state, now, self._addons)
        plans = [
            plan
            for plan in self._engine.ledger.plans(view)
            if not self._addons or plan.addon in self._addons
        ]
        return await asyncio.to_thread(self._compare, view, plans, now)

    async def copy_histories(
        self,
        clusters: Iterable[tuple[str, ClusterCopy]],
        keys: Iterable[SampleKey],
    ) -> Histories:
        """Copy the last hours of the brokers of some clusters.

        Args:
            clusters: Names, and what was copied of them.
            keys: Samples whose points are copied.
        """
        histories: Histories = {}
        state, keys = self._engine.state, tuple(keys)
        for addon, cluster in clusters:
            for view in cluster.brokers:
                history = state.history(addon, view.broker).copy(keys)
                histories[addon, view.broker] = history
                if len(histories) % _SLICE == 0:
                    await asyncio.sleep(0)
        return histories

    def _compare(
        self, view: ClustersView, plans: list[ClusterPlan], now: Moment
    ) -> Copies:
        found = {plan.addon: ClusterCopy([], [], plan) for plan in plans}
        for broker in view.brokers:
            _of(found, broker.addon).brokers.append(broker)
        for node in view.nodes:
            _of(found, node.addon).nodes.append(node)
        clusters = dict(sorted(found.items()))
        return Copies(now, self.revisions.update(clusters), clusters)


async def copy_view(
    state: State, now: Moment, addons: Collection[str] = ()
) -> ClustersView:
    """Copy clusters in slices, between which the event loop does other work.

    Args:
        state: What is copied.
        now: The present.
        addons: The only add-ons that are copied; empty for all.
    """
    views: list[ClustersView] = []
    size = 0
    for view in state.view_in_slices(now, addons):
        views.append(view)
        size += len(view.brokers) + len(view.nodes)
        if size >= _SLICE:
            size = 0
            await asyncio.sleep(0)
    return join_views(views)


def _of(found: dict[str, ClusterCopy], addon: str) -> ClusterCopy:
    return found.setdefault(addon, ClusterCopy([], [], None))
