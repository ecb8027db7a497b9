"""Readers limited to add-ons share answers and cursors only with those of the same."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import pytest

from agent.settings import Credentials, Limits, Settings
from tests.documented import ADDON, LOG
from tests.frames import frame, log_frame
from tests.serving import AUTHORIZATION, CREDENTIALS, Agent, basic, running

OTHER = "kafka-parallel-58135"
SETTINGS = Settings(
    port=0,
    drain_credentials=(
        CREDENTIALS,
        Credentials("tenant", "one", frozenset({ADDON})),
        Credentials("colleague", "two", frozenset({ADDON})),
        Credentials("other", "three", frozenset({OTHER})),
    ),
)
ALL = dict(AUTHORIZATION)
TENANT = basic("tenant", "one")
COLLEAGUE = basic("colleague", "two")
OTHER_TENANT = basic("other", "three")
MESSAGE = b"pri=WARN t=main at=Server number %d"


@pytest.fixture
def agent() -> Iterator[Agent]:
    with running(SETTINGS) as found:
        yield found


def report(agent: Agent, *addons: str) -> None:
    now = datetime.now(UTC).isoformat()
    body = b"".join(
        frame(
            f"<134>1 {now} host app heroku-kafka.0 - source=KAFKA addon={addon} "
            "sample#load-avg-1m=0.5".encode()
        )
        for addon in addons
    )
    assert agent.post(body).status == 204


def log(agent: Agent, addon: str, number: int) -> None:
    assert agent.post(log_frame(MESSAGE % number, addon=addon)).status == 204


def read(agent: Agent, path: str, who: dict[str, str]) -> str:
    answer = agent.request("GET", path, headers=who)
    assert answer.status == 200
    return answer.body.decode()


def clusters(agent: Agent, who: dict[str, str], since: str = "") -> Any:
    return json.loads(read(agent, f"/api/clusters?points=0&since={since}", who))


def names(answer: Any) -> list[str]:
    return [one["cluster"] for one in answer["clusters"]]


def cursor_of(page: str) -> str:
    found = re.search(r'data-next="([^"]+)"', page)
    assert found
    return found[1]


def events(agent: Agent, who: dict[str, str], **query: object) -> Any:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return json.loads(read(agent, f"/api/events?{text}", who))


def numbers(answer: Any) -> list[int]:
    return [int(one["message"].split()[-1]) for one in answer["events"]]


def test_a_limited_reader_follows_the_changes_of_its_add_ons(agent: Agent) -> None:
    report(agent, ADDON, OTHER)
    first = clusters(agent, TENANT)
    report(agent, OTHER)
    second = clusters(agent, TENANT, first["next"])
    report(agent, ADDON)
    third = clusters(agent, TENANT, second["next"])

    assert (first["full"], names(first)) == (True, [ADDON])
    assert (second["full"], names(second)) == (False, [])
    assert (third["full"], names(third)) == (False, [ADDON])


@pytest.mark.parametrize("who", [ALL, OTHER_TENANT], ids=["all", "other"])
def test_a_cursor_of_other_add_ons_gets_a_full_answer(
    agent: Agent, who: dict[str, str]
) -> None:
    report(agent, ADDON, OTHER)
    own = clusters(agent, TENANT)["next"]
    foreign = clusters(agent, who)["next"]

    assert clusters(agent, TENANT, foreign)["full"] is True
    assert names(clusters(agent, TENANT, foreign)) == [ADDON]
    assert clusters(agent, who, own)["full"] is True
    page = read(agent, f"/?since={cursor_of(read(agent, '/', who))}", TENANT)
    assert 'id="main"' in page
    assert OTHER not in page


def test_readers_of_the_same_add_ons_share_cursors(agent: Agent) -> None:
    report(agent, ADDON)
    since = clusters(agent, TENANT)["next"]

    assert clusters(agent, COLLEAGUE, since)["full"] is False


def test_a_limited_tab_is_sent_the_changes_of_its_add_ons(agent: Agent) -> None:
    report(agent, ADDON, OTHER)
    since = cursor_of(read(agent, "/", TENANT))
    cursor_of(read(agent, "/", ALL))
    report(agent, OTHER)
    log(agent, OTHER, 1)
    unchanged = read(agent, f"/?since={since}", TENANT)
    report(agent, ADDON)
    log(agent, ADDON, 2)
    changed = read(agent, f"/?since={cursor_of(unchanged)}", TENANT)

    assert 'id="main"' not in unchanged
    assert "<section" not in unchanged
    assert 'id="events"' not in unchanged
    assert f'id="cluster-{ADDON}"' in changed
    assert "number 2" in changed
    assert OTHER not in unchanged + changed
    assert "number 1" not in changed


@pytest.mark.parametrize("path", ["/metrics", "/", "/api/clusters", "/api/events"])
def test_readers_at_the_same_moment_get_their_own_bytes(
    agent: Agent, path: str
) -> None:
    report(agent, ADDON, OTHER)
    for addon in (ADDON, OTHER):
        line = LOG.replace(ADDON.encode(), addon.encode())
        assert agent.post(frame(line)).status == 204
    readers = [ALL, TENANT, OTHER_TENANT, COLLEAGUE] * 6

    with ThreadPoolExecutor(len(readers)) as pool:
        bodies = list(pool.map(read, repeat(agent), repeat(path), readers))

    for who, body in zip(readers, bodies, strict=True):
        assert (ADDON in body) is (who is not OTHER_TENANT)
        assert (OTHER in body) is (who in (ALL, OTHER_TENANT))


def test_events_are_paged_while_others_arrive(agent: Agent) -> None:
    for number in range(5):
        log(agent, ADDON, number)
    first = events(agent, ALL, limit=2)
    log(agent, ADDON, 5)
    second = events(agent, ALL, limit=2, after=first["after"])
    third = events(agent, ALL, limit=2, after=second["after"])

    assert [numbers(one) for one in (first, second, third)] == [[4, 3], [2, 1], [0]]
    assert third["after"] is None
    assert events(agent, ALL, limit=6)["after"] is None
    assert numbers(events(agent, ALL, level="ERROR", after=first["after"])) == []


def test_events_that_are_forgotten_end_the_pages() -> None:
    with running(replace(SETTINGS, limits=Limits(events=2))) as agent:
        log(agent, ADDON, 0)
        log(agent, ADDON, 1)
        first = events(agent, ALL, limit=1)
        log(agent, ADDON, 2)
        log(agent, ADDON, 3)
        second = events(agent, ALL, limit=1, after=first["after"])

    assert numbers(first) == [1]
    assert (numbers(second), second["after"]) == ([], None)


def test_a_limited_reader_pages_through_the_events_of_its_add_ons(agent: Agent) -> None:
    for number in range(6):
        log(agent, (ADDON, OTHER)[number % 2], number)
    first = events(agent, TENANT, limit=2)
    second = events(agent, TENANT, limit=2, after=first["after"])

    assert (numbers(first), numbers(second)) == ([4, 2], [0])
    assert (first["remembered"], second["after"]) == (3, None)
    assert numbers(events(agent, OTHER_TENANT, after=first["after"])) == [5, 3, 1]


def test_an_invalid_event_cursor_is_answered_with_what_is_valid(agent: Agent) -> None:
    answer = agent.request("GET", "/api/events?after=15m")

    assert answer.status == 400
    assert "the value of after" in json.loads(answer.body)["error"]
