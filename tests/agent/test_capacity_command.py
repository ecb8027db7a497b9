"""``capacity``: the report from text, its exit code, and the way into an agent."""

import json
from collections.abc import Iterator

import pytest

from tests.serving import PASSWORD, USER, Agent, free_port, run_command, running

INFO = """\
=== KAFKA_URL

Plan:       heroku-kafka:standard-0
Status:     available
Version:    2.7.1
Created:    2026-06-01 16:28:54 +0000
Topics:     84 topics, see heroku kafka:topics
Partitions: [··········] 417 / 12000 partition replicas (partitions x replication factor)
Messages:   5 messages/s
Traffic:    32 bytes/s in / 166 bytes/s out
Data Size:  [█████████·] 138.00 GB / 150.00 GB (92.00%)
Add-on:     kafka-animated-39618
"""
TOPICS = """
=== Kafka Topics on KAFKA_URL

 Name              Messages  Traffic
 ───────────────── ───────── ────────────
 my-example-topic  45/sec    192 bytes/sec
"""


@pytest.fixture
def agent() -> Iterator[Agent]:
    with running() as agent:
        yield agent


def report(*arguments: str, text: str = INFO) -> tuple[int, str, str]:
    done = run_command("capacity", "-", *arguments, stdin=text.encode())
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_the_report_says_what_is_used_and_what_to_do() -> None:
    code, shown, _ = report()

    assert code == 0
    for text in (
        "kafka-animated-39618",
        "standard-0 (text)",
        "available",
        "Kafka 2.7.1 (deprecated)",
        "92.0%",
        "138.0 GiB of 150.0 GiB",
        "417 of 12,000",
        "shorten retention, or upgrade to standard-1",
        "upgrade to 3.7.1",
        "Next plan up: standard-1, 300.0 GiB",
    ):
        assert text in shown


def test_the_report_is_there_as_json() -> None:
    code, shown, _ = report("--format", "json")

    (cluster,) = json.loads(shown)
    data = next(meter for meter in cluster["meters"] if meter["name"] == "Data")
    assert code == 0
    assert cluster["cluster"] == "kafka-animated-39618"
    assert data["used"] == 138 * 2**30
    assert data["share"] == pytest.approx(0.92)


@pytest.mark.parametrize(
    ("limit", "code"), [("90%", 1), ("0.9", 1), ("92%", 0), ("95%", 0)]
)
def test_the_exit_code_tells_a_cron_job(limit: str, code: int) -> None:
    found, _, error = report("--fail-over", limit)

    assert found == code
    assert ("kafka-animated-39618: Data at 92.0%" in error) == bool(code)


def test_a_configured_plan_serves_where_the_text_has_none() -> None:
    text = "\n".join(line for line in INFO.splitlines() if not line.startswith("Plan"))
    _, shown, _ = report("--plan", "kafka-animated-39618=standard-1", text=text)

    assert "standard-1 (configured)" in shown


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "nothing of ours"),
        ((), ""),
        (("--fail-over", "much"), INFO),
        (("--plan", "x"), INFO),
        (("--post", "somewhere"), INFO),
    ],
)
def test_wrong_use_is_said_in_a_sentence(arguments: tuple[str, ...], text: str) -> None:
    code, _, error = report(*arguments, text=text)

    assert code == 2
    assert error.startswith("heroku-kafka-agent: ")
    assert "Traceback" not in error


def test_a_running_agent_takes_it_over(agent: Agent) -> None:
    url = agent.url.replace("http://", f"http://{USER}:{PASSWORD}@")
    code, _, error = report("--post", url, text=INFO + TOPICS)

    metrics = agent.metrics()
    addon = "kafka-animated-39618"
    assert code == 0
    assert PASSWORD not in error
    assert metrics.value("heroku_kafka_data_size_bytes", addon=addon) == 138 * 2**30
    assert metrics.value("heroku_kafka_partition_replicas", addon=addon) == 417
    assert metrics.value("heroku_kafka_topics", addon=addon) == 84
    assert metrics.value("heroku_kafka_plan_capacity_bytes", addon=addon) == 150 * 2**30
    (info,) = metrics.series("heroku_kafka_plan_info")
    assert dict(info) == {"addon": addon, "plan": "standard-0", "source": "text"}
    (version,) = metrics.series("heroku_kafka_version_info")
    assert dict(version)["support"] == "deprecated"
    reporting = metrics.series("heroku_kafka_broker_reporting")
    assert sorted(dict(labels)["broker"] for labels in reporting) == ["0", "1", "2"]
    page = agent.request("GET", "/").body.decode()
    assert "92.0 %" in page
    assert "0 of 3 brokers reporting" in page


def test_only_writers_may_post(agent: Agent) -> None:
    code, _, error = report("--post", agent.url)

    assert code == 1
    assert "answered 401" in error


def test_text_without_a_cluster_is_refused(agent: Agent) -> None:
    answer = agent.request("POST", "/api/capacity", b"nothing of ours")

    assert answer.status == 422
    assert json.loads(answer.body)["clusters"] == []


def test_a_table_without_its_cluster_is_refused(agent: Agent) -> None:
    answer = agent.request("POST", "/api/capacity", TOPICS.encode())

    assert answer.status == 422
    assert not agent.metrics().series("heroku_kafka_topics")


def test_too_much_text_is_refused(agent: Agent) -> None:
    answer = agent.request("POST", "/api/capacity", b"x" * (1 << 21))

    assert answer.status == 413


def test_an_agent_that_is_not_there_is_said_to_be() -> None:
    code, _, error = report("--post", f"http://u:{PASSWORD}@127.0.0.1:{free_port()}")

    assert code == 1
    assert "cannot be reached" in error
    assert PASSWORD not in error
