"""``serve`` with an empty handler: reads and authenticates requests, decodes nothing."""

import sys
from unittest.mock import patch

from agent.app import App, run_app
from agent.change import Origin
from agent.config_files import parse_credentials
from agent.ingest.http_drain import HttpDrain
from agent.settings import Settings


async def do_nothing(drain: HttpDrain, body: bytes, origin: Origin) -> bool:
    """Stand in for the engine's work."""
    return True


if __name__ == "__main__":
    port, credentials = sys.argv[1:]
    with patch.object(HttpDrain, "_apply", do_nothing):
        run_app(
            App(
                Settings(
                    port=int(port),
                    drain_credentials=(parse_credentials(credentials),),
                )
            )
        )
