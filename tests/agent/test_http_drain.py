"""What goes over the wire to POST /logs, and what comes back (section F and more)."""

import base64
import gzip
import http.client
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest

from agent.change import Change, Origin
from agent.clock import Moment
from agent.engine import Engine
from agent.settings import Credentials, Limits, Settings
from parsers import Batch
from tests.frames import FULL1, FULL2, frame
from tests.serving import (
    AUTHORIZATION,
    CREDENTIALS,
    PASSWORD,
    USER,
    Agent,
    read_answer,
    running,
)

ADDON = "kafka-animated-39618"
BODY = frame(FULL1) + frame(FULL2)
FRAME_ID = "09C557EAFCFB6CF2740EE62F62971098"
TOKEN = "d.73ea7440-270a-435a-a0ea-adf50b4e5f5a"
L10 = (
    b"<172>1 2026-04-15T14:53:17+00:00 host heroku logplex - Error L10 (output buffer "
    b"overflow): %d messages dropped since 2026-04-15T14:44:12+00:00."
)
WARN = (
    b"<134>1 2026-06-07T22:46:31+00:00 host kafka kafka-animated-39618.0 - pri=WARN "
    b"t=main at=LogManager x\n"
)


@pytest.fixture
def agent() -> Iterator[Agent]:
    with running() as agent:
        yield agent


def sample(broker: int, at: str, name: str, value: str) -> bytes:
    return frame(
        f"<134>1 {at} host app heroku-kafka.{broker} - source=KAFKA addon={ADDON} "
        f"sample#{name}={value}\n".encode()
    )


def stamp(seconds_ago: float) -> str:
    return time.strftime(
        "%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - seconds_ago)
    )


def head(*lines: str) -> bytes:
    fixed = ("POST /logs HTTP/1.1", "Host: agent", *lines)
    credentials = f"Authorization: {AUTHORIZATION['Authorization']}"
    return "\r\n".join((*fixed, credentials, "", "")).encode()


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


# Answers


def test_an_accepted_request_is_answered_204_with_a_content_length(
    agent: Agent,
) -> None:
    with agent.connect() as connection:
        connection.sendall(head(f"Content-Length: {len(BODY)}") + BODY)
        answer = read_answer(connection)

    assert answer.status == 204
    assert answer.headers["content-length"] == "0"
    assert "transfer-encoding" not in answer.headers
    assert parsedate_to_datetime(answer.headers["date"]).tzinfo is not None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00" * 1000, id="zeros"),
        pytest.param(b'{"msg":"hello"}', id="json"),
        pytest.param(b"99999999999999999999 <134>1 x", id="absurd_count"),
        pytest.param(b"1" * 500_000, id="endless_digits"),
        pytest.param(frame(FULL2)[:-14], id="truncated"),
        pytest.param(bytes(range(256)) * 400, id="all_bytes"),
    ],
)
def test_no_content_is_answered_with_anything_but_204(
    agent: Agent, body: bytes
) -> None:
    assert agent.post(body).status == 204
    assert agent.metrics().value("heroku_kafka_agent_internal_errors_total") == 0


@pytest.mark.parametrize(
    "path",
    ["/logs", "/logs/", "/logs/my-app", "/heroku/api/v1/drain", "/events"],
)
def test_every_documented_route_is_a_drain(agent: Agent, path: str) -> None:
    assert agent.post(BODY, path).status == 204

    assert agent.metrics().value("heroku_kafka_samples_total", addon=ADDON, broker="2")


@pytest.mark.parametrize(
    "target",
    ["/l%6Fgs", "/logs?app=a", "/logs/my%20app", "http://agent/logs", "/events#part"],
)
def test_a_route_may_be_written_in_any_form(agent: Agent, target: str) -> None:
    wire = head(f"Content-Length: {len(BODY)}").replace(b"/logs", target.encode(), 1)
    with agent.connect() as connection:
        connection.sendall(wire + BODY)
        assert read_answer(connection).status == 204


def test_a_head_request_is_answered_405_without_a_body(agent: Agent) -> None:
    with agent.connect() as connection:
        connection.sendall(b"HEAD /logs HTTP/1.1\r\nHost: a\r\n\r\n")
        received = b""
        while chunk := connection.recv(65536):
            received += chunk

    assert received.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert b"content-length: 19\r\n" in received
    assert received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("lines", [(), ("Connection: keep-alive",)])
def test_http_1_0_is_answered_and_closed(agent: Agent, lines: tuple[str, ...]) -> None:
    wire = head(f"Content-Length: {len(BODY)}", *lines).replace(b"1.1", b"1.0", 1)
    with agent.connect() as connection:
        connection.sendall(wire + BODY)
        answer = read_answer(connection)
        assert connection.recv(1) == b""

    assert answer.status == 204
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_answered_405(agent: Agent, method: str) -> None:
    answer = agent.request(method, "/logs")

    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/nothing", "/log", "//logs", "/logs.json"])
def test_unknown_routes_are_answered_404_and_never_redirected(
    agent: Agent, path: str
) -> None:
    assert agent.post(BODY, path).status == 404


# Credentials


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="missing"),
        pytest.param("Basic", id="empty"),
        pytest.param("Basic ????", id="not_base64"),
        pytest.param("Digest x", id="another_scheme"),
        pytest.param(f"{USER}:{PASSWORD}", id="in_clear"),
        pytest.param(base64.b64encode(b"drain:"), id="no_password"),
        pytest.param(base64.b64encode(f":{PASSWORD}".encode()), id="no_user"),
        pytest.param(base64.b64encode(f"{USER}:wrong".encode()), id="wrong_password"),
        pytest.param(base64.b64encode(f"x:{PASSWORD}".encode()), id="unknown_user"),
        pytest.param(
            base64.b64encode(f"{USER}:{PASSWORD}x".encode()), id="longer_password"
        ),
    ],
)
def test_wrong_credentials_get_one_and_the_same_401(
    agent: Agent, authorization: str | bytes | None
) -> None:
    if isinstance(authorization, bytes):
        authorization = f"Basic {authorization.decode()}"
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = agent.request("POST", "/logs", BODY, headers)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="heroku-kafka-agent"'
    assert answer.body == b"Unauthorized\n"
    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_agent_auth_failures_total") == 1
    assert not metrics.series("heroku_kafka_samples_total")


def test_two_credentials_are_valid_during_a_rotation() -> None:
    new = Credentials("drain", "new")
    with running(Settings(port=0, drain_credentials=(CREDENTIALS, new))) as agent:
        encoded = base64.b64encode(b"drain:new").decode()

        assert agent.post(BODY).status == 204
        assert agent.post(BODY, Authorization=f"Basic {encoded}").status == 204
        assert agent.post(BODY, Authorization=f"bAsIc {encoded}").status == 204


def test_a_password_may_hold_colons() -> None:
    settings = Settings(port=0, drain_credentials=(Credentials("u", "p:q"),))
    with running(settings) as agent:
        assert agent.post(BODY, Authorization="Basic dTpwOnE=").status == 204


@pytest.mark.parametrize(
    "authorization", ["Basic VE9LRU46", "Bearer TOKEN", "bearer TOKEN"]
)
def test_a_drain_url_may_hold_a_token_alone(authorization: str) -> None:
    settings = Settings(port=0, drain_credentials=(Credentials("TOKEN", ""),))
    with running(settings) as agent:
        assert agent.post(BODY, Authorization=authorization).status == 204


def test_log_shuttle_may_present_the_password_as_bearer(agent: Agent) -> None:
    assert agent.post(BODY, Authorization=f"Bearer {PASSWORD}").status == 204
    assert agent.post(BODY, Authorization=f"Bearer {USER}").status == 401


def test_reading_needs_the_read_credentials_where_there_are_some() -> None:
    reader = Credentials("prometheus", "reads")
    settings = Settings(
        port=0, drain_credentials=(CREDENTIALS,), read_credentials=(reader,)
    )
    encoded = base64.b64encode(b"prometheus:reads").decode()
    with running(settings) as agent:
        by_reader = {"Authorization": f"Basic {encoded}"}

        for path in ("/metrics", "/"):
            assert agent.request("GET", path).status == 401
            assert agent.request("GET", path, headers={}).status == 401
            assert agent.request("GET", path, headers=by_reader).status == 200
        assert agent.request("POST", "/logs", BODY, by_reader).status == 401


def test_health_needs_no_credentials(agent: Agent) -> None:
    for path in ("/-/healthy", "/-/ready"):
        assert agent.request("GET", path, headers={}).status == 200


# Bodies


def test_a_body_over_the_limit_is_refused_before_it_is_sent(agent: Agent) -> None:
    with agent.connect() as connection:
        connection.sendall(head("Content-Length: 2000000", "Expect: 100-continue"))
        answer = read_answer(connection)

    assert answer.status == 413
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("size", [1_048_577, 1_100_000])
def test_a_client_that_sends_a_large_body_anyway_sees_the_413(
    agent: Agent, size: int
) -> None:
    assert agent.post(b"x" * size).status == 413


def test_a_chunked_body_over_the_limit_is_refused(agent: Agent) -> None:
    with agent.connect() as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        for _ in range(18):
            connection.sendall(b"%x\r\n%s\r\n" % (65536, b"x" * 65536))
        assert read_answer(connection).status == 413


def test_the_largest_body_that_logplex_makes_is_accepted(agent: Agent) -> None:
    one = sample(2, stamp(0), "read-iops", "1")
    body = frame(L10 % 2) + one * (102_399 // len(one))

    assert len(body) > 102_400
    assert agent.post(body).status == 204
    metrics = agent.metrics()
    assert (
        metrics.value("heroku_kafka_agent_drain_dropped_messages_total", code="L10")
        == 2
    )


def test_a_chunked_request_in_any_segments_is_read(agent: Agent) -> None:
    wire = head("Transfer-Encoding: chunked") + chunked(BODY[:100], BODY[100:])
    with agent.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(wire), 97):
            connection.sendall(wire[start : start + 97])
        assert read_answer(connection).status == 204

    assert (
        agent.metrics().value("heroku_kafka_samples_total", addon=ADDON, broker="2")
        == 11
    )


@pytest.mark.parametrize(
    ("body", "samples", "undecodable"),
    [
        pytest.param(gzip.compress(BODY), 11, 0, id="one_member"),
        pytest.param(
            gzip.compress(frame(FULL1)) + gzip.compress(frame(FULL2)),
            11,
            0,
            id="two_members",
        ),
        pytest.param(gzip.compress(BODY)[:-20], None, 1, id="truncated"),
        pytest.param(gzip.compress(b"") * 1000, None, 1, id="too_many_members"),
        pytest.param(b"no gzip at all", None, 1, id="no_gzip"),
        pytest.param(b"", None, 1, id="empty"),
    ],
)
def test_gzip_requests_are_read(
    agent: Agent, body: bytes, samples: float | None, undecodable: int
) -> None:
    assert agent.post(body, Content_Encoding="gzip").status == 204

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_agent_undecodable_bodies_total") == undecodable
    if samples is not None:
        for broker in ("1", "2"):
            labels = {"addon": ADDON, "broker": broker}
            assert metrics.get("heroku_kafka_samples_total", **labels) == samples


def test_a_gzip_bomb_is_stopped_at_the_limit(agent: Agent) -> None:
    bomb = gzip.compress(b"\x00" * 100_000_000)

    assert agent.post(bomb, Content_Encoding="gzip").status == 413
    assert agent.post(BODY).status == 204


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip"])
def test_other_encodings_are_answered_415(agent: Agent, encoding: str) -> None:
    assert agent.post(BODY, Content_Encoding=encoding).status == 415


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/logplex-1; charset=utf-8", "", "application/json"],
)
def test_the_content_type_does_not_matter(agent: Agent, content_type: str) -> None:
    assert agent.post(BODY, Content_Type=content_type).status == 204

    assert agent.metrics().value("heroku_kafka_samples_total", addon=ADDON, broker="2")


def test_an_aborted_upload_leaves_no_trace_and_its_retry_counts(agent: Agent) -> None:
    broken = head(f"Content-Length: {len(BODY)}", f"Logplex-Frame-Id: {FRAME_ID}")
    with agent.connect() as connection:
        connection.sendall(broken + BODY[:500])
        time.sleep(0.1)

    assert not agent.metrics().series("heroku_kafka_samples_total")
    agent.post(BODY, Logplex_Frame_Id=FRAME_ID)
    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_samples_total", addon=ADDON, broker="2") == 11
    assert metrics.value("heroku_kafka_agent_duplicate_requests_total") == 0


# Connections


def test_expect_100_continue_is_answered_before_the_body(agent: Agent) -> None:
    with agent.connect() as connection:
        connection.sendall(head(f"Content-Length: {len(BODY)}", "Expect: 100-continue"))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(BODY)
        assert read_answer(connection).status == 204


def test_pipelined_requests_are_answered_in_order(agent: Agent) -> None:
    good = head(f"Content-Length: {len(BODY)}") + BODY
    with agent.connect() as connection:
        connection.sendall(good * 20)
        received = b""
        while received.count(b"HTTP/1.1 204") < 20:
            received += connection.recv(65536)

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_agent_frames_total", kind="sample") == 40


def test_answers_that_a_client_takes_late_are_complete(agent: Agent) -> None:
    requests = 10_000
    wire = (head("Content-Length: 0")) * requests
    with agent.connect() as connection:
        sender = threading.Thread(target=connection.sendall, args=(wire,))
        sender.start()
        sender.join(0.5)
        received = b""
        while received.count(b"\r\n\r\n") < requests:
            chunk = connection.recv(65536)
            assert chunk
            received += chunk
        sender.join()

    assert received.count(b"HTTP/1.1 204") == requests


def test_a_connection_is_used_again(agent: Agent) -> None:
    connection = http.client.HTTPConnection(
        agent.url.removeprefix("http://"), timeout=5
    )
    ports = set()
    for _ in range(10):
        connection.request("POST", "/logs", BODY, AUTHORIZATION)
        response = connection.getresponse()
        assert response.read() == b""
        assert response.status == 204
        ports.add(connection.sock.getsockname()[1])
    connection.close()

    assert len(ports) == 1


def test_credentials_are_judged_with_each_request_of_a_connection(agent: Agent) -> None:
    right = AUTHORIZATION["Authorization"]
    connection = http.client.HTTPConnection(
        agent.url.removeprefix("http://"), timeout=5
    )
    statuses = []
    for value in (right, right, right[:-2] + "!!"):
        connection.request("POST", "/logs", BODY, {"Authorization": value})
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()

    assert statuses == [204, 204, 401]


def test_idle_connections_outlive_logplex_own_limit() -> None:
    # heroku/logplex closes its own after 144 s plus up to 15 s.
    assert Limits().keep_alive_seconds > 160


def test_a_sender_that_closes_after_one_request_is_served(agent: Agent) -> None:
    answer = agent.post(
        frame(FULL2),
        Connection="close",
        User_Agent="excon/0.76.0",
        logplex_msg_count="1",
    )

    assert answer.status == 204
    assert answer.headers["connection"] == "close"
    assert agent.metrics().value("heroku_kafka_agent_frame_count_mismatch_total") == 0


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            ("Content-Length: 5", "Transfer-Encoding: chunked"), id="both_lengths"
        ),
        pytest.param(("Content-Length: 5", "Content-Length: 6"), id="two_lengths"),
        pytest.param(("Content-Length: -5",), id="negative_length"),
        pytest.param(("Content-Length: 5x",), id="length_is_no_number"),
        pytest.param(("Bad Header: x",), id="blank_in_header_name"),
    ],
)
def test_ambiguous_framing_is_answered_400_and_closed(
    agent: Agent, lines: tuple[str, ...]
) -> None:
    with agent.connect() as connection:
        connection.sendall(head(*lines) + b"0\r\n\r\n")
        assert read_answer(connection).status == 400
        assert connection.recv(100) == b""


def test_twenty_connections_at_once_lose_no_count(agent: Agent) -> None:
    def deliver(worker: int) -> None:
        connection = http.client.HTTPConnection(
            agent.url.removeprefix("http://"), timeout=10
        )
        for number in range(25):
            identity = {"Logplex-Frame-Id": f"{worker}-{number}"}
            connection.request("POST", "/logs", BODY, {**AUTHORIZATION, **identity})
            assert connection.getresponse().read() == b""
        connection.close()

    workers = [threading.Thread(target=deliver, args=(n,)) for n in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_agent_frames_total", kind="sample") == 1000
    assert (
        metrics.value("heroku_kafka_agent_requests_total", route="/logs", code="204")
        == 500
    )


# Delivered more than once


def test_the_same_frame_id_twice_counts_once(agent: Agent) -> None:
    body = BODY + frame(WARN)
    for _ in range(3):
        assert agent.post(body, Logplex_Frame_Id=FRAME_ID).status == 204

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_samples_total", addon=ADDON, broker="1") == 11
    assert (
        metrics.value(
            "heroku_kafka_log_lines_total", addon=ADDON, node="0", level="WARN"
        )
        == 1
    )
    assert metrics.value("heroku_kafka_agent_duplicate_requests_total") == 2


def test_an_l10_that_the_retry_brings_is_news(agent: Agent) -> None:
    identity = {"Logplex_Frame_Id": FRAME_ID, "Logplex_Drain_Token": TOKEN}
    agent.post(BODY, Logplex_Msg_Count="2", **identity)
    agent.post(frame(L10 % 5) + BODY, Logplex_Msg_Count="3", **identity)
    agent.post(frame(L10 % 7) + BODY, Logplex_Msg_Count="3", **identity)

    metrics = agent.metrics()
    assert (
        metrics.value("heroku_kafka_agent_drain_dropped_messages_total", code="L10")
        == 7
    )
    assert metrics.value("heroku_kafka_samples_total", addon=ADDON, broker="2") == 11
    assert metrics.value("heroku_kafka_agent_frame_count_mismatch_total") == 0


def test_equal_frame_ids_of_two_drains_are_two_requests(agent: Agent) -> None:
    agent.post(frame(FULL1), Logplex_Frame_Id=FRAME_ID, Logplex_Drain_Token="d.a")
    agent.post(frame(FULL2), Logplex_Frame_Id=FRAME_ID, Logplex_Drain_Token="d.b")

    assert len(agent.metrics().series("heroku_kafka_samples_total")) == 2


def test_without_a_frame_id_requests_are_not_compared(agent: Agent) -> None:
    for _ in range(2):
        agent.post(BODY)

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_agent_frames_total", kind="sample") == 4
    assert metrics.value("heroku_kafka_agent_duplicate_requests_total") == 0


def test_log_shuttle_retries_are_recognised_by_request_id(agent: Agent) -> None:
    identity = "7f1c0f4e-9d0f-4f7e-8c3f-1a2b3c4d5e6f"
    for _ in range(2):
        agent.post(BODY, X_Request_Id=identity)

    assert agent.metrics().value("heroku_kafka_agent_duplicate_requests_total") == 1


def test_the_horizon_of_remembered_requests_is_bounded() -> None:
    settings = Settings(
        port=0,
        drain_credentials=(CREDENTIALS,),
        limits=Limits(dedupe_entries=10),
    )
    with running(settings) as agent:
        agent.post(BODY, Logplex_Frame_Id="first")
        for number in range(10):
            agent.post(b"", Logplex_Frame_Id=f"other-{number}")
        agent.post(BODY, Logplex_Frame_Id="first")

        metrics = agent.metrics()
    assert metrics.value("heroku_kafka_agent_duplicate_requests_total") == 0


@pytest.mark.parametrize("announced", ["3", "abc", "-1", "1_0"])
def test_a_wrong_message_count_is_counted_and_costs_nothing(
    agent: Agent, announced: str
) -> None:
    assert agent.post(BODY, Logplex_Msg_Count=announced).status == 204

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_agent_frame_count_mismatch_total") == 1
    assert metrics.value("heroku_kafka_agent_frames_total", kind="sample") == 2


def test_one_cluster_on_two_apps_counts_once(agent: Agent) -> None:
    line = sample(2, stamp(3), "read-iops", "1")
    for token in ("d.app-one", "d.app-two"):
        for number in range(2):
            agent.post(
                line + frame(WARN) * 2,
                Logplex_Drain_Token=token,
                Logplex_Frame_Id=f"{token}{number}",
            )

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_samples_total", addon=ADDON, broker="2") == 1
    assert (
        metrics.value(
            "heroku_kafka_log_lines_total", addon=ADDON, node="0", level="WARN"
        )
        == 2
    )


# Late and out of order


def test_an_old_sample_after_a_new_one_is_counted_and_not_applied(
    agent: Agent,
) -> None:
    agent.post(sample(2, stamp(10), "read-iops", "2"))
    agent.post(sample(2, stamp(30), "read-iops", "1"))

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_read_iops", addon=ADDON, broker="2") == 2
    assert metrics.value("heroku_kafka_agent_late_samples_total") == 1


def test_of_equal_timestamps_the_last_received_wins(agent: Agent) -> None:
    at = stamp(10)
    agent.post(sample(2, at, "read-iops", "1"))
    agent.post(sample(2, at, "read-iops", "2"))

    assert agent.metrics().value("heroku_kafka_read_iops", addon=ADDON, broker="2") == 2


def test_a_sample_from_the_future_does_not_win_over_an_honest_one(
    agent: Agent,
) -> None:
    agent.post(sample(2, stamp(10), "read-iops", "1"))
    agent.post(sample(2, stamp(-3600), "read-iops", "99"))
    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_read_iops", addon=ADDON, broker="2") == 1
    assert metrics.value("heroku_kafka_agent_future_samples_total") == 1

    agent.post(sample(2, stamp(5), "read-iops", "3"))

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_read_iops", addon=ADDON, broker="2") == 3
    assert (
        metrics.value(
            "heroku_kafka_last_sample_timestamp_seconds", addon=ADDON, broker="2"
        )
        <= time.time()
    )


def test_losses_that_another_drain_had_are_kept_apart(agent: Agent) -> None:
    theirs = (
        b"<172>1 2022-04-01T00:00:00+00:00 host heroku logplex - Error L10 (output "
        b"buffer overflow): drain '%s' dropped 42 messages since 2022-04-01T00:00:00+00:00."
    )
    agent.post(
        frame(theirs % b"d.0000") + frame(theirs % TOKEN.encode()),
        Logplex_Drain_Token=TOKEN,
    )

    metrics = agent.metrics()
    for name in ("drain_dropped", "elsewhere_dropped"):
        series = f"heroku_kafka_agent_{name}_messages_total"
        assert metrics.value(series, code="L10") == 42


def test_a_retry_that_overtakes_its_first_copy_is_applied_once(agent: Agent) -> None:
    wire = head(f"Content-Length: {len(BODY)}", f"Logplex-Frame-Id: {FRAME_ID}") + BODY
    with agent.connect() as slow, agent.connect() as retry:
        slow.sendall(wire[:-100])
        retry.sendall(wire)
        assert read_answer(retry).status == 204
        slow.sendall(wire[-100:])
        assert read_answer(slow).status == 204

    metrics = agent.metrics()
    assert metrics.value("heroku_kafka_samples_total", addon=ADDON, broker="2") == 11
    assert metrics.value("heroku_kafka_agent_duplicate_requests_total") == 1


def test_a_drain_token_that_nobody_configured_is_accepted(agent: Agent) -> None:
    assert agent.post(BODY, Logplex_Drain_Token="d.not-configured").status == 204


def test_an_internal_error_is_answered_503_after_a_while_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    logged = f"what a customer of {ADDON} logged"

    def fail(*_: object) -> None:
        raise RuntimeError(logged)

    settings = Settings(
        port=0, drain_credentials=(CREDENTIALS,), limits=Limits(hold_seconds=0.2)
    )
    with running(settings) as agent:
        with monkeypatch.context() as patch:
            patch.setattr(Engine, "prepare", fail)
            started = time.monotonic()
            assert agent.post(BODY, Logplex_Frame_Id=FRAME_ID).status == 503
            assert time.monotonic() - started >= 0.2
        before = agent.metrics()
        assert agent.post(BODY, Logplex_Frame_Id=FRAME_ID).status == 204
        metrics = agent.metrics()

    assert before.value("heroku_kafka_agent_internal_errors_total") == 4  # tries
    assert before.value("heroku_kafka_agent_frames_total", kind="sample") == 0
    assert metrics.value("heroku_kafka_samples_total", addon=ADDON, broker="2") == 11
    assert metrics.value("heroku_kafka_agent_duplicate_requests_total") == 0
    written = capfd.readouterr()
    assert (written.out + written.err).count("request.failed") == 1
    assert logged not in written.out + written.err


def test_a_passing_internal_error_costs_only_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare, calls = Engine.prepare, itertools.count()

    def fail_once(engine: Engine, batch: Batch, origin: Origin, now: Moment) -> Change:
        if next(calls) == 0:
            raise RuntimeError
        return prepare(engine, batch, origin, now)

    monkeypatch.setattr(Engine, "prepare", fail_once)
    settings = Settings(
        port=0, drain_credentials=(CREDENTIALS,), limits=Limits(hold_seconds=0.2)
    )
    with running(settings) as agent:
        assert agent.post(BODY).status == 204
        metrics = agent.metrics()

    assert metrics.value("heroku_kafka_samples_total", addon=ADDON, broker="2") == 11
