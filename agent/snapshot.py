"""Everything that the agent knows at one moment, for any output."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import NamedTuple

from agent.capacity.ledger import ClusterPlan
from agent.capacity.series import plan_series
from agent.clock import Moment
from agent.metrics.series import Series
from agent.problems.problem import Problem, visible_problems
from agent.problems.series import problem_series
from agent.settings import Credentials, Settings
from agent.state.admission import Admission
from agent.state.series import broker_series, node_series
from agent.state.views import BrokerView, NodeView


class Snapshot(NamedTuple):
    """One moment; shares nothing that changes, so any thread may read it.

    Attributes:
        now: When it was taken.
        settings: Retention and topics that have series.
        admission: What named the samples; what it names once, stays.
        brokers: Brokers, those that are expected and never reported included.
        nodes: What nodes logged.
        plans: Plan and use of each cluster.
        unseen: Add-ons that are polled and were not seen yet.
        problems: What the last evaluation of the alert rules found.
        own: The agent's own series.
    """

    now: Moment
    settings: Settings
    admission: Admission
    brokers: list[BrokerView]
    nodes: list[NodeView]
    plans: list[ClusterPlan]
    unseen: list[str]
    problems: tuple[Problem, ...]
    own: list[Series]

    def visible_to(self, reader: Credentials) -> "Snapshot":
        """Leave out the add-ons that a reader's credentials are not valid for.

        The agent's own series and problems name no add-on and stay.
        """
        if not reader.addons:
            return self
        return self._replace(
            brokers=[one for one in self.brokers if reader.cover(one.addon)],
            nodes=[one for one in self.nodes if reader.cover(one.addon)],
            plans=[one for one in self.plans if reader.cover(one.addon)],
            unseen=[addon for addon in self.unseen if reader.cover(addon)],
            problems=visible_problems(self.problems, reader),
        )

    def series(self) -> Iterator[Series]:
        """Yield every series of `agent.metrics.specs` that there is."""
        return chain(
            broker_series(self.brokers, self.admission),
            node_series(self.nodes),
            plan_series(
                self.plans,
                retention_seconds=self.settings.retention_seconds,
                topics=self.settings.topic_metrics,
                today=datetime.fromtimestamp(self.now.wall, UTC).date(),
                unseen=self.unseen,
            ),
            problem_series(self.problems),
            self.own,
        )
