"""Nothing grows without bound, and slow clients cannot starve a good one."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from agent.settings import Limits, Settings
from tests.frames import FULL2, frame
from tests.serving import AUTHORIZATION, CREDENTIALS, Agent, read_answer, running

GET = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"


@contextlib.contextmanager
def limited(**limits: float) -> Iterator[Agent]:
    settings = Settings(
        port=0,
        drain_credentials=(CREDENTIALS,),
        limits=Limits(**limits),  # type: ignore[arg-type] # ints and floats as named
    )
    with running(settings) as agent:
        yield agent


def sample_line(addon: str, broker: int, name: str = "read-iops") -> bytes:
    return frame(
        f"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.{broker} - "
        f"source=KAFKA addon={addon} sample#{name}=1\n".encode()
    )


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n\r\n", id="blank_lines"),
        pytest.param(b"POST /logs HTTP/1.1\r\nHost: a\r\n", id="half_a_head"),
        pytest.param(
            b"POST /logs HTTP/1.1\r\nHost: a\r\nAuthorization: Basic "
            b"ZHJhaW46Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5\r\nContent-Length: 50\r\n\r\nhalf",
            id="half_a_body",
        ),
        pytest.param(
            b"POST /logs HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\nhalf",
            id="half_a_body_without_credentials",
        ),
    ],
)
def test_a_connection_that_never_finishes_is_closed(wire: bytes) -> None:
    with limited(head_seconds=0.3, body_seconds=0.3) as agent:
        with agent.connect() as connection:
            connection.sendall(wire)
            started = time.monotonic()
            while not is_closed(connection):
                pass

            assert time.monotonic() - started < 8
        assert agent.post(frame(FULL2)).status == 204


def test_bytes_one_by_one_do_not_extend_the_deadline() -> None:
    with limited(head_seconds=0.5) as agent, agent.connect() as connection:
        started = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - started < 10:
                connection.sendall(b"X")
                time.sleep(0.05)
        assert time.monotonic() - started < 5


def test_an_idle_connection_is_closed_after_the_keep_alive_time() -> None:
    with limited(keep_alive_seconds=1) as agent, agent.connect() as connection:
        connection.sendall(GET)
        assert read_answer(connection).status == 200
        assert is_closed(connection)


def test_an_idle_connection_outlives_the_deadline_for_heads() -> None:
    with limited(head_seconds=0.2) as agent, agent.connect() as connection:
        for _ in range(2):
            connection.sendall(GET)
            assert read_answer(connection).status == 200
            time.sleep(1.5)


def test_headers_over_the_limit_are_answered_431() -> None:
    with limited(head_bytes=10_000) as agent, agent.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        with contextlib.suppress(OSError):
            for number in range(2000):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"x" * 100))
        assert b"431" in connection.recv(100)


def head_of(size: int) -> bytes:
    """Make a request without a body of exactly `size` bytes."""
    start, end = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nX: ", b"\r\n\r\n"
    return start + b"x" * (size - len(start) - len(end)) + end


def test_a_head_is_measured_to_the_byte_however_it_is_cut() -> None:
    with limited(head_bytes=20_000) as agent:
        for size, cut, status in (
            (20_000, 20_000, 200),
            (20_001, 20_001, 431),
            (20_000, 19_998, 200),
            (20_001, 19_998, 431),
            (65_536, 65_536, 431),
        ):
            with agent.connect() as connection:
                connection.sendall(head_of(size)[:cut])
                time.sleep(0.1)
                connection.sendall(head_of(size)[cut:])
                assert read_answer(connection).status == status, (size, cut)


def test_the_body_before_a_head_is_not_counted_as_part_of_it() -> None:
    body = frame(FULL2) * 150
    request = (
        b"POST /logs HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % len(body)
        + f"Authorization: {AUTHORIZATION['Authorization']}\r\n\r\n".encode()
        + body
    )
    assert len(request) > 60_000
    for cut in (1, 20, len(GET) - 1):
        with limited() as agent, agent.connect() as connection:
            connection.sendall(request + GET[:cut])
            assert read_answer(connection).status == 204
            connection.sendall(GET[cut:])
            assert read_answer(connection).status == 200


def test_half_open_connections_make_room_for_a_good_one() -> None:
    with limited(connections=50) as agent, contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(agent.connect()).sendall(b"POST /logs HTTP/1.1\r\n")

        assert agent.post(frame(FULL2)).status == 204
        refused = agent.metrics().value("heroku_kafka_agent_connections_refused_total")
        assert refused >= 150


def request_on(connection: socket.socket, *, authorized: bool) -> int:
    """Send a request over an open connection; return the status."""
    headers = AUTHORIZATION if authorized else {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    connection.sendall(f"GET /static/page.css HTTP/1.1\r\n{lines}\r\n".encode())
    return read_answer(connection).status


def test_connections_with_authenticated_requests_are_not_pushed_out() -> None:
    with limited(connections=3) as agent, contextlib.ExitStack() as stack:
        good = [stack.enter_context(agent.connect()) for _ in range(3)]
        for _ in range(2):
            for connection in good:
                assert request_on(connection, authorized=True) == 200
            fourth = stack.enter_context(agent.connect())
            assert is_closed(fourth)


@pytest.mark.parametrize("path", ["/-/healthy", "/metrics", "/logs", "/nothing"])
def test_requests_without_credentials_do_not_lock_a_drain_out(path: str) -> None:
    with limited(connections=20) as agent, contextlib.ExitStack() as stack:
        for _ in range(20):
            idle = stack.enter_context(agent.connect())
            idle.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            assert read_answer(idle).status in {200, 401, 404, 405}

        for _ in range(20):
            assert agent.post(frame(FULL2)).status == 204


def test_the_longest_idle_connection_makes_room() -> None:
    with limited(connections=3) as agent, contextlib.ExitStack() as stack:
        first, second, third = (stack.enter_context(agent.connect()) for _ in range(3))
        for connection in (second, first, third, second):
            assert request_on(connection, authorized=False) == 401
        stack.enter_context(agent.connect())

        assert is_closed(first)
        assert request_on(second, authorized=False) == 401
        assert request_on(third, authorized=True) == 200
        for _ in range(3):
            stack.enter_context(agent.connect())
        assert request_on(third, authorized=True) == 200


def test_clusters_over_the_limit_are_counted_and_dropped() -> None:
    with limited(clusters=2) as agent:
        agent.post(b"".join(sample_line(f"kafka-{n}", 0) for n in range(5)))

        metrics = agent.metrics()
        assert len(metrics.series("heroku_kafka_read_iops")) == 2
        assert (
            metrics.value("heroku_kafka_agent_series_dropped_total", reason="clusters")
            == 3
        )


def test_brokers_over_the_limit_are_counted_and_dropped() -> None:
    with limited(brokers=8) as agent:
        agent.post(b"".join(sample_line("kafka-a", n) for n in range(20)))

        metrics = agent.metrics()
        assert len(metrics.series("heroku_kafka_read_iops")) == 8
        assert (
            metrics.value("heroku_kafka_agent_series_dropped_total", reason="brokers")
            == 12
        )


def test_unknown_samples_over_the_limit_are_counted_and_dropped() -> None:
    with limited() as agent:
        agent.post(b"".join(sample_line("kafka-a", 0, f"new-{n}") for n in range(100)))

        metrics = agent.metrics()
        assert sum("new_" in name for name, _ in metrics.samples) == 64
        reason = {"reason": "unknown_samples"}
        assert metrics.value("heroku_kafka_agent_series_dropped_total", **reason) == 36


def test_nodes_over_the_limit_are_counted_and_dropped() -> None:
    line = (
        "<134>1 2026-06-07T22:46:31+00:00 host kafka kafka-a.{} - pri=WARN t=a at=B c"
    )
    with limited(brokers=3) as agent:
        agent.post(b"".join(frame(line.format(n).encode()) for n in range(5)))

        metrics = agent.metrics()
        assert len(metrics.series("heroku_kafka_log_lines_total")) == 3 * 3
        assert (
            metrics.value("heroku_kafka_agent_series_dropped_total", reason="brokers")
            == 2
        )


def test_a_frame_over_the_limit_is_refused_alone() -> None:
    with limited(frame_bytes=2000) as agent:
        large = frame(
            b"<190>1 2026-04-15T14:53:16+00:00 host app web.1 - " + b"x" * 3000
        )
        agent.post(frame(FULL2) + large + frame(FULL2))

        metrics = agent.metrics()
        assert metrics.value("heroku_kafka_agent_frames_total", kind="sample") == 2
        reason = {"reason": "frame_too_large"}
        assert metrics.value("heroku_kafka_agent_parse_errors_total", **reason) == 1


def test_lines_for_the_slow_grammar_are_rationed() -> None:
    quoted = b"<134>1 2026-04-15T14:53:16+00:00 host app heroku-kafka.2 - "
    message = b'source="MY KAFKA" addon=kafka-a sample#read-iops=1\n'
    quoted += message
    with limited(grammar_bytes=10 * len(message)) as agent:
        agent.post(frame(quoted) * 100)

        reason = {"reason": "grammar_budget"}
        metrics = agent.metrics()
        assert metrics.value("heroku_kafka_agent_parse_errors_total", **reason) == 90
        assert metrics.value("heroku_kafka_read_iops", addon="kafka-a", broker="2") == 1
