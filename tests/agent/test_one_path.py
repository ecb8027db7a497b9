"""One corpus through the drain, `watch` and `replay`: the same records and counts."""

import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent.clock import Moment
from agent.metrics.spec import AGENT_PREFIX, PREFIX
from agent.metrics.specs import SPECS
from agent.replay import Source, render_json, run_replay
from agent.settings import Settings
from agent.state.log_events import EventFilter
from agent.watch import Session
from parsers import Level
from tests.engines import Drain
from tests.frames import frame

ROOT = Path(__file__).parents[2]
ADDON = "kafka-animated-39618"
NOW = Moment(1_776_300_000.0, 1000.0)
SAMPLES = (
    f"source=KAFKA addon={ADDON} sample#load-avg-1m=0.25 sample#memory-free=7kB "
    "sample#queue-depth=3"
)
CAUSE = "Caused by: java.io.IOException: No space left on device"
TRACE = ("java.lang.RuntimeException: wrapped", "\tat a.b.C.d(C.scala:1)", CAUSE)


class Written(NamedTuple):
    """One line, whichever way it comes."""

    app: str
    proc: str
    message: str


def head(text: str) -> str:
    return f"pri=ERROR t=x at=SomeNewClass {text}"


def kafka(node: int, message: str) -> Written:
    return Written("kafka", f"{ADDON}.{node}", message)


CORPUS = (
    Written("app", "heroku-kafka.0", SAMPLES),
    Written("app", "heroku-kafka.1", SAMPLES),
    Written("app", "heroku-kafka.1", SAMPLES.replace("KAFKA", "KAFKA_BLUE")),
    Written("app", "heroku-kafka", SAMPLES),
    Written("app", "heroku-kafka.2", SAMPLES.removesuffix("3")),  # cut
    Written("app", "heroku-kafka.2", SAMPLES.replace(f"addon={ADDON} ", "")),
    Written("app", "heroku-kafka.x", SAMPLES),
    Written("app", "web.1", f"app[heroku-kafka.3]: {SAMPLES}"),
    Written("heroku", "router", "at=info method=GET path=/"),
    kafka(0, "pri=WARN t=x at=ReplicaFetcherThread Partition a-1 marked as failed"),
    kafka(0, "pri=DEBUG t=x at=LogManager chatter"),
    kafka(1, "\n".join((head("in one frame"), *TRACE))),
    kafka(2, head("in many frames")),
    *(kafka(2, line) for line in TRACE),
    kafka(3, "\tat nothing.before(It.scala:1)"),
    kafka(4, "pri=FATAL t=main at=Kafka$ Halting Kaf"),  # cut
    Written(
        "heroku",
        "logplex",
        "Error L10 (output buffer overflow): 7 messages dropped since "
        "2026-04-15T14:44:12+00:00.",
    ),
)
WANTED_EVENTS = Counter(
    {
        ("0", "WARN", "replication", 0): 1,
        ("1", "ERROR", "storage", len(TRACE)): 1,
        ("2", "ERROR", "storage", len(TRACE)): 1,
        ("4", "FATAL", "lifecycle", 0): 1,
    }
)
WANTED_REFUSALS = {"no_value": 1, "no_addon": 1, "bad_broker": 1}
WANTED_REFUSALS |= {"unknown_level": 1, "no_level": 1}
WANTED_SAMPLES = {"0": 3, "1": 3, None: 3, "2": 2}


STAMP = "2026-04-15T14:53:16+00:00"


def as_frames() -> bytes:
    return b"".join(
        frame(f"<134>1 {STAMP} host {w.app} {w.proc} - {w.message}\n".encode())
        for w in CORPUS
    )


def as_text() -> bytes:
    lines = (f"{STAMP} {w.app}[{w.proc}]: {w.message}" for w in CORPUS)
    return "".join(f"{line}\n" for line in lines).encode()


def facts(engine: Any) -> dict[str, Any]:
    """Say what an engine knows of the corpus."""
    view = engine.state.view(NOW)
    return {
        "samples": {one.broker: one.samples for one in view.brokers},
        "events": Counter(
            (
                event.line.node,
                event.line.level.value,
                event.verdict.category.value,
                len(event.line.trace.splitlines()),
            )
            for event in engine.log.select(EventFilter())
        ),
        "levels": {
            one.node: {level.value: one.lines[level] for level in Level}
            for one in view.nodes
        },
    }


@pytest.fixture(scope="module")
def drain() -> Drain:
    drain = Drain()
    drain.receive(as_frames(), NOW)
    return drain


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session(Settings())
    session.receive_data(as_text(), NOW)
    return session


def test_the_drain_finds_what_was_written(drain: Drain) -> None:
    telemetry = drain.engine.telemetry
    found = facts(drain.engine)

    assert found["events"] == WANTED_EVENTS
    assert found["samples"] == WANTED_SAMPLES
    refused = {one.value: n for one, n in telemetry.parse_errors.items() if n}
    assert refused == WANTED_REFUSALS
    assert telemetry.dropped["L10"] == 7


def test_watch_finds_the_same(drain: Drain, session: Session) -> None:
    assert facts(session.engine) == facts(drain.engine)
    refused = {one.value: n for one, n in session.tally.refused.items() if n}
    assert refused == WANTED_REFUSALS
    assert session.tally.losses == {"L10": 7}


@pytest.mark.parametrize("body", [as_frames(), as_text()], ids=["bodies", "text"])
def test_replay_finds_the_same(body: bytes, drain: Drain) -> None:
    found = json.loads(
        render_json(run_replay([Source("-")], io.BytesIO(body), NOW.wall))
    )

    (cluster,) = found["clusters"]
    wanted = facts(drain.engine)
    brokers = [
        *cluster["brokers"],
        *([cluster["cluster"]] if cluster["cluster"] else []),
    ]
    samples = {one.get("broker"): one["samples"] for one in brokers}
    assert samples == wanted["samples"]
    assert {one["node"]: one["levels"] for one in cluster["nodes"]} == wanted["levels"]
    events = Counter(
        {
            (node["node"], event["category"]): event["count"]
            for node in cluster["nodes"]
            for event in node["events"]
        }
    )
    assert events == Counter(
        {(node, category): n for (node, _, category, _), n in WANTED_EVENTS.items()}
    )
    assert found["refused"] == WANTED_REFUSALS
    assert found["losses"] == {"L10": 7}


def test_a_line_through_five_attachments_counts_once() -> None:
    drain = Drain()
    line = CORPUS[0].message.replace("source=KAFKA", "source=KAFKA_{}")
    copies = [line.format(colour) for colour in ("RED", "BLUE", "TEAL", "GOLD", "X")]
    body = b"".join(
        frame(f"<134>1 {STAMP} host app heroku-kafka.0 - {one}\n".encode())
        for one in copies
    )

    drain.receive(body, NOW)
    drain.receive(body, NOW)  # through another app's drain

    (view,) = drain.engine.state.view(NOW).brokers
    assert view.samples == 3


def test_equal_lines_through_one_attachment_count_as_often_as_they_were_written() -> (
    None
):
    drain = Drain()
    line = f"<134>1 {STAMP} host kafka {ADDON}.0 - pri=WARN t=x at=Log twice\n"

    drain.receive(frame(line.encode()) * 2, NOW)
    drain.receive(frame(line.encode()) * 2, NOW)

    (node,) = drain.engine.state.view(NOW).nodes
    assert node.lines[Level.WARN] == 2


def test_only_the_table_of_series_spells_the_name_of_a_metric() -> None:
    """Every other module of the agent uses a spec."""
    names = {spec.family.removeprefix(PREFIX) for spec in SPECS}
    names |= {spec.name.removeprefix(PREFIX) for spec in SPECS}
    names |= {spec.name.removeprefix(AGENT_PREFIX) for spec in SPECS}
    telling = {name for name in names if "_" in name}

    for path in (ROOT / "agent").rglob("*.py"):
        if path.name in ("spec.py", "specs.py"):
            continue
        text = path.read_text(encoding="utf-8")
        assert not telling & set(re.findall(r'"([a-z0-9_]+)"', text)), path
        assert not re.findall(
            r"heroku_kafka_(?!agent\b)|heroku_kafka_agent_[a-z]", text
        ), path
