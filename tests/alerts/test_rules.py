"""Every alert, alone, in Debian's promtool: ``tests/alerts/rules/`` holds the cases."""

import os
import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alerts.promtool_cases import FOLDER, read_cases
from tests.serving import find_program, run_command

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

FILES = sorted(FOLDER.glob("*.yml"))
COMMITTED = FOLDER.parents[2] / "alerts" / "heroku-kafka.rules.yml"

Rule = dict[str, Any]

GROUPS: list[dict[str, Any]] = yaml.safe_load(COMMITTED.read_text("utf-8"))["groups"]
ALERTS: dict[str, list[Rule]] = {}
for _group in GROUPS:
    for _rule in _group["rules"]:
        if "alert" in _rule:
            ALERTS.setdefault(_rule["alert"], []).append(_rule)
RECORDS: dict[str, Rule] = {
    rule["record"]: rule
    for group in GROUPS
    for rule in group["rules"]
    if "record" in rule
}

CASES = {
    "silent below": "too little of it tells nobody",
    "silent before for": "too short a time of it tells nobody",
    "fires": "labels and annotations are exactly these",
    "resolves": "it ends",
    "apart": "two clusters, or two agents, are told apart",
    "missing data": "without its metrics it is silent",
    "two agents": "two agents of one drain count once",
}

WITHOUT = {
    ("HerokuKafkaWatchdog", "silent below"): "it always fires",
    ("HerokuKafkaWatchdog", "resolves"): "it always fires",
    ("HerokuKafkaWatchdog", "apart"): "it is about nothing",
}
"""Cases that an alert cannot have, and why."""


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_program("promtool"), *arguments],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        # Several run at a time, and each would otherwise collect garbage on every core.
        env={**os.environ, "GOMAXPROCS": "1", "GOGC": "400"},
    )


def prefixes(alert: str) -> set[str]:
    """Say which kinds of case an alert has; both kinds of ``apart`` are one."""
    names = {test["name"].partition(":")[0] for test in read_cases(alert)}
    return {"apart" if name.endswith(" apart") else name for name in names}


@cache
def read_as_text(cases: str) -> dict[str, Any]:
    """Read cases without numbers: to YAML 0x90 is one, to promtool ninety-one times 0."""
    tree: dict[str, Any] = yaml.load(cases, Loader=yaml.BaseLoader)  # noqa: S506 (texts)
    assert tree["rule_files"] == ["../../../alerts/heroku-kafka.rules.yml"]
    return tree


def find_records(text: str) -> set[str]:
    """Find the records that a text names, and those that they are made of."""
    found = {name for name in re.findall(r"\b\w+:\w+:\w+\b", text) if name in RECORDS}
    return found.union(*(find_records(RECORDS[name]["expr"]) for name in found))


def run_cases(
    alert: str, rules: list[Rule], folder: Path, kind: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run an alert's cases against its own rules and the records that they need.

    promtool evaluates every rule at every step, and the others do not matter; a person
    may as well run ``promtool test rules`` on a file, against all of them.
    """
    text = (FOLDER / f"{alert}.yml").read_text("utf-8")
    records = find_records(" ".join([text, *(rule["expr"] for rule in rules)]))
    groups = [
        {
            **group,
            "rules": [one for one in group["rules"] if one.get("record") in records]
            or rules,
        }
        for group in GROUPS
        if any(
            one.get("record") in records or one.get("alert") == alert
            for one in group["rules"]
        )
    ]
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}), "utf-8")
    cases = {
        **read_as_text(text),
        "rule_files": ["rules.yml"],
        "tests": [
            one for one in read_as_text(text)["tests"] if one["name"].startswith(kind)
        ],
    }
    (folder / "cases.yml").write_text(yaml.safe_dump(cases), "utf-8")
    return promtool("test", "rules", folder / "cases.yml")


@pytest.mark.parametrize("alert", ALERTS)
def test_promtool_agrees(alert: str, tmp_path: Path) -> None:
    done = run_cases(alert, ALERTS[alert], tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_rules_without_a_warning() -> None:
    done = promtool("check", "rules", "--lint-fatal", COMMITTED)

    assert done.returncode == 0, done.stderr


def test_the_committed_rules_are_what_the_command_writes() -> None:
    done = run_command("alerts")

    assert done.returncode == 0
    assert done.stdout == COMMITTED.read_bytes()


def test_each_alert_has_its_cases_and_no_case_is_of_no_alert() -> None:
    assert {file.stem for file in FILES} == set(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_the_cases_of_an_alert_are_complete(alert: str) -> None:
    wanted = {case for case in CASES if (alert, case) not in WITHOUT}
    if not any("for" in rule for rule in ALERTS[alert]):
        wanted.discard("silent before for")

    assert wanted <= prefixes(alert)


def test_no_exception_is_for_a_case_that_is_there() -> None:
    assert not [(alert, case) for alert, case in WITHOUT if case in prefixes(alert)]


@pytest.mark.parametrize("alert", ALERTS)
def test_each_severity_of_an_alert_fires_with_all_its_annotations(alert: str) -> None:
    fired = [
        expected
        for test in read_cases(alert)
        for check in test.get("alert_rule_test", [])
        for expected in check["exp_alerts"]
        if check["alertname"] == alert
    ]

    severities = {rule["labels"]["severity"] for rule in ALERTS[alert]}
    assert {one["exp_labels"]["severity"] for one in fired} == severities
    for one in fired:
        assert set(one["exp_annotations"]) == {"summary", "description", "runbook_url"}


def always(rule: Rule) -> Rule:
    return {**rule, "expr": f"({rule['expr']}) or vector(1)"}


def at_once(rule: Rule) -> Rule:
    return {key: value for key, value in rule.items() if key != "for"}


def without_keep(rule: Rule) -> Rule:
    return {key: value for key, value in rule.items() if key != "keep_firing_for"}


BROKEN: tuple[tuple[Callable[[Rule], Rule], str], ...] = (
    (always, "silent below"),
    (at_once, "silent before for"),
    (without_keep, "resolves"),
)
"""What is done to a rule, and the kind of case that must see it."""


@pytest.mark.parametrize(("change", "kind"), BROKEN)
@pytest.mark.parametrize("alert", ALERTS)
def test_the_cases_see_a_rule_that_is_broken(
    alert: str, change: Callable[[Rule], Rule], kind: str, tmp_path: Path
) -> None:
    """So they can fail; each rule of the alert is broken alone."""
    for broken in ALERTS[alert]:
        changed = change(broken)
        if changed != broken and (alert, kind) not in WITHOUT:
            rules = [changed if rule is broken else rule for rule in ALERTS[alert]]
            done = run_cases(alert, rules, tmp_path, kind)
            assert done.returncode != 0, broken["labels"]
