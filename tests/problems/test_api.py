"""``GET /api/problems``, and what of it credentials for certain add-ons show."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent.alerting.rules import fill_groups
from agent.alerting.thresholds import packaged_thresholds
from agent.clock import Moment
from agent.engine import Engine
from agent.evaluator import read_series
from agent.problems.board import ProblemBoard
from agent.problems.evaluation import AlertRule, compile_rules
from agent.problems.problem import Problem
from agent.settings import Credentials, Settings
from agent.simulator.cluster import Cluster
from agent.simulator.logplex import frame_line
from agent.simulator.player import Play
from agent.simulator.scenarios import SCENARIOS
from agent.state.zero_first import ZeroFirst
from agent.web.problems import render_problems
from tests.engines import Drain, exposition

ALL = Credentials("user", "password")
OWN = Credentials("user", "password", frozenset({"kafka-own-1"}))
SECONDS = 75 * 60
LOST = b" heroku-kafka.2 "
SILENT = "HerokuKafkaBrokerSilent"


def render(engine: Engine, reader: Credentials = ALL) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        render_problems(engine.problems, engine.evaluated_at, reader)
    )
    return answer


def play_failure() -> Engine:
    """Play until it is found that broker 2 fell silent; evaluate every 15 seconds."""
    drain = Drain()
    zero_first = ZeroFirst()
    board = ProblemBoard(packaged_thresholds(), 0.0)
    cluster = Cluster(
        addon="kafka-own-1", scenario=SCENARIOS["steady"], start=0, seed=1
    )
    play = Play(clusters=(cluster,), start=0, seconds=SECONDS, speed=None, others=0.0)
    for second, lines in play.lines():
        now = Moment(float(second), float(second))
        drain.engine.telemetry.last_request_timestamp = now.wall
        frames = map(frame_line, lines)
        body = b"".join(one for one in frames if second < 300 or LOST not in one)
        if body:
            drain.receive(body, now)
        if second % 15 == 0:
            series = read_series(drain.engine, zero_first, now)
            drain.engine.problems = board.evaluate(series, now.wall)
            drain.engine.evaluated_at = now.wall
            if any(one.alert == SILENT for one in drain.engine.problems):
                return drain.engine
    raise AssertionError(drain.engine.problems)


def test_shows_a_failed_broker_first_with_what_to_do() -> None:
    engine = play_failure()

    answer = render(engine)

    evaluated_at = datetime.fromisoformat(answer["evaluated_at"])
    assert evaluated_at.timestamp() == engine.evaluated_at
    silent = next(one for one in answer["problems"] if one["alert"] == SILENT)
    assert silent["severity"] == "warning"
    assert silent["cluster"] == "kafka-own-1"
    assert silent["broker"] == "2"
    assert silent["value"] > silent["limit"] == 300
    assert silent["value_text"].startswith("10 min")
    assert silent["limit_text"] == "5 min"
    assert "heroku kafka:info kafka-own-1 -a APP" in silent["first_step"]
    assert silent["first_step"] not in silent["description"]
    assert silent["ended"] is None
    assert silent["runbook"] == "alerts/runbooks/HerokuKafkaBrokerSilent.md"
    ranks = ["critical", "warning", "info"]
    order = [ranks.index(one["severity"]) for one in answer["problems"]]
    assert order == sorted(order)


def test_shows_no_evaluation_before_the_first() -> None:
    assert render(Engine(Settings())) == {"evaluated_at": None, "problems": []}


def problem(addon: str) -> Problem:
    return Problem(
        alert="HerokuKafkaLoadHigh",
        severity="warning",
        addon=addon,
        broker="",
        node="",
        details={},
        since=0.0,
        value=None,
        limit=None,
        ended=60.0,
        value_text="",
        limit_text="",
        summary="s",
        description="d",
        consequence="c",
        first_step="f",
    )


def test_limited_credentials_show_own_clusters_and_the_agent() -> None:
    engine = Engine(Settings())
    engine.problems = (problem("kafka-own-1"), problem("kafka-other-1"), problem(""))

    shown = render(engine, OWN)["problems"]

    assert [one["cluster"] for one in shown] == ["kafka-own-1", None]
    assert shown[0]["ended"] == "1970-01-01T00:01:00+00:00"
    assert shown[0]["value"] is shown[0]["value_text"] is None


def test_metrics_of_limited_credentials_name_no_other_cluster() -> None:
    engine = Engine(Settings())
    engine.problems = (problem("kafka-other-1"), replace(problem(""), broker=""))
    now = Moment(0.0, 0.0)

    assert b"kafka-other-1" in exposition(engine, now)
    visible = engine.snapshot(now).visible_to(OWN)
    assert [one.addon for one in visible.problems] == [""]


def test_each_limit_is_a_number_of_the_expression() -> None:
    rules = [
        rule for group in fill_groups(packaged_thresholds()) for rule in group["rules"]
    ]
    limits = [(rule["limit"], rule["expr"]) for rule in rules if "limit" in rule]

    assert len(limits) > 20
    for limit, expression in limits:
        assert limit in expression.split() or f"{limit}," in expression


def test_alerts_with_a_limit_say_how_it_is_written() -> None:
    rules = [
        one
        for one in compile_rules(packaged_thresholds())
        if isinstance(one, AlertRule)
    ]

    assert all(rule.figure for rule in rules if rule.limit is not None)
    assert all(rule.consequence.endswith(".") for rule in rules)
