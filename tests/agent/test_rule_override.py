"""``--rule-override`` gives a rule another urgency."""

import pytest
from click.testing import CliRunner

from agent.cli import cli
from agent.kafka.categories import Urgency
from agent.kafka.classifier import classify
from agent.settings import Settings
from tests.documented import LOG
from tests.frames import frame, read_log
from tests.serving import running

FAILED = "pri=WARN t=x at=ReplicaFetcherThread Partition a-1 marked as failed"
OVERRIDE = "follower-marked-failed=noise"


def test_an_override_changes_the_urgency_of_its_rule_alone() -> None:
    line, other = read_log(FAILED), read_log("pri=ERROR t=main at=Kafka Halting Kafka.")
    overrides = {"follower-marked-failed": "noise"}

    assert classify(line, overrides) == classify(line)._replace(urgency=Urgency.NOISE)
    assert classify(other, overrides) == classify(other)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("follower-marked-faild=noise", "did you mean follower-marked-failed?"),
        ("follower-marked-failed=quiet", "use one of critical, warning, info, noise"),
        ("follower-marked-failed", "unknown urgency ''"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "demo", "watch", "replay", "explain"])
def test_a_wrong_override_ends_a_command_with_2_and_the_fix(
    command: str, value: str, message: str
) -> None:
    argument = ["-"] if command in {"replay", "explain"} else []
    result = CliRunner().invoke(cli, [command, "--rule-override", value, *argument])

    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_explain_names_the_rule_and_the_words_that_matched() -> None:
    result = CliRunner().invoke(cli, ["explain", FAILED])

    assert (
        'rule           follower-marked-failed, by "Partition", "marked as failed"'
        in (result.output)
    )
    assert "urgency        info" in result.output


def test_explain_applies_an_override() -> None:
    result = CliRunner().invoke(cli, ["explain", "--rule-override", OVERRIDE, FAILED])

    assert "urgency        noise" in result.output


def test_explain_says_where_no_rule_decides() -> None:
    result = CliRunner().invoke(cli, ["explain", "pri=WARN t=x at=Utils something new"])

    assert "rule           none; the class or the thread decides" in result.output


def test_an_override_of_serve_changes_the_counter() -> None:
    overrides = {"follower-marked-failed": "noise"}
    with running(Settings(port=0, rule_overrides=overrides)) as agent:
        agent.post(frame(LOG))
        counted = agent.metrics().value(
            "heroku_kafka_log_events_total",
            addon="kafka-animated-39618",
            node="0",
            category="replication",
            urgency="noise",
        )

    assert counted == 1
