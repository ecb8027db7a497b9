"""Clients without credentials exhaust neither memory, connections nor descriptors."""

import contextlib
import json
import resource
import selectors
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from agent.settings import Limits, Settings
from tests.frames import FULL2, frame
from tests.serving import (
    AUTHORIZATION,
    CREDENTIALS,
    PASSWORD,
    USER,
    Agent,
    clean_environ,
    running,
)

GET = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"
DELIVERY = (
    f"POST /logs HTTP/1.1\r\nAuthorization: {AUTHORIZATION['Authorization']}\r\n"
    "Content-Length: 0\r\n\r\n"
).encode()


@dataclass(frozen=True)
class Certified:
    """Files of a certificate and key, and a context that trusts it."""

    certificate: Path
    key: Path
    context: ssl.SSLContext

    @property
    def options(self) -> tuple[str, ...]:
        files = map(str, (self.certificate, self.key))
        return tuple(
            word
            for pair in zip(("--tls-certificate", "--tls-key"), files, strict=True)
            for word in pair
        )

    def running(self, **limits: Any) -> contextlib.AbstractContextManager[Agent]:
        """Run an agent with it."""
        return running(
            Settings(
                port=0,
                drain_credentials=(CREDENTIALS,),
                tls_certificate=self.certificate,
                tls_key=self.key,
                limits=Limits(**limits),
            )
        )


@contextlib.contextmanager
def started(*arguments: str, descriptors: int | None = None) -> Iterator[Agent]:
    """Run an agent in an interpreter of its own, whose memory is its alone."""
    limit = [] if descriptors is None else ["prlimit", f"--nofile={descriptors}"]
    process = subprocess.Popen(
        [
            *limit,
            *(sys.executable, "-m", "agent", "serve", "--port", "0"),
            *("--drain-credentials", f"{USER}:{PASSWORD}", *arguments),
        ],
        stderr=subprocess.PIPE,
        env=clean_environ(),
    )
    assert process.stderr is not None
    try:
        url = json.loads(process.stderr.readline())["url"]
        agent = Agent(url, process=process)
        if url.startswith("http:"):
            assert agent.post(frame(FULL2)).status == 204
            agent.metrics()
        yield agent
    finally:
        process.kill()
        process.communicate()


def resident_bytes(agent: Agent) -> int:
    assert agent.process is not None
    pages = Path(f"/proc/{agent.process.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


@contextlib.contextmanager
def watched_memory(agent: Agent) -> Iterator[list[int]]:
    """Yield a list that holds the largest growth in bytes when the block ends."""
    before, grown = resident_bytes(agent), [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            grown[0] = max(grown[0], resident_bytes(agent) - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield grown
    finally:
        done.set()
        watcher.join()


def send_for(connection: socket.socket, piece: bytes, seconds: float) -> None:
    """Send `piece` again and again until the agent closes or time is up."""
    connection.settimeout(1.0)
    deadline = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while time.monotonic() < deadline:
            connection.sendall(piece)


CHUNKED = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_endless_trailers_take_no_memory() -> None:
    wires = {
        "many": (CHUNKED + b"0\r\n", b"T000001: y\r\n" * 5000),
        "one": (CHUNKED + b"0\r\nT: ", b"y" * 60_000),
        "extension": (CHUNKED + b"1;", b"y" * 60_000),
    }
    for name, (head, piece) in wires.items():
        with (
            started() as agent,
            watched_memory(agent) as grown,
            agent.connect() as connection,
        ):
            connection.sendall(head)
            send_for(connection, piece, 2.0)
        assert grown[0] < 5_000_000, name


@contextlib.contextmanager
def flooded(agent: Agent, clients: int, flood: bytes) -> Iterator[None]:
    """Let each of `clients` send `flood` as fast as it can, and read nothing."""
    stopped = threading.Event()

    def send(selector: selectors.BaseSelector) -> None:
        while not stopped.is_set() and selector.get_map():
            for key, _ in selector.select(0.1):
                assert isinstance(key.fileobj, socket.socket)
                sent = 0
                with contextlib.suppress(OSError):
                    sent = key.fileobj.send(key.data[:65536])
                selector.unregister(key.fileobj)
                if sent and len(key.data) > sent:
                    selector.register(key.fileobj, key.events, key.data[sent:])

    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(clients):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(agent.address)
            client.settimeout(0)
            selector.register(client, selectors.EVENT_WRITE, memoryview(flood))
        sender = threading.Thread(target=send, args=(selector,))
        sender.start()
        try:
            yield
        finally:
            stopped.set()
            sender.join()


@pytest.mark.parametrize("flood", [GET, DELIVERY], ids=["asgi", "drain"])
def test_pipelined_requests_without_reading_take_no_memory(flood: bytes) -> None:
    durations = []
    with started() as agent, watched_memory(agent) as grown:
        deadline = time.monotonic() + 4
        with flooded(agent, 300, flood * 9000):
            while time.monotonic() < deadline:
                before = time.monotonic()
                assert agent.post(frame(FULL2)).status == 204
                durations.append(time.monotonic() - before)
                time.sleep(0.05)

    assert grown[0] < 60_000_000
    assert statistics.median(durations) < 0.5


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    """Issue a certificate for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return Certified(certificate, key, context)


def deliver(url: str, context: ssl.SSLContext | None = None) -> int:
    """Deliver a body over a new connection; return the status."""
    request = urllib.request.Request(
        f"{url}/logs", frame(FULL2), AUTHORIZATION, method="POST"
    )
    with urllib.request.urlopen(request, context=context, timeout=5) as answer:
        return int(answer.status)


def test_silent_tls_connections_are_counted_and_make_room(
    certified: Certified,
) -> None:
    with certified.running(connections=20) as agent, contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(agent.connect())

        assert deliver(agent.url, certified.context) == 204
        assert agent.app is not None
        assert agent.app.engine.telemetry.connections_refused >= 80


def test_silent_tls_connections_have_the_deadline_of_a_head(
    certified: Certified,
) -> None:
    with certified.running(head_seconds=0.3) as agent:
        for wire in (b"", b"\x16\x03\x01"):
            with agent.connect() as silent:
                silent.sendall(wire)
                started = time.monotonic()
                with contextlib.suppress(ConnectionResetError):
                    assert silent.recv(1) == b""
                assert time.monotonic() - started < 5
        assert deliver(agent.url, certified.context) == 204


def test_a_failed_tls_handshake_is_no_connection_any_more(
    certified: Certified, capfd: pytest.CaptureFixture[str]
) -> None:
    with certified.running(connections=5) as agent:
        for wire in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"") * 5:
            with agent.connect() as plain:
                plain.sendall(wire)
        for _ in range(5):
            assert deliver(agent.url, certified.context) == 204
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("secure", [False, True])
def test_descriptors_are_kept_in_reserve(*, secure: bool, certified: Certified) -> None:
    tls = certified.options if secure else ()
    context = certified.context if secure else None
    with (
        started(*tls, descriptors=200) as agent,
        contextlib.ExitStack() as stack,
    ):
        for _ in range(400):
            stack.enter_context(agent.connect())
        assert agent.process is not None
        for _ in range(5):
            assert deliver(agent.url, context) == 204
        used = len(list(Path(f"/proc/{agent.process.pid}/fd").iterdir()))
        assert used < 150
