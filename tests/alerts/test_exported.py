"""What `check` knows of the agent's metrics is what a running agent exports, both ways."""

import re
from collections.abc import Iterator

import pytest

from agent.checks import LABELS, exported_metrics
from agent.checks.exported import labels_of, may_be_sample, values_of
from agent.clock import read_clock
from agent.problems.problem import Problem
from agent.settings import Settings
from parsers import ClusterUse, Source, TopicUse
from tests.documented import ADDON, LOG, METRICS
from tests.frames import frame
from tests.serving import CREDENTIALS, Exposition, running, wait_for

OURS = {name for name in exported_metrics() if name.startswith("heroku_kafka_")}
EVERYTHING = ClusterUse(
    addon=ADDON,
    source=Source.API,
    plan="standard-0",
    status="available",
    healthy=True,
    upgrading=False,
    versions=("3.7.1",),
    data_size_bytes=1,
    data_size_limit_bytes=2,
    partition_replicas=1,
    partition_replicas_limit=2,
    topics=1,
    messages_in_per_second=1.0,
    brokers=3,
    degraded_brokers=0,
    degraded_topics=0,
    topic_uses=(
        TopicUse(
            name="orders",
            partitions=1,
            data_size_bytes=1,
            messages_in_per_second=1.0,
            bytes_in_per_second=1.0,
            bytes_out_per_second=1.0,
            retention_seconds=1.0,
        ),
    ),
)
PROBLEM = Problem(
    alert="HerokuKafkaBrokerSilent",
    severity="warning",
    addon=ADDON,
    broker="2",
    node="",
    details={},
    since=1.0,
    value=1.0,
    limit=1.0,
    ended=None,
    value_text="",
    limit_text="",
    summary="",
    description="",
    consequence="",
    first_step="",
)


@pytest.fixture(scope="module")
def exposition() -> Iterator[Exposition]:
    """Have an agent export all that it can."""
    settings = Settings(port=0, drain_credentials=(CREDENTIALS,), topic_metrics=3)
    with running(settings) as agent:
        agent.post(frame(METRICS) + frame(LOG) + frame(b"no frame of ours"))
        agent.post(frame(METRICS.replace(b"heroku-kafka.2", b"heroku-kafka")))
        assert agent.app
        engine = agent.app.engine
        engine.learn(EVERYTHING, read_clock())
        wait_for(lambda: engine.evaluated_at)  # the next evaluation is 15 s later
        engine.problems = (PROBLEM,)
        yield agent.metrics()


def test_every_series_of_a_running_agent_is_known_with_its_labels(
    exposition: Exposition,
) -> None:
    for name, labels in exposition.samples:
        if name.startswith("heroku_kafka_"):
            assert {label for label, _value in labels} == labels_of(name), name
    assert {name for name, _labels in exposition.samples} <= exported_metrics().keys()


def test_every_known_metric_is_exported_by_a_running_agent(
    exposition: Exposition,
) -> None:
    exported = {name for name, _labels in exposition.samples}

    assert exported >= OURS


def test_the_types_are_those_of_a_running_agent(exposition: Exposition) -> None:
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", exposition.text, re.MULTILINE))

    for name in OURS:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        kind = types.get(name) or types[family]
        assert exported_metrics()[name] == {"histogram": "counter"}.get(kind, kind)


def test_the_values_of_closed_labels_are_those_of_a_running_agent(
    exposition: Exposition,
) -> None:
    """What counts from 0 shows all of them; the others show no other one."""
    whole = {"log_lines_total", "agent_frames_total", "agent_collector_requests_total"}
    whole |= {"agent_parse_errors_total", "agent_series_dropped_total"}
    for name in OURS:
        for label in labels_of(name):
            known = values_of(name, label)
            if known is None:
                continue
            shown = {dict(one)[label] for one in exposition.series(name)}
            assert shown <= known, name
            if name.removeprefix("heroku_kafka_") in whole:
                assert shown == known, name


def test_all_labels_are_listed() -> None:
    assert {one for name in OURS for one in labels_of(name)} == LABELS | {"le"}


@pytest.mark.parametrize("middle", ["", "cluster_"])
def test_an_unknown_metric_may_be_a_sample_of_the_brokers(middle: str) -> None:
    assert may_be_sample(f"heroku_kafka_{middle}queue_depth")


@pytest.mark.parametrize("middle", ["agent_", "log_", "plan_", "topic_"])
def test_no_sample_of_the_brokers_takes_a_name_like_ours(middle: str) -> None:
    assert not may_be_sample(f"heroku_kafka_{middle}queue_depth")
