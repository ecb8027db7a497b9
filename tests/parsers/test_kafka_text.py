"""What the ``heroku kafka`` commands print, in all their variants."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import ClusterUse, TextProblem, TopicUse, parse_kafka_info

ROOT = Path(__file__).parents[2]
ARTICLE = """
$ heroku kafka:info -a example-app
=== KAFKA_URL
Plan: heroku-kafka:standard-0
Status: available
Version: 3.7.1
Created: 2026-06-01 16:28:54 +0000
Topics: 84 topics, see heroku kafka:topics
Partitions: [··········] 417 / 12000 partition replicas (partitions x replication factor)
Messages: 5 message/s
Traffic: 32 byte/s in / 166 byte/s out
Data Size: [··········] 68.38 MB / 150.00 GB (0.04%)
Add-on: kafka-animated-39618
"""
MULTI_TENANT = """\
 \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}   Warning: heroku update available from 8.0.0 to 9.0.0.
=== HEROKU_KAFKA_BLUE_URL, KAFKA_URL

Plan:       heroku-kafka:basic-0
Status:     available
Version:    2.8.2, 3.7.1
Robot:      True
Topics:     [█·········] 1 / 10 topics, see heroku kafka:topics
Prefix:     example-60818.
Messages:   1,234 messages/s
Traffic:    1 KB/s in / 1.50 MB/s out
Data Size:  [██████████] 6.00 GB / 4.00 GB (150.00%)
Customer Encryption Key: arn:aws:kms:secret
Add-on:     kafka-example-72346
"""
TABLE_V2 = """\
=== Kafka Topics on KAFKA_URL
Name              Messages  Traffic
────────────────  ────────  ───────────
my-example-topic  45/sec    192 bytes/sec
payments.v2       1,000/sec 2 KB/sec
"""
TABLE_V3 = """\
=== Kafka Topics on KAFKA_URL
2 / 10 topics; prefix: example-12345.
 name              Messages  Traffic
 ─────────────────────────────────
 my-example-topic  0/sec     1 byte/sec
"""
TOPIC = """\
=== kafka-animated-39618 :: my-example-topic
Topic Prefix:       example-12345.
Producers:          45 messages/second (189 bytes/second) total
Consumers:          35 bytes/second total
Partitions:         32 partitions
Replication Factor: 3
Compaction:         Compaction is {compaction} for my-example-topic
Retention:          {retention}
"""


def only(text: str) -> ClusterUse:
    (found,) = parse_kafka_info(text)
    assert isinstance(found, ClusterUse)
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("blank", [" ", "        ", "\u00a0 ", "\t"])
def test_the_articles_example_is_read_whole(blank: str, end: str) -> None:
    use = only(ARTICLE.replace(": ", f":{blank}").replace("\n", end))

    assert (use.addon, use.plan, use.status) == (
        "kafka-animated-39618",
        "standard-0",
        "available",
    )
    assert use.versions == ("3.7.1",)
    assert (use.topics, use.topics_limit) == (84, None)
    assert (use.partition_replicas, use.partition_replicas_limit) == (417, 12_000)
    assert use.messages_in_per_second == 5
    assert (use.bytes_in_per_second, use.bytes_out_per_second) == (32, 166)
    assert use.data_size_bytes == pytest.approx(71701627, rel=1e-3)
    assert use.data_size_limit_bytes == 150 * 2**30


def test_a_multi_tenant_cluster_is_read_and_its_key_is_not_kept() -> None:
    use = only(MULTI_TENANT)

    assert use.addon == "kafka-example-72346"
    assert use.versions == ("2.8.2", "3.7.1")
    assert (use.topics, use.topics_limit) == (1, 10)
    assert use.messages_in_per_second == 1_234
    assert (use.bytes_in_per_second, use.bytes_out_per_second) == (1024, 1572864)
    assert use.data_size_bytes == 6 * 2**30
    assert "secret" not in repr(use)


def test_colours_do_no_harm() -> None:
    coloured = ARTICLE.replace("Status", "\x1b[36mStatus\x1b[39m").replace(
        "=== ", "\x1b[1m=== \x1b[22m"
    )

    assert only(coloured) == only(ARTICLE)


def test_several_clusters_are_told_apart() -> None:
    found = parse_kafka_info(ARTICLE + MULTI_TENANT)

    assert [one.addon for one in found if isinstance(one, ClusterUse)] == [
        "kafka-animated-39618",
        "kafka-example-72346",
    ]


@pytest.mark.parametrize("text", [ARTICLE + TABLE_V2, TABLE_V2 + ARTICLE])
def test_topics_belong_to_the_cluster_of_their_attachment(text: str) -> None:
    use = only(text)

    assert use.topic_uses == (
        TopicUse(
            name="my-example-topic", messages_in_per_second=45, bytes_in_per_second=192
        ),
        TopicUse(
            name="payments.v2", messages_in_per_second=1_000, bytes_in_per_second=2_048
        ),
    )


def test_a_table_alone_has_the_attachments_name() -> None:
    use = only(TABLE_V3)

    assert use.addon == "KAFKA_URL"
    assert [topic.name for topic in use.topic_uses] == ["my-example-topic"]


def test_a_cluster_without_topics_has_none() -> None:
    text = (
        "=== Kafka Topics on KAFKA_URL\nNo topics found on this Kafka cluster.\n"
        "Use heroku kafka:topics:create to create a topic (limit 10).\n"
    )

    assert parse_kafka_info(text) == []


@pytest.mark.parametrize(
    ("retention", "seconds"),
    [
        ("36 hours", 129_600),
        ("1 hour", 3_600),
        ("59 seconds", 59),
        ("10 minutes", 600),
        ("7 days", 604_800),
    ],
)
def test_one_topic_is_read_whole(retention: str, seconds: float) -> None:
    use = only(TOPIC.format(retention=retention, compaction="enabled"))

    assert use.addon == "kafka-animated-39618"
    assert use.topic_uses == (
        TopicUse(
            name="my-example-topic",
            partitions=32,
            replication_factor=3,
            messages_in_per_second=45,
            bytes_in_per_second=189,
            bytes_out_per_second=35,
            retention_seconds=seconds,
            compacted=True,
        ),
    )


def test_one_topic_completes_the_table() -> None:
    topic = TOPIC.format(retention="1 day", compaction="disabled")
    use = only(ARTICLE + TABLE_V2 + topic)

    mine, other = use.topic_uses
    assert (mine.partitions, mine.compacted) == (32, False)
    assert other.name == "payments.v2"


@pytest.mark.parametrize(
    "row",
    [
        "Data Size: plenty",
        "Data Size: 5 parsecs / 6 GB",
        "Partitions: many",
        "Traffic: 5 in",
        "Topics: -3 topics",
        "Version: ",
    ],
)
def test_a_row_that_cannot_be_read_is_named_and_costs_nothing_else(row: str) -> None:
    found = parse_kafka_info(f"=== KAFKA_URL\n{row}\nAdd-on: kafka-a")

    use, problem = found
    assert isinstance(use, ClusterUse)
    assert use.addon == "kafka-a"
    assert isinstance(problem, TextProblem)
    assert (problem.line, problem.text) == (2, row.strip())
    assert problem.reason


@pytest.mark.parametrize(
    "text", ["", "nothing", "Plan: heroku-kafka:standard-0", "=== KAFKA_URL\n", "==="]
)
def test_what_names_no_cluster_gives_none(text: str) -> None:
    assert parse_kafka_info(text) == []


@given(st.text(alphabet=string.printable + "█·─\u00a0", max_size=300))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    parse_kafka_info(text)
    parse_kafka_info(f"=== KAFKA_URL\nData Size: {text}\nTopics: {text}")
    parse_kafka_info(f"=== a :: b\nRetention: {text}\n=== Kafka Topics on A\n{text}")


@given(
    st.integers(0, 2**50),
    st.integers(1, 2**50),
    st.integers(0, 40_000),
    st.sampled_from(["bytes", "KB", "MB", "GB", "TB"]),
)
def test_what_is_written_is_read_within_its_rounding(
    used: int, limit: int, replicas: int, unit: str
) -> None:
    size = 1024 ** ["bytes", "KB", "MB", "GB", "TB"].index(unit)
    text = (
        "=== KAFKA_URL\nAdd-on: kafka-a\n"
        f"Partitions: {replicas:,} / 40000 partition replicas\n"
        f"Data Size: {used / size:,.2f} {unit} / {limit / size:,.2f} {unit}\n"
    )
    use = only(text)

    assert use.partition_replicas == replicas
    assert use.data_size_bytes == pytest.approx(used, abs=0.006 * size)
    assert use.data_size_limit_bytes == pytest.approx(limit, abs=0.006 * size)
