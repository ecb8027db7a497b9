"""``serve`` with an empty handler: reads and authenticates requests, decodes nothing."""

import sys
from collections.abc import Mapping
from unittest.mock import patch

from agent.app import App, run_app
from agent.config_files import parse_credentials
from agent.ingest.http_drain import HttpDrain
from agent.settings import Settings


def do_nothing(
    drain: HttpDrain,
    addons: frozenset[str],
    headers: Mapping[bytes, bytes],
    body: bytes,
) -> None:
    """Stand in for the engine's work."""


if __name__ == "__main__":
    port, credentials = sys.argv[1:]
    with patch.object(HttpDrain, "_receive", do_nothing):
        run_app(
            App(
                Settings(
                    port=int(port),
                    drain_credentials=(parse_credentials(credentials),),
                )
            )
        )
