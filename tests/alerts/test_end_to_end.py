"""Simulated clusters, the agent, Prometheus, Alertmanager: who is told what, and when."""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.settings import Settings
from agent.simulator import SCENARIOS, Cluster, Logplex
from agent.simulator.player import Play, play_to_drain
from alerts.demo.receiver import Notification, Receiver
from alerts.demo.stack import running_stack
from tests.alerts.stories import QUIET, TOLD, Told
from tests.serving import Agent, find_program, running, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SPEED = 60
MINUTES = 62
AFTER_SILENCE_MINUTES = 20
"""Long enough for the alerts of the silent brokers to be due."""
README = Path(__file__).parents[2] / "alerts" / "README.md"
MARKS = "<!-- end-to-end -->\n", "<!-- /end-to-end -->\n"


def addon(scenario: str) -> str:
    return f"kafka-{scenario}"


def settings(*planned: str) -> Settings:
    return Settings(
        port=0,
        stale_after_seconds=300 / SPEED,
        plans={addon(name): "standard-2" for name in planned},
    )


def find_programs() -> None:
    for name in ("prometheus", "prometheus-alertmanager"):
        find_program(name)


@dataclass(frozen=True)
class Notified:
    """All notifications, and when the stories began."""

    began: float
    received: list[Notification]

    def minute(self, one: Notification) -> float:
        """Say in which minute of the stories a notification came."""
        return (one.at - self.began) * SPEED / 60

    def of(self, scenario: str, *receivers: str) -> list[Notification]:
        return [
            one
            for one in self.received
            if one.labels.get("addon") == addon(scenario) and one.receiver in receivers
        ]

    def maybe_first(self, told: Told, status: str = "firing") -> float | None:
        """Find the minute in which somebody was first told."""
        return next(
            (
                self.minute(one)
                for one in self.of(told.scenario, told.receiver)
                if one.name == told.alert and one.status == status
            ),
            None,
        )


@dataclass(frozen=True)
class Outage:
    """All notifications until the end of each part of an outage."""

    fed: list[Notification]
    silent: list[Notification]
    fed_again: list[Notification]
    gone: list[Notification]


def feed(agent: Agent, play: Play) -> None:
    logplex = Logplex(f"{agent.url}/logs", play.seed)
    asyncio.run(play_to_drain(play, logplex, lambda _second: None))


def tell_of_data(agent: Agent, began: float, over: threading.Event) -> None:
    """Post what `heroku kafka:info` would say: data grows, then retention is cut."""
    while not over.wait(0.5):
        minute = (time.time() - began) * SPEED / 60
        share = 0.6 if minute > 38 else min(0.97, 0.70 + minute / 100)
        text = (
            "=== KAFKA_URL\nPlan: heroku-kafka:standard-2\nStatus: available\n"
            f"Data Size: {share * 900:.2f} GB / 900.00 GB ({share:.2%})\n"
            f"Add-on: {addon('disk-filling')}\n"
        )
        answer = agent.request("POST", "/api/capacity", text.encode())
        assert answer.status == 200


@pytest.fixture(scope="module")
def runs() -> Iterator[tuple[Future[Notified], Future[Outage]]]:
    """Run all scenarios and the outage at the same time: both mostly wait."""
    find_programs()
    with ThreadPoolExecutor(2) as pool:
        yield pool.submit(run_scenarios), pool.submit(run_outage)


@pytest.fixture(scope="module")
def notified(runs: tuple[Future[Notified], Future[Outage]]) -> Notified:
    return runs[0].result()


def run_scenarios() -> Notified:
    """Run an hour of each scenario in a minute."""
    receiver = Receiver()
    planned = [name for name in SCENARIOS if name != "plan-upgrade"]
    with (
        running(settings(*planned)) as agent,
        running_stack(agent.url, receiver, SPEED),
    ):
        start = int(time.time()) + 1
        clusters = tuple(
            Cluster(addon=addon(name), scenario=one, start=start, seed=1)
            for name, one in SCENARIOS.items()
        )
        over = threading.Event()
        teller = threading.Thread(target=tell_of_data, args=(agent, start, over))
        teller.start()
        play = Play(
            clusters=clusters,
            start=start,
            seconds=MINUTES * 60,
            speed=SPEED,
            others=0.3,
            seed=1,
            time_lapse=True,
        )
        try:
            feed(agent, play)
        finally:
            over.set()
            teller.join()
        return Notified(start, receiver.received)


def names(notifications: list[Notification]) -> set[tuple[str, str]]:
    return {(one.receiver, one.name) for one in notifications}


def told_id(told: Told) -> str:
    return f"{told.scenario}-{told.alert}-{told.receiver}"


@pytest.mark.parametrize("told", TOLD, ids=told_id)
def test_who_must_be_told_is_told_in_time(notified: Notified, told: Told) -> None:
    minute = notified.maybe_first(told)

    assert minute is not None, names(notified.of(told.scenario, "pager", "chat"))
    assert told.at <= minute <= told.at + told.within


@pytest.mark.parametrize("told", TOLD, ids=told_id)
def test_who_was_told_of_trouble_is_told_of_its_end(
    notified: Notified, told: Told
) -> None:
    ended = notified.maybe_first(told, "resolved")

    assert ended is not None
    assert ended > (notified.maybe_first(told) or 0)


@pytest.mark.parametrize("scenario", QUIET)
def test_nobody_is_told_of_what_heals_by_itself(
    notified: Notified, scenario: str
) -> None:
    assert names(notified.of(scenario, "pager", "chat")) == set()


@pytest.mark.parametrize("scenario", sorted({told.scenario for told in TOLD}))
def test_nobody_is_told_anything_else(notified: Notified, scenario: str) -> None:
    wanted = {(one.receiver, one.alert) for one in TOLD if one.scenario == scenario}

    assert names(notified.of(scenario, "pager", "chat")) == wanted


def test_a_steady_cluster_is_not_even_noted(notified: Notified) -> None:
    assert notified.of("steady", "pager", "chat", "notes") == []


def test_nothing_is_said_that_is_about_no_cluster(notified: Notified) -> None:
    loose = {
        (one.receiver, one.name)
        for one in notified.received
        if "addon" not in one.labels
    }

    assert loose == {("heartbeat", "HerokuKafkaWatchdog")}


def test_the_heart_beats_all_the_time(notified: Notified) -> None:
    beats = [
        notified.minute(one)
        for one in notified.received
        if one.receiver == "heartbeat" and one.at >= notified.began
    ]
    pauses = [later - sooner for sooner, later in itertools.pairwise(beats)]

    assert len(beats) > MINUTES / 15
    assert max(pauses) < 15


def test_the_table_of_the_docs_is_that_of_the_test(
    notified: Notified, request: pytest.FixtureRequest
) -> None:
    """Measured minutes differ from run to run; the rest of a row may not."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    table, _, after = rest.partition(MARKS[1])
    wanted = render_table(notified)
    if request.config.getoption("--update-docs"):
        README.write_text(before + MARKS[0] + wanted + MARKS[1] + after, "utf-8")
        return

    assert without_measured(table) == without_measured(wanted), (
        "run: pytest --update-docs tests/alerts/test_end_to_end.py"
    )


def render_table(notified: Notified) -> str:
    rows = []
    for told in TOLD:
        minute = notified.maybe_first(told)
        assert minute is not None
        rows.append(
            f"| `{told.scenario}` | {told.trouble} | {told.receiver} | `{told.alert}` "
            f"| {told.within:g} min | {minute - told.at:.1f} min |"
        )
    rows += [f"| `{name}` | {SCENARIOS[name].about} | nobody | | | |" for name in QUIET]
    head = "| scenario | trouble | told | alert | at the latest after | measured |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows]) + "\n"


def without_measured(table: str) -> list[str]:
    return [row.rsplit("|", 2)[0] for row in table.splitlines()]


def steady(minutes: int, seed: int) -> Play:
    """Play a cluster; the seed also makes the ids by which retries are recognised."""
    start = int(time.time())
    cluster = Cluster(addon=addon("steady"), scenario=SCENARIOS["steady"], start=start)
    return Play(
        clusters=(cluster,),
        start=start,
        seconds=minutes * 60,
        speed=SPEED,
        seed=seed,
        time_lapse=True,
    )


def run_outage() -> Outage:
    """Feed an agent, then stop its drain, start it again, and stop the agent."""
    receiver = Receiver()
    seen: list[list[Notification]] = []

    def sent(name: str, status: str) -> bool:
        return any(
            one.name == name and one.status == status for one in receiver.received
        )

    with contextlib.ExitStack() as stack:
        agents = stack.enter_context(contextlib.ExitStack())
        agent = agents.enter_context(running(settings("steady")))
        stack.enter_context(running_stack(agent.url, receiver, SPEED))

        feed(agent, steady(10, seed=1))
        seen.append(receiver.received)

        wait_for(lambda: sent("HerokuKafkaDrainSilent", "firing"))
        time.sleep(AFTER_SILENCE_MINUTES * 60 / SPEED)
        seen.append(receiver.received)

        feed(agent, steady(25, seed=2))
        wait_for(lambda: sent("HerokuKafkaDrainSilent", "resolved"))
        seen.append(receiver.received)

        agents.close()
        wait_for(lambda: sent("HerokuKafkaAgentAbsent", "firing"))
        seen.append(receiver.received)
    return Outage(*seen)


def test_a_dead_drain_and_a_dead_agent_are_told_apart_and_nothing_beside_them(
    runs: tuple[Future[Notified], Future[Outage]],
) -> None:
    """One page for each, and none for the brokers that are silent with the drain."""
    outage = runs[1].result()

    assert names(outage.fed) <= {("heartbeat", "HerokuKafkaWatchdog")}
    assert alerts_of(outage.silent, "pager") == {"HerokuKafkaDrainSilent"}
    assert alerts_of(outage.silent, "chat") == set()
    assert alerts_of(outage.fed_again, "pager") == {"HerokuKafkaDrainSilent"}
    assert alerts_of(outage.gone, "pager") == {
        "HerokuKafkaDrainSilent",
        "HerokuKafkaAgentAbsent",
    }


def alerts_of(notifications: list[Notification], receiver: str) -> set[str]:
    return {one.name for one in notifications if one.receiver == receiver}
