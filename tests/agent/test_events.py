"""Broker lines become events: counted, remembered, filtered, harmless."""

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from agent.clock import Moment
from agent.kafka.categories import Category, Urgency
from agent.kafka.classifier import possible_cells
from agent.settings import Limits, Settings
from agent.state.zero_first import LONGEST_SECONDS, ZeroFirst
from parsers import Level
from tests.documented import ADDON, LOG
from tests.engines import Drain
from tests.frames import frame, log_frame
from tests.serving import AUTHORIZATION, CREDENTIALS, Agent, running

FAILED = (
    b"pri=WARN t=ReplicaFetcherThread-0-2 at=ReplicaFetcherThread [ReplicaFetcher "
    b"replicaId=0, leaderId=2, fetcherId=0] Partition orders-%d marked as failed"
)
REFUSED = (
    b"pri=ERROR t=data-plane-kafka-request-handler-6 at=ReplicaManager "
    b"[ReplicaManager broker=0] Error processing append operation on partition "
    b"payments.v2-3"
)
TOO_FEW = (
    b"org.apache.kafka.common.errors.NotEnoughReplicasException: The size of the "
    b"current ISR Set(0) is insufficient to satisfy the min.isr requirement of 2"
)
START = "2026-06-07T22:46:31+00:00"


@pytest.fixture
def agent() -> Iterator[Agent]:
    with running() as agent:
        yield agent


def settings(**limits: int) -> Settings:
    return Settings(
        port=0, drain_credentials=(CREDENTIALS,), limits=replace(Limits(), **limits)
    )


def events(agent: Agent, **query: str) -> list[dict[str, Any]]:
    answer = agent.request("GET", f"/api/events?{urlencode(query)}")
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = json.loads(answer.body)["events"]
    return found


def count(agent: Agent, category: str, urgency: str, node: str = "0") -> float:
    return agent.metrics().value(
        "heroku_kafka_log_events_total",
        addon=ADDON,
        node=node,
        category=category,
        urgency=urgency,
    )


def counted_lines(agent: Agent) -> float:
    return sum(agent.metrics().series("heroku_kafka_log_lines_total").values())


def test_the_documented_line_is_understood_whole(agent: Agent) -> None:
    agent.post(frame(LOG))

    (event,) = events(agent)
    assert event["meaning"]
    assert event["first_step"]
    del event["meaning"], event["first_step"]
    assert event == {
        "time": START,
        "cluster": ADDON,
        "node": "0",
        "level": "WARN",
        "category": "replication",
        "urgency": "info",
        "class": "ReplicaFetcherThread",
        "thread": "ReplicaFetcherThread-0-2",
        "context": [
            {
                "name": "ReplicaFetcher",
                "fields": {"replicaId": "1", "leaderId": "2", "fetcherId": "0"},
            }
        ],
        "message": "Partition my-example-topic-16 marked as failed",
        "trace": None,
        "topic": "my-example-topic",
        "partition": 16,
        "partitions": [{"topic": "my-example-topic", "partition": 16}],
        "rule": "follower-marked-failed",
        "broker": "1",
        "peer": "2",
        "exception": None,
    }
    assert count(agent, "replication", "info") == 1


def test_every_cell_of_a_node_exists_at_zero_from_its_first_line_on(
    agent: Agent,
) -> None:
    agent.post(frame(LOG))

    found = {
        (labels_of["category"], labels_of["urgency"]): value
        for labels, value in agent.metrics()
        .series("heroku_kafka_log_events_total")
        .items()
        for labels_of in [dict(labels)]
    }
    cells = {(one.value, other.value) for one, other in possible_cells()}
    assert set(found) == cells
    assert sum(found.values()) == 1


@pytest.mark.parametrize(
    ("query", "nodes"),
    [
        ({}, ["2", "1", "0"]),
        ({"level": "ERROR"}, ["1"]),
        ({"level": "warn,fatal"}, ["2", "0"]),
        ({"category": "isr"}, ["1"]),
        ({"urgency": "critical"}, ["2", "1"]),
        ({"urgency": "critical", "level": "FATAL"}, ["2"]),
        ({"topic": "orders"}, ["0"]),
        ({"topic": "payments.v2,orders"}, ["1", "0"]),
        ({"cluster": ADDON}, ["2", "1", "0"]),
        ({"cluster": "kafka-other-1"}, []),
        ({"node": "2"}, ["2"]),
        ({"since": "2026-06-07T22:46:32Z"}, ["2", "1"]),
        ({"since": "2026-06-07T22:46:33+00:00"}, ["2"]),
        ({"since": "1780872393"}, ["2"]),
        ({"since": "1h"}, []),
        ({"since": "1h30m"}, []),
        ({"limit": "1"}, ["2"]),
    ],
)
def test_events_are_filtered(
    agent: Agent, query: dict[str, str], nodes: list[str]
) -> None:
    agent.post(
        log_frame(FAILED % 1, "0")
        + log_frame(REFUSED + b" " + TOO_FEW, "1", at="2026-06-07T22:46:32+00:00")
        + log_frame(
            b"pri=FATAL t=main at=Kafka$ Exiting Kafka due to fatal exception",
            "2",
            at="2026-06-07T22:46:33+00:00",
        )
    )

    assert [event["node"] for event in events(agent, **query)] == nodes


def test_an_offset_whose_plus_was_not_escaped_is_understood(agent: Agent) -> None:
    agent.post(frame(LOG))

    answer = agent.request("GET", f"/api/events?since={START}")
    assert len(json.loads(answer.body)["events"]) == 1


def test_a_duration_counts_back_from_now(agent: Agent) -> None:
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    agent.post(log_frame(FAILED % 1, at=now) + log_frame(FAILED % 2))

    assert [event["partition"] for event in events(agent, since="10m")] == [1]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("level=NOTICE", "WARN, ERROR, FATAL"),
        ("category=disk", "storage"),
        ("urgency=page", "critical"),
        ("since=yesterday", "15m"),
        ("since=", "15m"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("colour=red", "category"),
    ],
)
def test_a_wrong_filter_is_refused_with_what_would_be_right(
    agent: Agent, query: str, named: str
) -> None:
    answer = agent.request("GET", f"/api/events?{query}")

    assert answer.status == 400
    assert named in json.loads(answer.body)["error"]


def test_events_are_for_readers_only(agent: Agent) -> None:
    assert agent.request("GET", "/api/events", headers={}).status == 401


def test_the_ring_keeps_the_newest_events() -> None:
    with running(settings(events=3)) as agent:
        for number in range(5):
            agent.post(log_frame(FAILED % number))

        assert [event["partition"] for event in events(agent)] == [4, 3, 2]
        assert counted_lines(agent) == 5


def test_the_ring_is_bounded_by_bytes() -> None:
    with running(settings(events_bytes=50_000)) as agent:
        for number in range(20):
            agent.post(log_frame(FAILED % number + b"x" * 9_000))

        assert 3 <= len(events(agent)) <= 6
        assert counted_lines(agent) == 20


def test_a_trace_in_one_frame_is_one_event(agent: Agent) -> None:
    agent.post(log_frame(REFUSED + b"\n" + TOO_FEW + b"\n\tat kafka.log.Log.append"))

    (event,) = events(agent)
    assert event["message"].endswith("payments.v2-3")
    assert event["trace"].endswith("at kafka.log.Log.append")
    assert (event["category"], event["urgency"]) == ("isr", "critical")
    assert event["exception"].endswith(".NotEnoughReplicasException")
    assert count(agent, "isr", "critical") == 1


def test_a_trace_in_many_frames_is_one_event_judged_by_all_of_it(agent: Agent) -> None:
    """Other nodes and dynos write in between."""
    agent.post(
        log_frame(REFUSED)
        + log_frame(FAILED % 1, "1")
        + log_frame(TOO_FEW)
        + frame(b"<190>1 2026-06-07T22:46:31+00:00 host app web.1 - \tat my.App")
        + log_frame(b"\tat kafka.log.Log.append(Log.scala:1)")
        + log_frame(b"Caused by: java.io.IOException: x")
    )

    assert len(events(agent)) == 2
    (event,) = events(agent, node="0")
    assert event["trace"].splitlines()[1:] == [
        "\tat kafka.log.Log.append(Log.scala:1)",
        "Caused by: java.io.IOException: x",
    ]
    assert count(agent, "isr", "critical") == 1
    assert refused(agent, "no_level") == 0


def refused(agent: Agent, reason: str) -> float:
    return agent.metrics().value("heroku_kafka_agent_parse_errors_total", reason=reason)


def test_a_trace_may_come_in_a_later_request(agent: Agent) -> None:
    agent.post(log_frame(REFUSED))
    agent.post(log_frame(TOO_FEW, at="2026-06-07T22:46:33+00:00"))

    (event,) = events(agent)
    assert event["trace"] == TOO_FEW.decode()
    assert counted_lines(agent) == 1
    assert refused(agent, "no_level") == 0


@pytest.mark.parametrize(
    ("node", "at"),
    [("1", START), ("0", "2026-06-07T22:47:31+00:00")],
    ids=["another_node", "a_minute_later"],
)
def test_what_continues_no_line_is_refused(agent: Agent, node: str, at: str) -> None:
    agent.post(log_frame(REFUSED))
    agent.post(log_frame(b"\tat kafka.log.Log.append", node, at=at))

    (event,) = events(agent)
    assert event["trace"] is None
    assert refused(agent, "no_level") == 1


def test_a_line_cut_at_10000_bytes_is_one_event(agent: Agent) -> None:
    long = FAILED % 1 + b" " + b"x" * 15_000
    agent.post(log_frame(long[:10_000]) + log_frame(long[10_000:]))

    (event,) = events(agent)
    assert counted_lines(agent) == 1
    assert len(event["trace"]) > 5_000


def test_a_line_through_the_drains_of_several_apps_counts_once(agent: Agent) -> None:
    body = log_frame(REFUSED) + log_frame(TOO_FEW) + log_frame(FAILED % 1)
    for app in ("one", "two", "three"):
        agent.post(
            body, Logplex_Drain_Token=f"d.{app}", Logplex_Frame_Id=f"frame-{app}"
        )

    assert counted_lines(agent) == 2
    assert len(events(agent)) == 2
    assert events(agent)[1]["trace"] == TOO_FEW.decode()
    assert refused(agent, "no_level") == 0


def test_a_line_written_twice_counts_twice(agent: Agent) -> None:
    twice = log_frame(FAILED % 1) * 2
    agent.post(twice, Logplex_Drain_Token="d.one", Logplex_Frame_Id="1")
    agent.post(twice, Logplex_Drain_Token="d.two", Logplex_Frame_Id="2")

    assert counted_lines(agent) == 2


HOSTILE = (
    "<script>alert(1)</script> \x1b]0;pwned\x07 \x9b31m \u202eevil \u2028 '\"&{{7*7}}"
)


def test_hostile_messages_are_harmless_wherever_they_are_shown(agent: Agent) -> None:
    agent.post(log_frame(b"pri=ERROR t=a<b> at=X<i> " + HOSTILE.encode()))

    raw = agent.request("GET", "/api/events")
    assert raw.body.isascii()
    assert b"\x1b" not in raw.body
    assert raw.headers["content-type"] == "application/json"
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert events(agent)[0]["message"] == HOSTILE
    page = agent.request("GET", "/").body.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2028"} & set(page)
    assert "{{7*7}}" in page


def test_the_page_shows_the_newest_events_and_what_they_mean(agent: Agent) -> None:
    agent.post(log_frame(REFUSED + b" " + TOO_FEW))

    page = agent.request("GET", "/").body.decode()
    assert "payments.v2-3" in page
    assert "critical" in page
    assert "acks=all" in page


def test_topics_never_become_labels(agent: Agent) -> None:
    before = len(agent.metrics().samples)
    agent.post(log_frame(FAILED % 0))
    one = len(agent.metrics().samples)
    for start in range(0, 2_000, 200):
        agent.post(
            b"".join(
                log_frame(b"pri=WARN t=t%d at=C%d on partition topic%d-1" % (n, n, n))
                for n in range(start, start + 200)
            )
        )

    assert one > before
    assert len(agent.metrics().samples) <= one + 5
    assert counted_lines(agent) == 2_001
    assert len(events(agent)) == 1_000


def test_a_storm_of_nested_brackets_stays_within_the_grammars_budget() -> None:
    text = b"pri=ERROR t=x at=X [A b=c[d[e]]] " + b"[" * 300 + b" on partition o-%d"
    with running(settings(grammar_bytes=2_000)) as agent:
        started = time.monotonic()
        body = b"".join(log_frame(text % n) for n in range(1_000))
        agent.post(gzip.compress(body), Content_Encoding="gzip")

        assert time.monotonic() - started < 30
        assert counted_lines(agent) == 1_000
        with_context = [event for event in events(agent) if event["context"]]
        assert 5 <= len(with_context) <= 50
        assert {event["topic"] for event in events(agent)} == {"o"}


def node_infos(agent: Agent) -> set[tuple[str, str]]:
    found = agent.metrics().series("heroku_kafka_node_info")
    assert set(found.values()) <= {1.0}
    return {(dict(labels)["node"], dict(labels)["broker"]) for labels in found}


def conflicts(agent: Agent, node: str) -> float:
    return agent.metrics().value(
        "heroku_kafka_node_conflicts_total", addon=ADDON, node=node
    )


def test_a_node_is_the_broker_that_its_own_lines_name(agent: Agent) -> None:
    """The documentation's example: node 0, replicaId=1."""
    agent.post(frame(LOG) + log_frame(b"pri=WARN t=main at=Log x", "2"))

    assert node_infos(agent) == {("0", "1")}
    assert conflicts(agent, "0") == 0


@pytest.mark.parametrize(
    "line",
    [
        b"[Controller id=1, targetBrokerId=2] Connection to node 2 (x/1.2.3.4:9096)",
        b"[ReplicaManager broker=1] Error processing fetch",
        b"[KafkaServer id=1] Fatal error during KafkaServer startup.",
        b"[GroupCoordinator 1]: Setting empty assignments",
        b"[KafkaApi-1] Unexpected error handling request",
        b"[RequestSendThread controllerId=1] Controller 1's connection (id: 2 rack: a)",
        b"[Partition orders-3 broker=1] Failed to update ISR",
    ],
)
def test_only_the_writers_own_id_counts(agent: Agent, line: bytes) -> None:
    agent.post(log_frame(b"pri=WARN t=main at=X " + line))

    assert node_infos(agent) == {("0", "1")}


@pytest.mark.parametrize(
    "line",
    [
        b"[Consumer clientId=a, groupId=b] leaderId=1",
        b"[X leaderId=1, targetBrokerId=2] y",
        b"broker=1 replicaId=1 [KafkaServer id=1]",
        b"[ReplicaManager broker=one] x",
    ],
)
def test_ids_of_others_name_no_writer(agent: Agent, line: bytes) -> None:
    agent.post(log_frame(b"pri=WARN t=main at=X " + line))

    assert node_infos(agent) == set()


def test_contradictions_are_counted_and_not_decided(agent: Agent) -> None:
    as_broker = b"pri=WARN t=main at=ReplicaManager [ReplicaManager broker=%d] x"
    agent.post(log_frame(as_broker % 0, "0") + log_frame(as_broker % 1, "1"))
    assert node_infos(agent) == {("0", "0"), ("1", "1")}

    agent.post(log_frame(as_broker % 1, "0"))
    assert node_infos(agent) == set()
    assert conflicts(agent, "0") == 1
    assert conflicts(agent, "1") == 0

    agent.post(log_frame(as_broker % 1 + b"again", "1"))
    assert conflicts(agent, "1") == 1


def scrape(
    agent: Agent, scraper: str = "", timeout: float | str = 10
) -> dict[str, float]:
    """Scrape as Prometheus does; return the lines of node 0 by level."""
    headers = {
        **AUTHORIZATION,
        "X-Prometheus-Scrape-Timeout-Seconds": str(timeout),
        "X-Forwarded-For": scraper,
    }
    text = agent.request("GET", "/metrics", headers=headers).body.decode()
    return {
        level.value: float(line.rsplit(" ", 1)[1])
        for line in text.splitlines()
        for level in Level
        if line.startswith("heroku_kafka_log_lines_total")
        if f'level="{level.value}",node="0"' in line
    }


def test_each_prometheus_is_shown_new_counters_at_zero_first(agent: Agent) -> None:
    agent.post(log_frame(b"pri=FATAL t=main at=Kafka$ Halting Kafka."))

    zero = {"WARN": 0, "ERROR": 0, "FATAL": 0}
    assert scrape(agent, "one", 0.5) == zero
    assert scrape(agent, "two", 0.5) == zero
    time.sleep(0.5)
    assert scrape(agent, "one", 0.5) == {**zero, "FATAL": 1}
    agent.post(log_frame(b"pri=FATAL t=main at=Kafka$ Halting Kafka again."))
    assert scrape(agent, "two", 0.5) == {**zero, "FATAL": 2}
    assert scrape(agent, "one", 0.5) == {**zero, "FATAL": 2}


def test_no_counter_goes_down_whatever_proxies_scrapes_come_through(
    agent: Agent,
) -> None:
    for number in range(5):
        agent.post(log_frame(b"pri=FATAL t=main at=Kafka$ Halting %d." % number))

    shown = []
    for number in range(20):
        shown.append(scrape(agent, f"10.0.0.{number}", 0.5)["FATAL"])
        time.sleep(0.05)

    assert shown == sorted(shown)
    assert (shown[0], shown[-1]) == (0, 5)


@pytest.mark.parametrize("timeout", ["nan", "-1", "x", ""])
def test_what_is_no_timeout_hides_no_counter(agent: Agent, timeout: str) -> None:
    agent.post(log_frame(b"pri=FATAL t=main at=Kafka$ Halting Kafka."))

    assert scrape(agent, timeout=timeout)["FATAL"] == 1


def test_counters_are_not_hidden_for_long_whatever_the_timeout() -> None:
    drain = Drain()
    now = Moment(1_780_000_000.0, 1000.0)
    drain.receive(log_frame(b"pri=FATAL t=main at=Kafka$ Halting Kafka."), now)
    zero_first, nodes = ZeroFirst(), drain.engine.snapshot(now).nodes

    assert zero_first.present(nodes, now, float("inf")) != nodes
    later = now._replace(monotonic=now.monotonic + LONGEST_SECONDS)
    assert zero_first.present(nodes, later, float("inf")) == nodes


def test_whoever_is_no_prometheus_is_shown_the_truth_at_once(agent: Agent) -> None:
    agent.post(log_frame(b"pri=FATAL t=main at=Kafka$ Halting Kafka."))

    assert count(agent, Category.LIFECYCLE.value, Urgency.CRITICAL.value) == 1
