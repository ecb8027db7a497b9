"""What the Heroku CLI prints about clusters gives what it says, and nothing else."""

import json
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from parsers import ClusterUse, Source, TopicUse
from parsers.heroku.kafka_info import (
    MAX_CHARACTERS,
    MAX_LINES,
    TextProblem,
    parse_kafka_info,
)

FOLDER = Path(__file__).parents[2] / "fixtures" / "platform"
TEXTS = sorted(FOLDER.glob("*.txt"))
ARTICLE = (FOLDER / "info_article.txt").read_text(encoding="utf-8")

cases = pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)


def bare(value: object) -> Any:
    """Make what JSON can say: without what is unknown or empty."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [bare(one) for one in value]
    if isinstance(value, ClusterUse | TopicUse | TextProblem):
        said = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: bare(one) for name, one in said.items() if one not in (None, ())}
    return value


def read(text: str) -> dict[str, Any]:
    found = parse_kafka_info(text)
    return {
        "clusters": [bare(one) for one in found if isinstance(one, ClusterUse)],
        "problems": [bare(one) for one in found if isinstance(one, TextProblem)],
    }


def golden(path: Path) -> dict[str, Any]:
    text = path.with_suffix(".json").read_text(encoding="utf-8")
    wanted: dict[str, Any] = json.loads(text)
    del wanted["fact"], wanted["origin"]
    return wanted


def only(text: str) -> ClusterUse:
    (use,) = parse_kafka_info(text)
    assert isinstance(use, ClusterUse)
    return use


def row(line: str) -> ClusterUse:
    return only(f"=== KAFKA_URL\n{line}")


def topic(line: str) -> TopicUse:
    (use,) = only(f"=== kafka-a-1 :: orders\n{line}").topic_uses
    return use


@cases
def test_a_text_gives_what_is_written_beside_it(path: Path) -> None:
    text = path.read_bytes().decode()

    assert read(text) == golden(path)


@cases
def test_line_ends_of_windows_change_nothing(path: Path) -> None:
    text = path.read_bytes().decode()

    assert read(text.replace("\n", "\r\n")) == golden(path)


@cases
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(" ", "\u00a0", id="non-breaking"),
        pytest.param("\n", "\n  \t", id="indented"),
        pytest.param("\n", "   \n", id="trailing"),
        pytest.param(" ", " \x1b[0m", id="coloured"),
        pytest.param(" ", " \x1b]8;;https://example.com\x1b\\", id="linked"),
        pytest.param("Plan", "\ufeffPlan", id="invisible"),
    ],
)
def test_what_surrounds_the_words_changes_nothing(
    path: Path, old: str, new: str
) -> None:
    text = path.read_bytes().decode()

    assert read(text.replace(old, new)) == golden(path)


@cases
def test_collapsed_blanks_change_nothing(path: Path) -> None:
    text = path.read_bytes().decode()

    assert read("\n".join(" ".join(line.split()) for line in text.split("\n"))) == (
        golden(path)
    )


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("Plan: heroku-kafka:extended-2", "plan", "extended-2"),
        ("Plan: shield-standard-0", "plan", "shield-standard-0"),
        ("plan:standard-0", "plan", "standard-0"),
        (
            "Status: waiting for brokers (2 of 3)",
            "status",
            "waiting for brokers (2 of 3)",
        ),
        ("Status: available", "upgrading", False),
        ("Status: upgrading", "upgrading", True),
        ("Status: pending", "upgrading", None),
        ("Status: available", "healthy", None),
        ("Version: 2.8.2,3.7.1", "versions", ("2.8.2", "3.7.1")),
        ("Version: 3.7.1 (deprecated)", "versions", ("3.7.1",)),
        ("Topics: 1 topic, see heroku kafka:topics", "topics", 1),
        ("Topics: [█·········] 1 / 10 topics", "topics_limit", 10),
        ("Partitions: 417 partition replicas", "partition_replicas", 417),
        (
            "Partitions: 1 / 12,000 partition replica",
            "partition_replicas_limit",
            12_000,
        ),
        ("Messages: 1 message/s", "messages_in_per_second", 1),
        ("Messages: 12,345,678 messages/s", "messages_in_per_second", 12_345_678),
        ("Messages: 0.25 messages/s", "messages_in_per_second", 0.25),
        ("Traffic: 1 byte/s in / 2 KB/s out", "bytes_out_per_second", 2048),
        ("Traffic: 1.50 GB/s in / 2 KB/s out", "bytes_in_per_second", 1.5 * 2**30),
        ("Data Size: 1023 bytes / 1 PB", "data_size_bytes", 1023),
        ("Data Size: 1023 bytes / 1 PB", "data_size_limit_bytes", 2**50),
        ("Data Size: 1,024 KB", "data_size_bytes", 2**20),
        ("Data size: 2.00 TB / 900.00GB (227.56%)", "data_size_bytes", 2**41),
        ("Data Size: [] 1.00 MB / 0 bytes (Infinity%)", "data_size_bytes", 2**20),
    ],
)
def test_a_row_of_a_cluster_is_read(line: str, name: str, value: object) -> None:
    assert getattr(row(line), name) == value


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (
            "Producers: 1 message/second (2 KB/second) total",
            "bytes_in_per_second",
            2048,
        ),
        (
            "Producers: 1,000 messages/second (0 bytes/second)",
            "messages_in_per_second",
            1e3,
        ),
        ("Consumers: 1.00 MB/second total", "bytes_out_per_second", 2**20),
        ("Partitions: 1 partition", "partitions", 1),
        ("Replication Factor: 3", "replication_factor", 3),
        ("Compaction: Compaction is enabled for orders", "compacted", True),
        ("Compaction: Compaction is disabled for orders", "compacted", False),
        ("Retention: 1 second", "retention_seconds", 1),
        ("Retention: 30 minutes", "retention_seconds", 1800),
        ("Retention: 47 hours", "retention_seconds", 47 * 3600),
        ("Retention: 14 days", "retention_seconds", 14 * 86_400),
    ],
)
def test_a_row_of_a_topic_is_read(line: str, name: str, value: object) -> None:
    assert getattr(topic(line), name) == value


@pytest.mark.parametrize(
    "line",
    [
        "Plan:",
        "Status: \x00",
        "Version: three",
        "Topics: many topics",
        "Topics: -1 topics",
        "Topics: 1.5 topics",
        "Partitions: 1,2 partition replicas",
        "Messages: NaN messages/s",
        "Messages: 5 messages/scene",
        "Traffic: 5 bytes/s in",
        "Data Size: 5 parsecs / 6 GB",
        "Add-on: (none)",
        "Topics: " + "9" * 99,
    ],
)
def test_a_row_that_cannot_be_read_is_named(line: str) -> None:
    use, problem = parse_kafka_info(
        f"=== KAFKA_URL\n\nRobot: True\n{line}\nAdd-on: kafka-a-1"
    )

    assert use == ClusterUse(addon="kafka-a-1", source=Source.TEXT)
    assert isinstance(problem, TextProblem)
    assert (problem.line, problem.text) == (4, line[:80])
    assert problem.reason.startswith("Expected ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing of the kind",
        "===",
        "=== KAFKA_URL",
        "=== KAFKA_URL\nZones: 3",
        "=== Kafka Topics on KAFKA_URL\n name Messages Traffic",
        "=== Kafka Consumer Groups on KAFKA_URL\nTopics: 3 topics",
        "=== DATABASE_URL\nPlan: Standard 0\nStatus: Available\nData Size: 1 GB / 64 GB",
        "Status: available\nTopics: 84 topics",
        "Plan: heroku-kafka:standard-0\nTopics: 84 topics",
        " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}   Warning: kafka-a-1 is not yet provisioned.",
        "example-app has no heroku-kafka clusters.",
    ],
)
def test_what_tells_of_no_cluster_gives_nothing(text: str) -> None:
    assert parse_kafka_info(text) == []


def test_nothing_of_the_customers_key_is_kept() -> None:
    text = ARTICLE.replace(
        "Created:", "Customer Encryption Key: arn:aws:kms:x\nCreated:"
    )

    assert "arn" not in repr(parse_kafka_info(text))


def test_a_header_that_was_not_copied_is_not_missed() -> None:
    rows = ARTICLE.partition("\n")[2]
    other = rows.replace("kafka-animated-39618", "kafka-other-2")

    found = parse_kafka_info(rows + other)

    assert [use.addon for use in found if isinstance(use, ClusterUse)] == [
        "kafka-animated-39618",
        "kafka-other-2",
    ]


def test_an_add_on_of_another_app_has_a_header_without_names() -> None:
    assert only(ARTICLE.replace("KAFKA_URL", "")) == only(ARTICLE)


def test_icons_stand_in_front_of_names() -> None:
    use = only("=== \u26c1 kafka-a-1\nTopics: 3 topics\nAdd-on: \u26c1 kafka-a-1")

    assert (use.addon, use.topics) == ("kafka-a-1", 3)


def test_prose_behind_a_prompt_belongs_to_no_cluster() -> None:
    use = only(f"{ARTICLE}$ heroku kafka:wait\nStatus: of no importance")

    assert use.status == "available"


TABLE = "=== Kafka Topics on {}\norders 45/sec 192 bytes/sec\n"
ORDERS = TopicUse(name="orders", messages_in_per_second=45, bytes_in_per_second=192)


def owners(text: str) -> dict[str, tuple[TopicUse, ...]]:
    uses = parse_kafka_info(text)
    return {use.addon: use.topic_uses for use in uses if isinstance(use, ClusterUse)}


@pytest.mark.parametrize("attachment", ["KAFKA_URL", "KAFKA", "HEROKU_KAFKA"])
def test_a_table_belongs_to_the_cluster_of_its_attachment(attachment: str) -> None:
    table = TABLE.format(attachment)

    assert owners(ARTICLE + table) == {"kafka-animated-39618": (ORDERS,)}
    assert owners(table + ARTICLE) == {"kafka-animated-39618": (ORDERS,)}


def test_a_table_belongs_to_the_only_cluster_if_its_attachments_are_unknown() -> None:
    unattached = ARTICLE.replace("KAFKA_URL", "kafka-animated-39618")

    assert owners(unattached + TABLE.format("EVENTS_URL")) == {
        "kafka-animated-39618": (ORDERS,)
    }


@pytest.mark.parametrize(
    ("before", "attachment"),
    [
        pytest.param("", "KAFKA_URL", id="alone"),
        pytest.param(ARTICLE, "EVENTS_URL", id="of_another_attachment"),
        pytest.param(
            "=== kafka-a-1\nPlan: basic-0\n=== kafka-b-2\nPlan: basic-0\n",
            "KAFKA_URL",
            id="of_one_of_two",
        ),
    ],
)
def test_another_table_stands_for_itself(before: str, attachment: str) -> None:
    assert owners(before + TABLE.format(attachment))[attachment] == (ORDERS,)


def test_a_table_of_two_attachments_belongs_to_the_first_that_is_known() -> None:
    text = (
        f"=== EVENTS_URL, KAFKA_URL\nPlan: basic-0\n{ARTICLE}{TABLE.format('EVENTS')}"
    )

    assert owners(text) == {"kafka-animated-39618": (ORDERS,)}


def test_the_info_of_a_topic_completes_its_row() -> None:
    info = "=== kafka-animated-39618 :: orders\nPartitions: 32 partitions\n"

    (orders,) = owners(TABLE.format("KAFKA_URL") + ARTICLE + info)[
        "kafka-animated-39618"
    ]

    assert (orders.partitions, orders.bytes_in_per_second) == (32, 192)


def test_the_count_of_kafka_info_goes_before_that_of_the_table() -> None:
    use = only(
        ARTICLE + "=== Kafka Topics on KAFKA_URL\n85 / 100 topics; prefix: a-1.\n"
    )

    assert (use.topics, use.topics_limit) == (84, 100)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x" * (MAX_CHARACTERS + 1), id="characters"),
        pytest.param("\n" * (MAX_LINES + 1), id="lines"),
    ],
)
def test_text_beyond_the_limits_is_refused(text: str) -> None:
    _, problem = parse_kafka_info(ARTICLE + text)

    assert isinstance(problem, TextProblem)
    assert "too long" in problem.reason


def test_a_row_that_was_cut_is_not_read() -> None:
    padding = "x" * (
        MAX_CHARACTERS - len("\n=== KAFKA_URL\nTopics: 8 topics\nMessages: 5")
    )
    text = f"{padding}\n=== KAFKA_URL\nTopics: 8 topics\nMessages: 55 messages/s"

    use, problem = parse_kafka_info(text)

    assert isinstance(use, ClusterUse)
    assert isinstance(problem, TextProblem)
    assert (use.topics, use.messages_in_per_second, problem.line) == (8, None, 4)
