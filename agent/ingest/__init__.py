"""How log lines come in: one file for each transport, and this tuple of them."""

from collections.abc import Callable

from agent.engine import Engine
from agent.ingest.http_drain import HttpDrain
from agent.ingest.transport import Transport
from agent.settings import Settings

__all__ = ["TRANSPORTS", "Transport"]

TRANSPORTS: tuple[Callable[[Settings, Engine], Transport], ...] = (HttpDrain,)
"""The only list of them."""
