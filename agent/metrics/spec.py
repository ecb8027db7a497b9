"""What describes one metric, and how the table of them is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal

PREFIX = "heroku_kafka_"
CLUSTER_PREFIX = f"{PREFIX}cluster_"
AGENT_PREFIX = f"{PREFIX}agent_"

Kind = Literal["gauge", "counter", "histogram"]
Unit = Literal["", "bytes", "seconds", "ratio", "pages"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spec:
    """One metric.

    Attributes:
        name: Name of its samples, with the suffix of the exposition formats.
        kind: Prometheus' type.
        unit: Base unit of its values.
        help: Noun phrase for ``# HELP``.
        labels: Names of its labels, in alphabetical order as the formats' writers sort.
        values: Closed sets of values, by label; an open label is not in it.
        family: Name of its family in OpenMetrics.
    """

    name: str
    kind: Kind
    help: str
    unit: Unit = ""
    labels: tuple[str, ...] = ()
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    family: str


def gauge(
    name: str,
    text: str,
    labels: tuple[str, ...] = (),
    unit: Unit = "",
    **values: frozenset[str],
) -> Spec:
    """Describe a gauge by its name without prefix and its help."""
    family = f"{PREFIX}{name}"
    return Spec(
        name=family,
        kind="gauge",
        help=text,
        unit=unit,
        labels=labels,
        values=values,
        family=family,
    )


def counter(
    name: str,
    text: str,
    labels: tuple[str, ...] = (),
    unit: Unit = "",
    **values: frozenset[str],
) -> Spec:
    """Describe a counter by its name without prefix and ``_total``, and its help."""
    one = gauge(name, text, labels, unit, **values)
    return replace(one, name=f"{one.family}_total", kind="counter")


def histogram(
    name: str, text: str, unit: Unit, buckets: Sequence[float]
) -> tuple[Spec, Spec, Spec]:
    """Describe the three kinds of samples of a histogram without labels."""
    bounds = frozenset([*map(str, map(float, buckets)), "+Inf"])
    bucket, total, count = (
        Spec(
            name=f"{PREFIX}{name}{suffix}",
            kind="histogram",
            help=text,
            unit=unit,
            labels=labels,
            values={"le": bounds} if labels else {},
            family=f"{PREFIX}{name}",
        )
        for suffix, labels in (("_bucket", ("le",)), ("_sum", ()), ("_count", ()))
    )
    return bucket, total, count


def values_of(members: type[Enum]) -> frozenset[str]:
    """List the values of a closed label."""
    return frozenset(str(one.value) for one in members)
