"""uvicorn is subclassed, which it does not promise to support: what the agent relies on."""

import asyncio
import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from packaging.requirements import Requirement
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from agent.http.connections import ConnectionGuard, GuardedProtocol
from agent.settings import Limits
from agent.state.telemetry import Telemetry

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
OVERRIDDEN = sorted(
    name
    for name, member in vars(GuardedProtocol).items()
    if inspect.isfunction(member) and not name.startswith("__")
)


class Transport(asyncio.Transport):
    """A connection that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


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
    server = uvicorn.Server(uvicorn.Config(hello))

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

    async def request() -> tuple[GuardedProtocol, Transport]:
        guard = ConnectionGuard(Limits(), Telemetry())
        config = uvicorn.Config(
            hello, log_config=None, access_log=False, ws="none", lifespan="off"
        )
        config.load()
        transport = Transport()
        connection = guard.protocol_factory()(config, ServerState(), {})
        connection.connection_made(transport)
        connection.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.cycle.response_complete is False
        await asyncio.gather(*connection.tasks)
        connection.connection_lost(None)
        return connection, transport

    connection, transport = asyncio.run(request())

    assert transport.written.startswith(b"HTTP/1.1 204")
    assert connection.cycle.response_complete is True
    assert sorted(set(called)) == OVERRIDDEN
