"""``explain`` says what the agent makes of a line, and why not."""

import pytest

from agent.explain import MEANING, explain_text
from parsers import Reason
from tests.documented import LOG, METRICS
from tests.frames import frame
from tests.serving import run_command

TAIL = b"2026-04-15T14:53:16.000000+00:00 app[heroku-kafka.2]: "


def explained(text: bytes) -> str:
    return "\n".join(explain_text(text))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(frame(METRICS), id="frame"),
        pytest.param(METRICS, id="frame_without_count"),
        pytest.param(TAIL + METRICS[59:], id="heroku_logs"),
        pytest.param(
            b"\x1b[33m" + TAIL[:-1] + b"\x1b[39m " + METRICS[59:], id="colour"
        ),
    ],
)
def test_a_metric_line_is_explained_in_base_units(text: bytes) -> None:
    shown = explained(text)

    assert "kafka-animated-39618, broker 2" in shown
    assert "heroku_kafka_memory_total_bytes" in shown
    assert "16485240832" in shown
    assert "heroku_kafka_load_avg_1m" in shown


def test_a_bare_message_is_explained() -> None:
    shown = explained(METRICS[59:].strip())

    assert "heroku_kafka_cluster_memory_total_bytes" in shown


def test_a_broker_line_is_explained() -> None:
    shown = explained(frame(LOG))

    assert "node 0 (not known to be a broker id)" in shown
    assert "WARN" in shown
    assert "ReplicaFetcherThread-0-2" in shown
    assert "Partition my-example-topic-16 marked as failed" in shown


def test_a_loss_is_explained() -> None:
    l10 = (
        b"<172>1 2014-11-11T08:24:25+00:00 host heroku logplex - Error L10 (output "
        b"buffer overflow): 1 messages dropped since 2014-11-07T23:29:45+00:00."
    )

    assert "L10: 1 messages dropped" in explained(frame(l10))


@pytest.mark.parametrize(
    ("message", "reason", "offset"),
    [
        (b"addon=kafka-a sample#a=5parsecs", "unknown_unit", 14),
        (b"addon=kafka-a sample#a= sample#b=1", "no_value", 14),
        (b"addon=kafka-a sample#a=0x10", "bad_number", 14),
        (b'source="MY addon=kafka-a sample#a=1', "bad_syntax", 0),
        (b"sample#a=1", "no_addon", 0),
    ],
)
def test_a_refusal_names_reason_and_place(
    message: bytes, reason: str, offset: int
) -> None:
    shown = explained(TAIL + message)

    assert f"refused        {reason} at byte {offset}" in shown


def test_a_line_of_somebody_else_is_not_ours_whatever_it_says() -> None:
    line = b"2026-04-15T14:53:16.000000+00:00 app[web.1]: " + METRICS[59:]

    shown = explained(line)

    assert "not ours" in shown
    assert "heroku_kafka_" not in shown


def test_a_wrong_count_is_explained() -> None:
    shown = explained(b"9" + frame(METRICS))

    assert "truncated" in shown


def test_control_characters_are_escaped() -> None:
    shown = explained(TAIL + b"addon=kafka-a sample#a=\x1b]0;title\x07")

    assert "\x1b" not in shown
    assert "\\x1b" in shown


def test_every_reason_has_a_meaning() -> None:
    assert set(MEANING) == set(Reason)


def test_the_command_reads_an_argument_or_standard_input() -> None:
    by_argument = run_command("explain", (TAIL + METRICS[59:]).decode())
    by_stdin = run_command("explain", "-", stdin=frame(METRICS) + frame(LOG))

    assert by_argument.returncode == 0
    assert b"heroku_kafka_read_iops" in by_argument.stdout
    assert by_stdin.returncode == 0
    assert b"2 frames" in by_stdin.stdout


def test_without_an_argument_the_command_says_what_is_missing() -> None:
    done = run_command("explain")

    assert done.returncode == 2
    assert b"LINE" in done.stderr
