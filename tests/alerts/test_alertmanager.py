"""The example configuration of Alertmanager: amtool accepts it and routes as it says."""

import itertools
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.alerting.rules import render_rules
from agent.alerting.thresholds import packaged_thresholds
from tests.serving import find_program

EXAMPLE = Path(__file__).parents[2] / "alerts" / "alertmanager.example.yml"
CONFIG: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text("utf-8"))
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load(render_rules(packaged_thresholds()))["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
ALERTS = sorted({(rule["alert"], rule["labels"]["severity"]) for rule in RULES})
RECEIVERS = {
    "critical": "pager",
    "warning": "chat",
    "info": "notes",
    "none": "heartbeat",
}

_MATCHER = re.compile(r'(\w+)(=~|=)"([^"]*)"')


def matches(matchers: list[str], labels: dict[str, str]) -> bool:
    for matcher in matchers:
        found = _MATCHER.fullmatch(matcher)
        assert found, matcher
        name, operator, value = found.groups()
        pattern = value if operator == "=~" else re.escape(value)
        if not re.fullmatch(pattern, labels.get(name, "")):
            return False
    return True


def silences(source: dict[str, str], target: dict[str, str]) -> bool:
    """Say whether Alertmanager would mute `target` while `source` fires."""
    return source != target and any(
        matches(rule["source_matchers"], source)
        and matches(rule["target_matchers"], target)
        and all(
            source.get(name, "") == target.get(name, "")
            for name in rule.get("equal", [])
        )
        for rule in CONFIG["inhibit_rules"]
    )


def alert(name: str, severity: str, **labels: str) -> dict[str, str]:
    return {"alertname": f"HerokuKafka{name}", "severity": severity, **labels}


def test_amtool_accepts_the_example() -> None:
    checked = subprocess.run(
        [find_program("amtool"), "check-config", EXAMPLE],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(("name", "severity"), ALERTS)
def test_amtool_routes_every_alert_by_its_severity(name: str, severity: str) -> None:
    routed = subprocess.run(
        [
            *(find_program("amtool"), "config", "routes", "test"),
            f"--config.file={EXAMPLE}",
            f"--verify.receivers={RECEIVERS[severity]}",
            *(f"alertname={name}", f"severity={severity}", "addon=kafka-a-1"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert routed.returncode == 0, routed.stdout


def test_an_alert_of_somebody_else_goes_to_the_chat() -> None:
    routed = subprocess.run(
        [
            *(find_program("amtool"), "config", "routes", "test"),
            f"--config.file={EXAMPLE}",
            "--verify.receivers=chat",
            "alertname=InstanceDown",
        ],
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert routed.returncode == 0


def test_notifications_are_grouped_by_cluster() -> None:
    assert CONFIG["route"]["group_by"] == ["addon"]
    assert not any("group_by" in route for route in CONFIG["route"]["routes"])


def test_the_inhibitions_name_alerts_that_exist() -> None:
    names = {name for name, _severity in ALERTS}
    for rule in CONFIG["inhibit_rules"]:
        for matcher in itertools.chain(
            rule["source_matchers"], rule["target_matchers"]
        ):
            found = _MATCHER.fullmatch(matcher)
            assert found
            if found[1] == "alertname":
                wanted = (
                    found[3].split("|") if "(" not in found[3] else expand(found[3])
                )
                assert set(wanted) <= names, matcher


def expand(pattern: str) -> list[str]:
    """Write out ``HerokuKafka(A|B)``."""
    prefix, _, rest = pattern.partition("(")
    return [prefix + one for one in rest.rstrip(")").split("|")]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (
            alert("LoadHigh", "critical", addon="a", broker="1"),
            alert("LoadHigh", "warning", addon="a", broker="1"),
        ),
        (
            alert("DrainSilent", "critical"),
            alert("BrokerSilent", "critical", addon="a", broker="1"),
        ),
        (
            alert("DrainSilent", "critical"),
            alert("AllBrokersSilent", "critical", addon="a"),
        ),
        (
            alert("AgentAbsent", "critical"),
            alert("AgentDown", "warning", job="kafka", instance="one:9841"),
        ),
        (
            alert("AllBrokersSilent", "critical", addon="a"),
            alert("BrokersBelowPlan", "critical", addon="a"),
        ),
        (
            alert("BrokersBelowPlan", "critical", addon="a"),
            alert("BrokerSilent", "critical", addon="a", broker="1"),
        ),
        (
            alert("DataSizeHigh", "critical", addon="a"),
            alert("DataWillFill", "critical", addon="a"),
        ),
    ],
)
def test_the_cause_silences_what_follows_from_it(
    source: dict[str, str], target: dict[str, str]
) -> None:
    assert silences(source, target)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (
            alert("LoadHigh", "critical", addon="a", broker="1"),
            alert("LoadHigh", "warning", addon="a", broker="2"),
        ),
        (
            alert("LoadHigh", "critical", addon="a", broker="1"),
            alert("LoadHigh", "warning", addon="b", broker="1"),
        ),
        (
            alert("AllBrokersSilent", "critical", addon="a"),
            alert("BrokerSilent", "critical", addon="b", broker="1"),
        ),
        (
            alert("DrainSilent", "critical"),
            alert("BrokerFatal", "critical", addon="a", node="1"),
        ),
        (
            alert("DrainSilent", "critical"),
            alert("AgentAbsent", "critical"),
        ),
    ],
)
def test_another_trouble_is_not_silenced(
    source: dict[str, str], target: dict[str, str]
) -> None:
    assert not silences(source, target)


def test_a_cause_stays_longer_than_what_it_silences() -> None:
    """Or its end would let the other one page, although that is about to end as well."""
    keeps = {one["alert"]: one.get("keep_firing_for", "0m") for one in RULES}
    ladder = ("BrokerSilent", "BrokersBelowPlan", "AllBrokersSilent", "DrainSilent")
    minutes = [int(keeps[f"HerokuKafka{name}"].rstrip("m")) for name in ladder]

    assert minutes == sorted(set(minutes))
