"""The names of gauges of samples that are not documented."""

import re
from collections.abc import Iterable

from agent.metrics.spec import PREFIX
from agent.metrics.specs import SPECS, SampleSpecs, sample_specs
from parsers import SampleKey

SUFFIXES = (
    *("", "_total", "_created", "_bucket", "_sum", "_count", "_info"),
    *("_gsum", "_gcount"),
)
"""Suffixes of the exposition formats, and what they make of a family's name."""

# Promised names of series that are not exported yet: a gauge of a sample that took one
# of them would clash with it, or change its meaning, with the next release.
_PROMISED = (
    *("broker_leader_partitions", "connection", "consumer_group"),
    *("leader_imbalance_ratio", "offline_partitions"),
    *("under_min_isr_partitions", "under_replicated_partitions"),
)
_RESERVED_PREFIXES = tuple(
    f"{PREFIX}{name}_"
    for name in (
        *("agent", "cluster", "connection", "consumer_group", "log", "plan"),
        *("platform", "problem", "topic"),
    )
)


def _derive(names: Iterable[str]) -> frozenset[str]:
    """Derive every name that a format could give to the samples of these families."""
    families = {
        name.removesuffix(suffix) for name in list(names) for suffix in SUFFIXES
    }
    return frozenset(f"{name}{suffix}" for name in families for suffix in SUFFIXES)


_RESERVED = _derive(
    [*(spec.name for spec in SPECS), *(f"{PREFIX}{name}" for name in _PROMISED)]
)
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_]")


def maybe_name_sample(key: SampleKey) -> SampleSpecs | None:
    """Describe the gauges of a sample that is not documented.

    Args:
        key: Name and base unit of the sample.

    Returns:
        Gauges named after the sample, with other characters as ``_`` and the base unit
        behind it; None where the name belongs to another series.
    """
    sample, unit = key
    name = _ILLEGAL.sub("_", sample)
    if unit and not name.endswith(f"_{unit}"):
        name = f"{name}_{unit}"
    specs = sample_specs(name, f"Undocumented sample {sample}.", unit)
    if specs.broker.name.startswith(_RESERVED_PREFIXES) or any(
        one.name in _RESERVED for one in specs
    ):
        return None
    return specs
