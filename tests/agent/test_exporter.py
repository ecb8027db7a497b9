"""What Prometheus reads: the documented lines exactly, in both formats."""

import time
from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from agent.clock import Moment
from agent.engine import Engine
from agent.kafka.classifier import classify
from agent.metrics.exposition import encode_families
from agent.metrics.specs import SAMPLE_ROWS
from agent.settings import Settings
from parsers import MetricLine
from tests.documented import ADDON, DOCUMENTED, LOG, METRICS
from tests.engines import exposition
from tests.frames import frame, read_log
from tests.serving import AUTHORIZATION, Agent, Exposition, running

PROMETHEUS_ACCEPT = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
    "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)  # of version 2.42


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    with running() as agent:
        agent.post(frame(METRICS) + frame(LOG))
        yield agent


@pytest.fixture
def metrics(agent: Agent) -> Exposition:
    return agent.metrics()


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_line_shows_up_as_documented(
    metrics: Exposition, name: str
) -> None:
    found = {
        labels: value
        for labels, value in metrics.series(name).items()
        if ("addon", ADDON) in labels
    }

    assert found == {frozenset({("addon", ADDON), ("broker", "2")}): DOCUMENTED[name]}


def test_the_catalogue_holds_the_documented_gauges_and_no_other() -> None:
    assert {f"heroku_kafka_{row.name}" for row in SAMPLE_ROWS} == set(DOCUMENTED)


def test_what_is_known_of_the_broker_is_exported(metrics: Exposition) -> None:
    labels = {"addon": ADDON, "broker": "2"}

    last = metrics.value("heroku_kafka_last_sample_timestamp_seconds", **labels)
    assert last == 1776264796
    assert metrics.value("heroku_kafka_samples_total", **labels) == 11
    assert metrics.value("heroku_kafka_broker_reporting", **labels) == 1


def test_the_documented_log_line_counts_one_warn(metrics: Exposition) -> None:
    counted = {
        dict(labels)["level"]: value
        for labels, value in metrics.series("heroku_kafka_log_lines_total").items()
        if {("addon", ADDON), ("node", "0")} <= labels
    }

    assert counted == {"WARN": 1, "ERROR": 0, "FATAL": 0}
    last = metrics.value(
        "heroku_kafka_log_last_timestamp_seconds", addon=ADDON, node="0", level="WARN"
    )
    assert last == 1780872391


def test_lines_without_a_broker_are_series_of_the_cluster(agent: Agent) -> None:
    agent.post(frame(METRICS.replace(b"heroku-kafka.2", b"heroku-kafka")))

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_cluster_load_avg_1m", addon=ADDON) == 0.005
    assert metrics.value("heroku_kafka_cluster_samples_total", addon=ADDON) == 11
    assert metrics.value("heroku_kafka_cluster_reporting", addon=ADDON) == 1


@pytest.mark.parametrize(
    ("sample", "series", "value"),
    [
        ("open-files=3", "open_files", 3.0),
        ("disk-used=5GB", "disk_used_bytes", 5 * 1024.0**3),
        ("heap-bytes=1kB", "heap_bytes", 1024.0),
        ("gc-time=12ms", "gc_time_seconds", 0.012),
        ("dirty=7pages", "dirty_pages", 7.0),
        ("disk-share=31%", "disk_share_ratio", 0.31),
        ("9lives=1", "9lives", 1.0),
        ("a.b/c=2", "a_b_c", 2.0),
    ],
)
def test_unknown_samples_are_exported_in_base_units(
    agent: Agent, sample: str, series: str, value: float
) -> None:
    line = f"heroku-kafka.5 - source=KAFKA addon=kafka-new sample#{sample}"
    agent.post(frame(f"<134>1 2026-04-15T14:53:16+00:00 host app {line}".encode()))

    exported = agent.metrics().value(
        f"heroku_kafka_{series}", addon="kafka-new", broker="5"
    )
    assert exported == pytest.approx(value)


def test_the_agent_says_what_it_is(metrics: Exposition) -> None:
    ((labels, value),) = metrics.series("heroku_kafka_agent_build_info").items()

    assert {name for name, _ in labels} == {"version", "python_version"}
    assert value == 1


@pytest.mark.parametrize(
    ("series", "label", "values"),
    [
        (
            "frames_total",
            "kind",
            {"sample", "broker_log", "platform", "other", "malformed"},
        ),
        ("drain_dropped_messages_total", "code", {"L10", "L12", "L13"}),
    ],
)
def test_counters_exist_at_zero_before_their_first_event(
    metrics: Exposition, series: str, label: str, values: set[str]
) -> None:
    found = metrics.series(f"heroku_kafka_agent_{series}")

    assert {dict(labels)[label] for labels in found} == values


def test_process_metrics_are_there(metrics: Exposition) -> None:
    assert metrics.value("process_resident_memory_bytes") > 0


def test_openmetrics_is_negotiated(agent: Agent) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0", **AUTHORIZATION}
    answer = agent.request("GET", "/metrics", headers=accept)

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    parsed = parse_openmetrics(answer.body.decode())  # type: ignore[no-untyped-call] # prometheus-client's
    families = {family.name for family in parsed}
    assert {"heroku_kafka_load_avg_1m", "heroku_kafka_log_lines"} <= families
    assert answer.body.endswith(b"# EOF\n")
    assert answer.body.count(b"# EOF") == 1


def test_counters_have_creation_times_in_openmetrics(agent: Agent) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0", **AUTHORIZATION}
    answer = agent.request("GET", "/metrics", headers=accept)

    parsed = parse_openmetrics(answer.body.decode())  # type: ignore[no-untyped-call] # prometheus-client's
    counted, created = set(), {}
    for family in parsed:
        if not family.name.startswith("heroku_kafka_"):
            continue
        for one in family.samples:
            key = (family.name, frozenset(one.labels.items()))
            if one.name.endswith("_created"):
                created[key] = one.value
            elif family.type == "counter" or one.name.endswith("_count"):
                counted.add(key)
    assert counted == created.keys()
    assert len(counted) > 50
    now = time.time()
    assert all(now - 60 < value <= now for value in created.values())


def test_creation_times_do_not_change() -> None:
    def read(agent: Agent) -> set[bytes]:
        headers = {"Accept": "application/openmetrics-text", **AUTHORIZATION}
        body = agent.request("GET", "/metrics", headers=headers).body
        return {line for line in body.splitlines() if b"_created" in line}

    with running() as agent:
        agent.post(frame(METRICS) + frame(LOG))
        before = read(agent)
        agent.post(frame(METRICS) + frame(LOG) + frame(LOG + b" again"))

        assert read(agent) >= before


def test_the_text_format_has_no_creation_times(metrics: Exposition) -> None:
    assert "_created" not in metrics.text


def test_hostile_label_values_leave_the_exposition_valid(agent: Agent) -> None:
    line = (
        b'heroku-kafka.2 - source="a\\"b\nc" addon=kafka-a sample#read-iops=1 \xff\xfe'
    )
    agent.post(frame(b"<134>1 2026-04-15T14:53:16+00:00 host app " + line))

    assert agent.metrics().value("heroku_kafka_read_iops", addon="kafka-a", broker="2")


@pytest.mark.parametrize(
    "accept", ["", "application/openmetrics-text; version=1.0.0"], ids=["text", "om"]
)
def test_the_brokers_text_is_what_the_client_library_writes(accept: str) -> None:
    engine, now = Engine(Settings()), Moment(1_776_264_800.0, 1000.0)
    values = (0.0, 1.0, 0.18462, 1e-7, -3.0, 999999.5, 1e6, 16485240832.0, 1.5e22, 1e16)
    for number, value in enumerate(values):
        for broker in ("0", "11", None):
            line = MetricLine(
                addon=f"kafka-animated-{number}",
                broker=broker,
                source="KAFKA",
                timestamp=1_776_264_796.0 + number / 8,
                samples={("read-iops", ""): value, ("new.one", "bytes"): value},
                message=b"",
            )
            engine.state.apply_metrics(line, now)
    encode, _ = choose_encoder(accept)

    written = exposition(engine, now, accept)

    assert written == by_the_library(written.decode(), encode, accept)


@pytest.mark.parametrize(
    "accept", ["", "application/openmetrics-text; version=1.0.0"], ids=["text", "om"]
)
def test_the_nodes_text_is_what_the_client_library_writes(accept: str) -> None:
    engine, now = Engine(Settings()), Moment(1_780_872_400.0, 1000.0)
    for number in range(12):
        for said in ("Partition a-1 marked as failed", "x OutOfMemoryError", "?"):
            line = read_log(f"pri=ERROR t=main at=X [KafkaServer id={number}] {said}")
            line = line._replace(addon=f"kafka-animated-{number}", node=str(number))
            engine.state.apply_log(line, classify(line), now)
    encode, _ = choose_encoder(accept)

    written = exposition(engine, now, accept)

    assert written.count(b"heroku_kafka_node_info{") == 12
    assert written == by_the_library(written.decode(), encode, accept)


def by_the_library(
    text: str, encode: Callable[[CollectorRegistry], bytes], accept: str
) -> bytes:
    """Parse an exposition and let the client library write it again."""
    ended = f"{text}# EOF\n" if accept else text
    read = parse_openmetrics if accept else parse_text
    families: list[Metric] = list(read(ended))
    for family in families:
        if family.type == "counter":
            family.name = family.name.removesuffix("_total")
    return encode_families(families, encode)


@pytest.mark.parametrize(
    ("accept", "is_openmetrics"),
    [
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2", True),
        ("application/openmetrics-text; version=1.0.0; q=0.001", True),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text; version=1.0.0; Q=0.000, */*", False),
        ("application/openmetrics-text;q=0.;version=1.0.0", False),
        ("text/plain, application/openmetrics-text ; q=0.0", False),
        ("application/openmetrics-text;q=0, application/openmetrics-text;q=1", True),
        ("application/openmetrics-text;q=0.5, text/plain;q=0.9", False),
        ("application/openmetrics-text;q=0.5, text/plain;version=0.0.4", False),
        ("application/openmetrics-text;q=0.5, text/plain;q=0.5", True),
        ("application/openmetrics-text;q=0.5, */*", False),
        ("application/openmetrics-text;q=0.5, text/plain;q=0.1, */*", True),
        ("text/plain, application/openmetrics-text", True),
        ("application/openmetrics-text;q=high, text/plain", True),
        ("application/openmetrics-text;q=nan", True),
        (PROMETHEUS_ACCEPT, True),
    ],
)
def test_the_format_with_the_higher_weight_is_sent(
    agent: Agent, accept: str, *, is_openmetrics: bool
) -> None:
    headers = {**AUTHORIZATION, "Accept": accept}
    answer = agent.request("GET", "/metrics", headers=headers)

    assert answer.body.endswith(b"# EOF\n") == is_openmetrics
    media_type = answer.headers["content-type"].partition(";")[0]
    assert (media_type == "application/openmetrics-text") == is_openmetrics
