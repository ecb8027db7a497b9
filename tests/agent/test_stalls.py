"""No body of 1 MiB, whatever it holds, keeps other requests waiting."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.frames import FULL2, frame
from tests.serving import Agent, read_answer, serving

MEBIBYTE = 1 << 20
STALL_SECONDS = 0.1
SLACK = 3  # the test's own processes run on the same processors
ATTEMPTS = 3  # so do those of other tests; a stall of the agent's own comes each time

METRICS = b"<134>1 - h a heroku-kafka.1 - "
LOG = b"<134>1 - h kafka kafka-a.1 - "


def fill(pattern: bytes) -> bytes:
    return (pattern * (MEBIBYTE // len(pattern) + 1))[:MEBIBYTE]


def distinct(start: bytes, attempt: int) -> bytes:
    body = bytearray()
    for number in count(attempt * MEBIBYTE):
        line = frame(b"%s%d" % (start, number))
        if len(body) + len(line) > MEBIBYTE:
            return bytes(body)
        body += line
    raise AssertionError


BODIES = {
    "100 long lines with quotes": frame(FULL2 + b' "' + b" a" * 5_000) * 100,
    "short lines with quotes": fill(frame(METRICS + b'" ' + b"a " * 480)),
    "empty frames": fill(b"0 "),
    "frames of one byte": fill(b"1 x"),
    "counts of nothing": fill(b"4 <1>1"),
    "refused tokens": fill(frame(METRICS + b"s# " * 20_000)),
    "nested brackets": fill(frame(LOG + b"pri=WARN [a b=[" + b"[]" * 400 + b"]] m")),
}
DISTINCT = {
    "many log lines": LOG + b"pri=WARN ",
    "many metric lines": METRICS + b"addon=a sample#b=",
}
TOPICS = b"=== Kafka Topics on KAFKA_URL\n" + b"t 4/sec 1 bytes/sec\n" * 49_000


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    with serving("--port", "0") as one:
        yield one


def longest_wait(agent: Agent, path: str, body: bytes) -> tuple[float, int]:
    """Post a body, and ask for the health meanwhile on another connection."""
    statuses: list[int] = []
    poster = threading.Thread(
        target=lambda: statuses.append(agent.request("POST", path, body).status)
    )
    longest = 0.0
    with agent.connect() as connection:
        poster.start()
        while poster.is_alive():
            started = time.monotonic()
            connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n")
            assert read_answer(connection).status == 200
            longest = max(longest, time.monotonic() - started)
            time.sleep(0.001)
    return longest, statuses[0]


def shortest_stall(agent: Agent, path: str, make: Callable[[int], bytes]) -> float:
    """Try some times, since only what comes each time is the agent's."""
    waits: list[float] = []
    for attempt in range(ATTEMPTS):
        wait, status = longest_wait(agent, path, make(attempt))
        # A table alone names no cluster.
        assert status == (422 if path == "/api/capacity" else 204)
        waits.append(wait)
        if wait < SLACK * STALL_SECONDS:
            break
        time.sleep(1.0)  # for the grammar's budget of another second
    return min(waits)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_made_to_be_slow_does_not_stall_others(agent: Agent, name: str) -> None:
    stall = shortest_stall(agent, "/logs", lambda _: BODIES[name])

    assert stall < SLACK * STALL_SECONDS


@pytest.mark.parametrize("name", DISTINCT)
def test_a_body_of_many_lines_does_not_stall_others(agent: Agent, name: str) -> None:
    stall = shortest_stall(
        agent, "/logs", lambda attempt: distinct(DISTINCT[name], attempt)
    )

    assert stall < SLACK * STALL_SECONDS


def test_a_table_of_many_topics_does_not_stall_others(agent: Agent) -> None:
    stall = shortest_stall(agent, "/api/capacity", lambda _: TOPICS)

    assert stall < SLACK * STALL_SECONDS
