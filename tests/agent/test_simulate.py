"""The simulated cluster: what it writes, and how it is carried to a drain."""

import asyncio
import base64
import contextlib
import itertools
import json
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from agent.kafka.categories import Category
from agent.kafka.classifier import classify, maybe_find_rule
from agent.simulator import (
    SCENARIOS,
    Cluster,
    Line,
    Logplex,
    frame_line,
    simulate,
    tail_line,
)
from agent.simulator.logplex import BATCH_BYTES, BUFFER_MESSAGES
from agent.simulator.player import Play, play_to_drain
from parsers import (
    BrokerLog,
    DrainDecoder,
    DrainLoss,
    MetricLine,
    Unparsed,
    maybe_parse_heroku_logs_line,
)
from tests.commands import command_words
from tests.serving import (
    clean_environ,
    demonstrating,
    free_port,
    run_command,
    running,
    wait_for,
)

START = 1_780_872_000
ADDON = "kafka-simulated-10001"


def told(scenario: str, seconds: int, brokers: int = 3, seed: int = 1) -> list[Line]:
    cluster = Cluster(
        addon=ADDON,
        scenario=SCENARIOS[scenario],
        brokers=brokers,
        seed=seed,
        start=START,
    )
    moments = iter(range(START, START + seconds))
    return list(itertools.chain.from_iterable(simulate(cluster, moments)))


def decoded(lines: list[Line]) -> list[object]:
    return list(DrainDecoder().decode(b"".join(map(frame_line, lines))).records)


scenarios = pytest.mark.parametrize("scenario", SCENARIOS)


@scenarios
def test_every_line_is_understood(scenario: str) -> None:
    """Every metric is known, every message has its row in the table."""
    events = decoded(told(scenario, 3_000))

    assert not [event for event in events if isinstance(event, Unparsed)]
    logs = [event for event in events if isinstance(event, BrokerLog)]
    assert not [line.text for line in logs if maybe_find_rule(line) is None]
    assert not [line for line in logs if line.broker not in ("", line.node)]
    samples = [event for event in events if isinstance(event, MetricLine)]
    assert {len(line.samples) for line in samples} == {11}


@scenarios
def test_the_numbers_hang_together(scenario: str) -> None:
    for line in decoded(told(scenario, 3_000)):
        if isinstance(line, MetricLine):
            values = {name: value for (name, _), value in line.samples.items()}
            used = (
                1
                - (values["memory-free"] + values["memory-cached"])
                / (values["memory-total"])
            )
            assert values["memory-percentage-used"] == pytest.approx(used, abs=1e-5)
            assert all(value >= 0 for value in values.values())


@scenarios
def test_the_seed_decides_everything(scenario: str) -> None:
    assert told(scenario, 900) == told(scenario, 900)
    assert told(scenario, 900) != told(scenario, 900, seed=2)


def brokers_by_minute(lines: list[Line]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for line in lines:
        if line.proc.startswith("heroku-kafka."):
            found.setdefault(int(line.time - START) // 60, set()).add(line.proc[-1])
    return found


def test_in_a_node_failure_a_broker_falls_silent_and_returns() -> None:
    lines = told("node-failure", 900)
    reporting = brokers_by_minute(lines)

    assert [len(reporting[minute]) for minute in range(15)] == [3] * 2 + [2] * 4 + [
        3
    ] * 9
    complaints = [event for event in decoded(lines) if isinstance(event, BrokerLog)]
    assert {line.peer for line in complaints if line.node != "2"} >= {"2"}
    assert {classify(line).category for line in complaints} >= {
        Category.REPLICATION,
        Category.NETWORK,
        Category.CONTROLLER,
    }


def test_a_plan_upgrade_adds_five_brokers() -> None:
    reporting = brokers_by_minute(told("plan-upgrade", 400))

    assert len(reporting[1]) == 3
    assert len(reporting[5]) == 8


def test_in_a_rolling_restart_each_broker_is_away_once() -> None:
    reporting = brokers_by_minute(told("rolling-restart", 1_800))

    away = [{"0", "1", "2"} - reporting[10 * period + 2] for period in range(3)]
    assert away == [{"2"}, {"0"}, {"1"}]


def largest(lines: list[Line], sample: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for event in decoded(lines):
        if isinstance(event, MetricLine):
            value = next(v for (name, _), v in event.samples.items() if name == sample)
            found[str(event.broker)] = max(found.get(str(event.broker), 0), value)
    return found


def test_a_hot_broker_is_the_only_one() -> None:
    load = largest(told("hot-broker", 900), "load-avg-1m")

    assert load["2"] > 1.0
    assert max(load["0"], load["1"]) < 0.6


def test_memory_pressure_ends_in_an_error() -> None:
    lines = told("memory-pressure", 1_600)

    assert min(largest(lines, "memory-percentage-used").values()) > 0.75
    assert [
        line
        for line in decoded(lines)
        if isinstance(line, BrokerLog) and classify(line).category is Category.MEMORY
    ]


def test_a_disk_fills_until_its_broker_halts() -> None:
    lines = told("disk-filling", 1_300)

    halted = [
        line.text
        for line in decoded(lines)
        if isinstance(line, BrokerLog) and classify(line).category is Category.STORAGE
    ]
    assert any("No space left" in text for text in halted)
    assert any("Shutdown broker" in text for text in halted)
    assert len(brokers_by_minute(lines)[21]) == 2


def test_the_apps_own_lines_are_as_many_as_asked_for() -> None:
    cluster = Cluster(addon=ADDON, scenario=SCENARIOS["steady"], start=START)
    play = Play(clusters=(cluster,), start=START, seconds=2_000, others=0.9)
    lines = [line for _, second in play.lines() for line in second]
    others = [line for line in lines if not line.proc.startswith("heroku-kafka")]

    assert 0.88 < len(others) / len(lines) < 0.92
    assert {line.app for line in others} == {"heroku", "app"}
    batch = DrainDecoder().decode(b"".join(map(frame_line, lines)))
    assert batch.other == len(others)


def test_text_is_what_heroku_logs_prints() -> None:
    for line in told("node-failure", 300):
        parsed = maybe_parse_heroku_logs_line(tail_line(line).encode())
        assert parsed is not None
        header, message = parsed
        assert (header.app.decode(), header.proc.decode()) == (line.app, line.proc)
        assert header.timestamp == line.time
        assert message.decode() == line.message


@dataclass
class Receiver:
    """An HTTP server that answers as it is told and remembers what came."""

    answers: list[int | None]
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    open_requests: int = 0
    most_open: int = 0
    connections: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self.idle.clear()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.open_requests += 1
                self.most_open = max(self.most_open, self.open_requests)
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (
                        line.partition(":") for line in head.splitlines()[1:]
                    )
                }
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests.append((headers, body))
                status = self.answers.pop(0) if self.answers else 204
                await asyncio.sleep(0.01)
                self.open_requests -= 1
                if status is None:
                    break
                writer.write(
                    f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n".encode()
                )
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.connections -= 1
        if not self.connections:
            self.idle.set()


@contextlib.asynccontextmanager
async def receiving(*answers: int | None) -> AsyncIterator[tuple[Receiver, str]]:
    receiver = Receiver(list(answers))
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield receiver, f"http://drain:secret@127.0.0.1:{port}/logs?x=1"
        await receiver.idle.wait()


def lines(count: int) -> list[Line]:
    return [Line(START + n, "app", "web.1", f"line {n}") for n in range(count)]


def deliver(count: int, *answers: int | None) -> tuple[Receiver, Logplex]:
    async def run() -> tuple[Receiver, Logplex]:
        async with receiving(*answers) as (receiver, url):
            drain = Logplex(url, 1)
            drain.offer(lines(count))
            drain.end()
            await drain.deliver()
            return receiver, drain

    return asyncio.run(run())


def test_a_request_is_logplexs() -> None:
    receiver, drain = deliver(3)

    ((headers, body),) = receiver.requests
    assert headers["content-type"] == "application/logplex-1"
    assert headers["logplex-msg-count"] == "3"
    assert re.fullmatch(r"[0-9A-F]{32}", headers["logplex-frame-id"])
    assert re.fullmatch(r"d\.[0-9a-f-]{36}", headers["logplex-drain-token"])
    assert base64.b64decode(headers["authorization"].split()[1]) == b"drain:secret"
    assert DrainDecoder().decode(body).other == 3
    assert drain.delivered.acknowledged == 3


def test_batches_grow_to_their_limit_one_in_flight() -> None:
    receiver, _ = deliver(1_000, 204)

    assert receiver.most_open == 1
    assert all(len(body) <= BATCH_BYTES for _, body in receiver.requests)
    assert len(
        {headers["logplex-frame-id"] for headers, _ in receiver.requests}
    ) == len(receiver.requests)


@pytest.mark.parametrize("answers", [(503, 503), (429, None), (None, 302)])
def test_a_retry_has_the_same_id_and_body(answers: tuple[int | None, ...]) -> None:
    receiver, drain = deliver(3, *answers)

    assert len(receiver.requests) == 3
    assert len({headers["logplex-frame-id"] for headers, _ in receiver.requests}) == 1
    assert len({body for _, body in receiver.requests}) == 1
    assert (drain.delivered.acknowledged, drain.delivered.retries) == (3, 2)


@pytest.mark.parametrize("answers", [(503, 503, 503), (401,), (413,)])
def test_what_is_given_up_is_dropped(answers: tuple[int, ...]) -> None:
    receiver, drain = deliver(3, *answers)

    assert len(receiver.requests) == len(answers)
    assert (drain.delivered.acknowledged, drain.delivered.dropped) == (0, 3)


def test_an_overflow_drops_the_oldest_and_is_reported_once() -> None:
    receiver, drain = deliver(BUFFER_MESSAGES + 5, 503)

    events = [
        [
            event
            for event in DrainDecoder().decode(body).records
            if isinstance(event, DrainLoss)
        ]
        for _, body in receiver.requests
    ]
    assert [[loss.count for loss in losses] for losses in events] == [[5], [5]]
    first = DrainDecoder().decode(receiver.requests[0][1])
    assert receiver.requests[0][0]["logplex-msg-count"] == str(first.frames)
    assert b" line 4\n" not in receiver.requests[0][1]
    assert b" line 5\n" in receiver.requests[0][1]
    assert drain.delivered.dropped == 5
    assert drain.delivered.acknowledged == BUFFER_MESSAGES


def test_the_agent_counts_what_the_simulator_sent() -> None:
    cluster = Cluster(addon=ADDON, scenario=SCENARIOS["node-failure"], start=START)
    play = Play(clusters=(cluster,), start=START, seconds=1_200, speed=None, others=0.8)
    with running() as agent:
        url = agent.url.replace("http://", "http://drain:correct-horse-battery@")
        drain = Logplex(f"{url}/logs", 1)
        asyncio.run(play_to_drain(play, drain, lambda _second: None))
        metrics = agent.metrics()

    frames = sum(metrics.series("heroku_kafka_agent_frames_total").values())
    assert frames == drain.delivered.sent == drain.delivered.acknowledged
    assert metrics.value("heroku_kafka_agent_frame_count_mismatch_total") == 0
    assert metrics.value("heroku_kafka_agent_frames_total", kind="malformed") == 0
    assert len(metrics.series("heroku_kafka_load_avg_1m")) == 3


def test_the_command_prints_text_that_the_agent_understands() -> None:
    done = run_command(
        "simulate", "--duration", "2m", "--speed", "max", "--others", "0.5",
        "--start", "2026-06-07T22:00:00Z",
    )  # fmt: skip
    again = run_command(
        "simulate", "--duration", "2m", "--speed", "max", "--others", "0.5",
        "--start", "2026-06-07T22:00:00Z",
    )  # fmt: skip

    assert done.returncode == 0
    assert done.stdout == again.stdout
    explained = run_command("explain", "-", stdin=done.stdout)
    assert explained.stdout.count(b"metrics of     kafka-simulated-10001") == 18


def test_a_time_lapse_tells_the_story_at_the_present_time() -> None:
    cluster = Cluster(addon=ADDON, scenario=SCENARIOS["node-failure"], start=START)
    told = {
        False: Play(clusters=(cluster,), start=START, seconds=600, others=0),
        True: Play(
            clusters=(cluster,),
            start=START,
            seconds=600,
            speed=60.0,
            others=0,
            time_lapse=True,
        ),
    }
    lines = {
        fast: [line for _second, lines in play.lines() for line in lines]
        for fast, play in told.items()
    }

    assert [line.message for line in lines[True]] == [
        line.message for line in lines[False]
    ]
    for fast, slow in zip(lines[True], lines[False], strict=True):
        assert fast.time - START == pytest.approx((slow.time - START) / 60)


def test_a_time_lapse_is_played_within_its_time() -> None:
    before = datetime.now(UTC)
    done = run_command(
        "simulate",
        "--time-lapse",
        "--speed",
        "120",
        "--duration",
        "4m",
        "--others",
        "0",
    )
    stamps = [
        datetime.fromisoformat(line.split(maxsplit=1)[0])
        for line in done.stdout.decode().splitlines()
    ]

    assert stamps == sorted(stamps)
    assert (stamps[-1] - stamps[0]).total_seconds() < 240 / 120
    assert before - timedelta(seconds=1) <= stamps[0]
    assert stamps[-1] <= datetime.now(UTC)


def test_the_command_says_what_became_of_the_messages() -> None:
    with running() as agent:
        url = agent.url.replace("http://", "http://drain:correct-horse-battery@")
        done = run_command(
            "simulate", "--drain", f"{url}/logs", "--duration", "5m", "--speed", "max"
        )

    found = re.search(
        rb"(\d+) messages sent, (\d+) acknowledged, (\d+) dropped", done.stderr
    )
    assert found
    assert found[1] == found[2]
    assert found[3] == b"0"
    assert b"correct-horse" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--speed", "0"), b"--speed"),
        (("--speed", "fast"), b"--speed"),
        (("--scenario", "doom"), b"--scenario"),
        (("--drain", "ftp://x"), b"--drain"),
        (("--drain", "localhost"), b"--drain"),
        (("--duration", "x"), b"--duration"),
        (("--time-lapse", "--speed", "max"), b"--time-lapse"),
        (("--time-lapse", "--start", "2026-06-07T22:00:00Z"), b"--time-lapse"),
    ],
)
def test_a_wrong_option_is_named(arguments: tuple[str, ...], named: bytes) -> None:
    done = run_command("simulate", *arguments)

    assert done.returncode == 2
    assert named in done.stderr
    assert b"Traceback" not in done.stderr


@contextlib.contextmanager
def simulating(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*command_words(), "simulate", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environ(),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_ctrl_c_ends_it_cleanly_with_the_summary() -> None:
    with running() as agent:
        url = agent.url.replace("http://", "http://drain:correct-horse-battery@")
        with simulating("--drain", f"{url}/logs", "--interval", "1") as process:
            deadline = time.monotonic() + 20
            while not sum(
                agent.metrics().series("heroku_kafka_samples_total").values()
            ):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=20)

    assert process.returncode == 0
    assert b"messages sent" in error
    assert b"Traceback" not in error


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    with simulating("--speed", "max", "--duration", "9h") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_nobody_there_is_said_in_a_sentence() -> None:
    done = run_command(
        "simulate", "--drain", f"http://127.0.0.1:{free_port()}/logs", "--duration", "1m",
        "--speed", "max",
    )  # fmt: skip

    assert done.returncode == 1
    assert b"nobody answers at http://127.0.0.1" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_demo_shows_both_clusters_and_ends_on_ctrl_c() -> None:
    with demonstrating("--set", "data.watch=0.321") as agent:

        def reporting() -> list[int]:
            answer = agent.request("GET", "/api/clusters", headers={})
            clusters = json.loads(answer.body)["clusters"]
            return [len(cluster["brokers"]) for cluster in clusters]

        wait_for(lambda: reporting() == [3, 8])
        wait_for(lambda: json.loads(agent.request("GET", "/api/events").body)["events"])
        assert b'low="0.321"' in agent.request("GET", "/").body
