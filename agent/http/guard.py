"""The list of open connections: their number, their deadlines, what they hold."""

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Protocol

from agent.settings import Limits
from agent.state.telemetry import Telemetry

SWEEP_SECONDS = 1.0
STATE = "connection"
"""Name of the connection in the state of an ASGI scope."""

# What clients send ahead of their answers, of all connections; a read is up to 256 KiB.
_PENDING_BYTES = 16_777_216


def mark_authenticated(scope: Mapping[str, Any]) -> None:
    """Tell the connection of a request that its credentials are valid.

    Args:
        scope: ASGI scope of the request.
    """
    scope["state"][STATE].mark_authenticated()


class Connection(Protocol):
    """What is known of a connection.

    Attributes:
        transport: The connection itself.
        deadline: Time of the event loop at which the connection is closed.
    """

    transport: Any
    deadline: float


class ConnectionGuard:
    """Knows the open connections, closes slow ones, makes room for new ones.

    Args:
        limits: Deadlines and the number of connections.
        telemetry: Where closed connections are counted.
    """

    def __init__(self, limits: Limits, telemetry: Telemetry) -> None:
        self.limits = limits
        self._telemetry = telemetry
        # Each in the order of their last requests, the longest idle first.
        self._unproven: OrderedDict[Connection, None] = OrderedDict()
        self._authenticated: OrderedDict[Connection, None] = OrderedDict()
        self._pending_bytes = 0
        self._last_deadline = math.inf

    def admit(self, connection: Connection) -> None:
        """Add a new connection.

        At the limit, the connection without an authenticated request that has been idle
        for longest is closed; where all others are authenticated, the new one.
        """
        self._unproven[connection] = None
        if len(self._unproven) + len(self._authenticated) > self.limits.connections:
            self._telemetry.connections_refused += 1
            victim, _ = self._unproven.popitem(last=False)
            victim.transport.abort()

    def authenticate(self, connection: Connection) -> None:
        """Prefer a connection that has brought a request with valid credentials."""
        if connection in self._unproven:
            del self._unproven[connection]
            self._authenticated[connection] = None

    def touch(self, connection: Connection) -> None:
        """Record that a connection has brought a whole request."""
        for group in (self._authenticated, self._unproven):
            if connection in group:
                group.move_to_end(connection)
                return

    def release(self, connection: Connection) -> None:
        """Forget a closed connection."""
        self._unproven.pop(connection, None)
        self._authenticated.pop(connection, None)

    def hold(self, size_bytes: int) -> bool:
        """Count bytes that wait for the answer to an earlier request.

        Args:
            size_bytes: Additional bytes; negative for bytes that wait no longer.

        Returns:
            False where a client must be closed because there are too many.
        """
        self._pending_bytes += size_bytes
        if size_bytes <= 0 or self._pending_bytes <= _PENDING_BYTES:
            return True
        self._telemetry.connections_timed_out += 1
        return False

    def sweep(self, now: float) -> None:
        """Close the connections whose deadline has passed.

        Args:
            now: Time of the event loop.
        """
        for connection in [
            one for one in self._all() if min(one.deadline, self._last_deadline) < now
        ]:
            self._telemetry.connections_timed_out += 1
            connection.transport.abort()

    def hurry(self, deadline: float) -> None:
        """Close every connection at `deadline`, also those that are still to come."""
        self._last_deadline = deadline

    def _all(self) -> Iterator[Connection]:
        return chain(self._unproven, self._authenticated)
