"""The simulator's stories, through the agent's evaluation and through promtool.

Both get the same series. Prometheus holds them as they are, the agent in aggregates, and
what fires must be the same, minute by minute.
"""

import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.alerting.rules import Links, write_groups
from agent.alerting.thresholds import packaged_thresholds
from agent.clock import Moment
from agent.metrics.exposition import render_number
from agent.metrics.series import Series
from agent.problems.board import COUNTERS, collect_vectors
from agent.problems.evaluation import AlertRule, Evaluation, Finding, compile_rules
from agent.problems.templates import fill_template
from agent.settings import Settings
from agent.simulator import SCENARIOS, Cluster
from agent.simulator.logplex import frame_line
from agent.simulator.player import Play
from agent.state.zero_first import ZeroFirst
from tests.engines import Drain
from tests.serving import find_program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

STEP = 15
SECONDS = 75 * 60
FILE = Path(__file__).parents[2] / "alerts" / "heroku-kafka.rules.yml"
RULES = compile_rules(packaged_thresholds())

Values = dict[int, str]


def addon(scenario: str) -> str:
    return f"kafka-{scenario}"


@dataclass
class Told:
    """What the agent found, and the series that it found it in."""

    series: dict[str, Values] = field(default_factory=lambda: defaultdict(dict))
    findings: dict[int, list[Finding]] = field(default_factory=dict)


def play() -> Iterator[tuple[int, bytes]]:
    clusters = tuple(
        Cluster(addon=addon(name), scenario=scenario, start=0, seed=1)
        for name, scenario in SCENARIOS.items()
    )
    story = Play(clusters=clusters, start=0, seconds=SECONDS, speed=None, others=0.0)
    for second, lines in story.lines():
        yield second, b"".join(map(frame_line, lines))


@pytest.fixture(scope="module")
def told() -> Told:
    """Tell all stories at once."""
    planned = {
        addon(name): "standard-2" for name in SCENARIOS if name != "plan-upgrade"
    }
    drain = Drain(Settings(plans=planned))
    evaluation = Evaluation(RULES, COUNTERS)
    zero_first = ZeroFirst()
    found = Told()
    for second, body in play():
        now = Moment(float(second), float(second))
        if body:
            drain.engine.telemetry.last_request_timestamp = now.wall
            drain.receive(body, now)
        if second % STEP == 0:
            snapshot = drain.engine.snapshot(now)
            nodes = zero_first.present(snapshot.nodes, now, STEP / 2)
            series = list(snapshot._replace(nodes=nodes).series())
            for one in series:
                found.series[name_series(one)][second] = render_number(one.value)
            vectors = collect_vectors(series, evaluation.inputs.names)
            vectors["process_start_time_seconds"] = {(): 0.0}
            found.findings[second] = evaluation.evaluate(vectors, now.wall)
    found.series["process_start_time_seconds"] = dict.fromkeys(found.findings, "0")
    return found


def name_series(one: Series) -> str:
    labels = zip(one.spec.labels, one.labels, strict=True)
    text = ",".join(f'{name}="{value}"' for name, value in labels if value)
    return f"{one.spec.name}{{{text}}}" if text else one.spec.name


def write_values(values: Values) -> str:
    """Write values in promtool's notation; a series that ends is stale at once."""
    found, was_there = [], False
    for second in range(0, SECONDS, STEP):
        value = values.get(second)
        found.append(value or ("stale" if was_there else "_"))
        was_there = value is not None
    return " ".join(found)


def as_expected(finding: Finding) -> dict[str, Any]:
    """Write a finding as promtool expects an alert."""
    rule, labels = finding.rule, dict(finding.labels)
    description = f"{rule.description} {rule.first_step}"
    return {
        "exp_labels": {"severity": rule.severity, **labels},
        "exp_annotations": {
            "summary": fill_template(rule.summary, labels, finding.value),
            "description": fill_template(description, labels, finding.value),
            "runbook_url": f"alerts/runbooks/{rule.alert}.md",
        },
    }


def expectations(told: Told) -> Iterator[dict[str, Any]]:
    """Ask promtool each minute for every alert that the agent can find."""
    alerts = {rule.alert for rule in RULES if isinstance(rule, AlertRule)}
    for second, findings in told.findings.items():
        if second % 60 == 0:
            for alert in sorted(alerts):
                found = [
                    as_expected(one) for one in findings if one.rule.alert == alert
                ]
                yield {
                    "eval_time": f"{second}s",
                    "alertname": alert,
                    "exp_alerts": found,
                }


def test_finds_what_prometheus_finds(told: Told, tmp_path: Path) -> None:
    names = {one.rule.alert for found in told.findings.values() for one in found}
    assert names >= {
        "HerokuKafkaBrokerFatal",
        "HerokuKafkaBrokerSilent",
        "HerokuKafkaLoadHigh",
    }
    used = {selector.name for rule in RULES for selector, _ in rule.expression.reach}
    cases = {
        "rule_files": [str(FILE)],
        "evaluation_interval": f"{STEP}s",
        "group_eval_order": [
            group["name"] for group in write_groups(packaged_thresholds(), Links())
        ],
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [
                    {"series": name, "values": write_values(values)}
                    for name, values in told.series.items()
                    if name.partition("{")[0] in used
                ],
                "alert_rule_test": list(expectations(told)),
            }
        ],
    }
    file = tmp_path / "stories.yml"
    file.write_text(yaml.safe_dump(cases, sort_keys=False, width=2**31))

    done = subprocess.run(
        [find_program("promtool"), "test", "rules", str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]
