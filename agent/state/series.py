"""The series of brokers, clusters and nodes."""

from collections.abc import Iterable, Iterator

from agent.metrics import specs
from agent.metrics.series import Series
from agent.state.admission import Admission
from agent.state.views import BrokerView, NodeView


def broker_series(
    views: Iterable[BrokerView], admission: Admission
) -> Iterator[Series]:
    """Yield the series of brokers, and of clusters as a whole.

    Args:
        views: The brokers at one moment.
        admission: What named their samples.
    """
    for view in views:
        # SampleSpecs are pairs: the gauge of a broker, and that of a cluster.
        labels: tuple[str, ...]
        kind, labels = 0, (view.addon, view.broker or "")
        if view.broker is None:
            kind, labels = 1, labels[:1]
        yield Series(specs.LAST_SAMPLE[kind], labels, view.last_timestamp)
        yield Series(
            specs.SAMPLES_TOTAL[kind], labels, view.samples, created=view.created
        )
        yield Series(specs.REPORTING[kind], labels, view.reporting)
        for key, value in view.values.items():
            yield Series(admission.specs(key)[kind], labels, value)


def node_series(views: Iterable[NodeView]) -> Iterator[Series]:
    """Yield the series of what nodes logged."""
    for view in views:
        addon, node, created = view.addon, view.node, view.created
        for level, count in view.lines.items():
            labels = (addon, level.value, node)
            yield Series(specs.LOG_LINES, labels, count, created=created)
            if level in view.last_timestamps:
                yield Series(specs.LOG_LAST, labels, view.last_timestamps[level])
        for (category, urgency), count in view.events.items():
            cell = (addon, category.value, node, urgency.value)
            yield Series(specs.LOG_EVENTS, cell, count, created=created)
        if view.broker is not None:
            yield Series(specs.NODE_INFO, (addon, view.broker, node), 1)
        yield Series(
            specs.NODE_CONFLICTS, (addon, node), view.conflicts, created=created
        )
