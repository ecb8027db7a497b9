"""What the agent exports, for checks of rules and dashboards: names, types, labels."""

from collections.abc import Mapping
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)

from agent.metrics.specs import (
    CLUSTER_PREFIX,
    PREFIX,
    SPECS,
    Spec,
    maybe_name_sample,
)

LABELS = frozenset(label for spec in SPECS for label in spec.labels) - {"le"}
"""All names of labels that are ours; a target may have others."""

_BY_NAME: Mapping[str, Spec] = {spec.name: spec for spec in SPECS}


@cache
def exported_metrics() -> Mapping[str, str]:
    """List the names of all series with their type; those of a histogram count up."""
    names: dict[str, str] = {}
    for spec in SPECS:
        names[spec.name] = "counter" if spec.kind == "histogram" else spec.kind
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    for family in registry.collect():
        for sample in family.samples:
            names[sample.name] = family.type
    return names


def labels_of(name: str) -> frozenset[str]:
    """Name the labels of ours that the series of a metric have.

    Args:
        name: One of `exported_metrics`.
    """
    spec = _BY_NAME.get(name)
    return frozenset(spec.labels) if spec is not None else frozenset()


def values_of(name: str, label: str) -> frozenset[str] | None:
    """List the values that a label of a metric can have; None where they are not closed.

    Args:
        name: One of `exported_metrics`.
        label: One of its labels.
    """
    spec = _BY_NAME.get(name)
    return None if spec is None else spec.values.get(label)


def may_be_sample(name: str) -> bool:
    """Say whether a metric can come from an undocumented sample.

    Args:
        name: A name that is not one of `exported_metrics`.
    """
    prefix = CLUSTER_PREFIX if name.startswith(CLUSTER_PREFIX) else PREFIX
    return maybe_name_sample((name.removeprefix(prefix), "")) is not None
