"""Thresholds and the rules that are written with them, through the command line."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.alerting.thresholds import packaged_thresholds, render_duration
from agent.clock import parse_duration
from agent.marked_yaml import read_marked
from agent.settings import Settings
from tests.serving import run_command

ALERTS = Path(__file__).parents[2] / "alerts"


def written(*arguments: str) -> dict[str, Any]:
    """Run ``alerts`` and read what it prints."""
    done = run_command("alerts", *arguments)
    assert done.returncode == 0, done.stderr.decode()
    return dict(yaml.safe_load(done.stdout))


def refused(*arguments: str) -> str:
    """Run ``alerts`` and return the message with which it ends."""
    done = run_command("alerts", *arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    return done.stderr.decode()


def alerts(rules: dict[str, Any], name: str, severity: str) -> list[dict[str, Any]]:
    return [
        rule
        for group in rules["groups"]
        for rule in group["rules"]
        if rule.get("alert") == name and rule["labels"]["severity"] == severity
    ]


def test_every_threshold_is_used_by_the_rules_or_by_a_dashboard() -> None:
    source = (ALERTS / "rules.yaml").read_text("utf-8")
    steps = (ALERTS.parent / "dashboards" / "threshold_steps.yaml").read_text("utf-8")
    unused = [
        name
        for name in packaged_thresholds().values
        if not re.search(rf"<<\s*{re.escape(name)}\b", source) and name not in steps
    ]

    assert unused == []


def test_every_threshold_has_a_unit_and_a_reason() -> None:
    for threshold in packaged_thresholds().values.values():
        assert threshold.unit
        assert threshold.reason.endswith("."), threshold.name


def test_the_agent_and_the_alerts_call_the_same_silence_stale() -> None:
    silent = packaged_thresholds().number("broker.silent_after")

    assert silent == Settings().stale_after_seconds


def test_no_packaged_threshold_is_written_twice() -> None:
    groups = read_marked((ALERTS / "thresholds.yaml").read_text("utf-8"))

    assert sum(map(len, groups.values())) == len(packaged_thresholds().values)


def test_one_number_changes_one_alert() -> None:
    (changed,) = alerts(
        written("--set", "load.warning=0.7"), "HerokuKafkaLoadHigh", "warning"
    )

    assert changed["expr"].endswith("> 0.7")
    assert "warning above 0.7" in changed["annotations"]["description"]


def test_a_duration_may_have_several_units() -> None:
    (changed,) = alerts(
        written("--set", "load.hold=1h30m"), "HerokuKafkaLoadHigh", "warning"
    )

    assert changed["for"] == "90m"


def test_a_file_holds_numbers_and_set_goes_before_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("memory: {warning: 70%}\nload: {warning: 0.5, hold: 20m}\n")

    rules = written("--thresholds", str(file), "--set", "load.warning=0.9")
    (load,) = alerts(rules, "HerokuKafkaLoadHigh", "warning")
    (memory,) = alerts(rules, "HerokuKafkaMemoryHigh", "warning")

    assert load["expr"].endswith("> 0.9")
    assert load["for"] == "20m"
    assert memory["expr"].endswith("> 0.7")


def test_the_packaged_file_can_be_copied_and_changed(tmp_path: Path) -> None:
    text = (ALERTS / "thresholds.yaml").read_text("utf-8")
    copy = tmp_path / "mine.yaml"
    copy.write_text(text.replace("value: 0.75", "value: 0.7"))

    assert run_command("alerts", "--thresholds", str(copy)).returncode == 0


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("# nothing yet\n")

    done = run_command("alerts", "--thresholds", str(file))
    assert done.stdout == (ALERTS / "heroku-kafka.rules.yml").read_bytes()


def test_a_cluster_with_numbers_of_its_own_gets_an_alert_of_its_own() -> None:
    rules = written("--set", "kafka-a-1:load.warning=0.9")
    others, own = alerts(rules, "HerokuKafkaLoadHigh", "warning")

    assert others["expr"].endswith('{addon!="kafka-a-1"} > 0.8')
    assert own["expr"].endswith('{addon="kafka-a-1"} > 0.9')
    assert "warning above 0.9" in own["annotations"]["description"]
    assert len(alerts(rules, "HerokuKafkaLoadHigh", "critical")) == 1


def test_clusters_with_the_same_numbers_share_an_alert(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "clusters:\n"
        "  kafka-a-1: {load: {warning: 0.9}}\n"
        "  kafka-b-2: {load: {warning: 0.9}}\n"
        "  kafka-c-3: {load: {warning: 0.8}}\n"
    )
    _others, own = alerts(
        written("--thresholds", str(file)), "HerokuKafkaLoadHigh", "warning"
    )

    assert own["expr"].endswith('{addon=~"kafka-a-1|kafka-b-2"} > 0.9')


def test_a_matcher_stands_beside_others_of_a_selector() -> None:
    rules = written("--set", "kafka-a-1:logs.error_count=50")
    _others, own = alerts(rules, "HerokuKafkaBrokerErrors", "warning")

    assert '{level="ERROR",addon="kafka-a-1"}' in own["expr"]


def test_links_lead_where_the_user_says() -> None:
    rules = written(
        *("--runbooks-url", "https://wiki.example.com/kafka/"),
        *("--grafana-url", "https://grafana.example.com/", "--uid-prefix", "team-"),
    )
    (load,) = alerts(rules, "HerokuKafkaLoadHigh", "warning")
    (absent,) = alerts(rules, "HerokuKafkaAgentAbsent", "critical")

    notes = load["annotations"]
    assert (
        notes["runbook_url"] == "https://wiki.example.com/kafka/HerokuKafkaLoadHigh.md"
    )
    assert notes["dashboard_url"] == (
        "https://grafana.example.com/d/team-heroku-kafka-broker"
        "?var-addon={{ $labels.addon }}"
    )
    assert absent["annotations"]["dashboard_url"].endswith("/d/team-heroku-kafka-agent")


def test_the_environment_gives_options_as_well() -> None:
    done = run_command(
        "alerts",
        environ={"HEROKU_KAFKA_AGENT_SET": "load.warning=0.7,memory.warning=0.6"},
    )

    (load,) = alerts(yaml.safe_load(done.stdout), "HerokuKafkaLoadHigh", "warning")
    assert load["expr"].endswith("> 0.7")


def test_out_writes_the_file(tmp_path: Path) -> None:
    out = tmp_path / "rules.yml"
    done = run_command("alerts", "--out", str(out))

    assert done.returncode == 0
    assert done.stdout == b""
    assert out.read_bytes() == (ALERTS / "heroku-kafka.rules.yml").read_bytes()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = run_command("alerts", "--out", str(tmp_path / "missing" / "rules.yml"))

    assert done.returncode == 1
    assert b"No such file" in done.stderr


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "load.wraning=0.7",
            "unknown threshold load.wraning; did you mean load.warning?",
        ),
        ("load=0.7", "unknown threshold load"),
        ("load.warning", "must be written load.warning=0.7"),
        (":load.warning=0.7", "must be written load.warning=0.7"),
        ("load.warning=high", "load.warning: 'high' is no positive number"),
        ("load.warning=-1", "load.warning: '-1' is no positive number"),
        ("load.warning=0", "load.warning: 0 is not greater than 0"),
        ("memory.warning=1.2", "memory.warning: 1.2 is not between 0 and 1"),
        ("memory.warning=120%", "memory.warning: 120% is not between 0 and 1"),
        ("broker.lost_count=1.5", "broker.lost_count: 1.5 is no whole number"),
        ("load.hold=15", "load.hold: 15 needs a unit, like 15m"),
        ("load.hold=soon", "load.hold: invalid duration 'soon': expected a number"),
        ("load.hold=0s", "load.hold: 0s is not greater than 0"),
        ("kafka a:load.warning=1", "'kafka a' is no name of an add-on"),
        ('k"}:load.warning=1', "is no name of an add-on"),
        ("load.warning=1.5", "load.warning (1.5) must be below load.critical (1)"),
        ("load.critical=0.5", "load.warning (0.8) must be below load.critical (0.5)"),
        (
            "kafka-a-1:load.critical=0.5",
            "kafka-a-1: load.warning (0.8) must be below load.critical (0.5)",
        ),
        (
            "agent.delay=6m",
            "agent.delay (6m) must be below broker.silent_after (5m)",
        ),
        (
            "kafka-a-1:agent.delay=1m",
            "kafka-a-1: agent.delay holds for all clusters and cannot differ for one",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(setting: str, message: str) -> None:
    assert message in refused("--set", setting)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("load: {warning: [1]}", "load.warning: a number is needed"),
        ("load: {warning: yes}", "load.warning: a number is needed"),
        ("load: {hold: 900}", "load.hold: 900 needs a unit, like 15m"),
        ("load: {hold: true}", "load.hold: a duration like 15m is needed"),
        ("load: 3", "unknown threshold load"),
        ("- load", "must hold groups"),
        ("clusters: [kafka-a-1]", "clusters must hold add-ons"),
        ("clusters: {kafka-a-1: 3}", "clusters.kafka-a-1 must hold groups"),
        ("load: {warning: {value: 1, unit: ratio}}", "its unit is per_cpu, not ratio"),
        ("load: {warning: 0.7", "is no YAML"),
        ("load: !!python/object/apply:os.getcwd []", "is no YAML"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(
    text: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)

    assert message in refused("--thresholds", str(file))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"

    assert f"cannot read {missing}" in refused("--thresholds", str(missing))


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("load: {wraning: 1}\nmemory: {warning: 2}\n")

    message = refused("--thresholds", str(file), "--set", "nothing.here=1")
    for name in ("load.wraning", "memory.warning", "nothing.here"):
        assert name in message


@given(st.integers(min_value=1, max_value=10**9 - 1))
def test_a_duration_reads_as_it_was_written(milliseconds: int) -> None:
    written = render_duration(milliseconds / 1_000)

    assert parse_duration(written) == pytest.approx(milliseconds / 1_000)
