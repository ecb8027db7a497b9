"""Deadlines and a cap for connections, which uvicorn leaves to whoever stands before it.

uvicorn times idle keep-alive connections only: one that never finishes its headers or
its body would stay for ever. Here each connection has one deadline, moved on as the
request proceeds and looked at once a second, so that a request costs no timers.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from agent.settings import Limits
from agent.state.telemetry import Telemetry

SWEEP_SECONDS = 1.0
# Answers are small and ready; this is for clients that do not read them.
_ANSWER_SECONDS = 60.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class ConnectionGuard:
    """Knows the open connections, closes slow ones, makes room for new ones.

    Args:
        limits: Deadlines and the number of connections.
        telemetry: Where closed connections are counted.
    """

    def __init__(self, limits: Limits, telemetry: Telemetry) -> None:
        self.limits = limits
        self._telemetry = telemetry
        # In the order of arrival; dict for its order, the values mean nothing.
        self._connections: dict[GuardedProtocol, None] = {}

    def protocol_factory(self) -> Callable[..., "GuardedProtocol"]:
        """Return what uvicorn makes its connections with."""
        return partial(GuardedProtocol, guard=self)

    def admit(self, connection: "GuardedProtocol") -> None:
        """Take in a new connection.

        At the limit, the oldest connection that never sent a whole request makes
        room, so that half-open ones cannot lock out a good one.
        """
        if len(self._connections) >= self.limits.connections:
            self._telemetry.connections_refused += 1
            silent = (one for one in self._connections if not one.has_served)
            victim = next(silent, connection)
            self.release(victim)
            victim.transport.abort()
            if victim is connection:
                return
        self._connections[connection] = None

    def release(self, connection: "GuardedProtocol") -> None:
        """Forget a closed connection."""
        self._connections.pop(connection, None)

    def sweep(self, now: float) -> None:
        """Close the connections whose deadline has passed.

        Args:
            now: Time of the event loop.
        """
        for connection in [one for one in self._connections if one.deadline < now]:
            self._telemetry.connections_timed_out += 1
            connection.transport.abort()

    def hurry(self, deadline: float) -> None:
        """Give requests that are still coming in until `deadline`: we are stopping."""
        for connection in self._connections:
            connection.deadline = min(connection.deadline, deadline)


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 connection with deadlines and a bound on headers.

    Attributes:
        deadline: Time of the event loop at which the connection is closed; infinite
            while uvicorn's own keep-alive timer runs.
        has_served: Whether it has ever brought a whole request.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: Any = None,
        *,
        guard: ConnectionGuard,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._guard = guard
        self.deadline = math.inf
        self.has_served = False
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Start the time for the first request's headers."""
        super().connection_made(transport)
        self.deadline = self.loop.time() + self._guard.limits.head_seconds
        self._guard.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the guard's list."""
        self._guard.release(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and bound what is not yet a whole head."""
        if self.deadline is math.inf:
            # Bytes that begin no request (blank lines) stop uvicorn's timer too.
            self.deadline = self.loop.time() + self._guard.limits.head_seconds
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._guard.limits.head_bytes:
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        """Start the time for the headers."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self.deadline = self.loop.time() + self._guard.limits.head_seconds

    def on_headers_complete(self) -> None:
        """Start the time for the body."""
        self._in_head, self._in_body = False, True
        self.deadline = self.loop.time() + self._guard.limits.body_seconds
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Start the time for the answer."""
        self._in_body = False
        self.has_served = True
        answered = self.cycle.response_complete
        self.deadline = math.inf if answered else self.loop.time() + _ANSWER_SECONDS
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Stop the time, unless the rest of a refused body is still coming in."""
        if not self._in_body and not self._in_head:
            self.deadline = math.inf
        super().on_response_complete()
