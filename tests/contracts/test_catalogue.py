"""Every log statement of Kafka's sources gets the verdict that the catalogue holds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.kafka.categories import Category, Urgency
from agent.kafka.classifier import classify
from agent.kafka.matcher import parse_patterns
from agent.kafka.message_rules import CLASSES, EXCEPTIONS, RULE_BY_ID, RULES
from fixtures.kafka.catalogue.entries import Entry, load_catalogue
from fixtures.kafka.catalogue.synthetic import TOPIC, fields_of, render
from tests.frames import read_log

ENTRIES = load_catalogue()

# What a client chooses freely, and what is not text of a user at all.
CLIENT_TEXT = re.compile(
    r"(?i)clientId|group|member(?!ship)|transactional|protocolName|requestDesc|txn"
)
CLOSED = re.compile(
    r"(?i)^(e|t|ex|ie|ioe|ke|msg)$|message|exception|error|cause|^e\.|toString|State$"
    r"|newDate|suiteName|principal|^prefix$"
)
CONSTANT = re.compile(r"(?:\w+\.)*[A-Z][A-Z0-9_~]*")

HOSTILE_NAMES = [
    "OutOfMemoryError-retry",
    "KafkaStorageException-events",
    "java.lang.OutOfMemoryError",
    "org.apache.kafka.common.errors.KafkaStorageException-1",
    "No-space-left-on-device",
    "Error",
    "offline",
]
HOSTILE_TEXTS = [
    "x java.lang.OutOfMemoryError: Java heap space",
    "java.io.IOException: No space left on device",
    "org.apache.kafka.common.errors.NotEnoughReplicasException: y",
    "Failed to elect leader for partition a-1 under strategy Offline",
    "new leader -1 is unavailable",
]


def verdict_of(
    entry: Entry, fields: dict[str, str] | None = None
) -> tuple[str | None, Category, Urgency]:
    verdict = classify(read_log(render(entry, fields)))
    return verdict.rule, verdict.category, verdict.urgency


def open_fields(entry: Entry) -> list[str]:
    """List the fields that hold a name or text that a user or client chose."""
    return [
        field
        for field in sorted(set(fields_of(entry)))
        if not CLOSED.search(field) and not CONSTANT.fullmatch(field)
    ]


def test_the_catalogue_holds_both_versions() -> None:
    for version in ("3.7.1", "2.8.2"):
        assert sum(version in entry.sources for entry in ENTRIES) > 400


def test_every_entry_gets_the_verdict_that_it_was_judged_to_need() -> None:
    wrong = [
        (entry.key, rule, category.value, urgency.value)
        for entry in ENTRIES
        for rule, category, urgency in [verdict_of(entry)]
        if (rule, category.value, urgency.value)
        != (entry.rule, entry.category, entry.urgency)
    ]

    assert not wrong


def test_no_entry_is_unknown_or_critical_without_a_rule() -> None:
    assert not [entry for entry in ENTRIES if entry.category == "unknown"]
    assert not [
        entry for entry in ENTRIES if entry.rule is None and entry.urgency == "critical"
    ]


def test_ids_of_rules_are_unique_slugs() -> None:
    assert len(RULE_BY_ID) == len(RULES) + len(EXCEPTIONS)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", one) for one in RULE_BY_ID)


def test_topics_and_partitions_of_the_catalogue_are_found() -> None:
    lines = [read_log(render(entry)) for entry in ENTRIES]
    naming = [
        line for line in lines if TOPIC in line.text or TOPIC in str(line.contexts)
    ]
    missed = [
        line.text
        for line in naming
        if TOPIC not in {one.topic for one in line.partitions}
        or ("payments-0" in line.text and ("payments", 0) not in line.partitions)
    ]

    assert len(naming) > 150
    assert len(missed) <= 0.02 * len(naming), missed


def test_a_name_of_a_class_has_a_star_at_one_end_at_most() -> None:
    rows = [rule.classes for rule in RULE_BY_ID.values()]
    rows += [one.classes for one in CLASSES]
    names = [name for row in rows for name in row.split()]

    assert not [name for name in names if "*" in name.removeprefix("*")[:-1]]
    assert not [name for name in names if name.count("*") > 1]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_in_any_field_changes_no_verdict(name: str) -> None:
    changed = [
        (entry.key, field)
        for entry in ENTRIES
        for field in open_fields(entry)
        if verdict_of(entry, {field: name}) != verdict_of(entry)
    ]

    assert not changed


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_hostile_text_of_a_client_changes_no_verdict(text: str) -> None:
    changed = [
        (entry.key, field)
        for entry in ENTRIES
        for field in filter(CLIENT_TEXT.search, open_fields(entry))
        if verdict_of(entry, {field: text}) != verdict_of(entry)
    ]

    assert not changed


@given(
    st.sampled_from([entry for entry in ENTRIES if open_fields(entry)]),
    st.text(alphabet="aZ09._-", min_size=1, max_size=60),
)
def test_any_name_of_a_topic_changes_no_verdict(entry: Entry, name: str) -> None:
    fields = dict.fromkeys(open_fields(entry), name)

    assert verdict_of(entry, fields) == verdict_of(entry)


WORDS = sorted(
    {word for rule in RULES for one in parse_patterns(rule.text) for word in one.words}
)
CLIENT_FIELDS = [
    (entry, field)
    for entry in ENTRIES
    for field in filter(CLIENT_TEXT.search, open_fields(entry))
]


@given(st.sampled_from(CLIENT_FIELDS), st.sampled_from(WORDS))
def test_the_words_of_a_rule_in_a_text_of_a_client_change_no_verdict(
    place: tuple[Entry, str], words: str
) -> None:
    entry, field = place

    assert verdict_of(entry, {field: f"x {words} y"}) == verdict_of(entry)


def test_a_text_of_a_client_in_an_exception_decides_nothing() -> None:
    line = (
        "pri=ERROR t=x at=Processor Closing socket for 10.1.44.10:9096 because of error "
        "org.apache.kafka.common.errors.InvalidRequestException: Error getting request "
        "for apiKey: 3, clientId: No space left on device"
    )

    assert classify(read_log(line)).rule == "client-request-unreadable"


def test_a_text_of_a_client_hides_no_exception() -> None:
    line = (
        "pri=ERROR t=x at=KafkaApis Unexpected error handling request RequestHeader("
        f"apiKey=FETCH, clientId={'Error: ' * 30}) with context RequestContext() "
        "java.lang.OutOfMemoryError: Java heap space"
    )

    assert classify(read_log(line)).rule == "out-of-memory"


@given(st.sampled_from(ENTRIES), st.sampled_from(["WARN", "ERROR", "FATAL"]))
def test_the_level_changes_no_verdict(entry: Entry, level: str) -> None:
    line = render(entry).replace(f"pri={entry.level}", f"pri={level}", 1)
    verdict = classify(read_log(line))

    assert (verdict.rule, verdict.category, verdict.urgency) == verdict_of(entry)
