"""An exception while one line is read, judged or applied costs that line alone."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import agent.engine
from agent.change import Origin
from agent.clock import Moment
from agent.state.clusters import State
from agent.state.dedupe import Identities
from agent.state.log_events import EventFilter, EventLog
from parsers.families.kafka import family
from tests.engines import Drain, exposition
from tests.frames import frame

NOW = Moment(1_776_264_800.0, 1000.0)
ORIGIN = Origin(drain_token=b"d.x", request_id=b"1")
LINES = 10
UNLUCKY = 7


def body() -> bytes:
    """Twenty lines: ten brokers' samples, ten nodes' log lines."""
    frames = []
    for number in range(LINES):
        head = f"<134>1 2026-04-15T14:53:{number:02}+00:00 host "
        frames.append(
            f"{head}app heroku-kafka.{number} - source=KAFKA addon=kafka-a "
            f"sample#load-avg-1m={number}\n"
        )
        frames.append(f"{head}kafka kafka-a.{number} - pri=WARN t=x at=Log n{number}\n")
    return b"".join(frame(one.encode()) for one in frames)


def is_unlucky(*arguments: Any) -> bool:
    """Say whether a call is about line 7: its broker's or node's number is in it."""
    return any(
        getattr(one, name, None) == str(UNLUCKY)
        for argument in arguments
        for one in (argument, getattr(argument, "line", None))
        for name in ("broker", "node")
        if one is not None
    ) or any(
        getattr(argument, "proc", b"").endswith(b".%d" % UNLUCKY)
        for argument in arguments
    )


def breaking(original: Callable[..., Any], *, broken: list[int]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if is_unlucky(*arguments):
            broken.append(1)
            raise RuntimeError("a defect")
        return original(*arguments, **named)

    return call


STAGES = {
    "reading a metric line": (family, "_parse_metrics"),
    "reading a broker line": (family, "_parse_broker_log"),
    "identifying": (Identities, "maybe_of_line"),
    "classifying": (agent.engine, "classify"),
    "applying samples": (State, "apply_metrics"),
    "writing samples": (State, "_find_broker"),
    "finding the node": (State, "_find_node"),
    "counting a log line": (State, "apply_log"),
    "remembering an event": (EventLog, "append"),
}


def counts(drain: Drain) -> dict[str, float]:
    """Sum up what an operator would see."""
    sums: dict[str, float] = {}
    for family_ in text_string_to_metric_families(
        exposition(drain.engine, NOW).decode()
    ):
        for sample in family_.samples:
            sums[sample.name] = sums.get(sample.name, 0) + sample.value
    return sums


@pytest.mark.parametrize("stage", STAGES)
def test_the_neighbours_are_counted_once_and_the_fault_is_counted(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain = Drain()
    target, name = STAGES[stage]
    broken: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(target, name, breaking(getattr(target, name), broken=broken))
        drain.receive(body(), NOW, ORIGIN)
    first = counts(drain)

    drain.receive(body(), NOW, ORIGIN)  # the request is offered again

    assert broken
    again = counts(drain)
    metric_lines = first["heroku_kafka_samples_total"]
    log_lines = first["heroku_kafka_log_lines_total"]
    assert metric_lines + log_lines == 2 * LINES - len(broken)
    assert first["heroku_kafka_log_events_total"] == log_lines
    assert len(list(drain.engine.log.select(EventFilter()))) == log_lines
    assert first["heroku_kafka_agent_internal_errors_total"] == len(broken)
    duplicate = "heroku_kafka_agent_duplicate_requests_total"
    assert again == {**first, duplicate: 1}


def test_a_fault_before_the_commit_touches_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drain = Drain()
    before = counts(drain)

    def fail(_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(agent.engine, "join_continuations", fail)
        with pytest.raises(RuntimeError):
            drain.receive(body(), NOW, ORIGIN)

    assert json.dumps(counts(drain)) == json.dumps(before)
    drain.receive(body(), NOW, ORIGIN)
    assert counts(drain)["heroku_kafka_samples_total"] == LINES
