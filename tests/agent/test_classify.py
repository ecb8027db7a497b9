"""Every message that is known is judged as the fixtures say."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agent.kafka.categories import (
    CATEGORY_FIRST_STEP,
    CATEGORY_MEANING,
    URGENCY_MEANING,
    Category,
    Urgency,
)
from agent.kafka.classifier import classify, maybe_find_rule, possible_cells
from agent.kafka.message_rules import RULE_BY_ID
from fixtures.kafka.catalogue.entries import load_catalogue
from fixtures.kafka.catalogue.synthetic import render
from parsers import BrokerLog, DrainDecoder, maybe_parse_heroku_logs_line
from tests.frames import log_frame, read_log

FOLDER = Path(__file__).parents[2] / "fixtures" / "kafka"
MESSAGES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (FOLDER / "messages.jsonl").read_text(encoding="utf-8").splitlines()
]
RECORDED = sorted((FOLDER / "recorded").rglob("*.log"))
LINES = [read_log(message["line"]) for message in MESSAGES]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(line, message, id=f"{number}-{message['source']}")
        for number, (line, message) in enumerate(zip(LINES, MESSAGES, strict=True), 1)
    ],
)
def test_a_message_is_judged_as_its_fixture_says(
    line: BrokerLog, message: dict[str, Any]
) -> None:
    verdict = classify(line)

    assert {
        "category": verdict.category.value,
        "urgency": verdict.urgency.value,
        "topic": line.topic or None,
        "partition": line.partition,
    } == {name: message[name] for name in ("category", "urgency", "topic", "partition")}
    assert maybe_find_rule(line) is not None


@pytest.mark.parametrize(
    ("logger", "text", "urgency"),
    [
        ("RequestChannel", "A new statement", Urgency.INFO),
        ("RequestChannel", "Unexpected exception in a new statement", Urgency.WARNING),
        ("LogManager", "A new statement", Urgency.WARNING),
        ("LogManager", "Ignoring a new statement", Urgency.INFO),
        ("LogManager", "Interrupted while a new statement", Urgency.NOISE),
        ("KafkaConfig", "A new statement", Urgency.NOISE),
        ("KafkaConfig", "Ignoring a new statement", Urgency.NOISE),
        ("NewClass", "Unexpected exception in a new class", Urgency.INFO),
    ],
)
def test_the_first_words_of_a_new_message_raise_or_lower_the_default_of_its_class(
    logger: str, text: str, urgency: Urgency
) -> None:
    verdict = classify(read_log(f"pri=ERROR t=worker at={logger} {text}"))

    assert (verdict.rule, verdict.urgency) == (None, urgency)


def test_there_are_at_least_120_messages_and_none_twice() -> None:
    assert len({message["line"] for message in MESSAGES}) == len(MESSAGES) >= 120


def test_every_rule_has_a_message() -> None:
    catalogue = [read_log(render(entry)) for entry in load_catalogue()]
    reached = {maybe_find_rule(line) for line in (*LINES, *recorded(), *catalogue)}

    assert not [rule.id for rule in RULE_BY_ID.values() if rule not in reached]


def recorded() -> list[BrokerLog]:
    """Read what a real Kafka said, as ``heroku logs`` would show it."""
    found: list[BrokerLog] = []
    for path in RECORDED:
        for raw in path.read_bytes().splitlines():
            parsed = maybe_parse_heroku_logs_line(raw)
            if parsed is None:
                continue  # a stack trace
            header, message = parsed
            node = header.proc.rpartition(b".")[2].decode()
            body = log_frame(message[:9_000], node)
            found += [
                event
                for event in DrainDecoder().decode(body).records
                if isinstance(event, BrokerLog)
            ]
    return found


def test_less_than_one_in_twenty_of_what_a_real_kafka_said_is_new() -> None:
    judged = Counter(maybe_find_rule(line) is not None for line in recorded())

    assert judged[True] > 500
    assert judged[False] < 0.05 * judged.total()


def test_no_recorded_line_is_unknown() -> None:
    assert not [
        line.text for line in recorded() if classify(line).category is Category.UNKNOWN
    ]


def test_recorded_lines_name_only_the_broker_that_wrote_them() -> None:
    assert not [line for line in recorded() if line.broker not in ("", line.node)]


@pytest.mark.parametrize("level", ["WARN", "ERROR", "FATAL"])
def test_a_line_of_an_unknown_class_is_unknown_at_any_level(level: str) -> None:
    verdict = classify(read_log(f"pri={level} t=worker at=Novelty something new"))

    assert (verdict.category, verdict.urgency) == (Category.UNKNOWN, Urgency.INFO)
    assert verdict.rule is None


@pytest.mark.parametrize("level", ["WARN", "ERROR", "FATAL"])
def test_the_level_does_not_move_what_is_known(level: str) -> None:
    halting = classify(read_log(f"pri={level} t=main at=Kafka$ Halting Kafka."))
    failed = classify(
        read_log(
            f"pri={level} t=x at=ReplicaFetcherThread Partition a-1 marked as failed"
        )
    )

    assert halting.urgency is Urgency.CRITICAL
    assert failed.urgency is Urgency.INFO


@pytest.mark.parametrize(
    ("line", "category"),
    [
        ("pri=WARN t=x at=UnifiedLog something new", "storage"),
        ("pri=WARN t=x at=LogCleaner$CleanerThread something new", "storage"),
        ("pri=WARN t=x at=TransactionNovelty something new", "coordinator"),
        ("pri=WARN t=main-SendThread(10.1.44.12:2181) at=New new", "zookeeper"),
        ("pri=WARN t=data-plane-kafka-request-handler-3 at=New new", "request"),
        ("pri=WARN t=data-plane-kafka-request-handler-3 new", "request"),
        ("pri=WARN t=SIGTERM handler at=New new", "lifecycle"),
        ("pri=WARN", "unknown"),
    ],
)
def test_a_new_message_has_the_category_of_its_class_or_thread(
    line: str, category: str
) -> None:
    assert classify(read_log(line)).category.value == category


def test_every_value_has_its_sentences() -> None:
    assert set(CATEGORY_MEANING) == set(CATEGORY_FIRST_STEP) == set(Category)
    assert set(URGENCY_MEANING) == set(Urgency)
    assert all(rule.meaning and rule.first_step for rule in RULE_BY_ID.values())


def test_every_verdict_has_a_cell() -> None:
    cells = set(possible_cells())

    assert {(rule.category, rule.urgency) for rule in RULE_BY_ID.values()} <= cells
    assert len(cells) < 48
