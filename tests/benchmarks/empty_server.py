"""``serve`` with an empty handler: reads and authenticates requests, decodes nothing."""

import sys
from unittest.mock import patch

from agent.app import App, run_app
from agent.clock import Moment
from agent.pipeline import Delivery, Pipeline
from agent.settings import Settings, parse_credentials


def do_nothing(pipeline: Pipeline, delivery: Delivery, now: Moment) -> None:
    """Stand in for the pipeline's work."""


if __name__ == "__main__":
    port, credentials = sys.argv[1:]
    with patch.object(Pipeline, "receive", do_nothing):
        run_app(
            App(
                Settings(
                    port=int(port),
                    drain_credentials=(parse_credentials(credentials),),
                )
            )
        )
