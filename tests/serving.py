"""Running agents for tests, and a client that says exactly what goes over the wire."""

import asyncio
import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent.app import App
from agent.settings import Credentials, Settings
from tests.commands import command_words

USER, PASSWORD = "drain", "correct-horse-battery"


def basic(user: str, password: str) -> dict[str, str]:
    """Make the header of Basic authentication."""
    secret = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {secret}"}


AUTHORIZATION = basic(USER, PASSWORD)
CREDENTIALS = Credentials(USER, PASSWORD)
TIMEOUT_SECONDS = 10.0

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Agent:
    """A running agent, seen from outside."""

    url: str
    app: App | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=TIMEOUT_SECONDS)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection(
            urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS
        )
        with contextlib.closing(connection):
            connection.request(
                method, path, body, dict(AUTHORIZATION if headers is None else headers)
            )
            response = connection.getresponse()
            return Answer(response.status, dict(response.headers), response.read())

    def post(self, body: bytes, path: str = "/logs", **headers: str) -> Answer:
        """POST as Logplex does; header names with ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(
            "POST",
            path,
            body,
            {"Content-Type": "application/logplex-1", **AUTHORIZATION, **named},
        )

    def metrics(self) -> "Exposition":
        answer = self.request("GET", "/metrics")
        assert answer.status == 200
        return Exposition(answer.body.decode())


@dataclass(frozen=True)
class Exposition:
    """The text of ``/metrics`` and what the official parser reads from it."""

    text: str
    samples: dict[tuple[str, Labels], float] = field(init=False)

    def __post_init__(self) -> None:
        samples: dict[tuple[str, Labels], float] = {}
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in samples, f"duplicate series {key}"
                samples[key] = sample.value
        object.__setattr__(self, "samples", samples)

    def get(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, frozenset(labels.items())))

    def value(self, name: str, **labels: str) -> float:
        value = self.get(name, **labels)
        assert value is not None, f"no series {name}{labels}"
        return value

    def series(self, name: str) -> dict[Labels, float]:
        return {
            labels: value
            for (found, labels), value in self.samples.items()
            if found == name
        }


@contextlib.contextmanager
def running(settings: Settings | None = None) -> Iterator[Agent]:
    """Run an agent in a thread of this process."""
    app = App(
        settings
        if settings is not None
        else Settings(port=0, drain_credentials=(CREDENTIALS,))
    )
    loop = asyncio.new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(app.run())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield Agent(app.settings.url, app)
    finally:
        loop.call_soon_threadsafe(app.stop)
        thread.join(TIMEOUT_SECONDS)
        assert not thread.is_alive()


@contextlib.contextmanager
def serving(
    *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[Agent]:
    """Run ``heroku-kafka-agent serve`` as a process of its own."""
    process = subprocess.Popen(
        [*command_words(), "serve", *arguments],
        stderr=subprocess.PIPE,
        env={**clean_environ(), **(environ or {})},
    )
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        url = json.loads(first)["url"]
        yield Agent(url.replace("0.0.0.0", "127.0.0.1"), process=process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextlib.contextmanager
def demonstrating(*arguments: str) -> Iterator[Agent]:
    """Run ``heroku-kafka-agent demo`` as a process of its own; end it by Ctrl-C."""
    process = subprocess.Popen(
        [*command_words(), "demo", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        env=clean_environ(),
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline().decode()
        found = re.search(r"http://\S+[0-9]", first)
        assert found, first
        yield Agent(found[0], process=process)
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_SECONDS) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def clean_environ() -> dict[str, str]:
    """Copy the environment without settings of the agent and the size of a terminal."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {"COLUMNS", "LINES", "PORT"}
        and not name.startswith("HEROKU_KAFKA_AGENT_")
    }


def run_command(
    *arguments: str, environ: Mapping[str, str] | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run ``heroku-kafka-agent`` to its end."""
    return subprocess.run(
        [*command_words(), *arguments],
        input=stdin,
        capture_output=True,
        env={**clean_environ(), **(environ or {})},
        timeout=30,
        check=False,
    )


def find_program(name: str) -> Path:
    """Find a real component; CI must have it, a person's machine may skip."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed; `.ci/run` says which package has it"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return Path(found)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer that has a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        assert chunk, f"closed after {data!r}"
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {
        name.lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        chunk = connection.recv(65536)
        assert chunk
        body += chunk
    status = re.fullmatch(r"HTTP/1\.1 (\d{3}) .*", first)
    assert status, first
    return Answer(int(status[1]), headers, body)
