"""What a transport is: how log lines come in."""

from typing import Protocol

from agent.http.handler import Handler
from agent.settings import Settings


class Transport(Protocol):
    """One way in: reads bytes, authenticates, decodes, hands batches to the engine.

    Constructed with the settings and the engine; see `agent.ingest.TRANSPORTS`.
    """

    async def start(self) -> None:
        """Begin to accept; called inside the event loop, before the first request."""

    async def stop(self) -> None:
        """Accept nothing more, and finish what is in flight."""

    def reconfigure(self, settings: Settings) -> None:
        """Use the credentials of other settings; called inside the event loop."""

    def handlers(self) -> list[Handler]:
        """List what answers its requests to the HTTP server; none for other protocols."""
