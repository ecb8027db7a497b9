"""The list of open connections: their number, their deadlines, what they hold."""

from typing import Any, Protocol

from agent.settings import Limits
from agent.state.telemetry import Telemetry

SWEEP_SECONDS = 1.0
# What clients send ahead of their answers, of all connections; a read is up to 256 KiB.
_PENDING_BYTES = 16_777_216


class Connection(Protocol):
    """What is known of a connection.

    Attributes:
        transport: The connection itself.
        deadline: Time of the event loop at which the connection is closed.
        has_served: Whether it has ever brought a whole request.
    """

    transport: Any
    deadline: float
    has_served: bool


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
        self._connections: dict[Connection, None] = {}
        self._pending_bytes = 0

    def admit(self, connection: Connection) -> None:
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

    def release(self, connection: Connection) -> None:
        """Forget a closed connection."""
        self._connections.pop(connection, None)

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
        for connection in [one for one in self._connections if one.deadline < now]:
            self._telemetry.connections_timed_out += 1
            connection.transport.abort()

    def hurry(self, deadline: float) -> None:
        """Give requests that are still coming in until `deadline`: we are stopping."""
        for connection in self._connections:
            connection.deadline = min(connection.deadline, deadline)
