"""No sample takes a name that is exported, or promised, or derives from one."""

import re
from itertools import product

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)

from agent.clock import Moment
from agent.metrics.naming import SUFFIXES, maybe_name_sample
from agent.metrics.spec import PREFIX
from agent.metrics.specs import KNOWN_SAMPLES, SPECS
from tests.engines import Drain, exposition
from tests.frames import frame

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
NOW = Moment(1_776_264_800.0, 1000.0)
EXPORTED = sorted({name for spec in SPECS for name in (spec.name, spec.family)})
# The names of public promises that are not exported yet.
PROMISED = [
    "consumer_group_lag",
    "consumer_group_lag_max",
    "consumer_group_partition_lag",
    "consumer_group_lag_seconds",
    "consumer_group_members",
    "consumer_group_info",
    "topic_end_offset_total",
    "under_replicated_partitions",
    "offline_partitions",
    "under_min_isr_partitions",
    "topic_under_replicated_partitions",
    "broker_leader_partitions",
    "leader_imbalance_ratio",
    "connection_up",
    "connection_brokers",
    "connection_duration_seconds",
    "connection_errors_total",
    "connection_last_success_timestamp_seconds",
    "problem",
    "cluster_info",
    "agent_other_drain_dropped_messages_total",
    "agent_state_saved_total",
    "agent_remote_write_sent_total",
    "agent_notifications_total",
    "agent_bus_lag",
]


def samples_like(name: str) -> list[str]:
    """List the samples whose gauge of a broker or cluster could have this name."""
    bare = name.removeprefix(PREFIX)
    written = [bare, *([bare[8:]] if bare.startswith("cluster_") else [])]
    # Any character that is not allowed in a metric's name becomes "_".
    return [*written, *(one.replace("_", "-") for one in written)]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", [*EXPORTED, *PROMISED])
def test_no_sample_takes_a_name_or_a_derived_one(name: str, suffix: str) -> None:
    for sample in samples_like(f"{name}{suffix}"):
        if sample and sample not in KNOWN_SAMPLES:
            assert maybe_name_sample((sample, "")) is None


@pytest.mark.parametrize("unit", ["", "kB", "ms", "%", "pages"])
def test_the_exposition_stays_valid_whatever_samples_are_called(unit: str) -> None:
    drain = Drain()
    names = [
        sample
        for name, suffix in product([*EXPORTED, *PROMISED], SUFFIXES)
        for sample in samples_like(f"{name}{suffix}")
    ]
    bare = [re.sub(r"-(bytes|seconds|ratio|pages)\b", "", name) for name in names]
    for proc in ("heroku-kafka.1", "heroku-kafka"):
        for at in range(0, len(bare), 200):
            line = f"<134>1 2026-04-15T14:53:16+00:00 host app {proc} - addon=kafka-a "
            line += " ".join(f"sample#{name}=1{unit}" for name in bare[at : at + 200])
            drain.receive(frame(line.encode()), NOW)

    text = exposition(drain.engine, NOW, OPENMETRICS).decode() + "# EOF\n"
    found = [
        (sample.name, tuple(sorted(sample.labels.items())))
        for family in parse_openmetrics(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    ]

    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    "sample", ["reporting", "node-conflicts-created", "info", "node", "samples-gcount"]
)
def test_names_that_clashed_are_taken(sample: str) -> None:
    assert maybe_name_sample((sample, "")) is None


@pytest.mark.parametrize("sample", ["open-files", "disk-used", "lag", "gc-count"])
def test_other_names_are_free(sample: str) -> None:
    specs = maybe_name_sample((sample, ""))

    assert specs is not None
    assert specs.name == sample.replace("-", "_")
