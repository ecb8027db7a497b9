"""The names of gauges of samples that are not documented."""

import re

from agent.metrics.spec import PREFIX
from agent.metrics.specs import SPECS, SampleSpecs, sample_specs
from parsers import SampleKey

# Suffixes of the exposition formats, and what they make of a family's name: no sample
# may have a name that another family's samples could have.
_SUFFIXES = ("", "_total", "_created", "_bucket", "_sum", "_count", "_info")
_RESERVED = frozenset(
    f"{spec.family}{suffix}" for spec in SPECS for suffix in _SUFFIXES
)
_RESERVED_PREFIXES = tuple(
    f"{PREFIX}{name}_"
    for name in ("agent", "cluster", "log", "plan", "platform", "topic")
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
