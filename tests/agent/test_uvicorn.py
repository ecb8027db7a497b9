"""uvicorn is subclassed, which it does not promise to support: what the agent relies on."""

import asyncio
import inspect
import itertools
import re
import tomllib
from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from agent.http.connections import GuardedProtocol
from agent.http.guard import ConnectionGuard
from agent.http.handler import Outcome, Receive, Refusal
from agent.settings import Limits
from agent.state.telemetry import Telemetry

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
OVERRIDDEN = sorted(
    name
    for name, member in vars(GuardedProtocol).items()
    if inspect.isfunction(member)
    and not name.startswith("_")
    and name != "mark_authenticated"
)


class Transport(asyncio.Transport):
    """A connection that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the target and the body."""
    body, more = b"", True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        body += message["body"]
        more = message["more_body"]
    text = scope["raw_path"] + b"=" + body + b";"
    length = (b"content-length", b"%d" % len(text))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": text})


class Recorder:
    """Answers requests for ``/direct`` without ASGI, every other one in a task."""

    body_bytes = 100

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def serves(self, path: str) -> bool:
        return path == "/direct"

    def accept(
        self, method: bytes, headers: Mapping[bytes, bytes]
    ) -> Refusal | Receive:
        assert method == b"POST"
        assert {b"content-length", b"transfer-encoding"} & set(headers)
        return self.receive

    def refuse(self, status: HTTPStatus) -> Refusal:
        raise AssertionError(status)

    def receive(
        self, headers: Mapping[bytes, bytes], body: bytes
    ) -> Outcome | Coroutine[Any, Any, Outcome]:
        del headers
        self.bodies.append(body)
        return self.answer_later() if len(self.bodies) % 2 else None

    async def answer_later(self) -> Outcome:
        await asyncio.sleep(0)
        return None


async def settle(connection: GuardedProtocol, transport: Transport) -> None:
    """Wait until a connection has nothing left to do."""
    idle, written = 0, 0
    while idle < 4:
        tasks = list(connection.tasks)
        # A task leaves the set when a callback runs, after it has ended.
        await asyncio.gather(*tasks, asyncio.sleep(0))
        idle = 0 if tasks or len(transport.written) > written else idle + 1
        written = len(transport.written)


async def receive(
    reads: list[bytes], recorder: Recorder | None = None
) -> tuple[GuardedProtocol, Transport]:
    """Let a connection read what a client sends, and answer it."""
    config = uvicorn.Config(
        echo, log_config=None, access_log=False, ws="none", lifespan="off"
    )
    config.load()
    transport = Transport()
    connection = GuardedProtocol(
        config,
        ServerState(),
        {},
        guard=ConnectionGuard(Limits(), Telemetry()),
        handlers=[recorder] if recorder else [],
    )
    connection.connection_made(transport)
    for data in reads:
        connection.data_received(data)
    await settle(connection, transport)
    connection.pause_writing()
    connection.resume_writing()
    connection.shutdown()
    connection.connection_lost(None)
    return connection, transport


def test_the_installed_version_is_one_that_was_tested() -> None:
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    (tested,) = (
        one
        for one in map(Requirement, project["dependencies"])
        if one.name == "uvicorn"
    )
    installed = version("uvicorn")

    assert {one.operator for one in tested.specifier} == {">=", "<"}
    assert tested.specifier.contains(installed), (
        f"uvicorn {installed} is installed, but agent/http/connections.py was tested "
        f"with {tested.specifier}: run tests/agent/test_uvicorn.py, test_limits.py and "
        "test_http_drain.py, then change the range in pyproject.toml"
    )


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_uvicorn_has_the_method_that_is_overridden(name: str) -> None:
    ours = inspect.signature(getattr(GuardedProtocol, name))
    theirs = getattr(HttpToolsProtocol, name, None)

    assert theirs is not None, f"uvicorn's HTTP protocol no longer has {name}()"
    assert list(inspect.signature(theirs).parameters) == list(ours.parameters), (
        f"uvicorn's {name}() has other parameters"
    )


def test_uvicorn_makes_a_connection_with_the_arguments_that_are_passed_on() -> None:
    parameters = list(inspect.signature(HttpToolsProtocol).parameters)

    assert parameters == ["config", "server_state", "app_state", "_loop"]


def test_uvicorn_has_the_server_hooks_that_are_used() -> None:
    server = uvicorn.Server(uvicorn.Config(echo))

    assert callable(getattr(server, "capture_signals", None)), "no capture_signals()"
    assert server.should_exit is False


def test_a_request_passes_through_every_overridden_callback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[str] = []

    def watch(name: str) -> None:
        original = getattr(GuardedProtocol, name)

        def watched(self: GuardedProtocol, *arguments: Any) -> None:
            called.append(name)
            original(self, *arguments)

        monkeypatch.setattr(GuardedProtocol, name, watched)

    for name in OVERRIDDEN:
        watch(name)

    connection, transport = asyncio.run(
        receive([b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"])
    )

    assert transport.written.startswith(b"HTTP/1.1 200")
    assert transport.written.endswith(b"/=hi;")
    assert connection.cycle.response_complete is True
    assert sorted(set(called)) == OVERRIDDEN


REQUESTS = (
    (b"GET /get HTTP/1.1\r\nHost: a\r\n\r\n", b"/get=;"),
    (b"\r\n\r\nGET /after-blank-lines HTTP/1.1\r\n\r\n", b"/after-blank-lines=;"),
    (
        b"POST /length HTTP/1.1\r\nContent-Length: 12 \r\n\r\n\r\n\r\nGET \r\n\r\n",
        b"/length=\r\n\r\nGET \r\n\r\n;",
    ),
    (b"POST /empty HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"/empty=;"),
    (
        b"POST /chunked HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\n\r\n\r\na\r\n2\r\nbc\r\n0\r\nT: 1\r\nU: 2\r\n\r\n",
        b"/chunked=\r\n\r\nabc;",
    ),
)


DIRECT = (
    (b"POST /direct HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n", b"\r\n\r\n"),
    (b"POST /direct HTTP/1.1\r\ncontent-length: 0\r\n\r\n", b""),
    (
        (
            b"POST /%64irect?x=y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nab\r\n1\r\nc\r\n0\r\nT: 1\r\n\r\n"
        ),
        b"abc",
    ),
    (
        (
            b"POST http://a/direct HTTP/1.1\r\nExpect: 100-continue\r\n"
            b"Content-Length: 3\r\n\r\nabc"
        ),
        b"abc",
    ),
)


@given(st.lists(st.sampled_from(REQUESTS + DIRECT), max_size=8), st.data())
def test_requests_are_answered_in_order_however_they_are_cut(
    requests: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    wire = b"".join(request for request, _ in requests)
    places = data.draw(st.lists(st.integers(0, len(wire)), max_size=12))
    cuts = [0, *sorted(places), len(wire)]
    reads = [wire[start:end] for start, end in itertools.pairwise(cuts)]
    recorder = Recorder()

    _, transport = asyncio.run(receive(reads, recorder))

    expected = [
        b"204" if (request, answer) in DIRECT else answer
        for request, answer in requests
    ]
    found = re.findall(rb"/[a-z-]+=[^;]*;|(?<=HTTP/1.1 )204", transport.written)
    assert found == expected
    assert recorder.bodies == [body for one, body in requests if (one, body) in DIRECT]
    assert transport.written.count(b"HTTP/1.1 200") == len(requests) - len(
        recorder.bodies
    )
