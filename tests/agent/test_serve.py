"""``serve`` as a process: how it starts, what it refuses, how it ends."""

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import trustme

from tests.commands import command_words
from tests.frames import FULL2, frame
from tests.serving import (
    AUTHORIZATION,
    PASSWORD,
    USER,
    Agent,
    clean_environ,
    free_port,
    read_answer,
    run_command,
    serving,
    wait_for,
)

SECRET = f"{USER}:{PASSWORD}"
LOOPBACK = ("--port", "0", "--drain-credentials", SECRET)


def refusal(*arguments: str, **environ: str) -> str:
    """Run serve, which must refuse with exit code 2 and one line; return the line."""
    done = run_command("serve", *arguments, environ=environ)
    assert done.returncode == 2, done.stderr.decode()
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    return line


def test_it_listens_on_loopback_by_default() -> None:
    with serving("--port", "0") as agent:
        assert agent.address[0] == "127.0.0.1"
        assert agent.request("POST", "/logs", frame(FULL2), {}).status == 204


def test_heroku_port_means_all_interfaces() -> None:
    port = str(free_port())
    with serving("--drain-credentials", SECRET, environ={"PORT": port}) as agent:
        assert agent.address[1] == int(port)
        assert agent.post(frame(FULL2)).status == 204


def test_a_given_port_wins_over_heroku_port() -> None:
    with serving("--port", "0", environ={"PORT": "1"}) as agent:
        assert agent.address[0] == "127.0.0.1"


def test_every_option_is_an_environment_variable() -> None:
    environ = {
        "HEROKU_KAFKA_AGENT_PORT": "0",
        "HEROKU_KAFKA_AGENT_DRAIN_CREDENTIALS": f"other:one, {SECRET}",
        "HEROKU_KAFKA_AGENT_BODY_LIMIT": "1KiB",
    }
    with serving(environ=environ) as agent:
        assert agent.post(frame(FULL2)).status == 204
        assert agent.post(b"x" * 1025).status == 413


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--host", "0.0.0.0"), "--drain-credentials user:password"),
        (("--host", "192.0.2.1"), "--allow-anonymous"),
        (("--host", "::"), "refusing to listen on ::"),
        (("--nonsense",), "No such option"),
        (("--port", "many"), "'many' is not a valid integer"),
        (("--port", "70000"), "--port must be between 0 and 65535"),
        (("--drain-credentials", ":secret"), "user:password"),
        (("--stale-after", "soon"), "e.g. 30s or 5m"),
        (("--body-limit", "big"), "1MiB"),
        (("--max-clusters", "0"), "clusters must be greater than 0"),
        (("--tls-key", "/nowhere.pem"), "--tls-certificate and --tls-key"),
        (
            ("--tls-certificate", "/nowhere.pem", "--tls-key", "/nowhere.pem"),
            "cannot read the file /nowhere.pem",
        ),
        (("--stale-after", "2d"), "--stale-after must not be longer"),
        (("--stale-after", "1d30m"), "--stale-after must not be longer"),
    ],
)
def test_bad_settings_end_with_one_sentence_that_names_the_fix(
    arguments: tuple[str, ...], expected: str
) -> None:
    assert expected in refusal(*arguments)


def test_all_problems_are_named_at_once() -> None:
    line = refusal("--host", "0.0.0.0", "--port", "70000", "--max-brokers", "0")

    assert "--allow-anonymous" in line
    assert "--port" in line
    assert "brokers" in line


def test_a_bad_heroku_port_is_refused() -> None:
    assert "PORT" in refusal(PORT="http")


def test_a_busy_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refusal("--port", str(port))

    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "--port" in line


def test_files_that_are_no_certificate_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "no.pem"
    file.write_text("nothing")

    line = refusal("--tls-certificate", str(file), "--tls-key", str(file))

    assert "PEM" in line


def test_anybody_may_be_let_in_on_purpose() -> None:
    with serving("--host", "0.0.0.0", "--port", "0", "--allow-anonymous") as agent:
        assert agent.request("POST", "/logs", frame(FULL2), {}).status == 204


def test_help_shows_no_secret_from_the_environment() -> None:
    environ = {"HEROKU_KAFKA_AGENT_DRAIN_CREDENTIALS": SECRET}
    done = run_command("serve", "--help", environ=environ)

    assert done.returncode == 0
    assert PASSWORD not in done.stdout.decode()
    assert "HEROKU_KAFKA_AGENT_DRAIN_CREDENTIALS" in done.stdout.decode()


def test_no_secret_reaches_the_log_an_answer_or_the_metrics() -> None:
    token = "d.5ec2e7aa-0000-4000-8000-000000000000"
    command = [
        sys.executable,
        "-m",
        "agent",
        "serve",
        *LOOPBACK,
        "--log-level",
        "debug",
    ]
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=clean_environ()
    )
    assert process.stderr is not None
    url = json.loads(process.stderr.readline())["url"]
    seen = process.stderr.readline()
    assert b"agent.drain_command" in seen
    for authorization in (AUTHORIZATION["Authorization"], "Basic c2VjcmV0OmNhbmFyeQ=="):
        request = urllib.request.Request(f"{url}/logs", b"5 body-canary", method="POST")
        request.add_header("Authorization", authorization)
        request.add_header("Logplex-Drain-Token", token)
        try:
            urllib.request.urlopen(request, timeout=5).read()
        except urllib.error.HTTPError as error:
            seen += error.read() + str(error.headers).encode()
    metrics = urllib.request.Request(f"{url}/metrics", headers=AUTHORIZATION)
    seen += urllib.request.urlopen(metrics, timeout=5).read()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=15)
    seen += out + err

    for secret in (PASSWORD, token, "body-canary", "canary", "c2VjcmV0OmNhbmFyeQ"):
        assert secret.encode() not in seen


def test_requests_write_no_log_lines() -> None:
    command = [*command_words(), "serve", *LOOPBACK]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=clean_environ())
    assert process.stderr is not None
    url = json.loads(process.stderr.readline())["url"]
    assert b"agent.drain_command" in process.stderr.readline()
    for path in ("/logs", "/nothing"):
        for _ in range(20):
            request = urllib.request.Request(url + path, b"x", AUTHORIZATION)
            try:
                urllib.request.urlopen(request, timeout=5).read()
            except urllib.error.HTTPError as error:
                error.close()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=15)

    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert events == ["drain.first_request", "agent.stopping", "agent.stopped"]
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_request_in_flight_finish(number: signal.Signals) -> None:
    body = frame(FULL2)
    with serving(*LOOPBACK) as agent, agent.connect() as connection:
        assert agent.process is not None
        connection.sendall(
            b"POST /logs HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n" % len(body)
            + f"Authorization: {AUTHORIZATION['Authorization']}\r\n\r\n".encode()
            + body[:100]
        )
        time.sleep(0.2)
        agent.process.send_signal(number)
        time.sleep(0.5)
        connection.sendall(body[100:])

        assert read_answer(connection).status == 204
        assert agent.process.wait(10) == 0


def test_a_client_that_never_finishes_does_not_hold_up_the_end() -> None:
    with serving(*LOOPBACK) as agent, agent.connect() as connection:
        assert agent.process is not None
        connection.sendall(
            b"POST /logs HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
            + f"Authorization: {AUTHORIZATION['Authorization']}\r\n\r\nhalf".encode()
        )
        time.sleep(0.2)
        started = time.monotonic()
        agent.process.send_signal(signal.SIGTERM)

        assert agent.process.wait(10) == 0
        assert time.monotonic() - started < 10


@pytest.mark.parametrize("path", ["/logs", "/api/capacity"])
@pytest.mark.parametrize("seconds_before", [0.2, -0.02])
def test_a_body_just_begun_does_not_hold_up_the_end(
    path: str, seconds_before: float
) -> None:
    body = frame(FULL2)
    half = (
        f"POST {path} HTTP/1.1\r\nContent-Length: {2 * len(body)}\r\n"
        f"Authorization: {AUTHORIZATION['Authorization']}\r\n\r\n".encode()
        + body
    )
    process = subprocess.Popen(
        [*command_words(), "serve", *LOOPBACK],
        stderr=subprocess.PIPE,
        env=clean_environ(),
    )
    assert process.stderr is not None
    parts = urllib.parse.urlsplit(json.loads(process.stderr.readline())["url"])
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.settimeout(15)
        if seconds_before > 0:
            connection.sendall(half)
            time.sleep(seconds_before)
        else:
            time.sleep(0.2)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        if seconds_before < 0:
            time.sleep(-seconds_before)
            with contextlib.suppress(OSError):
                connection.sendall(half)
        _, err = process.communicate(timeout=15)
        seconds = time.monotonic() - started

        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b"", "half a body was acknowledged"
    assert seconds < 10
    assert process.returncode == 0
    events = [json.loads(line)["event"] for line in err.splitlines()]
    # readline() above may have taken the second line into its buffer.
    said = [event for event in events if event != "agent.drain_command"]
    assert said == ["agent.stopping", "agent.stopped"]


def test_a_client_that_leaves_before_the_answer_causes_no_error() -> None:
    line = b"<134>1 - host app heroku-kafka.1 - addon=a sample#b=%d"
    body = b"".join(frame(line % number) for number in range(15_000))
    head = (
        f"POST /logs HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: {AUTHORIZATION['Authorization']}\r\n\r\n"
    )
    with serving(*LOOPBACK) as agent:
        assert agent.process is not None
        with agent.connect() as connection:
            connection.sendall(head.encode() + body)
        wait_for(lambda: is_applied(agent))
        agent.process.send_signal(signal.SIGTERM)
        _, err = agent.process.communicate(timeout=15)

    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert events[-3:] == ["drain.first_request", "agent.stopping", "agent.stopped"]


def is_applied(agent: Agent) -> bool:
    return agent.metrics().value("heroku_kafka_agent_frames_total", kind="sample") > 0


def test_stopping_under_load_answers_nothing_but_204() -> None:
    statuses: list[int] = []

    def deliver() -> None:
        try:
            while True:
                statuses.append(agent.post(frame(FULL2)).status)
        except OSError:
            return  # refused: the listener is closed, and Logplex buffers

    with serving(*LOOPBACK) as agent:
        assert agent.process is not None
        workers = [threading.Thread(target=deliver) for _ in range(4)]
        for worker in workers:
            worker.start()
        time.sleep(0.5)
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(10) == 0
        for worker in workers:
            worker.join()

    assert statuses
    assert set(statuses) == {204}


def test_invalid_requests_are_logged_once_a_minute() -> None:
    with serving(*LOOPBACK) as agent:
        for _ in range(20):
            with agent.connect() as connection:
                connection.sendall(b"\0\r\n\r\n")
                assert connection.recv(65536).startswith(b"HTTP/1.1 400")
        assert agent.process is not None
        assert agent.process.stderr is not None
        agent.process.terminate()
        errors = agent.process.stderr.read()

    assert errors.count(b"Invalid HTTP request received.") == 1


def test_it_serves_https_with_a_certificate_of_ones_own(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    authority.configure_trust(context)

    tls = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    with serving(*LOOPBACK, *tls) as agent:
        assert agent.url.startswith("https://")
        request = urllib.request.Request(
            f"{agent.url}/logs", frame(FULL2), AUTHORIZATION, method="POST"
        )
        with urllib.request.urlopen(request, context=context, timeout=5) as answer:
            assert answer.status == 204


def test_the_installed_command_runs() -> None:
    command = Path(sys.executable).with_name("heroku-kafka-agent")
    if not command.exists():
        pytest.skip("the distribution is not installed, only importable")
    shown = subprocess.run([command, "--version"], capture_output=True, check=True)

    assert shown.stdout.startswith(b"heroku-kafka-agent, version ")
