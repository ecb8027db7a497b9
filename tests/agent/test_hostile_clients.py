"""Clients without credentials exhaust neither memory, connections nor descriptors."""

import contextlib
import json
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.frames import FULL2, frame
from tests.serving import PASSWORD, USER, Agent, clean_environ

GET = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[Agent]:
    """Run an agent in an interpreter of its own, whose memory is its alone."""
    process = subprocess.Popen(
        [
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


def test_pipelined_requests_without_reading_take_no_memory() -> None:
    durations = []
    with started() as agent, watched_memory(agent) as grown:
        deadline = time.monotonic() + 4
        with flooded(agent, 300, GET * 9000):
            while time.monotonic() < deadline:
                before = time.monotonic()
                assert agent.post(frame(FULL2)).status == 204
                durations.append(time.monotonic() - before)
                time.sleep(0.05)

    assert grown[0] < 60_000_000
    assert statistics.median(durations) < 0.5
