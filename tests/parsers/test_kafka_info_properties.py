"""Laws of the texts of the Heroku CLI: written and read again, damaged, and any."""

import time
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import ClusterUse
from parsers.heroku.kafka_info import parse_kafka_info


def only(text: str) -> ClusterUse:
    (use,) = parse_kafka_info(text)
    assert isinstance(use, ClusterUse)
    return use


class Look(NamedTuple):
    """The numbers behind one output of ``kafka:info``."""

    topics: int
    topics_limit: int
    replicas: int
    replicas_limit: int
    messages: int
    bytes_in: int
    bytes_out: int
    data: int
    data_limit: int


def write_size(size: int) -> str:
    """Write a size as the CLI does (humanize-plus, fileSize)."""
    for power, unit in ((50, "PB"), (40, "TB"), (30, "GB"), (20, "MB")):
        if size >= 1 << power:
            return f"{size / (1 << power):,.2f} {unit}"
    if size >= 1024:
        return f"{size / 1024:,.0f} KB"
    return f"{size} byte" + "s" * (size != 1)


def write_bar(used: int, limit: int) -> str:
    filled = min(10, used * 10 // limit)
    return f"[{'█' * filled}{'·' * (10 - filled)}]"


def write_info(look: Look) -> str:
    """Write ``kafka:info`` of a multi-tenant cluster in columns."""
    rows = {
        "Plan": "heroku-kafka:basic-0",
        "Status": "available",
        "Version": "3.7.1",
        "Created": "2026-06-10 13:57:21 +0000",
        "Topics": f"{write_bar(look.topics, look.topics_limit)} {look.topics} / "
        f"{look.topics_limit} topics, see heroku kafka:topics",
        "Prefix": "example-60818.",
        "Partitions": f"{write_bar(look.replicas, look.replicas_limit)} {look.replicas} / "
        f"{look.replicas_limit} partition replica{'s' * (look.replicas != 1)} "
        "(partitions \N{MULTIPLICATION SIGN} replication factor)",
        "Messages": f"{look.messages:,} message{'s' * (look.messages != 1)}/s",
        "Traffic": f"{write_size(look.bytes_in)}/s in / {write_size(look.bytes_out)}/s out",
        "Data Size": f"{write_bar(look.data, look.data_limit)} {write_size(look.data)} / "
        f"{write_size(look.data_limit)} ({look.data / look.data_limit:.2%})",
        "Add-on": "kafka-example-72346",
    }
    lines = (f"{label + ':':12}{value}\n" for label, value in rows.items())
    return f"=== KAFKA_URL\n\n{''.join(lines)}\n"


counts = st.integers(0, 40_000)
sizes = st.one_of(st.integers(0, 2048), st.integers(0, 2**53))
looks = st.builds(
    Look,
    *(
        counts,
        st.integers(1, 40_000),
        counts,
        st.integers(1, 40_000),
        st.integers(0, 10**9),
    ),
    *(sizes, sizes, sizes, st.integers(1, 2**53)),
)


@given(looks)
def test_what_is_written_is_read_within_its_rounding(look: Look) -> None:
    use = only(write_info(look))

    assert (use.topics, use.topics_limit) == (look.topics, look.topics_limit)
    assert use.partition_replicas == look.replicas
    assert use.partition_replicas_limit == look.replicas_limit
    assert use.messages_in_per_second == look.messages
    # Two decimals behind 1 at the least; whole KB below 1 MB.
    assert use.bytes_in_per_second == pytest.approx(look.bytes_in, rel=0.005, abs=512)
    assert use.bytes_out_per_second == pytest.approx(look.bytes_out, rel=0.005, abs=512)
    assert use.data_size_bytes == pytest.approx(look.data, rel=0.005, abs=512)
    assert use.data_size_limit_bytes == pytest.approx(
        look.data_limit, rel=0.005, abs=512
    )


@given(looks, st.integers(0, 600), st.text(max_size=5))
def test_damage_is_read_without_an_exception(look: Look, at: int, damage: str) -> None:
    text = write_info(look)

    parse_kafka_info(text[:at] + damage + text[at + len(damage) :])


pieces = st.one_of(
    st.sampled_from(
        [
            *("=== ", "KAFKA_URL", "kafka-a-1", " :: ", ", ", "Kafka Topics on ", "\n"),
            *(
                "Plan: ",
                "Topics: ",
                "Data Size: ",
                "Traffic: ",
                "Version: ",
                "Retention: ",
            ),
            *(
                "1",
                ".5",
                ",",
                " / ",
                " KB",
                "/s in / ",
                "/sec ",
                " topics",
                "[",
                "] ",
                "%",
            ),
            *(
                "$ heroku ",
                "\x1b[",
                "\x1b]",
                "\r",
                "\u2028",
                "é",
                "Add-on: ",
                "prefix: ",
            ),
            *(
                "Use heroku kafka:topics:create to create a topic (limit ",
                "No topics found",
            ),
        ]
    ),
    st.text(max_size=4),
)


@given(st.lists(pieces, max_size=40).map("".join))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    for found in parse_kafka_info(text):
        assert isinstance(found, ClusterUse) or len(found.text) <= 80


@given(st.text())
def test_any_characters_are_read_without_an_exception(text: str) -> None:
    parse_kafka_info(text)
    parse_kafka_info(
        f"=== KAFKA_URL\nTopics: {text}\n=== Kafka Topics on A\n{text}/sec"
    )


@pytest.mark.parametrize(
    "pattern",
    [
        "=== kafka-a-1\nTopics: 1 topics\n",
        "=== A_URL\nTopics: 1 topics\n=== Kafka Topics on A\na 1/sec 1 KB/sec\n",
        "\x1b[0",
        "\x1b]8",
        "=== " + "A, " * 300,
        "a 1/sec ",
        "Plan: ",
        "$ ",
    ],
)
def test_the_work_grows_no_faster_than_the_text(pattern: str) -> None:
    """Four times the text may take eight times the work, not sixteen."""

    def work(size: int) -> float:
        text = (pattern * (size // len(pattern) + 1))[:size]
        started = time.process_time()
        parse_kafka_info(f"=== Kafka Topics on A\n{text}")
        return time.process_time() - started

    work(1000)
    assert work(160_000) < max(8 * work(40_000), 0.05)
