"""Every alert has a runbook, and what a runbook tells a tired person to type exists."""

import json
import re
import subprocess
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import promql_parser
import pytest
import yaml

from agent.alerting.rules import check_thresholds, render_rules
from agent.alerting.thresholds import choose_thresholds, packaged_thresholds
from agent.cli import cli
from agent.settings import ENVIRONMENT_PREFIX, Settings
from alerts.demo.receiver import Receiver
from alerts.demo.stack import running_stack
from dashboards.builder.catalogue import find_names
from tests.alerts.heroku_commands import find_fault
from tests.alerts.promtool_cases import expected_labels
from tests.alerts.runbook_pages import (
    ALERTS,
    INDEX,
    Page,
    find_anchors,
    read_all_pages,
    read_page,
    read_runbooks,
)
from tests.serving import CREDENTIALS, find_program, free_port, running

HEADINGS = [
    "## What it means",
    "## How bad it is",
    "## Look at",
    "## Do",
    "## Silence",
    "## False alarms",
]
OF_PROMETHEUS = {"ALERTS", "up"}
NO_THRESHOLDS = {
    "alertmanager.url": "a setting of amtool",
    "collector.failed": "an event in the agent's log",
    "request.failed": "an event in the agent's log",
    "thresholds.yaml": "their file",
}
"""What is written like the name of a threshold, and is something else."""

PROGRAMS = {"amtool", "curl", "heroku", "heroku-kafka-agent", "promtool"}
THRESHOLDLESS = {
    "HerokuKafkaWatchdog": "it always fires",
}
"""Alerts whose runbook offers no threshold, and why."""

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load(render_rules(packaged_thresholds()))["groups"]
    for rule in group["rules"]
]
SEVERITIES: dict[str, list[str]] = {}
for one in RULES:
    if "alert" in one:
        SEVERITIES.setdefault(one["alert"], []).append(one["labels"]["severity"])
RUNBOOKS = read_runbooks()
PAGES = read_all_pages()

of_each_alert = pytest.mark.parametrize("alert", SEVERITIES)
on_each_page = pytest.mark.parametrize(
    "page", PAGES, ids=[page.path.stem for page in PAGES]
)


def commands(page: Page, program: str) -> list[list[str]]:
    return [words[1:] for words in page.commands if words[0] == program]


def settings_of(words: list[str]) -> list[str]:
    """List what stands behind each ``--set``."""
    return [value for option, value in pairwise(words) if option == "--set"]


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    assert sorted(RUNBOOKS) == sorted(SEVERITIES)


def test_each_runbook_url_leads_to_a_file() -> None:
    for rule in RULES:
        if "alert" in rule:
            assert (ALERTS.parent / rule["annotations"]["runbook_url"]).is_file()


@of_each_alert
def test_a_runbook_has_its_headings_in_order_and_none_is_empty(alert: str) -> None:
    sections = RUNBOOKS[alert].sections

    assert [heading for heading, _ in sections] == [f"# {alert}", *HEADINGS]
    assert all(body for _, body in sections)


@of_each_alert
def test_a_runbook_begins_with_one_sentence(alert: str) -> None:
    assert re.fullmatch(r"[A-Z][^.]+\.", RUNBOOKS[alert].sentence)


@of_each_alert
def test_a_runbook_is_short(alert: str) -> None:
    filled = [line for line in RUNBOOKS[alert].text.splitlines() if line]

    assert 25 <= len(filled) <= 50


def test_the_index_lists_each_alert_with_its_severities_in_the_order_of_the_rules() -> (
    None
):
    rows = [
        f"| [`{alert}`]({alert}.md) | {', '.join(severities)} "
        f"| {RUNBOOKS[alert].sentence} |"
        for alert, severities in SEVERITIES.items()
    ]
    head = ["| alert | severity | |", "|---|---|---|"]

    assert "\n".join([*head, *rows, ""]) in INDEX.read_text("utf-8")


@on_each_page
def test_each_threshold_that_is_named_exists(page: Page) -> None:
    assert page.thresholds - set(NO_THRESHOLDS) <= set(packaged_thresholds().values)


@of_each_alert
def test_a_runbook_names_the_thresholds_of_its_alert(alert: str) -> None:
    named = RUNBOOKS[alert].thresholds
    for words in commands(RUNBOOKS[alert], "heroku-kafka-agent"):
        named |= {
            one.rpartition(":")[2].partition("=")[0] for one in settings_of(words)
        }
    source = yaml.safe_load((ALERTS / "rules.yaml").read_text("utf-8"))
    used = {
        threshold
        for group in source["groups"]
        for rule in group["rules"]
        if rule.get("alert") == alert
        for threshold in re.findall(r"<<\s*(\w+\.\w+)", str(rule))
    }

    assert bool(used & named) != (alert in THRESHOLDLESS)


@of_each_alert
def test_a_runbook_shows_how_to_set_a_threshold(alert: str) -> None:
    offered = [
        setting
        for words in commands(RUNBOOKS[alert], "heroku-kafka-agent")
        for setting in settings_of(words)
    ]

    assert bool(offered) != (alert in THRESHOLDLESS)


@on_each_page
def test_each_setting_can_be_set(page: Page) -> None:
    for words in commands(page, "heroku-kafka-agent"):
        check_thresholds(choose_thresholds(None, settings_of(words)))


@on_each_page
def test_each_command_of_the_agent_parses(page: Page) -> None:
    for command, *arguments in commands(page, "heroku-kafka-agent"):
        cli.commands[command].make_context(command, arguments)


@on_each_page
def test_options_of_the_agent_exist_where_prose_names_them(page: Page) -> None:
    options = {
        option
        for command in cli.commands.values()
        for parameter in command.params
        for option in parameter.opts
    }
    prose = page.prose.replace("`--alertmanager.url`", "")

    assert set(re.findall(r"`(?:[a-z]+ )?(--[a-z-]+)", prose)) <= options


@on_each_page
def test_each_setting_of_a_dyno_is_one_of_the_agents(page: Page) -> None:
    known = {
        parameter.envvar
        for parameter in cli.commands["serve"].params
        if isinstance(parameter.envvar, str)
    }
    for words in commands(page, "heroku"):
        if words[0] == "config:set":
            names = {one.partition("=")[0] for one in words if "=" in one}
            assert names <= known
            assert all(one.startswith(ENVIRONMENT_PREFIX) for one in names)


@on_each_page
def test_each_command_of_heroku_is_as_documented(page: Page) -> None:
    faults = [(words, find_fault(words)) for words in commands(page, "heroku")]

    assert [one for one in faults if one[1] is not None] == []


@on_each_page
def test_no_command_takes_a_broker_down(page: Page) -> None:
    assert not [words for words in page.commands if "kafka:fail" in words]


@on_each_page
def test_blocks_hold_queries_or_commands_of_known_programs(page: Page) -> None:
    assert page.block_kinds <= {"console", "promql"}
    assert {words[0] for words in page.commands} <= PROGRAMS


def exported() -> set[str]:
    """Name what a running agent exports; families without series have their header."""
    with running(Settings(port=0, topic_metrics=1)) as agent:
        text = agent.request("GET", "/metrics").body.decode()
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names |= {f"{name}{ending}" for ending in endings}
    return names


def test_each_query_parses_and_names_series_that_exist() -> None:
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    known = exported() | recorded | OF_PROMETHEUS
    unknown = []
    for page in PAGES:
        for query in page.queries:
            promql_parser.parse(query)
            unknown += [
                (page.path.name, one) for one in find_names(query) if one not in known
            ]

    assert unknown == []


@on_each_page
def test_each_link_leads_somewhere(page: Page) -> None:
    for link in page.links:
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path).resolve() if path else page.path
        assert target.is_file(), link
        if anchor:
            assert anchor in find_anchors(read_page(target)), link


def silences(alert: str) -> list[dict[str, str]]:
    """Read the matchers of each silence that a runbook shows."""
    return [
        dict(word.split("=", 1) for word in words[2:] if not word.startswith("-"))
        for words in commands(RUNBOOKS[alert], "amtool")
        if words[:2] == ["silence", "add"]
    ]


@of_each_alert
def test_a_silence_matches_labels_that_the_alert_has(alert: str) -> None:
    (matchers,) = silences(alert)

    assert matchers["alertname"] == alert
    assert set(matchers) <= expected_labels(alert) | {"alertname", "severity"}


@of_each_alert
def test_a_silence_is_as_narrow_as_the_alert(alert: str) -> None:
    (matchers,) = silences(alert)

    for narrow in {"addon", "broker", "node", "instance"} & expected_labels(alert):
        assert narrow in matchers


def test_each_address_of_the_agent_answers() -> None:
    with running(Settings(port=0, drain_credentials=(CREDENTIALS,))) as agent:
        for page in PAGES:
            for words in commands(page, "curl"):
                parts = urlsplit(words[-1])
                assert parts.hostname == "agent", words
                secret = "-u" in words
                path = f"{parts.path}?{parts.query}"
                assert agent.request("GET", path).status == 200, words
                without = agent.request("GET", path, headers={}).status
                assert without == (401 if secret else 200), words


@pytest.mark.slow
def test_alertmanager_takes_each_silence() -> None:
    amtool = find_program("amtool")
    find_program("prometheus")
    nobody = f"http://127.0.0.1:{free_port()}"
    with running_stack(nobody, Receiver(), speed=60) as stack:
        url = f"--alertmanager.url={stack.alertmanager}"
        for alert in RUNBOOKS:
            (words,) = (
                one
                for one in commands(RUNBOOKS[alert], "amtool")
                if one[:2] == ["silence", "add"]
            )
            subprocess.run([amtool, *words, url], check=True, capture_output=True)
        query = [str(amtool), "silence", "query", "--output=json", url]
        listed = subprocess.run(query, check=True, capture_output=True)

    silenced = {
        matcher["value"]
        for silence in json.loads(listed.stdout)
        for matcher in silence["matchers"]
        if matcher["name"] == "alertname"
    }
    assert silenced == set(RUNBOOKS)
